/* SPDX-License-Identifier: MIT */
/* declare.c - makes a declared device, or finds it. */
#include "dev/declare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "dev/device.h"
#include "dev/file.h"
#include "dev/setup.h"
#include "dev/tapped.h"

/* One that is being put into force. */
struct declaring {
	struct dev_table *table;
	const struct dev_declaration *d;
	dev_warn_fn *warn;
	/* Of the network namespace that it is for. */
	int ns_fd;
	uint64_t ns_id;
	struct host_ns *ns;
};

static void complain(const struct declaring *now, unsigned int line,
		     const char *what, int error, const char *remedy)
{
	const struct dev_place place = {now->d->file, line, now->d->name};

	dev_warn(now->warn, &place, what, error, remedy);
}

static void write_knobs(const struct declaring *now, struct dev_knobs *knobs)
{
	const struct dev_declaration *d = now->d;

	knobs->declared = true;
	knobs->by_rule = false;
	knobs->declaration = now->table->declarations;
	knobs->persist = true;
	knobs->has_owner = d->owner != (uid_t)-1;
	knobs->owner = d->owner;
	knobs->has_group = d->group != (gid_t)-1;
	knobs->group = d->group;
	knobs->may_offload = d->offloads;
}

/* By that it is known while the path leads nowhere. */
static void remember_ns(const struct declaring *now, struct device *dev)
{
	char *path = now->d->ns_path ? strdup(now->d->ns_path) : NULL;
	char *before;

	lock_acquire(&dev->lock);
	before = dev->declared_ns;
	dev->declared_ns = path;
	lock_release(&dev->lock);
	free(before);
}

/* ---- it is there ---- */

static void adopt(const struct declaring *now, struct device *dev)
{
	const struct dev_declaration *d = now->d;
	struct dev_pending *pending = dev_pending_new(d->file, &d->setup);
	bool several;

	if (!pending)
		complain(now, d->line, "its configuration", -ENOMEM,
			 "reload again");
	remember_ns(now, dev);
	lock_acquire(&dev->lock);
	write_knobs(now, &dev->knobs);
	several = dev->flags & IFF_MULTI_QUEUE;
	if (several == (d->queues > 1))
		dev->knobs.max_queues = d->queues;
	lock_release(&dev->lock);
	dev_taps_judge(dev);
	if (several != (d->queues > 1))
		complain(now, d->line,
			 d->queues > 1 ? "several queues" : "one queue", -EBUSY,
			 "remove the interface with \"ip link del\" and "
			 "reload");
	if (device_set_pending(dev, pending))
		device_do_pending(dev, now->ns_fd, now->warn);
}

/* It stays as it was, if it was declared. */
static bool keep(const struct declaring *now, struct device *dev)
{
	bool declared;

	lock_acquire(&dev->lock);
	declared = dev->knobs.declared;
	if (declared)
		dev->knobs.declaration = now->table->declarations;
	lock_release(&dev->lock);
	return declared;
}

static void is_in_the_way(const struct declaring *now)
{
	complain(now, now->d->line, "another interface is there", -EEXIST,
		 "remove that with \"ip link del\" and reload, or choose "
		 "another name");
}

/* Returns whether it is to be made anew. */
static bool change_kind(const struct declaring *now, struct device *dev)
{
	bool tap = now->d->kind == POLICY_TAP;

	if (!keep(now, dev)) {
		is_in_the_way(now);
		return false;
	}
	/* Perhaps whoever had a packet socket has just closed it. */
	dev->host->sync(dev->link);
	if (device_end_idle(dev))
		return true;
	complain(now, now->d->kind_line, tap ? "Kind=tap" : "Kind=tun", -EBUSY,
		 "a program is attached, and the device stays as it was: "
		 "detach the program and reload, or restart tund");
	return false;
}

/* Returns whether it is to be made anew. */
static bool find(const struct declaring *now, int ifindex)
{
	enum dev_kind kind = now->d->kind == POLICY_TAP ? DEV_TAP : DEV_TUN;
	struct device *dev = dev_table_find(now->table, now->ns_id, ifindex);
	bool anew = false;

	if (!dev) {
		is_in_the_way(now);
		return false;
	}
	if (dev->kind == kind)
		adopt(now, dev);
	else
		anew = change_kind(now, dev);
	device_unref(dev);
	return anew;
}

