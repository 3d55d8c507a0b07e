/* SPDX-License-Identifier: MIT */
/*
 * main.c - tundctl: finds the subcommand. What each does is in a file of its
 * own; a new one needs a line in the table.
 */
#include "tundctl.h"

#include <stdio.h>
#include <string.h>

#include "extcap.h"

static const struct command *const commands[] = {
	&command_status,  &command_list,   &command_show,    &command_up,
	&command_down,	  &command_stats,  &command_clients, &command_monitor,
	&command_metrics, &command_policy, &command_reload,  &command_tuntap,
	&command_run,	  &command_doctor, &command_snippet, &command_capture,
};

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

/* What is wrong with what stands in the place of a command. */
static int no_command(const char *word)
{
	if (word[0] == '-')
		return usage_error(NULL,
				   "\"%s\" stands before any command: write "
				   "\"tundctl COMMAND %s\"",
				   word, word);
	return usage_error(NULL, "there is no command \"%s\"", word);
}

/* `words` are the names of commands, of which it takes one, or none. */
static int help(char **words)
{
	const struct command *command = words[0] ? find(words[0]) : NULL;

	if (words[0] && !command)
		return no_command(words[0]);
	if (words[0] && words[1])
		return usage_error(NULL, "\"%s\" is one word too many",
				   words[1]);
	if (command)
		fputs(command->help, stdout);
	else
		print_help(stdout);
	return 0;
}

static int version(char **words)
{
	if (words[0])
		return usage_error(NULL, "\"%s\" is one word too many",
				   words[0]);
	puts("tundctl " TUND_VERSION);
	return 0;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run(int argc, char **argv)
{
	const char *name = argv[0];
	const struct command *command;

	if (strcmp(name, "help") == 0 || is_help(name))
		return help(argv + 1);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return version(argv + 1);
	command = find(name);
	if (!command)
		return no_command(name);
	if (argc == 2 && is_help(argv[1])) {
		fputs(command->help, stdout);
		return 0;
	}
	return command->run(argc, argv);
}

/* Whoever reads what was printed must not take a part for the whole. */
static int finish_output(int status)
{
	bool failed = fflush(stdout) != 0;

	if (!failed && !ferror(stdout))
		return status;
	complain("standard output does not take all of it: is it closed, or "
		 "its disk full?");
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 0 && extcap_is_called(argv[0]))
		return extcap_run(argc, argv);
	/* ip(8) and its users write it before the command. */
	if (argc > 2 &&
	    (strcmp(argv[1], "-j") == 0 || strcmp(argv[1], "--json") == 0)) {
		char *json = argv[1];

		argv[1] = argv[2];
		argv[2] = json;
	}
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return finish_output(run(argc - 1, argv + 1));
}
