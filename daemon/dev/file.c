/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files and their attachment, in the order of checks that the
 * kernel's TUN has.
 */
#include "dev/file.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/device.h"
#include "dev/direct.h"
#include "dev/grant.h"
#include "dev/setup.h"

/*
 * What a device remembers of the flags. IFF_ONE_QUEUE, IFF_NAPI and
 * IFF_NAPI_FRAGS have no effect.
 */
#define KEPT_FLAGS                                                             \
	(IFF_NO_PI | IFF_ONE_QUEUE | IFF_VNET_HDR | IFF_MULTI_QUEUE |          \
	 IFF_NAPI | IFF_NAPI_FRAGS)

/* Names of one pattern that are looked through. */
#define MAX_NAME_NUMBER 4096

/* The kernel's own, in which the kind of interface is one number. */
#define TYPE_MASK 0x000f

struct dev_file {
	struct lock lock;
	atomic_uint refs;
	struct dev_table *table; /* a reference */
	struct list node;	 /* guarded by the table's lock */
	uint64_t id;		 /* rising with every file of the table */
	int ns_fd;
	uint64_t ns_id;
	struct dev_opener opener;
	void (*wake)(void *cookie);
	void (*release)(void *cookie);
	void *cookie;
	atomic_bool closing;
	struct dev_grant grant; /* who is attaching has it */

	struct dev_queue *queue GUARDED_BY(lock); /* a reference, or NULL */
	struct tund_mode mode GUARDED_BY(lock);
	bool attaching GUARDED_BY(lock);
	int ifindex GUARDED_BY(lock); /* 0, or what TUNSETIFINDEX asked for */
};

int dev_file_new(struct dev_table *table, int ns_fd,
		 const struct dev_opener *opener, void (*wake)(void *cookie),
		 void (*release)(void *cookie), void *cookie,
		 struct dev_file **ret_file)
{
	struct dev_file *file;
	struct stat st;

	if (fstat(ns_fd, &st) < 0)
		return -errno;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	lock_init(&file->lock, LOCK_RANK_FILE, "file");
	file->refs = 1;
	file->table = table;
	file->ns_fd = ns_fd;
	file->ns_id = st.st_ino;
	file->opener = *opener;
	file->wake = wake;
	file->release = release;
	file->cookie = cookie;
	dev_table_ref(table);
	lock_acquire(&table->lock);
	file->id = ++table->last_file_id;
	list_add_tail(&table->files, &file->node);
	lock_release(&table->lock);
	*ret_file = file;
	return 0;
}

void dev_file_ref(struct dev_file *file)
{
	atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
}

void dev_file_unref(struct dev_file *file)
{
	struct dev_table *table = file->table;

	if (atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) !=
	    1)
		return;
	lock_acquire(&table->lock);
	list_del(&file->node);
	lock_release(&table->lock);
	file->release(file->cookie);
	close(file->ns_fd);
	lock_destroy(&file->lock);
	free(file);
	dev_table_unref(table);
}

/* One on its way out cannot be had any more. */
static bool try_ref(struct dev_file *file)
{
	unsigned int refs = atomic_load(&file->refs);

	while (refs > 0)
		if (atomic_compare_exchange_weak(&file->refs, &refs, refs + 1))
			return true;
	return false;
}

struct dev_file *dev_file_next(struct dev_table *table, uint64_t id)
{
	struct dev_file *next = NULL;

	lock_acquire(&table->lock);
	/* In the order of their numbers. */
	list_for_each (it, &table->files) {
		struct dev_file *file = list_entry(it, struct dev_file, node);

		if (file->id > id && try_ref(file)) {
			next = file;
			break;
		}
	}
	lock_release(&table->lock);
	return next;
}

const struct dev_opener *dev_file_opener(const struct dev_file *file)
{
	return &file->opener;
}

uint64_t dev_file_id(const struct dev_file *file)
{
	return file->id;
}

uint64_t dev_file_ns_id(const struct dev_file *file)
{
	return file->ns_id;
}

int dev_file_ns(const struct dev_file *file)
{
	return file->ns_fd;
}

int dev_file_home_ns(const struct dev_file *file, const struct device *dev)
{
	return file->ns_id == dev->ns_id ? file->ns_fd : -1;
}

struct dev_queue *dev_file_queue(struct dev_file *file)
{
	struct dev_queue *queue;

	lock_acquire(&file->lock);
	queue = file->queue;
	if (queue)
		dev_queue_ref(queue);
	lock_release(&file->lock);
	return queue;
}

struct device *dev_file_device(struct dev_file *file)
{
	struct dev_queue *queue = dev_file_queue(file);
	struct device *dev;

