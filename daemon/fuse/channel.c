/* SPDX-License-Identifier: MIT */
/* channel.c - small answers go to the kernel in one piece. */
#include "fuse/channel.h"

#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* An answer to write(2) or poll(2) is 24 bytes. */
#define SMALL 64

static ssize_t channel_read(int fd, void *buf, size_t size, void *userdata)
{
	return read(fd, buf, size);
}

/* The kernel pins the memory of each piece to read from it. */
static ssize_t channel_writev(int fd, struct iovec *iov, int n, void *userdata)
{
	uint8_t whole[SMALL];
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len > sizeof(whole) - len)
			return writev(fd, iov, n);
		memcpy(whole + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return write(fd, whole, len);
}

int channel_open(struct fuse_session *session, int fd)
{
	static const struct fuse_custom_io io = {
		.read = channel_read,
		.writev = channel_writev,
	};

	return fuse_session_custom_io(session, &io, fd);
}
