/* SPDX-License-Identifier: MIT */
/* direct.c - one queue, one socket; the way through the daemon is shut. */
#include "dev/direct.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <unistd.h>

#include "dev/device.h"
#include "dev/file.h"
#include "dev/tapped.h"

/* Who has just written a packet through the file wants it to be sent. */
#define DRAIN_MS 1000

/*
 * Whether a packet socket's format is that of the attached file. Who asks for
 * frames knows what he gets.
 */
static bool can_carry(const struct device *dev, bool frames)
{
	if (frames)
		return true;
	if (!(dev->flags & IFF_NO_PI))
		return false;
	return dev->kind == DEV_TAP || !(dev->flags & IFF_VNET_HDR);
}

/*
 * What it sends is looked at where all queues of the device meet, and so for
 * one queue only.
 */
static bool may_be_direct(const struct dev_queue *queue)
{
	const struct policy_rule *rule = queue->grant.rule;

	if (!dev_grant_has_plane(&queue->grant, POLICY_DIRECT_PLANE))
		return false;
	return !rule || !(queue->dev->flags & IFF_MULTI_QUEUE) ||
	       (rule->sources.n == 0 && !queue->rate.packet_ns);
}

/* Of several queues all are direct or none: what the link cannot do is both. */
static int take_turn(struct dev_queue *queue, bool frames)
{
	struct device *dev = queue->dev;
	struct dev_queue_set set;
	int r = 0;

	if (!can_carry(dev, frames) || !may_be_direct(queue))
		return -EOPNOTSUPP;
	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		if (set.queues[i] != queue && !set.queues[i]->direct)
			r = -EOPNOTSUPP;
	dev_queue_set_put(&set);
	if (r == 0 && atomic_exchange(&queue->direct, true))
		r = -EALREADY;
	return r;
}

static int begin(struct dev_queue *queue, const struct dev_file *file,
		 unsigned int flags, int *ret_fd)
{
	struct device *dev = queue->dev;
	bool frames = flags & TUND_FD_FRAMES;
	const struct policy_rule *rule = queue->grant.rule;
	struct host_direct how = {
		.frames = frames,
		.vnet_hdr = frames || dev->flags & IFF_VNET_HDR,
		.nonblock = flags & TUND_FD_NONBLOCK,
		.several = dev->flags & IFF_MULTI_QUEUE,
		.queued_bytes = dev_grant_queued_bytes(&queue->grant),
		.sources = rule ? rule->sources.prefixes : NULL,
		.n_sources = rule ? rule->sources.n : 0,
		.rate = queue->rate,
		.spent_ns = dev->bucket.spent_ns,
	};
	struct host_counters before = {0};
	uint64_t id;
	int r;

	dev->host->counters(dev->link, &before);
	lock_acquire(&dev->lock);
	how.vnet_hdr_size = frames ? (int)sizeof(struct virtio_net_hdr)
				   : dev->knobs.vnet_hdr_size;
	if (dev->n_direct == 0)
		dev->before_direct = before;
	lock_release(&dev->lock);
	r = dev->host->direct_begin(dev->link, dev_file_home_ns(file, dev),
				    &how, ret_fd, &id);
	if (r < 0)
		return r;
	lock_acquire(&dev->lock);
	queue->direct_id = id;
	dev->n_direct++;
	lock_release(&dev->lock);
	dev_taps_follow(dev);
	return 0;
}

