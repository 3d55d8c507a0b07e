/* SPDX-License-Identifier: MIT */
/* order.c - tundctl up, down and reload: what is done by the daemon. */
#include "control.h"

static int order(const struct command *command, unsigned int takes, int argc,
		 char **argv)
{
	struct control_options options;
	int status = control_options(command, takes, argc, argv, &options);
	json_t *result;

	if (status != 0)
		return status;
	result = control_result(&options, command->name);
	if (result && options.json)
		status = control_print_json(result);
	json_decref(result);
	return result ? status : 1;
}

static int up_run(int argc, char **argv)
{
	return order(&command_up, CONTROL_NAME_MUST | CONTROL_NETNS, argc,
		     argv);
}

static int down_run(int argc, char **argv)
{
	return order(&command_down, CONTROL_NAME_MUST | CONTROL_NETNS, argc,
		     argv);
}

static int reload_run(int argc, char **argv)
{
	return order(&command_reload, 0, argc, argv);
}

const struct command command_up = {
	.name = "up",
	.sentence = "set a device's interface up",
	.help = "Usage: tundctl up [--control PATH] [--netns NS] [-j] NAME\n"
		"Sets a device's interface up, wherever it is.\n"
		"\n" CONTROL_HELP NETNS_HELP STATUS_HELP,
	.run = up_run,
};

const struct command command_down = {
	.name = "down",
	.sentence = "set a device's interface down",
	.help = "Usage: tundctl down [--control PATH] [--netns NS] [-j] NAME\n"
		"Sets a device's interface down, wherever it is.\n"
		"\n" CONTROL_HELP NETNS_HELP STATUS_HELP,
	.run = down_run,
};

const struct command command_reload = {
	.name = "reload",
	.sentence = "have the daemon read its configuration again",
	.help = "Usage: tundctl reload [--control PATH] [-j]\n"
		"Has the daemon read its configuration again. If that has a\n"
		"mistake, the old one stays, and the mistake is shown.\n"
		"\n" CONTROL_HELP STATUS_HELP,
	.run = reload_run,
};
