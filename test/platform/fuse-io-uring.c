// SPDX-License-Identifier: MIT
/* F11: io_uring reads nothing from a file that is smaller than a packet. */
#include "platform-fuse.h"

#ifdef HAVE_LIBURING

#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static char buffer[128];

static void submit_read(struct io_uring *ring, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_read(sqe, fd, buffer, sizeof(buffer), 0);
	expect(io_uring_submit(ring) == 1, "set-up: nothing submitted");
}

static int complete(struct io_uring *ring)
{
	struct io_uring_cqe *cqe = NULL;
	int result;

	expect_soon(io_uring_peek_cqe(ring, &cqe) == 0, "no completion");
	result = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return result;
}

int main(void)
{
	struct platform_fuse *fuse;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int result;
	int fd;

	platform_begin();
	result = io_uring_queue_init(4, &ring, 0);
	if (result < 0)
		platform_skip("io_uring: %s", strerror(-result));
	fuse = platform_fuse_start(&setup);

	fuse->size = 0;
	fd = platform_fuse_open(&setup, O_RDWR);
	submit_read(&ring, fd);
	platform_fuse_put(fuse);
	result = complete(&ring);
	expect(result == 0, "of a file of size 0 it reads %d", result);
	expect(platform_fuse_count(fuse, FUSE_READ) == 0,
	       "the server was asked");
	must(read(fd, buffer, sizeof(buffer)));
	close(fd);

	memset(buffer, 0, sizeof(buffer));
	fuse->size = PLATFORM_BIG;
	fd = platform_fuse_open(&setup, O_RDWR);
	submit_read(&ring, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_POLL) +
			    platform_fuse_count(fuse, FUSE_READ),
		    "the read never reached the server");
	expect_never(io_uring_peek_cqe(&ring, &cqe) == 0,
		     "it ends without a packet");
	platform_fuse_put(fuse);
	result = complete(&ring);
	expect(result == sizeof(PLATFORM_PACKET), "it reads %d", result);
	expect(strcmp(buffer, PLATFORM_PACKET) == 0, "it reads another thing");
	return 0;
}

#else

int main(void)
{
	platform_skip("built without liburing");
}

#endif
