/* SPDX-License-Identifier: MIT */
/* message.c - sendmsg(2) and recvmsg(2) with SCM_RIGHTS. */
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int message_send(int socket, const void *data, size_t size, int fd)
{
	struct iovec iov = {(void *)(size_t)data, size};
	union control control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -1;
}

int message_receive(int socket, void *ret_data, size_t size, int *ret_fd)
{
	struct iovec iov = {ret_data, size};
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ret_fd ? control.bytes : NULL,
		.msg_controllen = ret_fd ? sizeof(control.bytes) : 0,
	};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (ret_fd) {
		*ret_fd = -1;
		c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
		if (c && c->cmsg_type == SCM_RIGHTS)
			memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	}
	if (n < 0)
		return -1;
	if (n == (ssize_t)size)
		return 0;
	errno = ECONNRESET;
	return -1;
}
