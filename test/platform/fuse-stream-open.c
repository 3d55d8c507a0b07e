// SPDX-License-Identifier: MIT
/* F3: only with FOPEN_STREAM does a blocked read let a write pass. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static struct platform_fuse *fuse;
static struct platform_call reader;
static struct platform_call writer;

static int open_and_block_in_read(unsigned int open_flags)
{
	unsigned int reads = platform_fuse_count(fuse, FUSE_READ);
	int fd;

	fuse->open_flags = open_flags;
	fd = platform_fuse_open(&setup, O_RDWR);
	platform_call_start(&reader, platform_call_read, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == reads + 1,
		    "the read never reached the server");
	return fd;
}

static void end_read(int fd)
{
	expect(!reader.done, "the read did not block");
	platform_fuse_put(fuse);
	platform_call_join(&reader);
	expect(reader.result == sizeof(PLATFORM_PACKET), "read: %ld",
	       reader.result);
	platform_call_join(&writer);
	expect(writer.result == sizeof(writer.buffer), "write: %ld",
	       writer.result);
	close(fd);
}

int main(void)
{
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);

	fd = open_and_block_in_read(PLATFORM_OPEN_TUND);
	platform_call_start(&writer, platform_call_write, fd);
	expect_soon(writer.done, "with FOPEN_STREAM the write waits");
	expect(platform_fuse_count(fuse, FUSE_WRITE) == 1,
	       "the write did not reach the server");
	end_read(fd);

	fd = open_and_block_in_read(PLATFORM_OPEN_TUND & ~FOPEN_STREAM);
	platform_call_start(&writer, platform_call_write, fd);
	expect_never(platform_fuse_count(fuse, FUSE_WRITE) == 2 || writer.done,
		     "without FOPEN_STREAM the write passes, too");
	end_read(fd);
	return 0;
}
