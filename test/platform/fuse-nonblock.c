// SPDX-License-Identifier: MIT
/* F6: each read brings the O_NONBLOCK of its moment. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static struct platform_fuse *fuse;

static bool nonblocking(unsigned int n)
{
	return platform_fuse_request(fuse, FUSE_READ, n)->in.read.flags &
	       O_NONBLOCK;
}

static void expect_eagain(int fd)
{
	char byte;

	expect(read(fd, &byte, 1) == -1 && errno == EAGAIN, "not EAGAIN but %s",
	       strerror(errno));
}

static void expect_blocking(int fd, unsigned int n)
{
	struct platform_call reader;

	platform_call_start(&reader, platform_call_read, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == n + 1,
		    "the read never reached the server");
	expect(!nonblocking(n), "O_NONBLOCK is seen after it was cleared");
	platform_fuse_put(fuse);
	platform_call_join(&reader);
	expect(reader.result == sizeof(PLATFORM_PACKET), "read: %ld",
	       reader.result);
}

int main(void)
{
	int on = 1;
	int off = 0;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fd = platform_fuse_open(&setup, O_RDWR);

	expect_blocking(fd, 0);
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	expect_eagain(fd);
	expect(nonblocking(1), "O_NONBLOCK set by fcntl() is not seen");
	must(fcntl(fd, F_SETFL, 0));
	expect_blocking(fd, 2);
	must(ioctl(fd, FIONBIO, &on));
	expect_eagain(fd);
	expect(nonblocking(3), "O_NONBLOCK set by FIONBIO is not seen");
	must(ioctl(fd, FIONBIO, &off));
	expect_blocking(fd, 4);
	return 0;
}
