/* SPDX-License-Identifier: MIT */
/* report.c - looks, under the locks, and copies. */
#include "dev/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/device.h"
#include "dev/tapped.h"

static void report_waits(const struct dev_waits *waits,
			 struct dev_waits_report *ret_report)
{
	for (size_t i = 0; i < DEV_WAIT_BUCKETS; i++)
		ret_report->buckets[i] = waits->buckets[i];
	ret_report->sum_us = waits->sum_us;
}

static uint64_t packet_rate_of(const struct dev_queue *queue)
{
	return queue->rate.packet_ns ? queue->grant.rule->max_packet_rate : 0;
}

static void report_queue(struct dev_queue *queue,
			 struct dev_queue_report *ret_report)
{
	struct device *dev = queue->dev;
	const struct dev_counts *counts = &queue->counts;

	*ret_report = (struct dev_queue_report){
		.direct = queue->direct,
		.packet_rate = packet_rate_of(queue),
		.rx_packets = counts->rx_packets,
		.rx_bytes = counts->rx_bytes,
		.tx_packets = counts->tx_packets,
		.tx_bytes = counts->tx_bytes,
	};
	for (size_t i = 0; i < ARRAY_SIZE(ret_report->drops); i++)
		ret_report->drops[i] = counts->drops[i];
	report_waits(&counts->waits, &ret_report->waits);
	pktq_lengths(&queue->to_app, &ret_report->queued,
		     &ret_report->queued_max);
	lock_acquire(&dev->lock);
	ret_report->on = queue->on;
	if (queue->file) {
		ret_report->file = dev_file_id(queue->file);
		ret_report->opener = *dev_file_opener(queue->file);
	}
	lock_release(&dev->lock);
}

static uint64_t where(struct device *dev)
{
	_cleanup_close_ int ns_fd = -1;
	struct host_state state;
	struct stat st;

	device_get_state(dev, &state);
	if (!state.moved)
		return dev->ns_id;
	if (dev->host->open_ns(dev->link, -1, &ns_fd) < 0 ||
	    fstat(ns_fd, &st) < 0)
		return 0;
	return st.st_ino;
}

static void report_device(struct device *dev, struct dev_report *ret_report)
{
	struct dev_report *report = ret_report;

	report->id = dev->id;
	report->ns_id = where(dev);
	report->flags = device_flags(dev);
	report->owner = TUND_NO_ID;
	report->group = TUND_NO_ID;
	lock_acquire(&dev->lock);
	report->state = dev->state;
	if (dev->knobs.has_owner)
		report->owner = dev->knobs.owner;
	if (dev->knobs.has_group)
		report->group = dev->knobs.group;
	report->offload = dev->knobs.offload;
	lock_release(&dev->lock);
	device_get_stats(dev, &report->stats);
	report_waits(&dev->waits, &report->waits);
	report->n_taps = dev_taps_count(dev);
}

int dev_report(struct dev_table *table, uint64_t id,
	       struct dev_report **ret_report)
{
	struct device *dev = dev_table_next(table, id);
	struct dev_queue_set set;
	struct dev_report *report;

	if (!dev)
		return -ENOENT;
	dev->host->sync(dev->link);
	dev_queues_get(dev, &set);
	report = calloc(1, sizeof(*report) +
				   set.n * sizeof(struct dev_queue_report));
	if (report) {
		report_device(dev, report);
		report->n_queues = set.n;
		if (set.n > 0)
			report->plane = TUND_PLANE_FILE;
		for (unsigned int i = 0; i < set.n; i++) {
			report_queue(set.queues[i], &report->queues[i]);
			if (report->queues[i].direct)
				report->plane = TUND_PLANE_DIRECT;
		}
	}
	dev_queue_set_put(&set);
	device_unref(dev);
	*ret_report = report;
	return report ? 0 : -ENOMEM;
}

int dev_file_report(struct dev_table *table, uint64_t id,
		    struct dev_file_report *ret_report)
{
	struct dev_file *file = dev_file_next(table, id);
	struct dev_queue *queue;
	struct host_state state;

	if (!file)
		return -ENOENT;
	*ret_report = (struct dev_file_report){
		.id = dev_file_id(file),
		.ns_id = dev_file_ns_id(file),
		.opener = *dev_file_opener(file),
	};
	queue = dev_file_queue(file);
	if (queue) {
		device_get_state(queue->dev, &state);
		ret_report->device = queue->dev->id;
		memcpy(ret_report->name, state.name, IFNAMSIZ);
		ret_report->on = dev_queue_is_on(queue);
		ret_report->direct = queue->direct;
		ret_report->packet_rate = packet_rate_of(queue);
		dev_queue_unref(queue);
	}
	dev_file_unref(file);
	return 0;
}