/* ---- it is not ---- */

static const char *remedy_of_making(int error)
{
	switch (error) {
	case -EEXIST:
		return "remove the interface of that name with \"ip link "
		       "del\" and reload, or choose another name";
	case -EINVAL:
		return "the kernel takes no interface of that name: choose "
		       "another one";
	default:
		return "mend that and reload";
	}
}

static void make(const struct declaring *now)
{
	const struct dev_declaration *d = now->d;
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
	write_knobs(now, &knobs);
	knobs.max_queues = d->queues;
	r = device_new_idle(now->table, now->ns, now->ns_id, &spec, &knobs,
			    &dev);
	if (r < 0) {
		complain(now, d->line, "cannot make it", r,
			 remedy_of_making(r));
		return;
	}
	remember_ns(now, dev);
	device_set_up(dev, now->ns_fd, d->file, &d->setup, now->warn);
	log_info("%s is there, as declared", d->name);
	device_unref(dev);
}

/* ---- its network namespace ---- */

static const char *remedy_of_ns(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		return "make it with \"ip netns add\", or mend the path, and "
		       "reload";
	case -EINVAL:
		return "it is no network namespace: name one, such as "
		       "/run/netns/NAME, and reload";
	default:
		return "mend that and reload";
	}
}

static int open_ns(struct declaring *now)
{
	const char *path = now->d->ns_path;
	struct stat st;

	/* A pipe would wait for who writes into it. */
	now->ns_fd = open(path ? path : "/proc/thread-self/ns/net",
			  O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (now->ns_fd < 0 || fstat(now->ns_fd, &st) < 0)
		return -errno;
	now->ns_id = st.st_ino;
	return now->table->host->ns_open(now->ns_fd, &now->ns);
}

/* Those that are declared for that path, and may be where it led. */
static bool keep_by_path(const struct declaring *now)
{
	const char *path = now->d->ns_path;
	struct device *dev;
	bool kept = false;

	for (uint64_t id = 0; (dev = dev_table_next(now->table, id));) {
		bool same;

		id = dev->id;
		lock_acquire(&dev->lock);
		same = strcmp(dev->state.name, now->d->name) == 0 &&
		       (path && dev->declared_ns
				? strcmp(path, dev->declared_ns) == 0
				: path == dev->declared_ns);
		lock_release(&dev->lock);
		kept |= same && keep(now, dev);
		device_unref(dev);
	}
	return kept;
}

static void has_no_ns(const struct declaring *now, int error)
{
	const char *path = now->d->ns_path;
	char what[PATH_MAX + 32];

	snprintf(what, sizeof(what), "NetworkNamespacePath=%s",
		 path ? path : "");
	complain(now, path ? now->d->ns_line : now->d->line,
		 path ? what : "its network namespace", error,
		 keep_by_path(now)
			 ? "the device is where that was, and stays as it was: "
			   "mend the path and reload"
			 : remedy_of_ns(error));
}

static void find_or_make(const struct declaring *now)
{
	int ifindex;
	int r = now->table->host->find(now->ns, now->d->name, &ifindex);

	if (r == HOST_NONE || (r == HOST_OK && find(now, ifindex)))
		make(now);
	else if (r < 0)
		complain(now, now->d->line, "cannot look for it", r,
			 "mend that and reload");
}

void dev_declare(struct dev_table *table, const struct dev_declaration *d,
		 dev_warn_fn *warn)
{
	struct declaring now = {.table = table, .d = d, .warn = warn};
	int r = open_ns(&now);

	if (r < 0) {
		has_no_ns(&now, r);
	} else {
		find_or_make(&now);
		table->host->ns_close(now.ns);
	}
	if (now.ns_fd >= 0)
		close(now.ns_fd);
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
		if (is_left_over(table, dev)) {
			device_set_pending(dev, NULL);
			log_notice("%s is not declared any more: it stays, and "
				   "is root's; \"ip link del\" removes it",
				   state.name);
		}
		/* It may be by a policy's group, of any device. */
		dev_taps_judge(dev);
		device_unref(dev);
	}
}
