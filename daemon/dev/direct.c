/* SPDX-License-Identifier: MIT */
/* direct.c - one queue, one socket; the way through the daemon is shut. */
#include "dev/direct.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <unistd.h>

#include "dev/device.h"
#include "dev/file.h"

/* Who has just written a packet through the file wants it to be sent. */
#define DRAIN_MS 1000

/* Whether a packet socket's format is that of the attached file. */
static bool can_carry(const struct device *dev)
{
	if (!(dev->flags & IFF_NO_PI) || (dev->flags & IFF_MULTI_QUEUE))
		return false;
	return dev->kind == DEV_TAP || !(dev->flags & IFF_VNET_HDR);
}

static int begin(struct dev_queue *queue, const struct dev_file *file,
		 bool nonblock, int *ret_fd)
{
	struct device *dev = queue->dev;
	struct host_direct how = {
		.vnet_hdr = dev->flags & IFF_VNET_HDR,
		.nonblock = nonblock,
	};
	struct host_counters before = {0};

	dev->host->counters(dev->link, &before);
	lock_acquire(&dev->lock);
	how.vnet_hdr_size = dev->knobs.vnet_hdr_size;
	dev->before_direct = before;
	lock_release(&dev->lock);
	return dev->host->direct_begin(dev->link, dev_file_ns(file), &how,
				       ret_fd);
}

int dev_file_direct(struct dev_file *file, bool nonblock, int *ret_fd)
{
	struct dev_queue *queue = dev_file_queue(file);
	struct device *dev;
	int r;

	if (!queue)
		return -EBADFD;
	dev = queue->dev;
	if (!can_carry(dev))
		r = -EOPNOTSUPP;
	else if (atomic_exchange(&queue->direct, true))
		r = -EALREADY;
	else
		r = 0;
	if (r == 0) {
		pktq_wait_drained(&dev->to_host, now_ms() + DRAIN_MS);
		r = begin(queue, file, nonblock, ret_fd);
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
	r = dev->host->open_ns(dev->link, dev_file_ns(file), ret_fd);
	device_unref(dev);
	return r;
}

static bool has_direct(struct device *dev)
{
	bool direct;

	lock_acquire(&dev->lock);
	direct = dev->queues.n_on == 1 && dev->queues.on[0]->direct;
	lock_release(&dev->lock);
	return direct;
}

static void since(struct device *dev, struct host_counters *ret_counters)
{
	struct host_counters now, *before = &dev->before_direct;

	*ret_counters = (struct host_counters){0};
	if (dev->host->counters(dev->link, &now) < 0)
		return;
	lock_acquire(&dev->lock);
	*ret_counters = (struct host_counters){
		.rx_packets = now.rx_packets - before->rx_packets,
		.rx_bytes = now.rx_bytes - before->rx_bytes,
		.rx_dropped = now.rx_dropped - before->rx_dropped,
		.tx_packets = now.tx_packets - before->tx_packets,
		.tx_bytes = now.tx_bytes - before->tx_bytes,
	};
	lock_release(&dev->lock);
}

void device_direct_counters(struct device *dev,
			    struct host_counters *ret_counters)
{
	*ret_counters = (struct host_counters){0};
	if (has_direct(dev))
		since(dev, ret_counters);
}

void device_direct_closed(struct device *dev)
{
	struct dev_queue *queue = NULL;

	lock_acquire(&dev->lock);
	if (dev->queues.n_on == 1 && dev->queues.on[0]->direct) {
		queue = dev->queues.on[0];
		dev_queue_ref(queue);
	}
	lock_release(&dev->lock);
	if (!queue)
		return;
	device_detach(queue);
	dev_queue_unref(queue);
}

void device_end_direct(struct device *dev)
{
	struct host_counters through;

	if (dev->host->direct_end(dev->link) == 0)
		return;
	since(dev, &through);
	dev->rx_packets += through.rx_packets;
	dev->rx_bytes += through.rx_bytes;
	dev->tx_packets += through.tx_packets;
	dev->tx_bytes += through.tx_bytes;
	device_count_drop(dev, TUND_DROP_ERROR,
			  (unsigned int)through.rx_dropped);
}
