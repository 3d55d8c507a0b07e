// SPDX-License-Identifier: MIT
/* F11: every close() of a copy sends FLUSH and waits; the last, RELEASE. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static struct platform_fuse *fuse;

static void close_slowly(int fd, unsigned int n)
{
	struct platform_call closer;

	platform_call_start(&closer, platform_call_close, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_FLUSH) == n + 1,
		    "close() sends no FLUSH");
	expect_never(closer.done, "close() does not wait for FLUSH");
	expect(platform_fuse_count(fuse, FUSE_RELEASE) == 0,
	       "RELEASE comes before FLUSH is answered");
	platform_fuse_answer(fuse, FUSE_FLUSH);
	platform_call_join(&closer);
	expect(closer.result == 0, "close() fails");
}

int main(void)
{
	int copy;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fuse->hold = PLATFORM_HOLD(FUSE_FLUSH);
	fd = platform_fuse_open(&setup, O_RDWR);
	copy = (int)must(dup(fd));

	close_slowly(copy, 0);
	close_slowly(fd, 1);
	expect_soon(platform_fuse_count(fuse, FUSE_RELEASE) == 1,
		    "the last close() sends no RELEASE");
	expect(platform_fuse_request(fuse, FUSE_FLUSH, 0)->in.flush.fh ==
		       platform_fuse_request(fuse, FUSE_FLUSH, 1)->in.flush.fh,
	       "copies have handles of their own");
	return 0;
}
