/* SPDX-License-Identifier: MIT */
/*
 * limit.h - what a program writes beyond the rate that its policy allows: it is
 * taken and dropped, as by a policer behind the kernel's TUN. Private to dev/.
 */
#ifndef TUND_DEV_LIMIT_H
#define TUND_DEV_LIMIT_H

#include <linux/virtio_net.h>

#include "dev/queue.h"

bool dev_limit_take_one(struct dev_queue *queue,
			const struct virtio_net_hdr *vnet, size_t len);
void dev_limit_give_one_back(struct dev_queue *queue,
			     const struct virtio_net_hdr *vnet, size_t len);

/* Whether a packet of `len` bytes may pass now, which then counts. */
static inline bool dev_limit_take(struct dev_queue *queue,
				  const struct virtio_net_hdr *vnet, size_t len)
{
	return queue->rate.packet_ns == 0 ||
	       dev_limit_take_one(queue, vnet, len);
}

/* The program will write it again. */
static inline void dev_limit_give_back(struct dev_queue *queue,
				       const struct virtio_net_hdr *vnet,
				       size_t len)
{
	if (queue->rate.packet_ns)
		dev_limit_give_one_back(queue, vnet, len);
}

/*
 * A device is made for that queue: its bucket goes on where that of the one
 * before it ended.
 */
void dev_limit_begin(struct device *dev, const struct dev_queue *queue);
/* It is gone, and nothing more is written. */
void dev_limit_end(struct device *dev);

/* One that may not pass: it was written, and is lost. */
void dev_limit_drop(struct dev_queue *queue, size_t len);

#endif
