/* SPDX-License-Identifier: MIT */
/*
 * input.c - packets from the host, on their way to one of the device's queues.
 * What a program is handed of them is io.c's.
 */
#include <errno.h>

#include "dev/device.h"

static bool wanted(struct device *dev, const struct pkt *pkt)
{
	bool accepts;

	lock_acquire(&dev->lock);
	accepts = mac_filter_accepts(&dev->mac_filter, pkt->data, pkt->len);
	lock_release(&dev->lock);
	return accepts;
}

/* Takes the packet; returns whether somebody may be told of it. */
static bool input(struct device *dev, struct dev_queue *queue, struct pkt *pkt)
{
	enum tund_drop reason = TUND_DROP_DETACHED;
	bool queued = false;
	int r = -EBADFD;

	if (dev->kind == DEV_TAP && !wanted(dev, pkt))
		reason = TUND_DROP_FILTER;
	else if (queue)
		r = pktq_push(&queue->to_app, pkt, &queued);
	if (r == PKTQ_FULL)
		reason = TUND_DROP_QUEUE_FULL;
	if (r != PKTQ_DONE) {
		pkt_free(pkt);
		device_count_drop(dev, reason, 1);
	}
	return queued;
}

/* The packets for one queue have come. */
static void input_done(struct dev_queue *queue, bool any_queued)
{
	if (!queue)
		return;
	if (any_queued)
		dev_queue_wake(queue);
	dev_queue_unref(queue);
}

void device_input(struct device *dev, struct pkt **pkts, unsigned int n)
{
	struct dev_queue *queue = NULL;
	bool any_queued = false;

	for (unsigned int i = 0; i < n; i++) {
		/* A device that can have but one queue has it for all. */
		if (i == 0 || dev->flows) {
			struct dev_queue *next = dev_queues_pick(dev, pkts[i]);

			if (next != queue) {
				input_done(queue, any_queued);
				queue = next;
				any_queued = false;
			} else if (next) {
				dev_queue_unref(next);
			}
		}
		any_queued |= input(dev, queue, pkts[i]);
	}
	input_done(queue, any_queued);
}
