/* SPDX-License-Identifier: MIT */
/* table.c - the list of devices; what becomes of one is device.c's. */
#include "dev/table.h"

#include <errno.h>
#include <stdlib.h>

#include "dev/device.h"
#include "dev/policy.h"

/* Removing an interface waits for the kernel; two at a time is what it can. */
#define RELEASE_THREADS 2

int dev_table_new(const struct host_ops *host, struct dev_table **ret_table)
{
	struct dev_table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	r = work_queue_new("tund-release", RELEASE_THREADS, &table->releases);
	if (r < 0) {
		free(table);
		return r;
	}
	r = policy_set_new(0, &table->policy);
	if (r < 0) {
		work_queue_free(table->releases);
		free(table);
		return r;
	}
	table->host = host;
	table->refs = 1;
	lock_init(&table->lock, LOCK_RANK_TABLE, "devices");
	list_init(&table->devices);
	list_init(&table->files);
	quota_init(&table->quota);
	spent_init(&table->spent);
	*ret_table = table;
	return 0;
}

static struct device *first_device(struct dev_table *table)
{
	struct device *dev = NULL;

	lock_acquire(&table->lock);
	list_for_each (it, &table->devices) {
		struct device *d = list_entry(it, struct device, node);

		lock_acquire(&d->lock);
		if (d->phase != DEVICE_LEAVING) {
			dev = d;
			device_ref(dev);
		}
		lock_release(&d->lock);
		if (dev)
			break;
	}
	lock_release(&table->lock);
	return dev;
}

void dev_table_free(struct dev_table *table)
{
	struct device *dev;

	while ((dev = first_device(table))) {
		device_end(dev);
		device_unref(dev);
	}
	work_queue_free(table->releases);
	/* Files that are still open know it. */
	dev_table_unref(table);
}

void dev_table_ref(struct dev_table *table)
{
	atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
}

void dev_table_unref(struct dev_table *table)
{
	if (atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) !=
	    1)
		return;
	policy_set_unref(table->policy);
	quota_destroy(&table->quota);
	spent_destroy(&table->spent);
	lock_destroy(&table->lock);
	free(table);
}

struct device *dev_table_find(struct dev_table *table, uint64_t ns_id,
			      int ifindex)
{
	struct device *found = NULL;

	lock_acquire(&table->lock);
	list_for_each (it, &table->devices) {
		struct device *dev = list_entry(it, struct device, node);
		bool same;

		lock_acquire(&dev->lock);
		same = dev->ns_id == ns_id && !dev->state.moved &&
		       dev->state.ifindex == ifindex;
		lock_release(&dev->lock);
		if (same) {
			device_ref(dev);
			found = dev;
			break;
		}
	}
	lock_release(&table->lock);
	return found;
}

struct device *dev_table_next(struct dev_table *table, uint64_t id)
{
	struct device *next = NULL;

	lock_acquire(&table->lock);
	/* In the order of their numbers. */
	list_for_each (it, &table->devices) {
		struct device *dev = list_entry(it, struct device, node);

		lock_acquire(&dev->lock);
		if (dev->id > id && dev->phase != DEVICE_LEAVING)
			next = dev;
		lock_release(&dev->lock);
		if (next)
			break;
	}
	if (next)
		device_ref(next);
	lock_release(&table->lock);
	return next;
}

void dev_table_set_policy(struct dev_table *table, struct policy_set *set)
{
	struct policy_set *before;

	lock_acquire(&table->lock);
	before = table->policy;
	table->policy = set;
	lock_release(&table->lock);
	policy_set_unref(before);
}

struct policy_set *dev_table_policy(struct dev_table *table)
{
	struct policy_set *set;

	lock_acquire(&table->lock);
	set = table->policy;
	policy_set_ref(set);
	lock_release(&table->lock);
	return set;
}

bool dev_table_has_rules(struct dev_table *table)
{
	bool has;

	lock_acquire(&table->lock);
	has = table->policy->n > 0;
	lock_release(&table->lock);
	return has;
}

uint64_t dev_table_account(struct dev_table *table, uint64_t account)
{
	struct policy_set *set = dev_table_policy(table);

	account = policy_account(set, account);
	policy_set_unref(set);
	return account;
}

unsigned int dev_table_policy_needs(struct dev_table *table)
{
	unsigned int needs;

	lock_acquire(&table->lock);
	needs = table->policy->needs;
	lock_release(&table->lock);
	return needs;
}

void dev_table_on_left(struct dev_table *table, void (*left)(void *arg),
		       void *arg)
{
	table->left = left;
	table->left_arg = arg;
}

bool dev_table_any_making(struct dev_table *table)
{
	bool making;

	lock_acquire(&table->lock);
	making = table->n_making > 0;
	lock_release(&table->lock);
	return making;
}

bool dev_table_any_leaving(struct dev_table *table, uint64_t ns_id)
{
	bool leaving = false;

	lock_acquire(&table->lock);
	list_for_each (it, &table->devices) {
		struct device *dev = list_entry(it, struct device, node);

		lock_acquire(&dev->lock);
		leaving |=
			dev->ns_id == ns_id && (dev->phase == DEVICE_PARTING ||
						dev->phase == DEVICE_LEAVING);
		lock_release(&dev->lock);
	}
	lock_release(&table->lock);
	return leaving;
}
