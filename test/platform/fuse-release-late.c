// SPDX-License-Identifier: MIT
/* F11: close() does not wait for the answer to RELEASE. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

int main(void)
{
	struct platform_call closer;
	struct platform_fuse *fuse;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fuse->hold = PLATFORM_HOLD(FUSE_RELEASE);
	fd = platform_fuse_open(&setup, O_RDWR);

	platform_call_start(&closer, platform_call_close, fd);
	expect_soon(closer.done, "close() waits for RELEASE");
	expect(closer.result == 0, "close() fails");
	platform_call_join(&closer);
	expect_soon(platform_fuse_count(fuse, FUSE_RELEASE) == 1,
		    "RELEASE never reached the server");
	/* Nor does anybody else wait. */
	fd = platform_fuse_open(&setup, O_RDWR);
	expect(write(fd, "", 1) == 1, "a second client is not served");
	platform_fuse_answer(fuse, FUSE_RELEASE);
	return 0;
}
