/* SPDX-License-Identifier: MIT */
/*
 * device.c - a device's life: made at attach, gone with its file or with its
 * interface, whichever comes first. Packets are io.c's.
 */
#include "dev/device.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "dev/direct.h"
#include "dev/file.h"
#include "dev/limit.h"
#include "dev/setup.h"
#include "dev/tapped.h"
#include "packet/flow.h"

/* How long packets that write() has taken may still need, at the end. */
#define DRAIN_MS 1000

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
	pktq_destroy(&dev->to_host);
	dev_filter_free(&dev->filter);
	free(dev->declared_ns);
	dev_pending_free(dev->pending);
	flow_table_free(dev->flows);
	lock_destroy(&dev->lock);
	free(dev);
}

void device_count_for(struct device *dev, uint64_t account)
{
	dev->account = account;
	atomic_store(&dev->counted, true);
}

static void uncount(struct device *dev)
{
	if (atomic_exchange(&dev->counted, false))
		quota_give(&dev->table->quota, dev->account, QUOTA_DEVICES);
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

/* What was negotiated with the program that has left does not bind the next. */
static void forget_offload(struct device *dev, int home_ns_fd)
{
	bool any;

	lock_acquire(&dev->lock);
	any = dev->knobs.offload != 0;
	dev->knobs.offload = 0;
	lock_release(&dev->lock);
	if (any)
		dev->host->set_offload(dev->link, home_ns_fd, 0);
}

/* Returns false if the device was ended meanwhile. */
static bool become_idle(struct device *dev)
{
	struct dev_file *file;
	int home_ns_fd;
	bool idle;

	lock_acquire(&dev->lock);
	idle = dev->phase == DEVICE_PARTING;
	file = dev->last_file;
	dev->last_file = NULL;
	lock_release(&dev->lock);
	home_ns_fd = file ? dev_file_home_ns(file, dev) : -1;
	if (file)
		forget_offload(dev, home_ns_fd);
	if (idle) {
		device_end_direct(dev);
		dev->host->set_carrier(dev->link, false);
		idle = device_become_idle(dev, home_ns_fd);
	}
	if (file)
		dev_file_unref(file);
	return idle;
}

/* The slow half of a file's or a device's end, in a thread that may wait. */
static void device_release(struct work *work)
{
	struct device *dev = container_of(work, struct device, release);
	struct dev_table *table = dev->table;
	struct host_state state;
	bool idle;

	/* What write() has taken is sent before the interface goes. */
	pktq_wait_drained(&dev->to_host, now_ms() + DRAIN_MS);
	idle = become_idle(dev);
	if (!idle) {
		device_end_direct(dev);
		device_count_drop(dev, TUND_DROP_DOWN,
				  pktq_close(&dev->to_host, -EBADFD));
		/* Before there can be another one in its place. */
		dev_limit_end(dev);
		table->host->link_stop(dev->link);
		dev_taps_close(dev);
		lock_acquire(&table->lock);
		list_del(&dev->node);
		lock_release(&table->lock);
		uncount(dev);
	}
	if (table->left)
		table->left(table->left_arg);
	if (idle)
		return;
	log_summary(dev);
	device_get_state(dev, &state);
	device_tell(dev, DEV_EVENT_GONE, &state, NULL);
	device_unref(dev);
}

/* Whether only files are left of a device that was direct. Under its lock. */
static bool is_deaf_locked(struct device *dev)
{
	struct dev_queues *queues = &dev->queues;
	bool direct = false;

	for (unsigned int i = 0; i < queues->n_on; i++)
		direct |= queues->on[i]->direct;
	list_for_each (it, &queues->off)
		direct |= list_entry(it, struct dev_queue, off_node)->direct;
	return dev->phase == DEVICE_ATTACHED && dev->n_direct > 0 && !direct;
}

/*
 * Programs that set an interface's flags as if they were one value take
 * IFF_NOARP off. The kernel's TUN has no addresses to ask for; ours would.
 */
static void mend(struct work *work)
{
	struct device *dev = container_of(work, struct device, mend);
	bool arp, deaf;
	int r = 0;

	atomic_store(&dev->mending, false);
	lock_acquire(&dev->lock);
	arp = dev->state.arp;
	deaf = is_deaf_locked(dev);
	lock_release(&dev->lock);
	if (arp)
		r = dev->host->set_noarp(dev->link);
	if (r < 0 && r != -ENODEV)
		log_warning("cannot set IFF_NOARP on a TUN interface again: %s",
			    strerror(-r));
	if (deaf)
		device_end_direct(dev);
	dev_taps_follow(dev);
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
	int r = 0;

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
	dev_queues_init(&dev->queues);
	dev->state.queue_len = spec->queue_len;
	dev->release.run = device_release;
	dev->mend.run = mend;
	pktq_init(&dev->to_host, "to_host", spec->queue_len, DEV_QUEUE_BYTES);
	if (flags & IFF_MULTI_QUEUE) {
		dev->flows = flow_table_new();
		r = dev->flows ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = table->host->link_new(ns, spec, dev, &dev->link);
	if (r < 0) {
		device_unref(dev);
		return r;
	}
	*ret_dev = dev;
	return 0;
}

/* Puts the device into the table with its file, if any; packets flow. */
static int start(struct device *dev, struct dev_queue *queue)
{
	struct dev_table *table = dev->table;
	int r;

	/* The list's references, which the device's end gives back. */
	device_ref(dev);
	if (queue)
		dev_queue_ref(queue);
	lock_acquire(&table->lock);
	lock_acquire(&dev->lock);
	dev->id = ++table->last_id;
	if (queue)
		dev_queues_add_locked(dev, queue);
	dev->phase = queue ? DEVICE_ATTACHED : DEVICE_IDLE;
	lock_release(&dev->lock);
	list_add_tail(&table->devices, &dev->node);
	lock_release(&table->lock);

	r = table->host->link_start(dev->link);
	if (r < 0)
		device_end(dev);
	return r;
}

static int make_and_start(struct dev_table *table, struct host_ns *ns,
			  uint64_t ns_id, const struct host_spec *spec,
			  unsigned int flags, struct dev_file *file,
			  struct dev_queue **ret_queue)
{
	struct dev_queue *queue;
	struct device *dev;
	int r;

	r = make(table, ns, ns_id, spec, flags, &dev);
	if (r < 0)
		return r;
	dev->knobs.by_rule = dev_file_grant(file)->stands_in;
	queue = dev_queue_new(dev, file, spec->queue_len);
	if (queue)
		dev_limit_begin(dev, queue);
	r = queue ? start(dev, queue) : -ENOMEM;
	device_unref(dev);
	if (r < 0 && queue)
		dev_queue_unref(queue);
	else
		*ret_queue = queue;
	return r;
}

int device_new(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
	       const struct host_spec *spec, unsigned int flags,
	       struct dev_file *file, struct dev_queue **ret_queue)
{
	int r;

	count_making(table, 1);
	r = make_and_start(table, ns, ns_id, spec, flags, file, ret_queue);
	count_making(table, -1);
	return r;
}

int device_new_idle(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
		    const struct host_spec *spec, const struct dev_knobs *knobs,
		    struct device **ret_dev)
{
	unsigned int flags = knobs->max_queues > 1 ? IFF_MULTI_QUEUE : 0;
	struct device *dev;
	int r;

	count_making(table, 1);
	r = make(table, ns, ns_id, spec, flags, &dev);
	if (r == 0) {
		dev->knobs = *knobs;
		r = start(dev, NULL);
		if (r < 0)
			device_unref(dev);
		else
			*ret_dev = dev;
	}
	count_making(table, -1);
	return r;
}

/* Returns 0 and whether the file is the first, or as device_attach(). */
static int add_queue(struct device *dev, struct dev_queue *queue,
		     unsigned int flags, bool *ret_first)
{
	struct dev_queues *queues = &dev->queues;
	int r = 0;

	*ret_first = false;
	lock_acquire(&dev->lock);
	if (dev->phase == DEVICE_IDLE) {
		*ret_first = true;
		dev->phase = DEVICE_ATTACHED;
		dev->flags = flags;
	} else if (dev->phase != DEVICE_ATTACHED) {
		r = DEV_ATTACH_AGAIN;
	} else if (!(dev->flags & IFF_MULTI_QUEUE)) {
		r = -EBUSY;
	} else if (queues->n_on + queues->n_off >= dev->knobs.max_queues) {
		r = -E2BIG;
	}
	if (r == 0) {
		dev_queue_ref(queue);
		dev_queues_add_locked(dev, queue);
	}
	lock_release(&dev->lock);
	return r;
}

int device_attach(struct device *dev, struct dev_file *file, unsigned int flags,
		  bool carrier, struct dev_queue **ret_queue)
{
	struct host_state state;
	struct dev_queue *queue;
	bool first;
	int r;

	device_get_state(dev, &state);
	queue = dev_queue_new(dev, file, state.queue_len);
	if (!queue)
		return -ENOMEM;
	r = add_queue(dev, queue, flags, &first);
	/* There is room again, for whatever the carrier will bring. */
	if (r == 0)
		device_resume(dev);
	/* Flags of who comes later count for nothing, these two among them. */
	if (r == 0 && first) {
		r = dev->host->set_carrier(dev->link, carrier);
		if (r == 0)
			r = dev_filter_apply(dev, !(flags & IFF_NOFILTER));
		/* It parts from the file at once, and is there for the next. */
		if (r < 0)
			device_detach(queue);
	}
	if (r == 0) {
		*ret_queue = queue;
		return 0;
	}
	dev_queue_close(queue, -EBADFD);
	if (queue->file)
		dev_file_unref(file);
	dev_queue_unref(queue);
	return r;
}

/* Takes the file off the queue, which gives the right to do the rest. */
static struct dev_file *take_file_locked(struct device *dev,
					 struct dev_queue *queue)
{
	struct dev_file *file = queue->file;

	queue->file = NULL;
	if (file)
		dev_queues_remove_locked(dev, queue);
	return file;
}

/* The file and its queue part, with nobody's lock held. */
static void part(struct dev_queue *queue, struct dev_file *file)
{
	struct host_state state;

	/* Before it is told: a read after that says EBADFD. */
	dev_file_clear(file, queue);
	dev_queue_close(queue, -EFAULT);
	dev_file_wake(file);
	device_get_state(queue->dev, &state);
	device_tell(queue->dev, DEV_EVENT_DETACHED, &state, file);
	dev_file_unref(file);
	dev_queue_unref(queue);
}

void device_detach(struct dev_queue *queue)
{
	struct device *dev = queue->dev;
	struct dev_file *file;
	bool last = false;

	lock_acquire(&dev->lock);
	file = take_file_locked(dev, queue);
	/* Whoever ends the device does the rest. */
	if (file && dev->phase == DEVICE_ATTACHED)
		last = dev->queues.n_on + dev->queues.n_off == 0;
	if (last && dev->knobs.persist) {
		dev->phase = DEVICE_PARTING;
		if (dev->knobs.offload || dev->pending) {
			dev->last_file = file;
			dev_file_ref(file);
		}
	} else if (last) {
		dev->phase = DEVICE_LEAVING;
	}
	lock_release(&dev->lock);
	if (!file)
		return;
	device_ref(dev);
	part(queue, file);
	if (last)
		work_put(dev->table->releases, &dev->release);
	device_unref(dev);
}

void device_end(struct device *dev)
{
	enum device_phase before;
	struct dev_queue_set set;

	lock_acquire(&dev->lock);
	before = dev->phase;
	dev->phase = DEVICE_LEAVING;
	lock_release(&dev->lock);
	/* From here on nobody can join. */
	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++) {
		struct dev_file *file;

		lock_acquire(&dev->lock);
		file = take_file_locked(dev, set.queues[i]);
		lock_release(&dev->lock);
		if (file)
			part(set.queues[i], file);
	}
	dev_queue_set_put(&set);
	/* One that was parting is on its way to the release already. */
	if (before != DEVICE_LEAVING && before != DEVICE_PARTING)
		work_put(dev->table->releases, &dev->release);
}

bool device_end_idle(struct device *dev)
{
	bool idle;

	lock_acquire(&dev->lock);
	idle = dev->phase == DEVICE_IDLE;
	if (idle)
		dev->phase = DEVICE_LEAVING;
	lock_release(&dev->lock);
	if (idle)
		device_release(&dev->release);
	return idle;
}

void device_gone(struct device *dev)
{
	/* There is nobody left to send to. */
	device_count_drop(dev, TUND_DROP_DOWN,
			  pktq_close(&dev->to_host, -EBADFD));
	device_end(dev);
}

bool device_is_idle(struct device *dev)
{
	bool idle;

	lock_acquire(&dev->lock);
	idle = dev->phase == DEVICE_IDLE;
	lock_release(&dev->lock);
	return idle;
}

bool device_is_leaving(struct device *dev)
{
	bool leaving;

	lock_acquire(&dev->lock);
	leaving = dev->phase == DEVICE_PARTING || dev->phase == DEVICE_LEAVING;
	lock_release(&dev->lock);
	return leaving;
}

bool device_closing(struct device *dev)
{
	struct dev_queue_set set;
	unsigned int closing = 0;
	unsigned int enough;

	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++) {
		struct dev_file *file = NULL;

		lock_acquire(&dev->lock);
		file = set.queues[i]->file;
		if (file)
			dev_file_ref(file);
		lock_release(&dev->lock);
		/* The end of a direct one is told in time. */
		if (!file || (!set.queues[i]->direct && dev_file_closing(file)))
			closing++;
		if (file)
			dev_file_unref(file);
	}
	/* All may go, or one of as many as there can be. */
	enough = set.n == dev->knobs.max_queues ? 1 : set.n;
	dev_queue_set_put(&set);
	return set.n == 0 ? !device_is_idle(dev) : closing >= enough;
}

