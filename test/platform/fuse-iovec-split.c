// SPDX-License-Identifier: MIT
/* F11: a packet of up to 256 page pieces is one request, of more, several. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	PIECE = 64,
	PAGES_MAX = 256, /* max_pages, as libfuse asks for it */
};

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static struct platform_fuse *fuse;
static int fd;

static void write_pieces(char *piece, int count)
{
	struct iovec pieces[PAGES_MAX + 1];

	for (int i = 0; i < count; i++)
		pieces[i] = (struct iovec){piece, PIECE};
	expect(writev(fd, pieces, count) == (ssize_t)count * PIECE,
	       "a write of %d pieces fails", count);
}

static void expect_request(unsigned int n, uint32_t size, uint64_t offset)
{
	const struct fuse_write_in *write_in =
		&platform_fuse_request(fuse, FUSE_WRITE, n)->in.write;

	expect(write_in->size == size && write_in->offset == offset,
	       "request %u has %u bytes at %llu", n, write_in->size,
	       (unsigned long long)write_in->offset);
}

/* The offset is what tells the rest of a packet from a new one. */
static void write_up_to(char *piece, int pieces_max, unsigned int n)
{
	const uint32_t whole = (uint32_t)pieces_max * PIECE;

	write_pieces(piece, pieces_max);
	expect(platform_fuse_count(fuse, FUSE_WRITE) == n + 1,
	       "%d pieces are not one request", pieces_max);
	expect_request(n, whole, 0);
	write_pieces(piece, pieces_max + 1);
	expect(platform_fuse_count(fuse, FUSE_WRITE) == n + 3,
	       "%d pieces are not two requests", pieces_max + 1);
	expect_request(n + 1, whole, 0);
	expect_request(n + 2, PIECE, whole);
}

int main(void)
{
	const long page = sysconf(_SC_PAGESIZE);
	char *pages;

	platform_begin();
	pages = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(pages != MAP_FAILED, "set-up: no memory");
	fuse = platform_fuse_start(&setup);
	fd = platform_fuse_open(&setup, O_RDWR);

	write_up_to(pages, PAGES_MAX, 0);
	/* A piece that lies across two pages counts as two. */
	write_up_to(pages + page - PIECE / 2, PAGES_MAX / 2, 3);
	return 0;
}
