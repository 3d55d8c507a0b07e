/* SPDX-License-Identifier: MIT */
/* describe.c - what is told about devices: flags, numbers, who has which. */
#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>

#include "dev/device.h"
#include "dev/direct.h"
#include "dev/file.h"

unsigned int device_flags(struct device *dev)
{
	unsigned int flags = dev->kind == DEV_TUN ? IFF_TUN : IFF_TAP;

	flags |= dev->flags;
	lock_acquire(&dev->lock);
	if (dev->knobs.persist)
		flags |= IFF_PERSIST;
	lock_release(&dev->lock);
	return flags;
}

void device_get_stats(struct device *dev, struct tund_stats *ret_stats)
{
	uint64_t socket_drops, backlog_drops;
	struct host_counters direct;
	struct dev_queue_set set;

	device_direct_counters(dev, &direct);
	*ret_stats = (struct tund_stats){
		.rx_packets = dev->rx_packets + direct.rx_packets,
		.rx_bytes = dev->rx_bytes + direct.rx_bytes,
		.tx_packets = dev->tx_packets + direct.tx_packets,
		.tx_bytes = dev->tx_bytes + direct.tx_bytes,
	};
	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		ret_stats->queued += pktq_length(&set.queues[i]->to_app);
	dev_queue_set_put(&set);
	device_settle(dev);
	dev->host->drops(dev->link, &socket_drops, &backlog_drops);
	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		ret_stats->drops[i] = dev->drops[i];
	ret_stats->drops[TUND_DROP_SOCKET] = socket_drops;
	ret_stats->drops[TUND_DROP_BACKLOG] = backlog_drops;
	ret_stats->drops[TUND_DROP_ERROR] += direct.rx_dropped;
	ret_stats->drops[TUND_DROP_INVALID] += direct.rx_invalid;
	ret_stats->drops[TUND_DROP_SOURCE] += direct.rx_bad_source;
	ret_stats->drops[TUND_DROP_RATE] += direct.rx_over_rate;
}

int dev_file_describe(struct dev_file *file, char ret_name[IFNAMSIZ],
		      unsigned int *ret_flags)
{
	struct dev_queue *queue = dev_file_queue(file);
	struct host_state state;
	struct device *dev;

	if (!queue)
		return -EBADFD;
	dev = queue->dev;
	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	memcpy(ret_name, state.name, IFNAMSIZ);
	*ret_flags = device_flags(dev);
	lock_acquire(&dev->lock);
	if (!queue->on)
		*ret_flags |= IFF_DETACH_QUEUE;
	/* It has the value of IFF_NO_PI. */
	if (!dev->filter.active)
		*ret_flags |= IFF_NOFILTER;
	lock_release(&dev->lock);
	dev_queue_unref(queue);
	return dev_file_attached(file) ? 0 : -EBADFD;
}

int dev_file_stats(struct dev_file *file, struct tund_stats *ret_stats)
{
	struct device *dev = dev_file_device(file);

	if (!dev)
		return -EBADFD;
	device_get_stats(dev, ret_stats);
	device_unref(dev);
	return 0;
}

static struct device *next_here(struct dev_file *file, uint64_t id)
{
	struct device *dev;

	while ((dev = dev_table_next(dev_file_table(file), id))) {
		if (device_is_in(dev, dev_file_ns_id(file)))
			break;
		id = dev->id;
		device_unref(dev);
	}
	return dev;
}

int dev_file_next_device(struct dev_file *file, struct tund_device *device)
{
	struct device *dev = next_here(file, device->id);
	struct host_state state;

	if (!dev)
		return -ENOENT;
	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	*device = (struct tund_device){
		.id = dev->id,
		.ifindex = (uint32_t)state.ifindex,
		.flags = device_flags(dev),
		.owner = TUND_NO_ID,
		.group = TUND_NO_ID,
	};
	memcpy(device->name, state.name, IFNAMSIZ);
	lock_acquire(&dev->lock);
	if (dev->knobs.has_owner)
		device->owner = dev->knobs.owner;
	if (dev->knobs.has_group)
		device->group = dev->knobs.group;
	device->offloads = dev->knobs.offload;
	device->queues = dev->queues.n_on;
	device->queues_off = dev->queues.n_off;
	if (device->queues + device->queues_off > 0)
		device->plane = TUND_PLANE_FILE;
	if (device->plane && dev->n_direct > 0)
		device->plane = TUND_PLANE_DIRECT;
	lock_release(&dev->lock);
	device_get_stats(dev, &device->stats);
	device_unref(dev);
	return 0;
}
