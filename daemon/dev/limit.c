/* SPDX-License-Identifier: MIT */
/* limit.c - one bucket for the device, whichever queue a packet comes by. */
#include "dev/limit.h"

#include "base/util.h"
#include "dev/device.h"
#include "packet/vnet.h"

bool dev_limit_take_one(struct dev_queue *queue,
			const struct virtio_net_hdr *vnet, size_t len)
{
	struct device *dev = queue->dev;
	struct host_state state;

	if (rate_take(&dev->bucket, &queue->rate, vnet_segments(vnet, len),
		      now_ns()))
		return true;
	/* The host has another answer for who writes to one that is down. */
	device_get_state(dev, &state);
	if (state.up)
		return false;
	/* If it still is. */
	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	return !state.up;
}

void dev_limit_give_one_back(struct dev_queue *queue,
			     const struct virtio_net_hdr *vnet, size_t len)
{
	rate_give_back(&queue->dev->bucket, &queue->rate,
		       vnet_segments(vnet, len));
}

void dev_limit_begin(struct device *dev, const struct dev_queue *queue)
{
	if (queue->rate.packet_ns == 0 || queue->grant.exempt)
		return;
	dev->rate = queue->rate;
	dev->rate_account = queue->grant.account;
	rate_spend(&dev->bucket,
		   spent_get(&dev->table->spent, dev->rate_account, &dev->rate,
			     now_ns()));
}

void dev_limit_end(struct device *dev)
{
	if (dev->rate.packet_ns > 0)
		spent_note(&dev->table->spent, dev->rate_account, &dev->rate,
			   dev->bucket.spent_ns, now_ns());
}

void dev_limit_drop(struct dev_queue *queue, size_t len)
{
	struct device *dev = queue->dev;

	/* As where the host drops it without a word. */
	dev->rx_packets++;
	dev->rx_bytes += len;
	dev_count_rx(queue, 1, len);
	device_count_drop(dev, TUND_DROP_RATE, 1);
}
