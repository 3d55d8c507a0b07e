/* SPDX-License-Identifier: MIT */
/* netns.c - setns(2) and unshare(2), which change the calling thread alone. */
#include "net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int home_fd = -1;

static int open_own(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int netns_init(void)
{
	home_fd = open_own();
	return home_fd < 0 ? home_fd : 0;
}

void netns_exit(void)
{
	if (home_fd >= 0)
		close(home_fd);
	home_fd = -1;
}

int netns_enter(int ns_fd)
{
	return setns(ns_fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

int netns_enter_new(int *ret_ns_fd)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = open_own();
	if (fd < 0) {
		netns_leave();
		return fd;
	}
	*ret_ns_fd = fd;
	return 0;
}

void netns_leave(void)
{
	/* Nothing is done in a namespace that was not entered for it. */
	if (setns(home_fd, CLONE_NEWNET) < 0)
		log_error("cannot return to the daemon's network namespace: "
			  "%s",
			  strerror(errno));
}
