// SPDX-License-Identifier: MIT
/* F6: the first poll handle of a file wakes every later waiter, each time. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static long wait_readable(struct platform_call *call)
{
	struct pollfd pollfd = {.fd = call->fd, .events = POLLIN};

	poll(&pollfd, 1, -1);
	return pollfd.revents;
}

static void wake_poll(struct platform_fuse *fuse, int fd)
{
	unsigned int polls = platform_fuse_count(fuse, FUSE_POLL);
	struct platform_call poller;

	platform_call_start(&poller, wait_readable, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_POLL) > polls,
		    "poll() never reached the server");
	expect(!poller.done, "poll() does not wait");
	platform_fuse_put(fuse);
	expect_soon(poller.done, "the notification does not wake poll()");
	expect(poller.result == POLLIN, "poll() reports %#lx", poller.result);
	platform_call_join(&poller);
	must(read(fd, poller.buffer, sizeof(poller.buffer)));
}

/* Events that come within the time; edge-triggered, so each only once. */
static int events(int epoll_fd, int timeout)
{
	struct epoll_event event;

	return (int)must(epoll_wait(epoll_fd, &event, 1, timeout));
}

static void wake_epoll(struct platform_fuse *fuse, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll_fd = (int)must(epoll_create1(EPOLL_CLOEXEC));

	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event));
	expect(events(epoll_fd, 0) == 0, "an event before there is anything");
	for (int i = 0; i < 3; i++) {
		platform_fuse_put(fuse);
		expect(events(epoll_fd, PLATFORM_SOON_MS) == 1,
		       "no event for notification %d", i);
		expect(events(epoll_fd, PLATFORM_QUIET_MS / 4) == 0,
		       "two events for notification %d", i);
	}
	close(epoll_fd);
}

int main(void)
{
	struct platform_fuse *fuse;
	uint64_t first;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fd = platform_fuse_open(&setup, O_RDWR);

	wake_poll(fuse, fd);
	wake_poll(fuse, fd);
	wake_epoll(fuse, fd);

	first = platform_fuse_request(fuse, FUSE_POLL, 0)->in.poll.kh;
	for (unsigned int i = 1; i < platform_fuse_count(fuse, FUSE_POLL); i++)
		expect(platform_fuse_request(fuse, FUSE_POLL, i)->in.poll.kh ==
			       first,
		       "the kernel has a new handle for the same file");
	return 0;
}