int dev_file_direct(struct dev_file *file, unsigned int flags, int *ret_fd)
{
	struct dev_queue *queue = dev_file_queue(file);
	struct host_state state;
	struct device *dev;
	int r;

	if (!queue)
		return -EBADFD;
	dev = queue->dev;
	r = take_turn(queue, flags & TUND_FD_FRAMES);
	if (r == 0) {
		pktq_wait_drained(&dev->to_host, now_ms() + DRAIN_MS);
		r = begin(queue, file, flags, ret_fd);
		if (r < 0)
			atomic_store(&queue->direct, false);
		else
			dev_queue_close(queue, -EBUSY);
	}
	/* Deleted meanwhile: the socket is nobody's. */
	if (r == 0 && !device_has(dev, queue)) {
		close(*ret_fd);
		r = -EBADFD;
	}
	if (r == 0) {
		device_get_state(dev, &state);
		device_tell(dev, DEV_EVENT_DIRECT, &state, file);
	}
	dev_queue_unref(queue);
	return r;
}

int dev_file_device_ns(struct dev_file *file, int *ret_fd)
{
	struct device *dev = dev_file_device(file);
	int r;

	if (!dev)
		return -EBADFD;
	dev->host->sync(dev->link);
	r = dev->host->open_ns(dev->link, dev_file_home_ns(file, dev), ret_fd);
	device_unref(dev);
	return r;
}

static void since(struct device *dev, struct host_counters *ret_counters)
{
	struct host_counters now = {0}, *before = &dev->before_direct;
	int r;

	r = dev->host->counters(dev->link, &now);
	*ret_counters = (struct host_counters){.spent_ns = now.spent_ns};
	if (r < 0)
		return;
	lock_acquire(&dev->lock);
	*ret_counters = (struct host_counters){
		.rx_packets = now.rx_packets - before->rx_packets,
		.rx_bytes = now.rx_bytes - before->rx_bytes,
		.rx_dropped = now.rx_dropped - before->rx_dropped,
		.rx_invalid = now.rx_invalid - before->rx_invalid,
		.rx_bad_source = now.rx_bad_source - before->rx_bad_source,
		.rx_over_rate = now.rx_over_rate - before->rx_over_rate,
		.tx_packets = now.tx_packets - before->tx_packets,
		.tx_bytes = now.tx_bytes - before->tx_bytes,
		.spent_ns = now.spent_ns,
	};
	lock_release(&dev->lock);
}

void device_direct_counters(struct device *dev,
			    struct host_counters *ret_counters)
{
	bool any;

	lock_acquire(&dev->lock);
	any = dev->n_direct > 0;
	lock_release(&dev->lock);
	*ret_counters = (struct host_counters){0};
	if (any)
		since(dev, ret_counters);
}

void device_direct_closed(struct device *dev, uint64_t id)
{
	struct dev_queue_set set;

	/* The last queue takes the device with it. */
	device_ref(dev);
	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		if (set.queues[i]->direct && set.queues[i]->direct_id == id)
			device_detach(set.queues[i]);
	dev_queue_set_put(&set);
	device_mend(dev);
	device_unref(dev);
}

void device_switch_direct(struct dev_queue *queue, bool on)
{
	struct device *dev = queue->dev;

	if (queue->direct)
		dev->host->direct_switch(dev->link, queue->direct_id, on);
}

void device_end_direct(struct device *dev)
{
	struct host_counters through;

	if (dev->host->direct_end(dev->link) == 0)
		return;
	since(dev, &through);
	lock_acquire(&dev->lock);
	dev->n_direct = 0;
	lock_release(&dev->lock);
	dev_taps_follow(dev);
	dev->rx_packets += through.rx_packets;
	dev->rx_bytes += through.rx_bytes;
	dev->tx_packets += through.tx_packets;
	dev->tx_bytes += through.tx_bytes;
	rate_spend(&dev->bucket, through.spent_ns);
	device_count_drop(dev, TUND_DROP_ERROR,
			  (unsigned int)through.rx_dropped);
	device_count_drop(dev, TUND_DROP_INVALID,
			  (unsigned int)through.rx_invalid);
	device_count_drop(dev, TUND_DROP_SOURCE,
			  (unsigned int)through.rx_bad_source);
	device_count_drop(dev, TUND_DROP_RATE,
			  (unsigned int)through.rx_over_rate);
}
