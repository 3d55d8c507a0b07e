/* SPDX-License-Identifier: MIT */
/* order.c - tundctl up, down and reload: what is done by the daemon. */
#include "control.h"

static int up_run(int argc, char **argv)
{
	return control_run(&command_up, CONTROL_NAME_MUST | CONTROL_NETNS, argc,
			   argv, NULL);
}

static int down_run(int argc, char **argv)
{
	return control_run(&command_down, CONTROL_NAME_MUST | CONTROL_NETNS,
			   argc, argv, NULL);
}

static int reload_run(int argc, char **argv)
{
	struct control_options options;
	int status = control_options(&command_reload, 0, argc, argv, &options);
	json_t *result, *warning;
	size_t i;

	if (status != 0)
		return status;
	result = control_result(&options, "reload");
	if (!result)
		return 1;
	if (options.json)
		status = control_print_json(result);
	json_array_foreach(json_object_get(result, "warnings"), i, warning)
	{
		if (!options.json)
			complain("%s", json_string_value(warning));
		status = 1;
	}
	json_decref(result);
	return status;
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
		"mistake, the old one stays, and the mistake is shown. What\n"
		"cannot be done of it is shown, too, and is a failure; the\n"
		"rest is done.\n"
		"\n" CONTROL_HELP STATUS_HELP,
	.run = reload_run,
};
