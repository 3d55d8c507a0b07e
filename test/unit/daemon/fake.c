/* SPDX-License-Identifier: MIT */
/* fake.c - the fake host: interfaces are entries of a list. */
#include "fake.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>

#define FOREIGN_IFINDEX 1

struct host_ns {
	int ns_fd;
};

struct fake fake;
struct dev_table *table;

/* ---- names ---- */

static struct host_link *find_locked(const char *name)
{
	list_for_each (it, &fake.links) {
		struct host_link *link = list_entry(it, struct host_link, node);

		if (strcmp(link->state.name, name) == 0)
			return link;
	}
	return NULL;
}

struct host_link *fake_link(const char *name)
{
	struct host_link *link;

	pthread_mutex_lock(&fake.mutex);
	link = find_locked(name);
	pthread_mutex_unlock(&fake.mutex);
	if (!link)
		fail_msg("there is no interface %s", name);
	return link;
}

bool fake_has(const char *name)
{
	bool found;

	pthread_mutex_lock(&fake.mutex);
	found = find_locked(name) != NULL;
	pthread_mutex_unlock(&fake.mutex);
	return found;
}

int fake_links(void)
{
	int n = 0;

	pthread_mutex_lock(&fake.mutex);
	list_for_each (it, &fake.links)
		n++;
	pthread_mutex_unlock(&fake.mutex);
	return n;
}

/* The lowest number that is free goes in place of %d. */
static void choose_name_locked(const char *pattern, char ret_name[IFNAMSIZ])
{
	const char *percent = strstr(pattern, "%d");
	int head = percent ? (int)(percent - pattern) : 0;

	if (!percent) {
		snprintf(ret_name, IFNAMSIZ, "%s", pattern);
		return;
	}
	for (int i = 0; i < 100; i++) {
		snprintf(ret_name, IFNAMSIZ, "%.*s%d%s", head, pattern, i,
			 percent + 2);
		if (!find_locked(ret_name))
			return;
	}
}

/* ---- slow calls ---- */

static int ns_open(int ns_fd, struct host_ns **ret_ns)
{
	if (fake.ns_error)
		return fake.ns_error;
	*ret_ns = must_alloc(sizeof(**ret_ns));
	(*ret_ns)->ns_fd = ns_fd;
	fake.open_ns++;
	return 0;
}

static void ns_close(struct host_ns *ns)
{
	fake.open_ns--;
	free(ns);
}

static int find(struct host_ns *ns, const char *name, int *ret_ifindex)
{
	struct host_link *link;
	int r = HOST_NONE;

	if (fake.on_find)
		fake.on_find();
	pthread_mutex_lock(&fake.mutex);
	link = find_locked(name);
	if (fake.find_error) {
		r = fake.find_error;
	} else if (fake.foreign && strcmp(name, fake.foreign) == 0) {
		*ret_ifindex = FOREIGN_IFINDEX;
		r = HOST_OK;
	} else if (link) {
		*ret_ifindex = link->state.ifindex;
		r = HOST_OK;
	}
	pthread_mutex_unlock(&fake.mutex);
	counter_add(&fake.finds, 1);
	if (r == HOST_OK && fake.on_found)
		fake.on_found();
	return r;
}

static int link_new(struct host_ns *ns, const struct host_spec *spec,
		    struct device *owner, struct host_link **ret_link)
{
	struct host_link *link;

	if (fake.new_error)
		return fake.new_error;
	link = must_alloc(sizeof(*link));
	link->owner = owner;
	link->carrier = spec->carrier;
	link->state =
		(struct host_state){.mtu = 1500, .queue_len = spec->queue_len};
	pthread_mutex_lock(&fake.mutex);
	if (find_locked(spec->name)) {
		pthread_mutex_unlock(&fake.mutex);
		free(link);
		return -EBUSY;
	}
	fake.spec = *spec;
	snprintf(fake.spec_name, IFNAMSIZ, "%s", spec->name);
	choose_name_locked(spec->name, link->state.name);
	link->state.ifindex =
		spec->ifindex ? spec->ifindex : fake.next_ifindex++;
	list_add_tail(&fake.links, &link->node);
	pthread_mutex_unlock(&fake.mutex);
	fake.live_links++;
	if (fake.on_new)
		fake.on_new();
	*ret_link = link;
	return 0;
}

static int link_start(struct host_link *link)
{
	struct host_state state = link->state;

	if (fake.start_error)
		return fake.start_error;
	/* As net/ does: the first state, before anything else. */
	device_state(link->owner, &state);
	link->started = true;
	if (fake.on_start)
		fake.on_start(link);
	return 0;
}

static int set_carrier(struct host_link *link, bool on)
{
	if (fake.on_carrier)
		fake.on_carrier(link);
	if (fake.carrier_error)
		return fake.carrier_error;
	link->carrier = on;
	return 0;
}

