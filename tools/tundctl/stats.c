/* SPDX-License-Identifier: MIT */
/* stats.c - tundctl stats: the counters of devices and of their queues. */
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "netns.h"
#include "table.h"

static long long dropped(const json_t *object)
{
	const char *reason;
	json_t *number;
	long long sum = 0;

	json_object_foreach(json_object_get(object, "drops"), reason, number)
		sum += json_integer_value(number);
	return sum;
}

static int print_all(const json_t *devices)
{
	static const char *const titles[] = {
		"NAME",	     ">RX-PACKETS", ">RX-BYTES", ">TX-PACKETS",
		">TX-BYTES", ">QUEUED",	    ">DROPPED",	 "NETNS",
	};
	static const char *const keys[] = {
		"rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "queued",
	};
	struct table *table = table_new(titles, ARRAY_SIZE(titles));
	const json_t *d;
	size_t i;

	json_array_foreach(devices, i, d)
	{
		table_add(table, "%s", word_of(d, "name"));
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			table_add(table, "%s", word_of(d, keys[k]));
		table_add(table, "%lld", dropped(d));
		table_add(table, "%s",
			  netns_name((uint64_t)number_of(d, "netns")));
	}
	return table_print(table);
}

/* ---- one device ---- */

static void print_drops(const json_t *d)
{
	const char *reason;
	json_t *number;
	bool any = false;

	json_object_foreach(json_object_get(d, "drops"), reason, number)
	{
		if (json_integer_value(number) == 0)
			continue;
		print_pair(any ? "" : "Dropped", "%s %lld", reason,
			   (long long)json_integer_value(number));
		any = true;
	}
	if (!any)
		print_pair("Dropped", "none");
}

/* The last bucket has no bound. */
static void print_waits(const json_t *waits)
{
	const json_t *buckets = json_object_get(waits, "buckets");
	size_t n = json_array_size(buckets);
	const json_t *number;
	bool any = false;
	size_t i;

	json_array_foreach(buckets, i, number)
	{
		if (json_integer_value(number) == 0)
			continue;
		print_pair(any ? "" : "Waited", "%s %llu us: %lld",
			   i < n - 1 ? "less than" : "at least",
			   1ULL << (i < n - 1 ? i : i - 1),
			   (long long)json_integer_value(number));
		any = true;
	}
}

static void print_queue(const json_t *q)
{
	print_pair("Queue of", "%s (%s)%s", word_of(q, "command"),
		   word_of(q, "pid"),
		   json_is_true(json_object_get(q, "on")) ? ""
							  : ", switched off");
	if (strcmp(word_of(q, "plane"), "direct") == 0) {
		print_pair("", "not known on the direct plane");
		return;
	}
	print_pair("", "rx %s packets, %s bytes; tx %s packets, %s bytes",
		   word_of(q, "rx_packets"), word_of(q, "rx_bytes"),
		   word_of(q, "tx_packets"), word_of(q, "tx_bytes"));
	print_pair("", "%s queued, at most %s; %lld dropped",
		   word_of(q, "queued"), word_of(q, "queued_max"), dropped(q));
}

static void print_one(const json_t *d)
{
	const json_t *q;
	size_t i;

	print_pair("Name", "%s", word_of(d, "name"));
	print_pair("Namespace", "%s",
		   netns_name((uint64_t)number_of(d, "netns")));
	print_pair("Received", "%s packets, %s bytes", word_of(d, "rx_packets"),
		   word_of(d, "rx_bytes"));
	print_pair("Sent", "%s packets, %s bytes", word_of(d, "tx_packets"),
		   word_of(d, "tx_bytes"));
	print_pair("Queued", "%s packets", word_of(d, "queued"));
	print_drops(d);
	print_waits(json_object_get(d, "waits"));
	json_array_foreach(json_object_get(d, "queues"), i, q) print_queue(q);
}

static int stats_run(int argc, char **argv)
{
	struct control_options options;
	int status = control_options(&command_stats,
				     CONTROL_NAME_MAY | CONTROL_NETNS, argc,
				     argv, &options);
	json_t *result, *devices, *d;
	size_t i;

	if (status != 0)
		return status;
	result = control_result(&options, "stats");
	if (!result)
		return 1;
	devices = json_object_get(result, "devices");
	if (options.json) {
		status = control_print_json(result);
	} else if (!options.name) {
		status = print_all(devices);
	} else {
		json_array_foreach(devices, i, d)
		{
			if (i > 0)
				putchar('\n');
			print_one(d);
		}
	}
	json_decref(result);
	return status;
}

const struct command command_stats = {
	.name = "stats",
	.sentence = "show the counters of devices",
	.help = "Usage: tundctl stats [--control PATH] [--netns NS] [-j] "
		"[NAME]\n"
		"Shows a line of counters for each device; with a name all\n"
		"counters of that one and of its queues. RX is what programs\n"
		"have written, TX what they have read.\n"
		"\n" CONTROL_HELP NETNS_HELP STATUS_HELP,
	.run = stats_run,
};
