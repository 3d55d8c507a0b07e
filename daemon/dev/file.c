/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files and their attachment; whether that is possible, and to
 * what, is attach.c's.
 */
#include "dev/file.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/attach.h"
#include "dev/device.h"
#include "dev/direct.h"
#include "dev/grant.h"
#include "dev/setup.h"

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
	uint64_t account;
	struct stat st;
	int r;

	if (fstat(ns_fd, &st) < 0)
		return -errno;
	account = dev_table_account(table, opener->account);
	r = dev_grant_take_file(table, opener->uid, account);
	if (r < 0)
		return r;
	file = calloc(1, sizeof(*file));
	if (!file) {
		quota_give(&table->quota, account, QUOTA_FILES);
		return -ENOMEM;
	}
	lock_init(&file->lock, LOCK_RANK_FILE, "file");
	file->refs = 1;
	file->table = table;
	file->ns_fd = ns_fd;
	file->ns_id = st.st_ino;
	file->opener = *opener;
	file->opener.account = account;
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
	quota_give(&table->quota, file->opener.account, QUOTA_FILES);
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

struct dev_grant *dev_file_grant(struct dev_file *file)
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

/* What the policy wants of the interface that it has allowed. */
static int set_up(struct dev_queue *queue, const struct dev_file *file)
{
	const struct policy_rule *rule = queue->grant.rule;
	struct device *dev = queue->dev;

	return rule ? device_set_up(dev, dev_file_home_ns(file, dev),
				    rule->file, &rule->setup, dev_warn_log)
		    : 0;
}

static enum dev_patience patience_until(uint64_t deadline_ms)
{
	uint64_t now = now_ms();

	if (now < deadline_ms)
		return DEV_WAIT_ANY;
	return deadline_ms && now - deadline_ms < DEV_LEAVE_MS
		       ? DEV_WAIT_LEAVING
		       : DEV_WAIT_NOT;
}

uint64_t dev_attach_due_ms(uint64_t deadline_ms)
{
	return patience_until(deadline_ms) == DEV_WAIT_ANY
		       ? deadline_ms
		       : deadline_ms + DEV_LEAVE_MS;
}

int dev_file_attach(struct dev_file *file, const char name[IFNAMSIZ],
		    unsigned int flags, const struct dev_caller *caller,
		    uint64_t deadline_ms, char ret_name[IFNAMSIZ])
{
	enum dev_patience patience = patience_until(deadline_ms);
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

	r = dev_attach(file, name, flags, caller, patience, ifindex, &queue);
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
		dev_count_drop(queue, TUND_DROP_DETACHED,
			       pktq_purge(&queue->to_app));
	if (r == 0) {
		/* There is room in this one, or there are fewer to wait for. */
		device_resume(dev);
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
