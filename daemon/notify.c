/* SPDX-License-Identifier: MIT */
/* notify.c - sd_notify(3); no other file knows libsystemd. */
#include "notify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#else
#define SD_LISTEN_FDS_START 3

static int sd_listen_fds(int unset_environment)
{
	return 0;
}

static int sd_is_socket_unix(int fd, int type, int listening, const char *path,
			     size_t length)
{
	return 0;
}

static int sd_notify(int unset_environment, const char *state)
{
	return 0;
}

static int sd_watchdog_enabled(int unset_environment, uint64_t *usec)
{
	return 0;
}
#endif

void notify_ready(const char *status, ...)
{
	char text[512], state[600];
	va_list args;

	va_start(args, status);
	vsnprintf(text, sizeof(text), status, args);
	va_end(args);
	/* A line's end would begin another assignment. */
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = '?';
	snprintf(state, sizeof(state), "READY=1\nSTATUS=%s", text);
	sd_notify(0, state);
}

void notify_reloading(void)
{
	struct timespec now;
	char state[128];

	/* Type=notify-reload wants to know that it is about its own signal. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state),
		 "RELOADING=1\nMONOTONIC_USEC=%lld\n"
		 "STATUS=Reading the configuration",
		 now.tv_sec * 1000000LL + now.tv_nsec / 1000);
	sd_notify(0, state);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Ending");
}

unsigned int notify_watchdog_ms(void)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	/* Twice in its time, as sd_watchdog_enabled(3) recommends. */
	return usec < 2000 ? 1 : (unsigned int)(usec / 2000);
}

void notify_alive(void *unused)
{
	sd_notify(0, "WATCHDOG=1");
}

int notify_listen_fd(void)
{
	int fd = SD_LISTEN_FDS_START;

	if (sd_listen_fds(1) < 1 ||
	    sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
		return -1;
	/* As one that we make. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}