static int set_mac(struct host_ns *ns, int ifindex, const uint8_t mac[6])
{
	int r = -ENODEV;

	if (fake.mac_error)
		return fake.mac_error;
	pthread_mutex_lock(&fake.mutex);
	list_for_each (it, &fake.links) {
		struct host_link *link = list_entry(it, struct host_link, node);

		if (link->state.ifindex != ifindex)
			continue;
		memcpy(link->state.mac, mac, sizeof(link->state.mac));
		r = 0;
	}
	pthread_mutex_unlock(&fake.mutex);
	return r;
}

static void link_stop(struct host_link *link)
{
	if (fake.stop_gate && !counter_wait(fake.stop_gate, 1))
		abort();
	pthread_mutex_lock(&fake.mutex);
	list_del(&link->node);
	pthread_mutex_unlock(&fake.mutex);
	link->stopped = true;
	counter_add(&fake.stops, 1);
}

static void link_free(struct host_link *link)
{
	/* One that was never started goes here. */
	pthread_mutex_lock(&fake.mutex);
	list_del(&link->node);
	pthread_mutex_unlock(&fake.mutex);
	fake.live_links--;
	free(link);
}

/* ---- the packet's path ---- */

static int take_room(void)
{
	int room = fake.send_room;

	while (room > 0)
		if (atomic_compare_exchange_weak(&fake.send_room, &room,
						 room - 1))
			return 0;
	return fake.send_error;
}

static int send_one(struct host_link *link, const struct pkt *pkt)
{
	struct pkt *copy;
	int r;

	if (fake.on_send)
		fake.on_send(link);
	if (fake.refused_number && pkt->len >= sizeof(uint32_t) &&
	    fake_number(pkt->data) >> 8 == fake.refused_number)
		return fake.send_error;
	r = take_room();
	if (r < 0)
		return r;
	copy = pkt_new(pkt->len);
	if (!copy)
		abort();
	memcpy(copy->data, pkt->data, pkt->len);
	copy->proto = pkt->proto;
	copy->vnet = pkt->vnet;
	pthread_mutex_lock(&fake.mutex);
	if (fake.sent.n == FAKE_MAX_SENT)
		abort();
	fake.sent.pkts[fake.sent.n++] = copy;
	pthread_mutex_unlock(&fake.mutex);
	return 0;
}

static int send_packets(struct host_link *link, struct pkt *const *pkts,
			unsigned int n)
{
	unsigned int sent = 0;
	int r = 0;

	if (n < 1 || n > HOST_SEND_MAX)
		abort();
	while (sent < n && (r = send_one(link, pkts[sent])) == 0)
		sent++;
	return sent > 0 ? (int)sent : r;
}

static void want_send(struct host_link *link)
{
	if (fake.on_want_send)
		fake.on_want_send(link);
	counter_add(&fake.wants, 1);
}

/* One at once, and each in its time. */
static void begin_change(struct host_link *link, bool deaf)
{
	if (atomic_exchange(&link->changing, true) ||
	    atomic_load(&link->deaf) != deaf)
		abort();
}

static void pause_link(struct host_link *link)
{
	begin_change(link, false);
	if (fake.on_pause)
		fake.on_pause(link);
	counter_add(&fake.pauses, 1);
	atomic_store(&link->deaf, true);
	atomic_store(&link->changing, false);
}

static void settle_link(struct host_link *link)
{
	begin_change(link, true);
	if (fake.on_settle)
		fake.on_settle(link);
	counter_add(&fake.settles, 1);
	atomic_store(&link->changing, false);
}

static void resume_link(struct host_link *link)
{
	begin_change(link, true);
	counter_add(&fake.resumes, 1);
	atomic_store(&link->changing, false);
	atomic_store(&link->deaf, false);
}

static void sync_link(struct host_link *link)
{
	if (fake.on_sync)
		fake.on_sync(link);
	counter_add(&fake.syncs, 1);
}

static void get_drops(struct host_link *link, uint64_t *ret_socket,
		      uint64_t *ret_backlog)
{
	*ret_socket = fake.socket_drops;
	*ret_backlog = fake.backlog_drops;
}

static int set_offload(struct host_link *link, int home_ns_fd,
		       unsigned int offload)
{
	if (fake.offload_error)
		return fake.offload_error;
	link->offload = offload;
	return 0;
}

static int set_noarp(struct host_link *link)
{
	counter_add(&fake.mends, 1);
	return 0;
}

static int configure(struct host_link *link, int home_ns_fd,
		     const struct host_permit *permit,
		     const struct tund_config *config)
{
	int r = permit->ask(permit->arg,
			    home_ns_fd >= 0 ? home_ns_fd : fake.elsewhere_fd);

	if (r == 0)
		r = fake.configure_error;
	if (r != 0)
		return r;
	link->config = *config;
	link->configured++;
	return 0;
}

static int open_ns(struct host_link *link, int home_ns_fd, int *ret_fd)
{
	if (fake.ns_of_error)
		return fake.ns_of_error;
	*ret_fd = dup(home_ns_fd >= 0 ? home_ns_fd : fake.elsewhere_fd);
	return 0;
}

