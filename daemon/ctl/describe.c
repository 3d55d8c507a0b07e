/* SPDX-License-Identifier: MIT */
/*
 * describe.c - objects with all their keys always: what is not known or not set
 * is null.
 */
#include "ctl/describe.h"

#include <linux/if_tun.h>
#include <stdio.h>

#include "base/util.h"
#include "ctl/process.h"
#include "ctl/request.h"

struct word {
	unsigned int bit;
	const char *word;
};

const char *ctl_drop_word(enum tund_drop reason)
{
	static const char *const words[TUND_DROP_MAX] = {
		[TUND_DROP_QUEUE_FULL] = "queue_full",
		[TUND_DROP_SOCKET] = "socket",
		[TUND_DROP_BACKLOG] = "backlog",
		[TUND_DROP_DETACHED] = "detached",
		[TUND_DROP_TOO_SMALL] = "too_small",
		[TUND_DROP_OVERSIZE] = "oversize",
		[TUND_DROP_FILTER] = "filter",
		[TUND_DROP_DOWN] = "down",
		[TUND_DROP_INVALID] = "invalid",
		[TUND_DROP_MTU] = "mtu",
		[TUND_DROP_NOBUFS] = "nobufs",
		[TUND_DROP_ERROR] = "error",
		[TUND_DROP_SOURCE] = "source",
		[TUND_DROP_RATE] = "rate",
	};

	return words[reason];
}

bool ctl_drop_is_of_queue(enum tund_drop reason)
{
	return reason < TUND_DROP_DOWN && reason != TUND_DROP_SOCKET &&
	       reason != TUND_DROP_BACKLOG;
}

const char *ctl_plane_word(enum tund_plane plane)
{
	static const char *const words[] = {
		[TUND_PLANE_NONE] = "none",
		[TUND_PLANE_FILE] = "file",
		[TUND_PLANE_DIRECT] = "direct",
	};

	return words[plane];
}

static json_t *bits(unsigned int value, const struct word *words, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (value & words[i].bit)
			json_array_append_new(list, json_string(words[i].word));
	return list;
}

static json_t *options_of(unsigned int flags)
{
	static const struct word words[] = {
		{IFF_NO_PI, "no_pi"},	    {IFF_ONE_QUEUE, "one_queue"},
		{IFF_VNET_HDR, "vnet_hdr"}, {IFF_MULTI_QUEUE, "multi_queue"},
		{IFF_NAPI, "napi"},	    {IFF_NAPI_FRAGS, "napi_frags"},
	};

	return bits(flags, words, ARRAY_SIZE(words));
}

static json_t *offloads_of(unsigned int offload)
{
	static const struct word words[] = {
		{TUN_F_CSUM, "csum"}, {TUN_F_TSO4, "tso4"},
		{TUN_F_TSO6, "tso6"}, {TUN_F_TSO_ECN, "tso_ecn"},
		{TUN_F_UFO, "ufo"},   {0x20, "uso4"},
		{0x40, "uso6"},
	};

	return bits(offload, words, ARRAY_SIZE(words));
}

static json_t *number_or_null(uint64_t value, bool known)
{
	return known ? json_integer((json_int_t)value) : json_null();
}

static json_t *text_or_null(const char *text)
{
	return *text ? ctl_text(text) : json_null();
}

static json_t *mac_of(const struct dev_report *report)
{
	const uint8_t *m = report->state.mac;
	char text[18];

	if (!(report->flags & IFF_TAP))
		return json_null();
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0],
		 m[1], m[2], m[3], m[4], m[5]);
	return json_string(text);
}

/* Adds who has opened a file to what is said of it. */
static void add_opener(json_t *object, const struct dev_opener *opener)
{
	struct ctl_process process;

	ctl_process_look_up(opener, &process);
	json_object_set_new(
		object, "pid",
		number_or_null((uint64_t)opener->pid, opener->pid > 0));
	json_object_set_new(object, "command", text_or_null(opener->command));
	json_object_set_new(object, "uid", json_integer(opener->uid));
	json_object_set_new(object, "gid", json_integer(opener->gid));
	json_object_set_new(object, "alive", json_boolean(process.alive));
	json_object_set_new(object, "cgroup", text_or_null(process.cgroup));
	json_object_set_new(object, "container",
			    text_or_null(process.container));
}

static json_t *identity(const struct dev_report *report)
{
	return json_pack("{s:I, s:o, s:o}", "id", (json_int_t)report->id,
			 "name", ctl_text(report->state.name), "netns",
			 number_or_null(report->ns_id, report->ns_id != 0));
}

json_t *ctl_describe_device(const struct dev_report *report)
{
	const struct host_state *state = &report->state;
	json_t *object = identity(report);
	unsigned int on = 0;

	for (unsigned int i = 0; i < report->n_queues; i++)
		on += report->queues[i].on;
	json_object_update_new(
		object,
		json_pack("{s:i, s:s, s:b, s:i, s:s, s:b, s:i, s:i}", "ifindex",
			  state->ifindex, "kind",
			  report->flags & IFF_TAP ? "tap" : "tun", "up",
			  state->up, "mtu", (int)state->mtu, "plane",
			  ctl_plane_word(report->plane), "persistent",
			  !!(report->flags & IFF_PERSIST), "queues", (int)on,
			  "queues_off", (int)(report->n_queues - on)));
	return object;
}

static json_t *describe_client(const struct dev_queue_report *queue)
{
	json_t *object = json_pack(
		"{s:I, s:b, s:s, s:o}", "file", (json_int_t)queue->file, "on",
		queue->on, "plane",
		ctl_plane_word(queue->direct ? TUND_PLANE_DIRECT
					     : TUND_PLANE_FILE),
		"max_packets_per_second",
		number_or_null(queue->packet_rate, queue->packet_rate > 0));

	add_opener(object, &queue->opener);
	return object;
}

