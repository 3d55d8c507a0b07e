/* SPDX-License-Identifier: MIT */
/* declare.c - makes a declared device, or finds it. */
#include "dev/declare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "dev/device.h"
#include "dev/file.h"
#include "dev/setup.h"
#include "dev/tapped.h"

static void complain(const struct dev_declaration *d, const char *what,
		     int error)
{
	log_error("%s:%u: [Device %s]: %s: %s", d->file, d->line, d->name, what,
		  strerror(-error));
}

static void write_knobs(const struct dev_table *table,
			const struct dev_declaration *d,
			struct dev_knobs *knobs)
{
	knobs->declared = true;
	knobs->declaration = table->declarations;
	knobs->persist = true;
	knobs->has_owner = d->owner != (uid_t)-1;
	knobs->owner = d->owner;
	knobs->has_group = d->group != (gid_t)-1;
	knobs->group = d->group;
	knobs->may_offload = d->offloads;
}

/* ---- it is there ---- */

static void adopt(struct device *dev, int ns_fd,
		  const struct dev_declaration *d)
{
	bool several;

	lock_acquire(&dev->lock);
	write_knobs(dev->table, d, &dev->knobs);
	several = dev->flags & IFF_MULTI_QUEUE;
	if (several == (d->queues > 1))
		dev->knobs.max_queues = d->queues;
	lock_release(&dev->lock);
	dev_taps_judge(dev);
	if (several != (d->queues > 1))
		log_warning("%s:%u: [Device %s]: it is there with %s: delete "
			    "it with ip(8) and reload",
			    d->file, d->line, d->name,
			    several ? "several queues" : "one queue");
	if (device_is_idle(dev))
		device_set_up(dev, ns_fd, &d->setup);
}

static void find(struct dev_table *table, int ns_fd, uint64_t ns_id,
		 int ifindex, const struct dev_declaration *d)
{
	enum dev_kind kind = d->kind == POLICY_TAP ? DEV_TAP : DEV_TUN;
	struct device *dev = dev_table_find(table, ns_id, ifindex);

	if (dev && dev->kind == kind)
		adopt(dev, ns_fd, d);
	else
		complain(d,
			 "an interface of that name is there, which is "
			 "something else",
			 -EEXIST);
	if (dev)
		device_unref(dev);
}

/* ---- it is not ---- */

static void make(struct dev_table *table, struct host_ns *ns, int ns_fd,
		 uint64_t ns_id, const struct dev_declaration *d)
{
	bool tap = d->kind == POLICY_TAP;
	const struct host_spec spec = {
		.kind = tap ? DEV_TAP : DEV_TUN,
		.name = d->name,
		.queue_len = tap ? DEV_TAP_QUEUE_LEN : DEV_TUN_QUEUE_LEN,
	};
	struct dev_knobs knobs;
	struct device *dev;
	int r;

	dev_knobs_init(&knobs, tap);
	write_knobs(table, d, &knobs);
	knobs.max_queues = d->queues;
	r = device_new_idle(table, ns, ns_id, &spec, &knobs, &dev);
	if (r < 0) {
		complain(d, "cannot make it", r);
		return;
	}
	device_set_up(dev, ns_fd, &d->setup);
	log_info("%s is there, as declared", d->name);
	device_unref(dev);
}

static int open_ns(const struct dev_declaration *d)
{
	const char *path = d->ns_path ? d->ns_path : "/proc/thread-self/ns/net";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void dev_declare(struct dev_table *table, const struct dev_declaration *d)
{
	_cleanup_close_ int ns_fd = open_ns(d);
	const struct host_ops *host = table->host;
	struct host_ns *ns;
	struct stat st;
	int r, ifindex;

	r = ns_fd;
	if (r >= 0 && fstat(ns_fd, &st) < 0)
		r = -errno;
	if (r >= 0)
		r = host->ns_open(ns_fd, &ns);
	if (r < 0) {
		complain(d, d->ns_path ? d->ns_path : "its network namespace",
			 r);
		return;
	}
	r = host->find(ns, d->name, &ifindex);
	if (r == HOST_NONE)
		make(table, ns, ns_fd, st.st_ino, d);
	else if (r == HOST_OK)
		find(table, ns_fd, st.st_ino, ifindex, d);
	else
		complain(d, "cannot look for it", r);
	host->ns_close(ns);
}

/* ---- all of them ---- */

void dev_declare_begin(struct dev_table *table)
{
	table->declarations++;
}

static bool is_left_over(const struct dev_table *table, struct device *dev)
{
	struct dev_knobs *knobs = &dev->knobs;
	bool is;

	lock_acquire(&dev->lock);
	is = knobs->declared && knobs->declaration != table->declarations;
	if (is) {
		knobs->declared = false;
		knobs->has_owner = true;
		knobs->owner = 0;
		knobs->has_group = false;
	}
	lock_release(&dev->lock);
	return is;
}

void dev_declare_end(struct dev_table *table)
{
	struct device *dev;

	for (uint64_t id = 0; (dev = dev_table_next(table, id));) {
		struct host_state state;

		id = dev->id;
		device_get_state(dev, &state);
		if (is_left_over(table, dev))
			log_notice("%s is not declared any more: it stays, and "
				   "is root's; \"ip link del\" removes it",
				   state.name);
		/* It may be by a policy's group, of any device. */
		dev_taps_judge(dev);
		device_unref(dev);
	}
}