static int set_filter(struct host_link *link, const struct sock_fprog *program)
{
	if (fake.on_filter)
		fake.on_filter(link);
	if (fake.filter_error)
		return fake.filter_error;
	link->filter = program != NULL;
	link->filter_len = program ? program->len : 0;
	link->filter_first = program ? program->filter[0].code : 0;
	return 0;
}

static int direct_begin(struct host_link *link, int home_ns_fd,
			const struct host_direct *how, int *ret_fd,
			uint64_t *ret_id)
{
	if (fake.on_direct)
		fake.on_direct(link);
	if (fake.direct_error)
		return fake.direct_error;
	link->how = *how;
	link->direct = true;
	*ret_id = ++link->last_id;
	*ret_fd = dup(home_ns_fd);
	return 0;
}

static void direct_switch(struct host_link *link, uint64_t id, bool on)
{
	link->switched_id = id;
	link->switched_on = on;
}

static int direct_end(struct host_link *link)
{
	bool was_direct = atomic_exchange(&link->direct, false);

	if (was_direct)
		counter_add(&fake.direct_ends, 1);
	return was_direct;
}

void fake_direct_close(struct host_link *link)
{
	device_direct_closed(link->owner, link->last_id);
}

static void capture(struct host_link *link, bool on)
{
	link->captured = on;
}

static int counters(struct host_link *link, struct host_counters *ret_counters)
{
	*ret_counters = fake.counters;
	return 0;
}

const struct host_ops fake_ops = {
	.ns_open = ns_open,
	.ns_close = ns_close,
	.find = find,
	.link_new = link_new,
	.link_start = link_start,
	.link_stop = link_stop,
	.link_free = link_free,
	.set_carrier = set_carrier,
	.set_mac = set_mac,
	.set_offload = set_offload,
	.set_noarp = set_noarp,
	.configure = configure,
	.open_ns = open_ns,
	.set_filter = set_filter,
	.direct_begin = direct_begin,
	.direct_switch = direct_switch,
	.direct_end = direct_end,
	.capture = capture,
	.counters = counters,
	.send = send_packets,
	.want_send = want_send,
	.pause = pause_link,
	.settle = settle_link,
	.resume = resume_link,
	.sync = sync_link,
	.drops = get_drops,
};

/* ---- what happens to an interface ---- */

void fake_change(struct host_link *link, const struct host_state *state)
{
	struct host_state now = *state;

	pthread_mutex_lock(&fake.mutex);
	link->state = now;
	pthread_mutex_unlock(&fake.mutex);
	device_state(link->owner, &now);
}

void fake_set_up_down(struct host_link *link, bool up)
{
	struct host_state state = link->state;

	state.up = up;
	fake_change(link, &state);
}

void fake_delete(const char *name)
{
	struct host_link *link = fake_link(name);
	struct device *dev = link->owner;

	device_ref(dev);
	pthread_mutex_lock(&fake.mutex);
	list_del(&link->node);
	pthread_mutex_unlock(&fake.mutex);
	device_gone(dev);
	device_unref(dev);
}

/* ---- before and after a test ---- */

static void on_left(void *arg)
{
	counter_add(&fake.left, 1);
}

int fake_set_up(void **state)
{
	memset(&fake, 0, sizeof(fake));
	pthread_mutex_init(&fake.mutex, NULL);
	list_init(&fake.links);
	fake.next_ifindex = 10;
	fake.send_room = INT32_MAX;
	fake.send_error = -EAGAIN;
	counter_init(&fake.finds);
	counter_init(&fake.wants);
	counter_init(&fake.syncs);
	counter_init(&fake.pauses);
	counter_init(&fake.settles);
	counter_init(&fake.resumes);
	counter_init(&fake.stops);
	counter_init(&fake.mends);
	counter_init(&fake.direct_ends);
	counter_init(&fake.left);
	if (dev_table_new(&fake_ops, &table) < 0)
		return -1;
	dev_table_on_left(table, on_left, NULL);
	return 0;
}

void fake_free_table(void)
{
	dev_table_free(table);
	table = NULL;
}

int fake_tear_down(void **state)
{
	if (table)
		fake_free_table();
	for (unsigned int i = 0; i < fake.sent.n; i++)
		pkt_free(fake.sent.pkts[i]);
	if (fake.live_links || fake.open_ns) {
		print_error("left behind: %d links, %d namespaces\n",
			    fake.live_links, fake.open_ns);
		return -1;
	}
	counter_destroy(&fake.left);
	counter_destroy(&fake.stops);
	counter_destroy(&fake.mends);
	counter_destroy(&fake.direct_ends);
	counter_destroy(&fake.resumes);
	counter_destroy(&fake.settles);
	counter_destroy(&fake.pauses);
	counter_destroy(&fake.syncs);
	counter_destroy(&fake.wants);
	counter_destroy(&fake.finds);
	pthread_mutex_destroy(&fake.mutex);
	return 0;
}
