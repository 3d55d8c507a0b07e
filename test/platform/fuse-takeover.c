// SPDX-License-Identifier: MIT
/* F13: a kept /dev/fuse descriptor carries a mount over its server's death. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

/* Keeps the descriptor and starts a new server for each that is killed. */
static void keep(struct platform_fuse *fuse)
{
	int dev_fd = platform_fuse_mount(&setup);
	int status;

	do {
		pid_t server = platform_fork();

		if (server == 0)
			platform_fuse_serve(fuse, &setup, dev_fd);
		must(waitpid(server, &status, 0));
	} while (WIFSIGNALED(status));
	_exit(1);
}

static void expect_packet(struct platform_call *reader)
{
	platform_call_join(reader);
	expect(reader->result == sizeof(PLATFORM_PACKET), "read: %ld, %s",
	       reader->result, strerror(reader->error));
	expect(strcmp(reader->buffer, PLATFORM_PACKET) == 0,
	       "the read gives something else");
}

static void start_read(struct platform_fuse *fuse, struct platform_call *reader,
		       int fd)
{
	unsigned int reads = platform_fuse_count(fuse, FUSE_READ);

	platform_call_start(reader, platform_call_read, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == reads + 1,
		    "a read never reached the server");
}

static void kill_server(struct platform_fuse *fuse)
{
	unsigned int generation = fuse->generation;

	kill(fuse->server, SIGKILL);
	expect_soon(fuse->generation == generation + 1, "no successor");
}

static void resend(struct platform_fuse *fuse, struct platform_call *held,
		   uint64_t unique, uint64_t fh)
{
	const struct platform_request *again;

	expect(fuse->resend_error == 0, "FUSE_NOTIFY_RESEND: %s",
	       strerror(-fuse->resend_error));
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == 2,
		    "the unanswered read does not come again");
	again = platform_fuse_request(fuse, FUSE_READ, 1);
	expect(again->header.unique == (unique | PLATFORM_UNIQUE_RESEND),
	       "it comes as %#llx", (unsigned long long)again->header.unique);
	expect(again->in.read.fh == fh, "it comes with another handle");
	expect(!held->done, "the client noticed");
	platform_fuse_put(fuse);
	expect_packet(held);
}

int main(void)
{
	const struct platform_request *first;
	struct platform_call held;
	struct platform_call later;
	struct platform_fuse *fuse;
	struct pollfd aborted = {.events = POLLIN};
	pid_t keeper;
	bool resends;
	int fd;

	platform_begin();
	fuse = platform_fuse_new();
	keeper = platform_fork();
	if (keeper == 0)
		keep(fuse);
	platform_fuse_await(fuse, keeper);
	fd = platform_fuse_open(&setup, O_RDWR);
	resends = fuse->init.flags2 & PLATFORM_INIT2_HAS_RESEND;
	if (!resends)
		platform_skip("FUSE 7.%u has no FUSE_NOTIFY_RESEND",
			      fuse->init.minor);

	start_read(fuse, &held, fd);
	first = platform_fuse_request(fuse, FUSE_READ, 0);
	kill_server(fuse);
	resend(fuse, &held, first->header.unique, first->in.read.fh);

	/* The same descriptor goes on with the successor. */
	start_read(fuse, &later, fd);
	platform_fuse_put(fuse);
	expect_packet(&later);

	/* Without a keeper all is over: the keeper is what saves the mount. */
	kill(keeper, SIGKILL);
	aborted.fd = fd;
	expect_soon(poll(&aborted, 1, 0) == 1 && aborted.revents & POLLERR,
		    "the connection outlives its last descriptor");
	expect(read(fd, later.buffer, 1) == -1 && errno == ENOTCONN,
	       "not ENOTCONN but %s", strerror(errno));
	return 0;
}