	if (!queue)
		return NULL;
	dev = queue->dev;
	device_ref(dev);
	dev_queue_unref(queue);
	return dev;
}

void dev_file_clear(struct dev_file *file, struct dev_queue *queue)
{
	bool mine;

	lock_acquire(&file->lock);
	mine = file->queue == queue;
	if (mine)
		file->queue = NULL;
	lock_release(&file->lock);
	if (mine)
		dev_queue_unref(queue);
}

bool dev_file_attached(struct dev_file *file)
{
	bool attached;

	lock_acquire(&file->lock);
	attached = file->queue != NULL;
	lock_release(&file->lock);
	return attached;
}

int dev_file_set_mode(struct dev_file *file, const struct tund_mode *mode)
{
	if (mode->flags & ~(TUND_MODE_ALL_IOCTLS | TUND_MODE_BATCH))
		return -EINVAL;
	if (mode->max_records && !(mode->flags & TUND_MODE_BATCH))
		return -EINVAL;
	lock_acquire(&file->lock);
	file->mode = *mode;
	lock_release(&file->lock);
	return 0;
}

void dev_file_get_mode(struct dev_file *file, struct tund_mode *ret_mode)
{
	lock_acquire(&file->lock);
	*ret_mode = file->mode;
	lock_release(&file->lock);
}

struct dev_table *dev_file_table(const struct dev_file *file)
{
	return file->table;
}

const struct dev_grant *dev_file_grant(const struct dev_file *file)
{
	return &file->grant;
}

void dev_file_wake(struct dev_file *file)
{
	file->wake(file->cookie);
}

void dev_file_set_closing(struct dev_file *file, bool closing)
{
	/* Written by every call: only a change is worth the cache line. */
	if (atomic_load_explicit(&file->closing, memory_order_relaxed) !=
	    closing)
		atomic_store(&file->closing, closing);
}

bool dev_file_closing(struct dev_file *file)
{
	return atomic_load(&file->closing);
}

/* The kernel's rule for who may attach to a device that is there. */
static bool may_attach(struct device *dev, const struct dev_caller *caller)
{
	bool owner_ok, group_ok;

	lock_acquire(&dev->lock);
	owner_ok = !dev->knobs.has_owner || dev->knobs.owner == caller->uid;
	group_ok = !dev->knobs.has_group;
	for (size_t i = 0; i < caller->n_groups && !group_ok; i++)
		group_ok = dev->knobs.group == caller->groups[i];
	lock_release(&dev->lock);
	return (owner_ok && group_ok) || caller->net_admin;
}

/* 0, or -EPERM; `dev` is there already, or NULL. */
static int ask(struct dev_file *file, const struct dev_caller *caller,
	       const char *name, unsigned int flags, struct device *dev)
{
	const struct policy_request request = {
		.what = dev ? POLICY_ATTACH : POLICY_CREATE,
		/* IFF_TUN wins if both are asked for. */
		.kind = flags & IFF_TUN ? POLICY_TUN : POLICY_TAP,
		.name = name,
		.ns_id = file->ns_id,
		.by_kernels_rule =
			dev ? may_attach(dev, caller) : caller->net_admin,
	};

	return dev_grant_ask(file->table, caller, &request, &file->grant);
}

/* Attaches to a device of ours, as far as the kernel's TUN would allow it. */
static int attach_device(struct device *dev, struct dev_file *file,
			 const char *name, unsigned int flags,
			 const struct dev_caller *caller,
			 struct dev_queue **ret_queue)
{
	unsigned int kind = dev->kind == DEV_TUN ? IFF_TUN : IFF_TAP;
	int r;

	if (flags & IFF_TUN_EXCL)
		return -EBUSY;
	/* IFF_TUN wins if both are asked for. */
	if ((flags & IFF_TUN ? IFF_TUN : flags & IFF_TAP) != kind)
		return -EINVAL;
	if ((flags ^ dev->flags) & IFF_MULTI_QUEUE)
		return -EINVAL;
	r = ask(file, caller, name, flags, dev);
	if (r < 0)
		return r;
	return device_attach(dev, file, flags & KEPT_FLAGS,
			     !(flags & IFF_NO_CARRIER), ret_queue);
}

/* The device whose interface it is: made here, or come from elsewhere. */
static struct device *find_device(struct dev_file *file, int ifindex)
{
	struct device *dev = dev_table_find(file->table, file->ns_id, ifindex);
	uint64_t id = 0;

