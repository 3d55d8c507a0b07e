/* SPDX-License-Identifier: MIT */
/*
 * complain.c - what is said about mistakes: one line each, which names the
 * cause and the remedy.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "tundctl.h"

__attribute__((format(printf, 2, 0))) static void
print(const char *name, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	/* There may be anybody's words in it. */
	if (text)
		make_harmless(text);
	fprintf(stderr, "tundctl%s%s: %s", *name ? " " : "", name,
		text ? text : "no memory is left");
	free(text);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("", format, args);
	va_end(args);
	fputc('\n', stderr);
}

void complain_of_file(const char *path, int error)
{
	switch (error) {
	case EISDIR:
		complain("%s is a directory: name a file in it", path);
		break;
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case EROFS:
		complain("%s: %s: is its directory there, and yours to write "
			 "in?",
			 path, strerror(error));
		break;
	default:
		complain("%s: %s", path, strerror(error));
	}
}

int usage_error(const struct command *command, const char *format, ...)
{
	const char *name = command ? command->name : "";
	va_list args;

	va_start(args, format);
	print(name, format, args);
	va_end(args);
	fprintf(stderr, "; see \"tundctl help%s%s\"\n", *name ? " " : "", name);
	return EXIT_USAGE;
}

/* ---- options ---- */

static const struct option *find(const struct option *names, int value)
{
	while (names->name && names->val != value)
		names++;
	return names->name ? names : NULL;
}

/* What getopt_long(3) does not take; it knows the letter, or else the word. */
static int refuse(const struct command *command, const char *word,
		  const struct option *names)
{
	const struct option *option = find(names, optopt);

	if (optopt == 0)
		return usage_error(command, "unknown option \"%s\"", word);
	/* It has taken those that have no value by their letters. */
	if (option && option->has_arg == no_argument)
		return usage_error(command, "\"--%s\" takes no value",
				   option->name);
	return usage_error(command, "unknown option \"-%c\"", optopt);
}

int next_option(const struct command *command, int argc, char **argv,
		const char *letters, const struct option *names)
{
	const struct option *option;
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, letters, names, NULL);
	if (c == '?') {
		refuse(command, argv[optind - 1], names);
		return c;
	}
	option = find(names, c == ':' ? optopt : c);
	if (c != ':' && !(option && option->has_arg != no_argument && !*optarg))
		return c;
	usage_error(command, "no value is given for \"--%s\"",
		    option ? option->name : "");
	return '?';
}
