// SPDX-License-Identifier: MIT
/* F13: what was read through a cloned descriptor dies with its server. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

/* Serves through a clone of a descriptor that the keeper, its parent, has. */
static void keep(struct platform_fuse *fuse)
{
	int dev_fd = platform_fuse_mount(&setup);

	if (platform_fork() == 0) {
		uint32_t original = (uint32_t)dev_fd;
		int clone = (int)must(
			open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));

		must(ioctl(clone, FUSE_DEV_IOC_CLONE, &original));
		platform_fuse_serve(fuse, &setup, clone);
	}
	platform_keep_until_end();
}

int main(void)
{
	struct platform_call reader;
	struct platform_fuse *fuse;
	pid_t keeper;

	platform_begin();
	fuse = platform_fuse_new();
	keeper = platform_fork();
	if (keeper == 0)
		keep(fuse);
	platform_fuse_await(fuse, keeper);

	platform_call_start(&reader, platform_call_read,
			    platform_fuse_open(&setup, O_RDWR));
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == 1,
		    "the read never reached the server");
	kill(fuse->server, SIGKILL);
	expect_soon(reader.done,
		    "the read waits for a successor: clones may be used now");
	expect(reader.result == -1 && reader.error == ECONNABORTED,
	       "not ECONNABORTED but %ld, %s", reader.result,
	       strerror(reader.error));
	platform_call_join(&reader);
	return 0;
}
