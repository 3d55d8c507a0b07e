/* SPDX-License-Identifier: MIT */
/*
 * client.c - the command `client`: a program that attaches and then waits or
 * works in the one way that --mode names, to be interrupted or killed there.
 */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct frame_format format;

/* One read, counted. Says whether the client should go on. */
static bool take(int fd, bool vector)
{
	uint8_t buf[BUFFER_SIZE];
	static __thread struct flow_check check;
	struct iovec iov[2] = {{buf, 10}, {buf + 10, sizeof(buf) - 10}};
	ssize_t n = vector ? readv(fd, iov, 2) : read(fd, buf, sizeof(buf));

	count(C_CALLS, 1);
	if (n >= 0) {
		frame_check(&format, &check, buf, (size_t)n);
		return true;
	}
	if (errno == EINTR)
		count(C_EINTR, 1);
	if (errno == EINTR || errno == EAGAIN)
		return true;
	count_set(C_RX_ERRNO, (uint64_t)errno);
	count(C_RX_ERRORS, 1);
	return false;
}

static bool give(int fd)
{
	static __thread uint64_t seq;
	uint8_t buf[BUFFER_SIZE];
	size_t size = frame_build(&format, buf, 0, seq++);

	return count_tx(write(fd, buf, size)) || errno == EIO || errno == EINTR;
}

/* What a wait returned: an error event ends the client. */
static bool event(int fd, int n, bool error)
{
	count(C_CALLS, 1);
	if (n < 0 && errno == EINTR)
		count(C_EINTR, 1);
	if (n <= 0)
		return true;
	count(C_EVENTS, 1);
	if (error) {
		count(C_POLLERR, 1);
		return false;
	}
	return take(fd, false);
}

static bool wait_poll(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = poll(&p, 1, -1);

	return event(fd, n, n > 0 && (p.revents & POLLERR));
}

static bool wait_select(int fd)
{
	fd_set set;
	int n;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	n = select(fd + 1, &set, NULL, NULL, NULL);
	return event(fd, n, false);
}

static bool wait_epoll(int fd, unsigned int extra)
{
	static int ep = -1;
	struct epoll_event e = {.events = EPOLLIN | extra};
	int n;

	if (ep < 0) {
		ep = epoll_create1(EPOLL_CLOEXEC);
		if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
			die("epoll");
	}
	n = epoll_wait(ep, &e, 1, -1);
	if (n <= 0 || !(extra & EPOLLET) || (e.events & EPOLLERR))
		return event(fd, n, n > 0 && (e.events & EPOLLERR));
	count(C_CALLS, 1);
	count(C_EVENTS, 1);
	/* Edge-triggered: until nothing is left; the descriptor does not
	 * block, so the last read says EAGAIN. */
	for (;;) {
		uint64_t before = counter(C_RX) + counter(C_RX_OTHER) +
				  counter(C_CORRUPT);

		if (!take(fd, false))
			return false;
		if (before ==
		    counter(C_RX) + counter(C_RX_OTHER) + counter(C_CORRUPT))
			return true;
	}
}

static bool between_calls(int fd)
{
	struct timespec t = {0, 200000};

	nanosleep(&t, NULL);
	return give(fd);
}

static bool step(int fd, const char *mode)
{
	if (!strcmp(mode, "read"))
		return take(fd, false);
	if (!strcmp(mode, "readv"))
		return take(fd, true);
	if (!strcmp(mode, "write"))
		return give(fd);
	if (!strcmp(mode, "between"))
		return between_calls(fd);
	if (!strcmp(mode, "poll"))
		return wait_poll(fd);
	if (!strcmp(mode, "select"))
		return wait_select(fd);
	if (!strcmp(mode, "epoll"))
		return wait_epoll(fd, 0);
	if (!strcmp(mode, "epollet"))
		return wait_epoll(fd, EPOLLET);
	if (!strcmp(mode, "pause"))
		return pause() < 0;
	errno = EINVAL;
	die("no mode %s", mode);
}

struct work {
	int fd;
	const char *mode;
	pthread_t thread;
};

static void *work_thread(void *data)
{
	struct work *w = data;

	while (!stopping && step(w->fd, w->mode))
		;
	return NULL;
}

static void start(struct work *w, int fd, const char *mode)
{
	pthread_attr_t attr;

	w->fd = fd;
	w->mode = mode;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 512 << 10);
	errno = pthread_create(&w->thread, &attr, work_thread, w);
	if (errno)
		die("no thread");
}

/* A reader, a writer and a poller on one descriptor. */
static void one_descriptor(int fd)
{
	static const char *const modes[] = {"read", "between", "poll"};
	struct work w[3];

	for (int i = 0; i < 3; i++)
		start(&w[i], fd, modes[i]);
	count_set(C_READY, 1);
	for (int i = 0; i < 3; i++)
		pthread_join(w[i].thread, NULL);
}

/* --threads descriptors, each attached to its own device, each read. */
static void many_descriptors(int first)
{
	struct work *w = calloc(opt.threads, sizeof(*w));

	if (!w)
		die("no memory");
	for (unsigned int i = 0; i < opt.threads; i++) {
		int fd =
			i ? device_attach(opt.device, opt.name, opt.tap, opt.pi)
			  : first;

		start(&w[i], fd, "read");
		count_set(C_READY, i + 1);
	}
	for (unsigned int i = 0; i < opt.threads; i++)
		pthread_join(w[i].thread, NULL);
	free(w);
}

static void on_usr1(int sig)
{
}

int command_client(void)
{
	struct sigaction interrupt = {.sa_handler = on_usr1};
	const char *mode = opt.mode;
	char name[16];
	int fd;

	sigaction(SIGUSR1, &interrupt, NULL);
	if (!strcmp(mode, "epollet"))
		opt.nonblock = true;
	fd = device_of_options(name);
	if (opt.src)
		frame_format_of_options(&format);
	if (opt.src && format.tap)
		hardware_address(name, format.dst_mac);
	if (!strcmp(mode, "threads")) {
		one_descriptor(fd);
		return 0;
	}
	if (!strcmp(mode, "many")) {
		many_descriptors(fd);
		return 0;
	}
	if (!strcmp(mode, "fork")) {
		fork();
		mode = "read";
	}
	count_set(C_READY, 1);
	while (step(fd, mode))
		;
	count_set(C_DONE, 1);
	return 0;
}
