/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - tundctl metrics: the daemon's OpenMetrics text, or a file for
 * node_exporter's textfile collector.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control.h"

/*
 * That collector reads the text format that was before OpenMetrics: there a
 * name has its ending already where it is declared, what is information is a
 * gauge, and other lines that begin with # are comments.
 */
static const char *ending_of(const char *kind)
{
	return strcmp(kind, "counter") == 0 ? "_total"
	       : strcmp(kind, "info") == 0  ? "_info"
					    : "";
}

static void print_old_line(FILE *to, const char *line, int len)
{
	static char last[128], kind[16]; /* the type comes before the help */
	char name[128];
	int end = 0;

	if (strncmp(line, "# EOF", 5) == 0)
		return;
	if (sscanf(line, "# TYPE %127s %15s", last, kind) == 2)
		fprintf(to, "# TYPE %s%s %s\n", last, ending_of(kind),
			strcmp(kind, "info") == 0 ? "gauge" : kind);
	else if (sscanf(line, "# HELP %127s%n", name, &end) == 1 &&
		 strcmp(name, last) == 0)
		fprintf(to, "# HELP %s%s%.*s\n", name, ending_of(kind),
			len - end, line + end);
	else
		fprintf(to, "%.*s\n", len, line);
}

static void print_old(FILE *to, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		print_old_line(to, text, (int)len);
		text += len + (text[len] != '\0');
	}
}

/*
 * Whatever stands there is replaced: of a device, a pipe or a link nothing
 * would be left.
 */
static bool may_be_replaced(const char *path)
{
	struct stat st;

	/* If it cannot be looked at, it cannot be written, which says why. */
	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return true;
	if (S_ISDIR(st.st_mode))
		complain_of_file(path, EISDIR);
	else if (S_ISLNK(st.st_mode))
		complain("%s is a symbolic link, which would be replaced: name "
			 "the file that it leads to",
			 path);
	else
		complain("%s is no regular file, and would be replaced by one: "
			 "name another, or leave out --textfile and send the "
			 "output there",
			 path);
	return false;
}

/* Whoever reads it finds the old one or the new one, and all of it. */
static int write_file(const char *path, const char *text)
{
	char temporary[PATH_MAX];
	bool good;
	FILE *to;
	int fd;

	/* Not one that the collector would read. */
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
	    (int)sizeof(temporary)) {
		complain("%s: the path is too long", path);
		return 1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to) {
		complain_of_file(path, errno);
		return 1;
	}
	print_old(to, text);
	fchmod(fd, 0644);
	good = fflush(to) == 0;
	good = fclose(to) == 0 && good;
	if (!good || rename(temporary, path) < 0) {
		complain_of_file(path, errno);
		unlink(temporary);
		return 1;
	}
	return 0;
}

static int print_metrics(const char *textfile, const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, "text"));

	if (!text) {
		complain("the daemon's answer has no text: is it of this "
			 "version?");
		return 1;
	}
	if (textfile)
		return write_file(textfile, text);
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}

static int metrics_run(int argc, char **argv)
{
	struct control_options options;
	json_t *result;
	int status = control_options(&command_metrics,
				     CONTROL_TEXTFILE | CONTROL_NO_JSON, argc,
				     argv, &options);

	if (status != 0)
		return status;
	if (options.textfile && !may_be_replaced(options.textfile))
		return 1;
	result = control_result(&options, command_metrics.name);
	if (!result)
		return 1;
	status = print_metrics(options.textfile, result);
	json_decref(result);
	return status;
}

const struct command command_metrics = {
	.name = "metrics",
	.sentence = "print the counters for a monitoring system",
	.help = "Usage: tundctl metrics [--control PATH] [--textfile PATH]\n"
		"Prints all counters in the text format of OpenMetrics.\n"
		"\n"
		"  --control PATH   the daemon's socket; default\n"
		"                   /run/tund/control\n"
		"  --textfile PATH  write them to a file instead, at once and\n"
		"                   in the format of node_exporter's textfile\n"
		"                   collector\n" STATUS_HELP,
	.run = metrics_run,
};
