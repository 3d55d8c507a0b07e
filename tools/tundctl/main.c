/* SPDX-License-Identifier: MIT */
/*
 * main.c - tundctl: finds the subcommand. What each does is in a file of its
 * own; a new one needs a line in the table.
 */
#include "tundctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "extcap.h"

static const struct command *const commands[] = {
	&command_status,  &command_list,   &command_show,    &command_up,
	&command_down,	  &command_stats,  &command_clients, &command_monitor,
	&command_metrics, &command_policy, &command_reload,  &command_tuntap,
	&command_run,	  &command_doctor, &command_snippet, &command_capture,
};

void complain(const char *format, ...)
{
	va_list args;

	fputs("tundctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "tundctl%s%s: ", command ? " " : "",
		command ? command->name : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry \"tundctl help%s%s\".\n", command ? " " : "",
		command ? command->name : "");
	return EXIT_USAGE;
}

static void print_help(FILE *to)
{
	fputs("Usage: tundctl COMMAND [ARGUMENT...]\n"
	      "Works with tund, the TUN/TAP device in user space.\n"
	      "\n",
	      to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name,
			commands[i]->sentence);
	fputs("  help       explain a command: tundctl help COMMAND\n"
	      "  --version  print the version\n"
	      "\n"
	      "See tundctl(1).\n",
	      to);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int help(const char *name)
{
	const struct command *command = name ? find(name) : NULL;

	if (name && !command)
		return usage_error(NULL, "there is no command \"%s\"", name);
	if (command)
		fputs(command->help, stdout);
	else
		print_help(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *name;

	if (argc > 0 && extcap_is_called(argv[0]))
		return extcap_run(argc, argv);
	/* ip(8) and its users write it before the command. */
	if (argc > 2 &&
	    (strcmp(argv[1], "-j") == 0 || strcmp(argv[1], "--json") == 0)) {
		char *json = argv[1];

		argv[1] = argv[2];
		argv[2] = json;
	}
	name = argc > 1 ? argv[1] : NULL;
	if (!name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
	    strcmp(name, "-h") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		puts("tundctl " TUND_VERSION);
		return 0;
	}
	command = find(name);
	if (!command)
		return usage_error(NULL, "there is no command \"%s\"", name);
	if (argc == 3 &&
	    (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
		return help(name);
	return command->run(argc - 1, argv + 1);
}
