/* SPDX-License-Identifier: MIT */
/*
 * query.c - tundctl status, list, show and clients: what there is, as the
 * daemon says.
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "netns.h"
#include "table.h"

static const char *netns_of(const json_t *object)
{
	long long number = number_of(object, "netns");

	return number > 0 ? netns_name((uint64_t)number) : "?";
}

/* ---- status ---- */

static int print_status(const struct control_options *options, const json_t *s)
{
	time_t started = (time_t)number_of(s, "started");
	char since[64] = "?";
	struct tm tm;

	if (localtime_r(&started, &tm))
		strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%stund %s%s is serving since %s\n", colour(BOLD),
	       word_of(s, "daemon"), colour(PLAIN), since);
	print_pair("Process", "%s", word_of(s, "pid"));
	print_pair("Mount", "%s", word_of(s, "mount"));
	print_pair("Planes", json_is_true(json_object_get(s, "direct"))
				     ? "file, direct"
				     : "file");
	print_pair("Devices", "%s", word_of(s, "devices"));
	print_pair("Open files", "%s", word_of(s, "files"));
	return 0;
}

static int status_run(int argc, char **argv)
{
	return control_run(&command_status, 0, argc, argv, print_status);
}

/* ---- list ---- */

static int print_list(const struct control_options *options,
		      const json_t *result)
{
	static const char *const titles[] = {
		"NAME", "KIND", "STATE", "PLANE", ">MTU", ">QUEUES", "NETNS",
	};
	struct table *table = table_new(titles, ARRAY_SIZE(titles));
	const json_t *d;
	size_t i;

	json_array_foreach(json_object_get(result, "devices"), i, d)
	{
		table_add(table, "%s", word_of(d, "name"));
		table_add(table, "%s%s", word_of(d, "kind"),
			  json_is_true(json_object_get(d, "persistent")) ? "*"
									 : "");
		table_add(table, json_is_true(json_object_get(d, "up"))
					 ? "up"
					 : "down");
		table_add(table, "%s", word_of(d, "plane"));
		table_add(table, "%s", word_of(d, "mtu"));
		table_add(table, "%s", word_of(d, "queues"));
		table_add(table, "%s", netns_of(d));
	}
	return table_print(table);
}

static int list_run(int argc, char **argv)
{
	return control_run(&command_list, 0, argc, argv, print_list);
}

/* ---- show ---- */

static void print_words(const char *key, const json_t *list)
{
	char text[256] = "";
	const json_t *word;
	size_t i;

	json_array_foreach(list, i, word)
	{
		if (i > 0)
			strncat(text, " ", sizeof(text) - strlen(text) - 1);
		strncat(text, json_string_value(word),
			sizeof(text) - strlen(text) - 1);
	}
	print_pair(key, "%s", *text ? text : "-");
}

/* The user's name, or the number. */
static const char *user_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const struct passwd *entry =
		json_is_integer(value)
			? getpwuid((uid_t)json_integer_value(value))
			: NULL;

	return entry ? entry->pw_name : word_of(object, key);
}

static void print_holder(const json_t *c)
{
	const json_t *container = json_object_get(c, "container");
	const json_t *rate = json_object_get(c, "max_packets_per_second");

	print_pair(
		"Client", "%s (%s) of %s, %s plane%s%s%s%s%s%s",
		word_of(c, "command"), word_of(c, "pid"), user_of(c, "uid"),
		word_of(c, "plane"),
		json_is_true(json_object_get(c, "on")) ? "" : ", switched off",
		json_is_true(json_object_get(c, "alive")) ? "" : ", has ended",
		json_is_string(container) ? ", container " : "",
		json_is_string(container) ? json_string_value(container) : "",
		json_is_integer(rate) ? ", packets/s at most " : "",
		json_is_integer(rate) ? word_of(c, "max_packets_per_second")
				      : "");
}

