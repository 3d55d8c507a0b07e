// SPDX-License-Identifier: MIT
/* F1: a caller's memory stays readable while its ioctl is held, even killed. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	ssize_t got;
	struct ifreq request;
};

static struct seen *seen;
static fuse_req_t held;
static void *held_arg;

static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	held = req;
	held_arg = arg;
}

static void read_caller(void)
{
	struct iovec here = {&seen->request, sizeof(seen->request)};
	struct iovec there = {held_arg, sizeof(seen->request)};

	seen->got = process_vm_readv(fuse_req_ctx(held)->pid, &here, 1, &there,
				     1, 0);
	fuse_reply_ioctl(held, 0, NULL, 0);
}

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
	.ioctl = on_ioctl,
	.custom = read_caller,
};

int main(void)
{
	struct platform_fuse *fuse;
	pid_t child;

	platform_begin();
	seen = platform_shared(sizeof(*seen));
	fuse = platform_fuse_start(&setup);

	child = platform_fork();
	if (child == 0) {
		struct ifreq request = {.ifr_name = "doomed"};

		_exit(ioctl(platform_fuse_open(&setup, O_RDWR), TUNSETIFF,
			    &request));
	}
	expect_soon(platform_fuse_count(fuse, FUSE_IOCTL) == 1,
		    "the ioctl never reached the server");
	kill(child, SIGKILL);
	expect_soon(platform_fuse_count(fuse, FUSE_INTERRUPT) == 1,
		    "the server was not told of the kill");
	expect_never(platform_child_ended(child, NULL),
		     "the caller can go away under the server");
	platform_fuse_custom(fuse);
	expect(seen->got == sizeof(seen->request),
	       "the memory of the killed caller gave %zd", seen->got);
	expect(strcmp(seen->request.ifr_name, "doomed") == 0,
	       "it is not what the caller wrote");
	expect_soon(platform_child_ended(child, NULL),
		    "the answer does not end it");
	return 0;
}
