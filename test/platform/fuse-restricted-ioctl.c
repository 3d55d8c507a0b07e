// SPDX-License-Identifier: MIT
/* F1: TUNSETIFF brings 4 of its 40 bytes, and a pointer to all of them. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	size_t in_size;
	size_t out_size;
	char in[sizeof(struct ifreq)];
	void *arg;
	ssize_t got;
	ssize_t put;
	struct ifreq request;
};

static struct seen *seen;

/* In the server: what the kernel did not bring is fetched from the caller. */
static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	pid_t caller = fuse_req_ctx(req)->pid;
	struct ifreq request = {0};
	struct iovec here = {&request, sizeof(request)};
	struct iovec there = {arg, sizeof(request)};

	if (cmd == (unsigned int)TUNGETIFF) {
		fuse_reply_ioctl(req, 0, &request, sizeof(request));
		return;
	}
	memset(seen, 0, sizeof(*seen));
	seen->in_size = in_size;
	seen->out_size = out_size;
	memcpy(seen->in, in, in_size);
	seen->arg = arg;
	seen->got = process_vm_readv(caller, &here, 1, &there, 1, 0);
	seen->request = request;
	strcpy(request.ifr_name, "from-server-123");
	request.ifr_flags = 0x5a5a;
	seen->put = process_vm_writev(caller, &here, 1, &there, 1, 0);
	fuse_reply_ioctl(req, 0, NULL, 0);
}

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
	.ioctl = on_ioctl,
};

static void attach(void)
{
	int fd = platform_fuse_open(&setup, O_RDWR);
	struct ifreq request = {
		.ifr_name = "name-of-15-char",
		.ifr_flags = IFF_TUN | IFF_NO_PI,
	};
	const struct ifreq asked = request;

	expect(ioctl(fd, TUNSETIFF, &request) == 0, "TUNSETIFF: %s",
	       strerror(errno));
	expect(seen->in_size == 4, "%zu bytes came with it", seen->in_size);
	expect(memcmp(seen->in, asked.ifr_name, 4) == 0,
	       "they are not the first of the argument");
	expect(seen->out_size == 0, "%zu bytes may go back", seen->out_size);
	expect(seen->arg == &request, "the pointer is not the caller's");
	expect(seen->got == sizeof(request), "the caller's memory gave %zd",
	       seen->got);
	expect(memcmp(&seen->request, &asked, sizeof(asked)) == 0,
	       "the server read something else");
	expect(seen->put == sizeof(request), "the caller's memory took %zd",
	       seen->put);
	expect(strcmp(request.ifr_name, "from-server-123") == 0 &&
		       request.ifr_flags == 0x5a5a,
	       "the caller does not see what the server wrote");
	close(fd);
}

/* A container's process, as the server below sees it. */
static void attach_from_nested_namespaces(void)
{
	pid_t child = platform_fork();

	if (child == 0) {
		pid_t first;

		if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
			    CLONE_NEWNS) != 0)
			platform_skip("no nested namespaces: %s",
				      strerror(errno));
		first = platform_fork();
		if (first == 0) {
			expect(getpid() == 1, "set-up: not a new pid space");
			attach();
			_exit(0);
		}
		platform_expect_child_ok(first);
		_exit(0);
	}
	platform_expect_child_ok(child);
}

static void answer_too_much(void)
{
	int fd = platform_fuse_open(&setup, O_RDWR);
	struct ifreq request = {0};

	expect(ioctl(fd, TUNGETIFF, &request) == -1 && errno == EIO,
	       "an answer of 40 bytes where the number says 4 is let through");
	close(fd);
}

int main(void)
{
	platform_begin();
	seen = platform_shared(sizeof(*seen));
	platform_fuse_start(&setup);

	attach();
	answer_too_much();
	attach_from_nested_namespaces();
	return 0;
}