static void print_device(const json_t *d)
{
	bool up = json_is_true(json_object_get(d, "up"));
	const json_t *c;
	size_t i;

	print_pair("Name", "%s", word_of(d, "name"));
	printf("%15s: %s%s%s\n", "State", colour(up ? GREEN : RED),
	       up ? "up" : "down", colour(PLAIN));
	print_pair("Kind", "%s%s", word_of(d, "kind"),
		   json_is_true(json_object_get(d, "persistent"))
			   ? ", persistent"
			   : "");
	print_pair("Namespace", "%s%s", netns_of(d),
		   json_is_true(json_object_get(d, "moved")) ? ", moved" : "");
	print_pair("Index", "%s", word_of(d, "ifindex"));
	print_pair("MTU", "%s", word_of(d, "mtu"));
	print_pair("Address", "%s", word_of(d, "mac"));
	print_pair("Queue length", "%s", word_of(d, "queue_length"));
	print_pair("Plane", "%s", word_of(d, "plane"));
	print_pair("Queues", "%s on, %s off", word_of(d, "queues"),
		   word_of(d, "queues_off"));
	print_words("Options", json_object_get(d, "options"));
	print_words("Offloads", json_object_get(d, "offloads"));
	print_pair("Owner", "%s", user_of(d, "owner"));
	print_pair("Group", "%s", word_of(d, "group"));
	print_pair("Captures", "%s", word_of(d, "captures"));
	json_array_foreach(json_object_get(d, "clients"), i, c) print_holder(c);
}

static int print_devices(const struct control_options *options,
			 const json_t *result)
{
	const json_t *d;
	size_t i;

	json_array_foreach(json_object_get(result, "devices"), i, d)
	{
		if (i > 0)
			putchar('\n');
		print_device(d);
	}
	return 0;
}

static int show_run(int argc, char **argv)
{
	return control_run(&command_show, CONTROL_NAME_MUST | CONTROL_NETNS,
			   argc, argv, print_devices);
}

/* ---- clients ---- */

static int print_clients(const struct control_options *options,
			 const json_t *result)
{
	static const char *const titles[] = {
		">PID",	 "COMMAND", "USER",	 "DEVICE",
		"PLANE", "NETNS",   "CONTAINER",
	};
	struct table *table = table_new(titles, ARRAY_SIZE(titles));
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(result, "clients"), i, c)
	{
		bool alive = json_is_true(json_object_get(c, "alive"));
		const json_t *container = json_object_get(c, "container");

		table_add(table, "%s", word_of(c, "pid"));
		table_add(table, "%s%s", word_of(c, "command"),
			  alive ? "" : " (ended)");
		table_add(table, "%s", user_of(c, "uid"));
		table_add(table, "%s", word_of(c, "name"));
		table_add(table, "%s", word_of(c, "plane"));
		table_add(table, "%s", netns_of(c));
		table_add(table, "%s",
			  json_is_string(container) ? word_of(c, "container")
						    : word_of(c, "cgroup"));
	}
	return table_print(table);
}

static int clients_run(int argc, char **argv)
{
	return control_run(&command_clients, 0, argc, argv, print_clients);
}

const struct command command_status = {
	.name = "status",
	.sentence = "how the daemon is",
	.help = "Usage: tundctl status [--control PATH] [-j]\n"
		"Tells of the daemon: version, process, device file, numbers.\n"
		"\n" CONTROL_HELP STATUS_HELP,
	.run = status_run,
};

const struct command command_list = {
	.name = "list",
	.sentence = "list the devices of all network namespaces",
	.help = "Usage: tundctl list [--control PATH] [-j]\n"
		"Lists the devices in all network namespaces, a line for "
		"each.\n"
		"A persistent one's kind has a star; the namespace is \"-\" "
		"if\n"
		"it is that of tundctl, a name of ip-netns(8), or a number.\n"
		"\n" CONTROL_HELP STATUS_HELP,
	.run = list_run,
};

const struct command command_show = {
	.name = "show",
	.sentence = "show a device, and who holds it",
	.help = "Usage: tundctl show [--control PATH] [--netns NS] [-j] NAME\n"
		"Shows all that is to be said of a device, and of those who\n"
		"hold it.\n"
		"\n" CONTROL_HELP NETNS_HELP STATUS_HELP,
	.run = show_run,
};

const struct command command_clients = {
	.name = "clients",
	.sentence = "list who has the device file open",
	.help = "Usage: tundctl clients [--control PATH] [-j]\n"
		"Lists the open files of the device: who has opened each, and\n"
		"what it is attached to.\n"
		"\n" CONTROL_HELP STATUS_HELP,
	.run = clients_run,
};
