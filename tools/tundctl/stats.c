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

struct duration {
	char text[32];
};

static struct duration duration_of(const char *before, double us)
{
	static const char *const units[] = {"us", "ms", "s"};
	struct duration d;
	size_t unit = 0;

	/* Of what is rounded to 1000, too. */
	for (; us >= 999.5 && unit < ARRAY_SIZE(units) - 1; unit++)
		us /= 1000;
	snprintf(d.text, sizeof(d.text), us < 999.5 ? "%s%.3g %s" : "%s%.0f %s",
		 before, us, units[unit]);
	return d;
}

/* Where a bucket ends, or, of the last, which has no end, where it begins. */
static struct duration bound_of(size_t bucket, size_t n)
{
	return bucket < n - 1
		       ? duration_of("less than ", (double)(1ULL << bucket))
		       : duration_of("at least ",
				     (double)(1ULL << (bucket - 1)));
}

static void print_waits(const json_t *waits)
{
	const json_t *buckets = json_object_get(waits, "buckets");
	const json_t *number;
	bool any = false;
	size_t i;

	json_array_foreach(buckets, i, number)
	{
		if (json_integer_value(number) == 0)
			continue;
		print_pair(any ? "" : "Waited", "%s: %lld",
			   bound_of(i, json_array_size(buckets)).text,
			   (long long)json_integer_value(number));
		any = true;
	}
}

/* ---- its queues, of which there may be many ---- */

static void print_queue_drops(const json_t *q)
{
	char text[512] = "";
	const char *reason;
	json_t *number;
	size_t n = 0;

	json_object_foreach(json_object_get(q, "drops"), reason, number)
	{
		if (json_integer_value(number) > 0 && n < sizeof(text))
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s%s %lld",
				n > 0 ? ", " : "", reason,
				(long long)json_integer_value(number));
	}
	print_pair("", "dropped: %s", n > 0 ? text : "none");
}

/* How long so many of the packets waited, the shortest first. */
static struct duration bound_of_part(const json_t *buckets, double part)
{
	size_t n = json_array_size(buckets), i;
	double seen = 0;

	for (i = 0; i < n - 1; i++) {
		seen += (double)json_integer_value(json_array_get(buckets, i));
		if (seen >= part)
			break;
	}
	return bound_of(i, n);
}

static void print_queue_waits(const json_t *waits)
{
	const json_t *buckets = json_object_get(waits, "buckets");
	const json_t *number;
	double n = 0;
	size_t i;

	json_array_foreach(buckets, i, number) n +=
		(double)json_integer_value(number);
	if (n == 0)
		return;
	print_pair("",
		   "waited: mean %s, median %s, 99th percentile %s, "
		   "longest %s",
		   duration_of("", (double)number_of(waits, "sum_us") / n).text,
		   bound_of_part(buckets, n / 2).text,
		   bound_of_part(buckets, n * 0.99).text,
		   bound_of_part(buckets, n).text);
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
	print_pair("", "queued: %s, at most %s", word_of(q, "queued"),
		   word_of(q, "queued_max"));
	print_queue_drops(q);
	print_queue_waits(json_object_get(q, "waits"));
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

static int print_stats(const struct control_options *options,
		       const json_t *result)
{
	const json_t *devices = json_object_get(result, "devices"), *d;
	size_t i;

	if (!options->name)
		return print_all(devices);
	json_array_foreach(devices, i, d)
	{
		if (i > 0)
			putchar('\n');
		print_one(d);
	}
	return 0;
}

static int stats_run(int argc, char **argv)
{
	return control_run(&command_stats, CONTROL_NAME_MAY | CONTROL_NETNS,
			   argc, argv, print_stats);
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