json_t *ctl_describe_device_fully(const struct dev_report *report)
{
	json_t *object = ctl_describe_device(report);
	json_t *clients = json_array();

	for (unsigned int i = 0; i < report->n_queues; i++)
		json_array_append_new(clients,
				      describe_client(&report->queues[i]));
	json_object_update_new(
		object,
		json_pack("{s:o, s:i, s:b, s:o, s:o, s:o, s:o, s:i, s:o}",
			  "mac", mac_of(report), "queue_length",
			  (int)report->state.queue_len, "moved",
			  report->state.moved, "owner",
			  number_or_null(report->owner,
					 report->owner != TUND_NO_ID),
			  "group",
			  number_or_null(report->group,
					 report->group != TUND_NO_ID),
			  "options", options_of(report->flags), "offloads",
			  offloads_of(report->offload), "captures",
			  (int)report->n_taps, "clients", clients));
	return object;
}

/* What a queue cannot know of is null; of the way to the host it has no key. */
static json_t *describe_drops(const uint64_t *drops, bool of_queue)
{
	const int n = of_queue ? TUND_DROP_DOWN : TUND_DROP_MAX;
	json_t *object = json_object();

	for (int i = 0; i < n; i++) {
		const enum tund_drop reason = (enum tund_drop)i;
		bool known = !of_queue || ctl_drop_is_of_queue(reason);

		if (ctl_drop_word(reason))
			json_object_set_new(object, ctl_drop_word(reason),
					    number_or_null(drops[i], known));
	}
	return object;
}

static json_t *describe_waits(const struct dev_waits_report *waits)
{
	json_t *list = json_array();

	for (size_t i = 0; i < DEV_WAIT_BUCKETS; i++)
		json_array_append_new(
			list, json_integer((json_int_t)waits->buckets[i]));
	return json_pack("{s:o, s:I}", "buckets", list, "sum_us",
			 (json_int_t)waits->sum_us);
}

static json_t *describe_queue(const struct dev_queue_report *q)
{
	bool known = !q->direct;

	return json_pack(
		"{s:I, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o}",
		"file", (json_int_t)q->file, "pid",
		number_or_null((uint64_t)q->opener.pid, q->opener.pid > 0),
		"command", text_or_null(q->opener.command), "on", q->on,
		"plane",
		ctl_plane_word(q->direct ? TUND_PLANE_DIRECT : TUND_PLANE_FILE),
		"rx_packets", number_or_null(q->rx_packets, known), "rx_bytes",
		number_or_null(q->rx_bytes, known), "tx_packets",
		number_or_null(q->tx_packets, known), "tx_bytes",
		number_or_null(q->tx_bytes, known), "queued",
		number_or_null(q->queued, known), "queued_max",
		number_or_null(q->queued_max, known), "drops",
		known ? describe_drops(q->drops, true) : json_null(), "waits",
		known ? describe_waits(&q->waits) : json_null());
}

json_t *ctl_describe_stats(const struct dev_report *report)
{
	const struct tund_stats *s = &report->stats;
	json_t *object = identity(report);
	json_t *queues = json_array();

	for (unsigned int i = 0; i < report->n_queues; i++)
		json_array_append_new(queues,
				      describe_queue(&report->queues[i]));

	json_object_update_new(
		object,
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
			  "rx_packets", (json_int_t)s->rx_packets, "rx_bytes",
			  (json_int_t)s->rx_bytes, "tx_packets",
			  (json_int_t)s->tx_packets, "tx_bytes",
			  (json_int_t)s->tx_bytes, "queued",
			  (json_int_t)s->queued, "drops",
			  describe_drops((const uint64_t *)s->drops, false),
			  "waits", describe_waits(&report->waits), "queues",
			  queues));
	return object;
}

json_t *ctl_describe_file(const struct dev_file_report *report)
{
	bool attached = report->device != 0;
	json_t *object = json_pack(
		"{s:I, s:I, s:o, s:o, s:o, s:s, s:o}", "file",
		(json_int_t)report->id, "netns", (json_int_t)report->ns_id,
		"device", number_or_null(report->device, attached), "name",
		text_or_null(report->name), "on",
		attached ? json_boolean(report->on) : json_null(), "plane",
		ctl_plane_word(!attached	? TUND_PLANE_NONE
			       : report->direct ? TUND_PLANE_DIRECT
						: TUND_PLANE_FILE),
		"max_packets_per_second",
		number_or_null(report->packet_rate, report->packet_rate > 0));

	add_opener(object, &report->opener);
	return object;
}

json_t *ctl_describe_event(const struct dev_event *event)
{
	static const char *const words[] = {
		[DEV_EVENT_MADE] = "made",
		[DEV_EVENT_ATTACHED] = "attached",
		[DEV_EVENT_DETACHED] = "detached",
		[DEV_EVENT_DIRECT] = "direct",
		[DEV_EVENT_UP] = "up",
		[DEV_EVENT_DOWN] = "down",
		[DEV_EVENT_RENAMED] = "renamed",
		[DEV_EVENT_MOVED] = "moved",
		[DEV_EVENT_GONE] = "gone",
	};
	const struct dev_opener *opener = &event->opener;
	bool by = opener->pid > 0;

	return json_pack(
		"{s:s, s:I, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "event",
		words[event->kind], "id", (json_int_t)event->device, "name",
		ctl_text(event->name), "old_name",
		text_or_null(event->old_name), "ifindex", event->ifindex,
		"netns", number_or_null(event->ns_id, true), "pid",
		number_or_null((uint64_t)opener->pid, by), "command",
		text_or_null(opener->command), "uid",
		number_or_null(opener->uid, by));
}
