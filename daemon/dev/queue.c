/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the queues of a device, and which of them a packet goes to: the one
 * that last wrote the packet's flow, else the one that its hash says.
 */
#include "dev/queue.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "dev/device.h"
#include "dev/file.h"
#include "packet/flow.h"
#include "packet/frame.h"

struct dev_queue *dev_queue_new(struct device *dev, struct dev_file *file,
				unsigned int max_packets)
{
	struct dev_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->refs = 1;
	queue->dev = dev;
	queue->file = file;
	queue->sndbuf = INT_MAX;
	device_ref(dev);
	dev_file_ref(file);
	list_init(&queue->off_node);
	dev_grant_copy(dev_file_grant(file), &queue->grant);
	dev_grant_rate(&queue->grant, &queue->rate);
	pktq_init(&queue->to_app, "to_app", max_packets,
		  dev_grant_queued_bytes(&queue->grant));
	if (!dev_grant_has_plane(&queue->grant, POLICY_FILE_PLANE))
		dev_queue_close(queue, -EPERM);
	return queue;
}

void dev_queue_ref(struct dev_queue *queue)
{
	atomic_fetch_add_explicit(&queue->refs, 1, memory_order_relaxed);
}

void dev_queue_unref(struct dev_queue *queue)
{
	if (atomic_fetch_sub_explicit(&queue->refs, 1, memory_order_acq_rel) !=
	    1)
		return;
	pktq_destroy(&queue->to_app);
	dev_grant_put(&queue->grant);
	device_unref(queue->dev);
	free(queue);
}

bool dev_queue_is_on(struct dev_queue *queue)
{
	bool on;

	lock_acquire(&queue->dev->lock);
	on = queue->on;
	lock_release(&queue->dev->lock);
	return on;
}

void dev_queue_wake(struct dev_queue *queue)
{
	struct device *dev = queue->dev;
	struct dev_file *file;

	lock_acquire(&dev->lock);
	file = queue->file;
	if (file)
		dev_file_ref(file);
	lock_release(&dev->lock);
	if (!file)
		return;
	dev_file_wake(file);
	dev_file_unref(file);
}

void dev_queue_close(struct dev_queue *queue, int error)
{
	dev_count_drop(queue, TUND_DROP_DETACHED,
		       pktq_close(&queue->to_app, error));
}

/* ---- the device's ---- */

void dev_queues_init(struct dev_queues *queues)
{
	queues->n_on = 0;
	queues->n_off = 0;
	list_init(&queues->off);
}

void dev_queues_get(struct device *dev, struct dev_queue_set *ret_set)
{
	struct dev_queues *queues = &dev->queues;

	ret_set->n = 0;
	lock_acquire(&dev->lock);
	for (unsigned int i = 0; i < queues->n_on; i++)
		ret_set->queues[ret_set->n++] = queues->on[i];
	ret_set->n_on = ret_set->n;
	list_for_each (it, &queues->off)
		ret_set->queues[ret_set->n++] =
			list_entry(it, struct dev_queue, off_node);
	for (unsigned int i = 0; i < ret_set->n; i++)
		dev_queue_ref(ret_set->queues[i]);
	lock_release(&dev->lock);
}

void dev_queue_set_put(struct dev_queue_set *set)
{
	for (unsigned int i = 0; i < set->n; i++)
		dev_queue_unref(set->queues[i]);
}

static void put_on_locked(struct dev_queues *queues, struct dev_queue *queue)
{
	queue->on = true;
	queue->index = queues->n_on;
	queues->on[queues->n_on++] = queue;
}

/*
 * The last takes the place of one that goes, and that one's flows with it, as
 * with the kernel's TUN.
 */
static void take_off_locked(struct device *dev, struct dev_queue *queue)
{
	struct dev_queues *queues = &dev->queues;
	struct dev_queue *last = queues->on[--queues->n_on];

	if (last != queue) {
		if (dev->flows)
			flow_move_queue(dev->flows, last->index, queue->index);
		queues->on[queue->index] = last;
		last->index = queue->index;
	} else if (dev->flows) {
		flow_forget_queue(dev->flows, queue->index);
	}
	queue->on = false;
}

void dev_queues_add_locked(struct device *dev, struct dev_queue *queue)
{
	put_on_locked(&dev->queues, queue);
}

void dev_queues_remove_locked(struct device *dev, struct dev_queue *queue)
{
	if (queue->on) {
		take_off_locked(dev, queue);
	} else {
		list_del(&queue->off_node);
		dev->queues.n_off--;
	}
}

void dev_queues_switch_locked(struct device *dev, struct dev_queue *queue,
			      bool on)
{
	struct dev_queues *queues = &dev->queues;

	if (on) {
		list_del(&queue->off_node);
		queues->n_off--;
		put_on_locked(queues, queue);
	} else {
		take_off_locked(dev, queue);
		list_add_tail(&queues->off, &queue->off_node);
		queues->n_off++;
	}
}

/* ---- flows ---- */

static uint32_t flow_hash(const struct device *dev, const struct pkt *pkt)
{
	return frame_flow_hash(pkt->data, pkt->len, pkt->proto,
			       dev->kind == DEV_TAP);
}

struct dev_queue *dev_queues_pick(struct device *dev, const struct pkt *pkt)
{
	struct dev_queues *queues = &dev->queues;
	struct dev_queue *queue = NULL;
	uint32_t hash = dev->flows ? flow_hash(dev, pkt) : 0;
	int index = 0;

	lock_acquire(&dev->lock);
	if (queues->n_on > 1) {
		index = flow_find(dev->flows, hash, now_ms());
		if (index < 0 || (unsigned int)index >= queues->n_on)
			index = (int)flow_spread(hash, queues->n_on);
	}
	if (queues->n_on > 0) {
		queue = queues->on[index];
		dev_queue_ref(queue);
	}
	lock_release(&dev->lock);
	return queue;
}

void dev_queues_learn(struct dev_queue *queue, struct pkt *pkt)
{
	struct device *dev = queue->dev;
	bool several;

	pkt->queue = 0;
	if (!dev->flows)
		return;
	lock_acquire(&dev->lock);
	if (queue->on)
		pkt->queue = queue->index;
	several = queue->on && dev->queues.n_on > 1;
	if (several)
		flow_learn(dev->flows, flow_hash(dev, pkt), queue->index,
			   now_ms());
	lock_release(&dev->lock);
}