	while (!dev && (dev = dev_table_next(file->table, id))) {
		struct host_state state;

		id = dev->id;
		device_get_state(dev, &state);
		if (state.ifindex == ifindex && device_is_in(dev, file->ns_id))
			break;
		device_unref(dev);
		dev = NULL;
	}
	return dev;
}

/*
 * Attaches to the present owner of the name. Returns ATTACH_NEW when the name
 * is free, DEV_ATTACH_AGAIN when it may soon be, else as attach_device().
 */
enum { ATTACH_NEW = 2 };

static int attach_existing(struct dev_file *file, struct host_ns *ns,
			   const char *name, unsigned int flags,
			   const struct dev_caller *caller, bool final,
			   struct dev_queue **ret_queue)
{
	struct device *dev;
	int r, ifindex;

	r = file->table->host->find(ns, name, &ifindex);
	if (r == HOST_NONE)
		return ATTACH_NEW;
	if (r < 0)
		return r;
	dev = find_device(file, ifindex);
	if (!dev && !final && dev_table_any_making(file->table))
		return DEV_ATTACH_AGAIN;
	if (!dev)
		return flags & IFF_TUN_EXCL ? -EBUSY : -EINVAL;
	/* Perhaps whoever had a packet socket has just closed it. */
	dev->host->sync(dev->link);
	if (!final && device_closing(dev))
		r = DEV_ATTACH_AGAIN;
	else
		r = attach_device(dev, file, name, flags, caller, ret_queue);
	if (final && r == DEV_ATTACH_AGAIN)
		r = -EBUSY;
	device_unref(dev);
	return r;
}

static int attach_new(struct dev_file *file, struct host_ns *ns,
		      const char *name, unsigned int flags,
		      const struct dev_caller *caller, int ifindex,
		      struct dev_queue **ret_queue)
{
	bool tun = flags & IFF_TUN;
	struct host_spec spec = {
		.kind = tun ? DEV_TUN : DEV_TAP,
		.name = name,
		.ifindex = ifindex,
		.carrier = !(flags & IFF_NO_CARRIER),
		.queue_len = tun ? DEV_TUN_QUEUE_LEN : DEV_TAP_QUEUE_LEN,
	};
	int r;

	r = ask(file, caller, name, flags, NULL);
	if (r < 0)
		return r;
	if (!(flags & (IFF_TUN | IFF_TAP)))
		return -EINVAL;
	return device_new(file->table, ns, file->ns_id, &spec,
			  flags & KEPT_FLAGS, file, ret_queue);
}

/*
 * Policies are about names, so that one is chosen here, where there are any;
 * else the kernel does it. The first that is free, as with the kernel.
 */
static int attach_pattern(struct dev_file *file, struct host_ns *ns,
			  const char *pattern, unsigned int flags,
			  const struct dev_caller *caller, int ifindex,
			  struct dev_queue **ret_queue)
{
	const char *number = strstr(pattern, "%d");
	char name[IFNAMSIZ + 16];
	int r, found;

	if (!dev_table_has_rules(file->table) || strchr(number + 1, '%'))
		return attach_new(file, ns, pattern, flags, caller, ifindex,
				  ret_queue);
	for (unsigned int i = 0; i < MAX_NAME_NUMBER; i++) {
		snprintf(name, sizeof(name), "%.*s%u%s",
			 (int)(number - pattern), pattern, i, number + 2);
		if (strlen(name) >= IFNAMSIZ)
			return -EINVAL;
		r = file->table->host->find(ns, name, &found);
		if (r == HOST_NONE)
			r = attach_new(file, ns, name, flags, caller, ifindex,
				       ret_queue);
		/* Somebody else has just taken it. */
		if (r != HOST_OK && r != -EEXIST)
			return r;
		if (*ret_queue)
			return 0;
	}
	return -ENFILE;
}

/* Only who has it everywhere may have this; it has no effect here. */
static int check_napi_frags(unsigned int flags, const struct dev_caller *caller)
{
	if (!(flags & IFF_NAPI_FRAGS))
		return 0;
	if (!caller->init_net_admin)
		return -EPERM;
	return flags & IFF_NAPI && (flags & TYPE_MASK) == IFF_TAP ? 0 : -EINVAL;
}

/* At success the device has the file, and the caller a reference. */
static int attach(struct dev_file *file, const char *name, unsigned int flags,
		  const struct dev_caller *caller, bool final, int ifindex,
		  struct dev_queue **ret_queue)
{
	const struct host_ops *host = file->table->host;
	const char *usual = flags & IFF_TUN ? "tun%d" : "tap%d";
	struct host_ns *ns;
	int r;

	r = check_napi_frags(flags, caller);
	if (r < 0)
		return r;

