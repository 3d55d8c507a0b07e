/* SPDX-License-Identifier: MIT */
/* config.c - the configuration file, read with inih. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

struct reading {
	struct options *options;
	char mistake[512];
};

static int mistake(struct reading *reading, const char *format,
		   const char *what)
{
	/* The first one counts: inih goes on after it. */
	if (!reading->mistake[0]) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(reading->mistake, sizeof(reading->mistake), format,
			 what);
#pragma GCC diagnostic pop
	}
	return 0;
}

static int set_mount(struct reading *reading, const char *value)
{
	struct options *options = reading->options;

	if (value[0] != '/' || strlen(value) >= sizeof(options->mount))
		return mistake(reading,
			       "Mount=%s: not an absolute path of a mount "
			       "point",
			       value);
	strcpy(options->mount, value);
	return 1;
}

static int set_log_level(struct reading *reading, const char *value)
{
	int level = log_level_from_name(value);

	if (level < 0)
		return mistake(reading,
			       "LogLevel=%s: not one of " LOG_LEVEL_NAMES,
			       value);
	reading->options->log_level = (enum log_level)level;
	return 1;
}

static int on_key(void *arg, const char *section, const char *name,
		  const char *value)
{
	struct reading *reading = arg;

	if (strcmp(section, "Daemon") != 0)
		return mistake(reading,
			       "section [%s]: the one section is [Daemon]",
			       section);
	if (strcmp(name, "Mount") == 0)
		return set_mount(reading, value);
	if (strcmp(name, "LogLevel") == 0)
		return set_log_level(reading, value);
	return mistake(reading,
		       "unknown key %s=: [Daemon] has Mount= and "
		       "LogLevel=",
		       name);
}

bool config_read(const char *path, bool must_exist, struct options *options)
{
	struct reading reading = {.options = options};
	int line;

	errno = 0;
	line = ini_parse(path, on_key, &reading);
	if (line == 0)
		return true;
	if (line == -1 && errno == ENOENT && !must_exist)
		return true;
	if (line < 0)
		fprintf(stderr, "tund: %s: %s\n", path,
			errno ? strerror(errno) : "cannot be read");
	else
		fprintf(stderr, "tund: %s:%d: %s\n", path, line,
			reading.mistake[0]
				? reading.mistake
				: "neither a [section] nor a Key=value");
	return false;
}