bool device_has(struct device *dev, const struct dev_queue *queue)
{
	bool has;

	lock_acquire(&dev->lock);
	has = queue->file != NULL;
	lock_release(&dev->lock);
	return has;
}

void device_wake(struct device *dev)
{
	struct dev_queue_set set;

	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		dev_queue_wake(set.queues[i]);
	dev_queue_set_put(&set);
}

void device_mend(struct device *dev)
{
	if (atomic_exchange(&dev->mending, true))
		return;
	device_ref(dev);
	work_put(dev->table->releases, &dev->mend);
}

void device_state(struct device *dev, const struct host_state *state)
{
	struct dev_queue_set set;
	struct host_state before;

	lock_acquire(&dev->lock);
	before = dev->state;
	dev->state = *state;
	lock_release(&dev->lock);
	device_tell_changes(dev, &before, state);
	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++) {
		dev_count_drop(set.queues[i], TUND_DROP_QUEUE_FULL,
			       pktq_set_limit(&set.queues[i]->to_app,
					      state->queue_len));
		dev_queue_wake(set.queues[i]);
	}
	dev_queue_set_put(&set);
	if (state->queue_len != before.queue_len)
		device_resume(dev);
	/* It may be elsewhere now: who looks at it looks there. */
	if (state->arp || dev_is_tapped(dev))
		device_mend(dev);
}

void device_get_state(struct device *dev, struct host_state *ret_state)
{
	lock_acquire(&dev->lock);
	*ret_state = dev->state;
	lock_release(&dev->lock);
}

bool device_is_in(struct device *dev, uint64_t ns_id)
{
	_cleanup_close_ int ns_fd = -1;
	struct host_state state;
	struct stat st;

	device_get_state(dev, &state);
	if (!state.moved)
		return dev->ns_id == ns_id;
	return dev->host->open_ns(dev->link, -1, &ns_fd) == 0 &&
	       fstat(ns_fd, &st) == 0 && st.st_ino == ns_id;
}
