/* SPDX-License-Identifier: MIT */
/*
 * log.c - writes each message with one write(2), so that threads never mix
 * their lines. Under systemd a line begins with the journal's priority.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* The journal reads them from "<N>". */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,	 [LOG_LEVEL_WARNING] = LOG_WARNING,
	[LOG_LEVEL_NOTICE] = LOG_NOTICE, [LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

static enum log_level max_level = LOG_LEVEL_NOTICE;
static bool use_syslog;

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_to_syslog(void)
{
	openlog("tund", LOG_PID, LOG_DAEMON);
	use_syslog = true;
}

int log_level_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (strcmp(name, level_names[i]) == 0)
			return (int)i;
	return -EINVAL;
}

void log_message(enum log_level level, const char *format, ...)
{
	char said[960], text[960], line[1024];
	int saved_errno = errno;
	va_list args;
	int n;

	if (level > max_level)
		return;
	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
	/* It may quote a name that a program chose. */
	text_show(said, text, sizeof(text));

	if (use_syslog) {
		syslog(priorities[level], "%s", text);
		errno = saved_errno;
		return;
	}
	if (getenv("JOURNAL_STREAM"))
		n = snprintf(line, sizeof(line), "<%d>%s\n", priorities[level],
			     text);
	else
		n = snprintf(line, sizeof(line), "tund: %s: %s\n",
			     level_names[level], text);

	/* There is nowhere to report a failure to. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		errno = 0;
	errno = saved_errno;
}
