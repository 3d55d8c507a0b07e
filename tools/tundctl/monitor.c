/* SPDX-License-Identifier: MIT */
/* monitor.c - tundctl monitor: what happens to devices, as it happens. */
#include <stdio.h>
#include <time.h>

#include "control.h"
#include "netns.h"
#include "table.h"

static void print_event(const json_t *e)
{
	const json_t *old_name = json_object_get(e, "old_name");
	const json_t *command = json_object_get(e, "command");
	time_t now = time(NULL);
	char what[80] = "", clock[16] = "";
	struct tm tm;

	if (json_is_string(old_name))
		snprintf(what, sizeof(what), ", before %s",
			 word_of(e, "old_name"));
	else if (json_is_string(command))
		snprintf(what, sizeof(what), " by %s (%s)",
			 word_of(e, "command"), word_of(e, "pid"));
	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	print_line("%s %-8s %s%s, in %s", clock, word_of(e, "event"),
		   word_of(e, "name"), what,
		   netns_name((uint64_t)number_of(e, "netns")));
}

static int monitor_run(int argc, char **argv)
{
	struct control_options options;
	int status = control_options(&command_monitor, 0, argc, argv, &options);
	_cleanup_close_ int fd = -1;
	json_t *event;

	if (status != 0)
		return status;
	fd = control_ask(&options, "monitor");
	event = fd < 0 ? NULL : control_read(fd);
	if (!event)
		return 1;
	/* The first says only that it has begun. */
	json_decref(event);
	while ((event = control_read(fd))) {
		if (options.json)
			status = control_print_json(event);
		else
			print_event(event);
		json_decref(event);
		if (status != 0 || fflush(stdout) != 0)
			return 1;
	}
	/* It ends with the daemon, or when it is too slow. */
	return 1;
}

const struct command command_monitor = {
	.name = "monitor",
	.sentence = "print what happens to devices, as it happens",
	.help = "Usage: tundctl monitor [--control PATH] [-j]\n"
		"Prints a line for each thing that happens to a device, until\n"
		"it is interrupted: made, attached, detached, direct, up, "
		"down,\n"
		"renamed, moved, gone.\n"
		"\n" CONTROL_HELP STATUS_HELP,
	.run = monitor_run,
};
