/* SPDX-License-Identifier: MIT */
/* fetch.c - the daemon sends it through a socketpair of the caller's. */
#include "fetch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* One byte and a descriptor, or -1. */
static int receive_fd(int socket)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	ssize_t n;
	int fd = -1;

	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

int tunclient_fetch_fd_(unsigned int what, unsigned int flags,
			int (*ask)(void *context, struct tund_fd *request),
			void *context)
{
	struct tund_fd request = {
		.what = (__u16)what,
		.flags = (__u16)flags,
	};
	int sv[2], r, fd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	request.socket = sv[0];
	r = ask(context, &request);
	/* Its number may be the last one that is left for the descriptor. */
	close(sv[0]);
	if (r >= 0) {
		fd = receive_fd(sv[1]);
		r = fd < 0 ? -EIO : fd;
	}
	close(sv[1]);
	return r;
}
