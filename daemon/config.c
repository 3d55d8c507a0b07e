/* SPDX-License-Identifier: MIT */
/* config.c - the configuration file, read with inih. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

struct reading {
	struct options *options;
	FILE *file;
	int line;
	int mistake_line;
	char mistake[512];
};

static int mistake(struct reading *reading, const char *format,
		   const char *what)
{
	/* The first one counts: inih goes on after it. */
	if (!reading->mistake[0]) {
		reading->mistake_line = reading->line;
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

/* inih does not tell its callback where it is. */
static char *read_line(char *buf, int size, void *arg)
{
	struct reading *reading = arg;

	reading->line++;
	return fgets(buf, size, reading->file);
}

static bool unreadable(const char *path)
{
	fprintf(stderr, "tund: %s: %s\n", path, strerror(errno));
	return false;
}

bool config_read(const char *path, bool must_exist, struct options *options)
{
	struct reading reading = {.options = options};
	const char *what = "neither a [section] nor a Key=value";
	int line, error;

	reading.file = fopen(path, "re");
	if (!reading.file)
		return errno == ENOENT && !must_exist ? true : unreadable(path);
	errno = 0;
	line = ini_parse_stream(read_line, &reading, on_key, &reading);
	/* A directory can be opened, and not read. */
	error = ferror(reading.file) ? errno : 0;
	fclose(reading.file);
	if (error) {
		errno = error;
		return unreadable(path);
	}
	if (line == 0)
		return true;
	if (line == reading.mistake_line)
		what = reading.mistake;
	fprintf(stderr, "tund: %s:%d: %s\n", path, line, what);
	return false;
}
