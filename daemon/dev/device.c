/* SPDX-License-Identifier: MIT */
/*
 * device.c - a device's life: made at attach, gone with its file or with its
 * interface, whichever comes first. Packets are io.c's.
 */
#include "dev/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dev/file.h"

/* How long packets that write() has taken may still need, at the end. */
#define DRAIN_MS 1000

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
	table->host = host;
	lock_init(&table->lock, LOCK_RANK_TABLE, "devices");
	list_init(&table->devices);
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

void device_ref(struct device *dev)
{
	atomic_fetch_add_explicit(&dev->refs, 1, memory_order_relaxed);
}

void device_unref(struct device *dev)
{
	if (atomic_fetch_sub_explicit(&dev->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (dev->link)
		dev->host->link_free(dev->link);
	pktq_destroy(&dev->to_app);
	pktq_destroy(&dev->to_host);
	lock_destroy(&dev->lock);
	free(dev);
}

static void log_summary(struct device *dev)
{
	struct host_state state;
	uint64_t lost = 0;

	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		lost += dev->drops[i];
	device_get_state(dev, &state);
	log_info("%s: removed; %llu packets written, %llu read, %llu dropped",
		 state.name, (unsigned long long)dev->rx_packets,
		 (unsigned long long)dev->tx_packets, (unsigned long long)lost);
}

/* Returns false if the device was ended meanwhile. */
static bool become_idle(struct device *dev)
{
	bool idle;

	lock_acquire(&dev->lock);
	idle = dev->phase == DEVICE_PARTING;
	lock_release(&dev->lock);
	if (!idle)
		return false;

	dev->host->set_carrier(dev->link, false);

	lock_acquire(&dev->lock);
	idle = dev->phase == DEVICE_PARTING;
	if (idle)
		dev->phase = DEVICE_IDLE;
	lock_release(&dev->lock);
	return idle;
}

/* The slow half of a file's or a device's end, in a thread that may wait. */
static void device_release(struct work *work)
{
	struct device *dev = container_of(work, struct device, release);
	struct dev_table *table = dev->table;
	bool idle;

	/* What write() has taken is sent before the interface goes. */
	pktq_wait_drained(&dev->to_host, now_ms() + DRAIN_MS);
	idle = become_idle(dev);
	if (!idle) {
		device_count_drop(dev, TUND_DROP_DOWN,
				  pktq_close(&dev->to_host, -EBADFD));
		table->host->link_stop(dev->link);
		lock_acquire(&table->lock);
		list_del(&dev->node);
		lock_release(&table->lock);
	}
	if (table->left)
		table->left(table->left_arg);
	if (idle)
		return;
	log_summary(dev);
	device_unref(dev);
}

/* `change` is 1 or -1; at the end others may look for the name again. */
static void count_making(struct dev_table *table, int change)
{
	lock_acquire(&table->lock);
	table->n_making += (unsigned int)change;
	lock_release(&table->lock);
	if (change < 0 && table->left)
		table->left(table->left_arg);
}

static int make(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
		const struct host_spec *spec, unsigned int flags,
		struct device **ret_dev)
{
	struct device *dev = calloc(1, sizeof(*dev));
	int r;

	if (!dev)
		return -ENOMEM;
	lock_init(&dev->lock, LOCK_RANK_DEVICE, "device");
	dev->refs = 1;
	dev->table = table;
	dev->host = table->host;
	list_init(&dev->node);
	dev->ns_id = ns_id;
	dev->kind = spec->kind;
	dev->flags = flags;
	dev_knobs_init(&dev->knobs, spec->kind == DEV_TAP);
	dev->release.run = device_release;
	pktq_init(&dev->to_app, "to_app", spec->queue_len, DEV_QUEUE_BYTES);
	pktq_init(&dev->to_host, "to_host", spec->queue_len, DEV_QUEUE_BYTES);

	r = table->host->link_new(ns, spec, dev, &dev->link);
	if (r < 0) {
		device_unref(dev);
		return r;
	}
	*ret_dev = dev;
	return 0;
}

/* Puts the device into the table with its file, and lets packets flow. */
static int start(struct device *dev, struct dev_file *file)
{
	struct dev_table *table = dev->table;
	int r;

	/* The list's reference, which device_release() gives back. */
	device_ref(dev);
	dev_file_ref(file);
	lock_acquire(&table->lock);
	lock_acquire(&dev->lock);
	dev->file = file;
	dev->phase = DEVICE_ATTACHED;
	lock_release(&dev->lock);
	list_add_tail(&table->devices, &dev->node);
	lock_release(&table->lock);

	r = table->host->link_start(dev->link);
	if (r < 0)
		device_end(dev);
	return r;
}

int device_new(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
	       const struct host_spec *spec, unsigned int flags,
	       struct dev_file *file, struct device **ret_dev)
{
	int r;

	count_making(table, 1);
	r = make(table, ns, ns_id, spec, flags, ret_dev);
	if (r == 0) {
		r = start(*ret_dev, file);
		if (r < 0)
			device_unref(*ret_dev);
	}
	count_making(table, -1);
	return r;
}

int device_attach(struct device *dev, struct dev_file *file, unsigned int flags,
		  bool carrier)
{
	int r = 0;

	lock_acquire(&dev->lock);
	if (dev->phase == DEVICE_ATTACHED) {
		r = -EBUSY;
	} else if (dev->phase != DEVICE_IDLE) {
		r = DEV_ATTACH_AGAIN;
	} else {
		dev->phase = DEVICE_ATTACHED;
		dev->file = file;
		dev->flags = flags;
		dev_file_ref(file);
	}
	lock_release(&dev->lock);
	if (r != 0)
		return r;
	device_count_drop(dev, TUND_DROP_DETACHED, pktq_purge(&dev->to_app));
	r = dev->host->set_carrier(dev->link, carrier);
	/* It parts from the file at once, and is there for the next. */
	if (r < 0)
		device_detach(dev);
	return r;
}

void device_detach(struct device *dev)
{
	struct dev_file *file;
	bool stays;

	lock_acquire(&dev->lock);
	file = dev->file;
	dev->file = NULL;
	stays = dev->knobs.persist;
	if (file)
		dev->phase = stays ? DEVICE_PARTING : DEVICE_LEAVING;
	lock_release(&dev->lock);
	/* Whoever takes the file off the device goes on. */
	if (!file)
		return;
	dev_file_clear(file, dev);
	device_count_drop(dev, TUND_DROP_DETACHED,
			  stays ? pktq_purge(&dev->to_app)
				: pktq_close(&dev->to_app, -EFAULT));
	dev_file_wake(file);
	dev_file_unref(file);
	work_put(dev->table->releases, &dev->release);
}

void device_end(struct device *dev)
{
	enum device_phase before;
	struct dev_file *file;

	lock_acquire(&dev->lock);
	before = dev->phase;
	dev->phase = DEVICE_LEAVING;
	file = dev->file;
	dev->file = NULL;
	lock_release(&dev->lock);
	if (before == DEVICE_LEAVING)
		return;
	/* Before it is told: a read after that says EBADFD. */
	if (file)
		dev_file_clear(file, dev);
	device_count_drop(dev, TUND_DROP_DETACHED,
			  pktq_close(&dev->to_app, -EFAULT));
	if (file) {
		dev_file_wake(file);
		dev_file_unref(file);
	}
	/* One that was parting is on its way to the release already. */
	if (before != DEVICE_PARTING)
		work_put(dev->table->releases, &dev->release);
}

void device_gone(struct device *dev)
{
	/* There is nobody left to send to. */
	device_count_drop(dev, TUND_DROP_DOWN,
			  pktq_close(&dev->to_host, -EBADFD));
	device_end(dev);
}

void device_direct_closed(struct device *dev)
{
	device_detach(dev);
}

static struct dev_file *get_file(struct device *dev)
{
	struct dev_file *file;

	lock_acquire(&dev->lock);
	file = dev->file;
	if (file)
		dev_file_ref(file);
	lock_release(&dev->lock);
	return file;
}

bool device_is_idle(struct device *dev)
{
	bool idle;

	lock_acquire(&dev->lock);
	idle = dev->phase == DEVICE_IDLE;
	lock_release(&dev->lock);
	return idle;
}

bool device_closing(struct device *dev)
{
	struct dev_file *file = get_file(dev);
	bool closing;

	if (!file)
		return !device_is_idle(dev);
	closing = dev_file_closing(file);
	dev_file_unref(file);
	return closing;
}

bool device_has_file(struct device *dev, const struct dev_file *file)
{
	bool has;

	lock_acquire(&dev->lock);
	has = dev->file == file;
	lock_release(&dev->lock);
	return has;
}

void device_wake(struct device *dev)
{
	struct dev_file *file = get_file(dev);

	if (!file)
		return;
	dev_file_wake(file);
	dev_file_unref(file);
}

void device_state(struct device *dev, const struct host_state *state)
{
	lock_acquire(&dev->lock);
	dev->state = *state;
	lock_release(&dev->lock);
	pktq_set_limit(&dev->to_app, state->queue_len);
	device_wake(dev);
}

void device_get_state(struct device *dev, struct host_state *ret_state)
{
	lock_acquire(&dev->lock);
	*ret_state = dev->state;
	lock_release(&dev->lock);
}

void device_count_drop(struct device *dev, enum tund_drop reason,
		       unsigned int n)
{
	atomic_fetch_add_explicit(&dev->drops[reason], n, memory_order_relaxed);
}

void device_count_oversize(struct device *dev)
{
	device_count_drop(dev, TUND_DROP_OVERSIZE, 1);
}

void device_input(struct device *dev, struct pkt **pkts, unsigned int n)
{
	bool any_queued = false;

	for (unsigned int i = 0; i < n; i++) {
		bool queued = false;
		int r = pktq_push(&dev->to_app, pkts[i], &queued);

		if (r != PKTQ_DONE) {
			pkt_free(pkts[i]);
			device_count_drop(dev,
					  r == PKTQ_FULL ? TUND_DROP_QUEUE_FULL
							 : TUND_DROP_DETACHED,
					  1);
		}
		any_queued |= queued;
	}
	if (any_queued)
		device_wake(dev);
}