	/* Whoever has closed a device may count on its name. */
	if (!final && dev_table_any_leaving(file->table, file->ns_id))
		return DEV_ATTACH_AGAIN;
	r = host->ns_open(file->ns_fd, &ns);
	if (r < 0)
		return r;
	r = ATTACH_NEW;
	if (name[0])
		r = attach_existing(file, ns, name, flags, caller, final,
				    ret_queue);
	if (r == ATTACH_NEW && (!name[0] || strstr(name, "%d")))
		r = attach_pattern(file, ns, name[0] ? name : usual, flags,
				   caller, ifindex, ret_queue);
	else if (r == ATTACH_NEW)
		r = attach_new(file, ns, name, flags, caller, ifindex,
			       ret_queue);
	host->ns_close(ns);
	return r;
}

/* What the policy wants of the interface that it has allowed. */
static int set_up(struct dev_queue *queue, const struct dev_file *file)
{
	const struct policy_rule *rule = queue->grant.rule;
	struct device *dev = queue->dev;

	return rule ? device_set_up(dev, dev_file_home_ns(file, dev),
				    &rule->setup)
		    : 0;
}

int dev_file_attach(struct dev_file *file, const char name[IFNAMSIZ],
		    unsigned int flags, const struct dev_caller *caller,
		    uint64_t deadline_ms, char ret_name[IFNAMSIZ])
{
	bool final = now_ms() >= deadline_ms;
	struct dev_queue *queue = NULL;
	struct host_state state;
	bool taken;
	int ifindex;
	int r;

	lock_acquire(&file->lock);
	taken = file->queue || file->attaching;
	if (!taken)
		file->attaching = true;
	ifindex = file->ifindex;
	/* Nobody could tell how to fill the header in. */
	if (!(file->mode.flags & TUND_MODE_ALL_IOCTLS))
		flags &= ~(unsigned int)IFF_VNET_HDR;
	lock_release(&file->lock);
	if (taken)
		return -EEXIST;

	r = attach(file, name, flags, caller, final, ifindex, &queue);
	dev_grant_put(&file->grant);

	lock_acquire(&file->lock);
	file->attaching = false;
	if (r == 0) {
		dev_queue_ref(queue);
		file->queue = queue;
		file->ifindex = 0;
	}
	lock_release(&file->lock);
	if (r != 0)
		return r;
	/* It may have been deleted before the file knew it. */
	if (!device_has(queue->dev, queue))
		dev_file_clear(file, queue);
	r = set_up(queue, file);
	if (r < 0) {
		device_detach(queue);
		dev_queue_unref(queue);
		return r;
	}
	device_get_state(queue->dev, &state);
	memcpy(ret_name, state.name, IFNAMSIZ);
	device_tell(queue->dev, DEV_EVENT_ATTACHED, &state, file);
	dev_queue_unref(queue);
	dev_file_wake(file);
	return 0;
}

int dev_file_set_queue(struct dev_file *file, unsigned int flags)
{
	struct dev_queue *queue = dev_file_queue(file);
	struct device *dev;
	int r = -EINVAL;

	if (!queue)
		return -EINVAL;
	dev = queue->dev;
	lock_acquire(&dev->lock);
	if (queue->file && (flags & IFF_ATTACH_QUEUE)) {
		r = queue->on ? -EINVAL : 0;
		if (r == 0)
			dev_queues_switch_locked(dev, queue, true);
	} else if (queue->file && (flags & IFF_DETACH_QUEUE)) {
		r = queue->on && dev->flows ? 0 : -EINVAL;
		if (r == 0)
			dev_queues_switch_locked(dev, queue, false);
	}
	lock_release(&dev->lock);
	/* What was on its way when it was switched off is lost, too. */
	if (r == 0)
		device_count_drop(dev, TUND_DROP_DETACHED,
				  pktq_purge(&queue->to_app));
	if (r == 0) {
		device_switch_direct(queue, flags & IFF_ATTACH_QUEUE);
		dev_queue_wake(queue);
	}
	dev_queue_unref(queue);
	return r;
}

int dev_file_set_ifindex(struct dev_file *file, int ifindex)
{
	int r = 0;

	lock_acquire(&file->lock);
	if (file->queue)
		r = -EPERM;
	else if (ifindex < 0)
		r = -EINVAL;
	else
		file->ifindex = ifindex;
	lock_release(&file->lock);
	return r;
}

void dev_file_close(struct dev_file *file)
{
	struct dev_queue *queue = dev_file_queue(file);

	if (!queue)
		return;
	/* The packet socket is the program's descriptor, and not this file. */
	if (!queue->direct)
		device_detach(queue);
	dev_queue_unref(queue);
}
