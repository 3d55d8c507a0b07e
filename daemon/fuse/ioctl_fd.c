/* SPDX-License-Identifier: MIT */
/*
 * ioctl_fd.c - TUND_IOC_FD: sends a descriptor through a socket of the
 * caller's. Whose it is to have is decided before it is made.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "dev/direct.h"
#include "fuse/caller.h"
#include "fuse/ioctl.h"

static int take_socket(const struct call *c, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct pollfd pfd = {.events = POLLOUT};
	int domain = -1;
	socklen_t len = sizeof(domain);
	int r;

	r = caller_take_fd(c->thread.tid, c->in.fd.socket, &fd);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    domain != AF_UNIX)
		return -ENOTSOCK;
	/* What is made below could not be taken back. */
	pfd.fd = fd;
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
		return -ENOBUFS;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int send_through(int socket_fd, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1
		       ? 0
		       : -ENOBUFS;
}

/* Who administers the namespace may have its descriptor. */
static int check_admin(const struct call *c, int ns_fd)
{
	struct dev_caller caller;

	caller_look_up(c->thread.tid, ns_fd, &caller);
	caller_forget(&caller);
	return caller.net_admin ? 0 : -EPERM;
}

static int open_device_ns(const struct call *c, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	int r = dev_file_device_ns(c->file->dev_file, &fd);

	if (r == 0)
		r = check_admin(c, fd);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

int ioctl_send_fd(const struct call *c)
{
	const struct tund_fd *wanted = &c->in.fd;
	struct dev_file *file = c->file->dev_file;
	_cleanup_close_ int socket_fd = -1, made_fd = -1;
	int fd, r;

	if (wanted->what < TUND_FD_DIRECT ||
	    wanted->what > TUND_FD_DEVICE_NETNS ||
	    (wanted->flags & ~TUND_FD_NONBLOCK))
		return -EINVAL;
	r = take_socket(c, &socket_fd);
	if (r < 0)
		return r;
	switch (wanted->what) {
	case TUND_FD_DIRECT:
		r = dev_file_direct(file, wanted->flags & TUND_FD_NONBLOCK,
				    &made_fd);
		fd = made_fd;
		break;
	case TUND_FD_DEVICE_NETNS:
		r = open_device_ns(c, &made_fd);
		fd = made_fd;
		break;
	default:
		fd = dev_file_ns(file);
		r = check_admin(c, fd);
	}
	return r < 0 ? r : send_through(socket_fd, fd);
}
