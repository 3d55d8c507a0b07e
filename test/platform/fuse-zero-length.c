// SPDX-License-Identifier: MIT
/* F11: a read or write of no bytes returns 0 and never reaches the server. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

int main(void)
{
	struct platform_fuse *fuse;
	char byte = 0;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fd = platform_fuse_open(&setup, O_RDWR);

	expect(write(fd, &byte, 0) == 0, "a write of no bytes fails");
	expect(read(fd, &byte, 0) == 0, "a read of no bytes fails");
	expect(write(fd, &byte, 1) == 1, "a write of one byte fails");
	expect(platform_fuse_count(fuse, FUSE_READ) == 0,
	       "the server was asked to read nothing");
	expect(platform_fuse_count(fuse, FUSE_WRITE) == 1,
	       "the server was asked to write nothing");
	return 0;
}
