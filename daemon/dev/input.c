/* SPDX-License-Identifier: MIT */
/*
 * input.c - packets from the host, on their way to one of the device's queues.
 * What a program is handed of them is io.c's; when nothing is received, for
 * lack of room, is pause.c's.
 */
#include <errno.h>

#include "dev/device.h"
#include "dev/tapped.h"

static bool wanted(struct device *dev, const struct pkt *pkt)
{
	bool accepts;

	lock_acquire(&dev->lock);
	accepts = mac_filter_accepts(&dev->mac_filter, pkt->data, pkt->len);
	lock_release(&dev->lock);
	return accepts;
}

/* Takes those that the program has not filtered out, and returns how many. */
static unsigned int filter(struct device *dev, struct pkt **pkts,
			   unsigned int n)
{
	unsigned int kept = 0;

	if (dev->kind != DEV_TAP)
		return n;
	for (unsigned int i = 0; i < n; i++) {
		if (wanted(dev, pkts[i])) {
			pkts[kept++] = pkts[i];
			continue;
		}
		dev_tapped_unread(dev, NULL, pkts[i], TUND_DROP_FILTER);
		pkt_free(pkts[i]);
	}
	if (kept < n)
		device_count_drop(dev, TUND_DROP_FILTER, n - kept);
	return kept;
}

/*
 * All for one queue, which may be NULL; its reference goes. Returns for how
 * many there was no room.
 */
static unsigned int input(struct device *dev, struct dev_queue *queue,
			  struct pkt *const *pkts, unsigned int n, uint64_t now)
{
	struct tapped_run *seen = dev_tapped_keep(dev, queue, pkts, n);
	enum tund_drop reason = TUND_DROP_DETACHED;
	bool queued = false;
	unsigned int taken = 0;
	int r = -EBADFD;

	for (unsigned int i = 0; i < n; i++)
		pkts[i]->queued_us = now;
	if (queue)
		r = pktq_push_run(&queue->to_app, pkts, n, &queued);
	if (r >= 0) {
		reason = TUND_DROP_QUEUE_FULL;
		taken = (unsigned int)r;
	}
	dev_tapped_show(dev, seen, taken, reason);
	for (unsigned int i = taken; i < n; i++)
		pkt_free(pkts[i]);
	if (taken < n && queue)
		dev_count_drop(queue, reason, n - taken);
	else if (taken < n)
		device_count_drop(dev, reason, n - taken);
	if (queued)
		dev_queue_wake(queue);
	if (queue)
		dev_queue_unref(queue);
	return reason == TUND_DROP_QUEUE_FULL ? n - taken : 0;
}

unsigned int device_input(struct device *dev, struct pkt **pkts, unsigned int n)
{
	struct dev_queue *queue = NULL;
	unsigned int begin = 0;
	uint64_t now = now_us();
	unsigned int full = 0;

	n = filter(dev, pkts, n);
	for (unsigned int i = 0; i < n; i++) {
		struct dev_queue *next;

		/* A device that can have but one queue has it for all. */
		if (i > 0 && !dev->flows)
			break;
		next = dev_queues_pick(dev, pkts[i]);
		if (i > 0 && next == queue) {
			if (next)
				dev_queue_unref(next);
			continue;
		}
		if (i > 0)
			full += input(dev, queue, pkts + begin, i - begin, now);
		queue = next;
		begin = i;
	}
	if (n > 0)
		full += input(dev, queue, pkts + begin, n - begin, now);
	return full;
}
