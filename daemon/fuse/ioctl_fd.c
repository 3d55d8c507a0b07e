/* SPDX-License-Identifier: MIT */
/*
 * ioctl_fd.c - TUND_IOC_FD: sends a descriptor through a socket of the
 * caller's. Whose it is to have is decided before it is made.
 */
#include <errno.h>

#include "base/util.h"
#include "dev/direct.h"
#include "fuse/caller.h"
#include "fuse/ioctl.h"

/* Who administers the namespace may have its descriptor. */
static int open_device_ns(const struct call *c, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	int r = dev_file_device_ns(c->file->dev_file, &fd);

	if (r == 0)
		r = caller_check_admin(c->thread.tid, fd);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

static unsigned int known_flags(unsigned int what)
{
	return what == TUND_FD_DIRECT ? TUND_FD_NONBLOCK | TUND_FD_FRAMES
				      : TUND_FD_NONBLOCK;
}

int ioctl_send_fd(const struct call *c)
{
	const struct tund_fd *wanted = &c->in.fd;
	struct dev_file *file = c->file->dev_file;
	_cleanup_close_ int made_fd = -1;
	pid_t pid = caller_process(c->thread.tid);
	int fd, r;

	if (wanted->what < TUND_FD_DIRECT ||
	    wanted->what > TUND_FD_DEVICE_NETNS ||
	    (wanted->flags & ~known_flags(wanted->what)))
		return -EINVAL;
	/* What is made below could not be taken back. */
	r = callermem_check_socket(&c->thread, pid, wanted->socket);
	if (r < 0)
		return r;
	switch (wanted->what) {
	case TUND_FD_DIRECT:
		r = dev_file_direct(file, wanted->flags, &made_fd);
		fd = made_fd;
		break;
	case TUND_FD_DEVICE_NETNS:
		r = open_device_ns(c, &made_fd);
		fd = made_fd;
		break;
	default:
		fd = dev_file_ns(file);
		r = caller_check_admin(c->thread.tid, fd);
	}
	return r < 0 ? r
		     : callermem_send_fd(&c->thread, pid, wanted->socket, fd);
}
