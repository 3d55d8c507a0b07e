/* SPDX-License-Identifier: MIT */
/*
 * count.c - additions that order nothing: nobody concludes from one counter to
 * another.
 */
#include "dev/count.h"

#include "dev/device.h"

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void dev_count_rx(struct dev_queue *queue, unsigned int packets, uint64_t bytes)
{
	add(&queue->counts.rx_packets, packets);
	add(&queue->counts.rx_bytes, bytes);
}

void dev_count_tx(struct dev_queue *queue, unsigned int packets, uint64_t bytes)
{
	add(&queue->counts.tx_packets, packets);
	add(&queue->counts.tx_bytes, bytes);
	add(&queue->dev->tx_packets, packets);
	add(&queue->dev->tx_bytes, bytes);
}

void dev_uncount_tx(struct dev_queue *queue, unsigned int packets,
		    uint64_t bytes)
{
	add(&queue->counts.tx_packets, -(uint64_t)packets);
	add(&queue->counts.tx_bytes, -bytes);
	add(&queue->dev->tx_packets, -(uint64_t)packets);
	add(&queue->dev->tx_bytes, -bytes);
}

void device_count_drop(struct device *dev, enum tund_drop reason,
		       unsigned int n)
{
	add(&dev->drops[reason], n);
}

void device_count_oversize(struct device *dev)
{
	device_count_drop(dev, TUND_DROP_OVERSIZE, 1);
}

void dev_count_drop(struct dev_queue *queue, enum tund_drop reason,
		    unsigned int n)
{
	if (n == 0)
		return;
	add(&queue->counts.drops[reason], n);
	device_count_drop(queue->dev, reason, n);
}

/* ---- waits ---- */

static unsigned int bucket_of(uint64_t us)
{
	unsigned int bits = us ? 64 - (unsigned int)__builtin_clzll(us) : 0;

	return bits < DEV_WAIT_BUCKETS ? bits : DEV_WAIT_BUCKETS - 1;
}

static void add_waits(struct dev_queue *queue, unsigned int bucket,
		      unsigned int n)
{
	add(&queue->counts.waits.buckets[bucket], n);
	add(&queue->dev->waits.buckets[bucket], n);
}

void dev_count_no_waits(struct dev_queue *queue, unsigned int n)
{
	add_waits(queue, 0, n);
}

void dev_count_waits(struct dev_queue *queue, const struct list *run)
{
	uint64_t now = now_us(), sum = 0;
	unsigned int bucket = 0, n = 0;

	/* Those that came together have waited for the same time. */
	list_for_each (it, run) {
		const struct pkt *pkt = list_entry(it, struct pkt, node);
		uint64_t us = now > pkt->queued_us ? now - pkt->queued_us : 0;
		unsigned int b = bucket_of(us);

		if (b != bucket && n > 0) {
			add_waits(queue, bucket, n);
			n = 0;
		}
		bucket = b;
		sum += us;
		n++;
	}
	if (n > 0)
		add_waits(queue, bucket, n);
	add(&queue->counts.waits.sum_us, sum);
	add(&queue->dev->waits.sum_us, sum);
}
