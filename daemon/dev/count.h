/* SPDX-License-Identifier: MIT */
/*
 * count.h - what went through one queue, and how long packets waited in it. The
 * device's own sums are device.h's. Private to dev/, but for the buckets.
 */
#ifndef TUND_DEV_COUNT_H
#define TUND_DEV_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"
#include <tund/abi.h>

/*
 * Bucket i is of waits of less than 2^i microseconds, and not less than half of
 * that; the last has no bound.
 */
#define DEV_WAIT_BUCKETS 24

struct dev_waits {
	_Atomic uint64_t buckets[DEV_WAIT_BUCKETS];
	_Atomic uint64_t sum_us;
};

struct dev_counts {
	_Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	/* Towards the program only: of the others the device knows. */
	_Atomic uint64_t drops[TUND_DROP_DOWN];
	struct dev_waits waits;
};

struct dev_queue;

/* The program has written so much through the queue. */
void dev_count_rx(struct dev_queue *queue, unsigned int packets,
		  uint64_t bytes);

/* It has been given so much; and that was not so. */
void dev_count_tx(struct dev_queue *queue, unsigned int packets,
		  uint64_t bytes);
void dev_uncount_tx(struct dev_queue *queue, unsigned int packets,
		    uint64_t bytes);

/* The device's drop, too; towards the program. */
void dev_count_drop(struct dev_queue *queue, enum tund_drop reason,
		    unsigned int n);

/* Packets that a reader has found in the queue. */
void dev_count_waits(struct dev_queue *queue, const struct list *run);
/* Packets that have found a reader who waited. */
void dev_count_no_waits(struct dev_queue *queue, unsigned int n);

#endif
