/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - looks at all devices and queues, and says of which there are
 * families, in which words. How one is written is metrics_text.c's.
 */
#include "ctl/metrics.h"

#include <inttypes.h>
#include <linux/if_tun.h>
#include <stdlib.h>

#include "base/util.h"
#include "ctl/describe.h"
#include "ctl/metrics_text.h"

/*
 * Of so many queues drops and waits are told: of more they would be most of the
 * text, and any user could make that too large.
 */
#define MAX_DETAILED 1000u

/* Each device as it was at one time, for all families. */
struct metrics {
	FILE *to;
	struct dev_report **reports;
	size_t n_devices, n_queues;
	unsigned int n_files;
	struct metrics_series *devices, *queues;
};

/* ---- words ---- */

static const struct metrics_kind device_kind = {
	.name = "tund_device",
	.numbers =
		{
			[METRICS_UP] = {"_up", "gauge",
					"Whether the interface is up."},
			[METRICS_QUEUED] = {"_queued_packets", "gauge",
					    "Packets that wait for a read."},
			[METRICS_RX_PACKETS] =
				{"_receive_packets", "counter",
				 "Packets programs have written."},
			[METRICS_RX_BYTES] = {"_receive_bytes", "counter",
					      "Bytes programs have written."},
			[METRICS_TX_PACKETS] = {"_transmit_packets", "counter",
						"Packets programs have read."},
			[METRICS_TX_BYTES] = {"_transmit_bytes", "counter",
					      "Bytes programs have read."},
		},
	.drops_help = "Packets that were lost, by reason.",
	.waits_help = "How long packets waited for a read.",
};

static const struct metrics_kind queue_kind = {
	.name = "tund_queue",
	.numbers =
		{
			[METRICS_QUEUED] = {"_packets", "gauge",
					    "Packets in a program's queue."},
			[METRICS_QUEUED_MAX] =
				{"_most_packets", "gauge",
				 "The most that there were at once."},
			[METRICS_RX_PACKETS] =
				{"_receive_packets", "counter",
				 "Packets the program has written."},
			[METRICS_RX_BYTES] = {"_receive_bytes", "counter",
					      "Bytes the program has written."},
			[METRICS_TX_PACKETS] =
				{"_transmit_packets", "counter",
				 "Packets the program has read."},
			[METRICS_TX_BYTES] = {"_transmit_bytes", "counter",
					      "Bytes the program has read."},
		},
	.drops_help = "Packets lost on their way to the program, by reason.",
	.waits_help = "How long packets waited for the program's read.",
	.is_queue = true,
};

/* ---- what there is ---- */

/* Of a queue, or of the device where that is NULL. NULL: no memory. */
static char *labels_of(const struct dev_report *device,
		       const struct dev_queue_report *queue)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	metrics_label(to, "device", device->state.name);
	fprintf(to, ",netns=\"%" PRIu64 "\"", device->ns_id);
	if (queue)
		fprintf(to, ",file=\"%" PRIu64 "\"", queue->file);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

static struct metrics_series series_of_device(const struct dev_report *d)
{
	return (struct metrics_series){
		.labels = labels_of(d, NULL),
		.known = true,
		.numbers =
			{
				[METRICS_UP] = d->state.up,
				[METRICS_QUEUED] = d->stats.queued,
				[METRICS_RX_PACKETS] = d->stats.rx_packets,
				[METRICS_RX_BYTES] = d->stats.rx_bytes,
				[METRICS_TX_PACKETS] = d->stats.tx_packets,
				[METRICS_TX_BYTES] = d->stats.tx_bytes,
			},
		.drops = (const uint64_t *)d->stats.drops,
		.waits = &d->waits,
	};
}

static struct metrics_series series_of_queue(const struct dev_report *d,
					     const struct dev_queue_report *q)
{
	return (struct metrics_series){
		.labels = labels_of(d, q),
		.known = q->file && !q->direct,
		.numbers =
			{
				[METRICS_QUEUED] = q->queued,
				[METRICS_QUEUED_MAX] = q->queued_max,
				[METRICS_RX_PACKETS] = q->rx_packets,
				[METRICS_RX_BYTES] = q->rx_bytes,
				[METRICS_TX_PACKETS] = q->tx_packets,
				[METRICS_TX_BYTES] = q->tx_bytes,
			},
		.drops = q->drops,
		.waits = &q->waits,
	};
}

/* Returns false when there is no memory. */
static bool look(struct metrics *m, struct dev_table *table)
{
	struct dev_file_report file;
	struct dev_report *device;

	for (uint64_t id = 0; dev_report(table, id, &device) == 0;) {
		struct dev_report **more = reallocarray(
			m->reports, m->n_devices + 1, sizeof(*m->reports));

		if (!more) {
			free(device);
			return false;
		}
		id = device->id;
		m->reports = more;
		m->reports[m->n_devices++] = device;
		m->n_queues += device->n_queues;
	}
	for (uint64_t id = 0; dev_file_report(table, id, &file) == 0;) {
		id = file.id;
		m->n_files++;
	}
	return true;
}

/* The same. */
static bool make_series(struct metrics *m)
{
	struct metrics_series *q;

	m->devices = calloc(m->n_devices + 1, sizeof(*m->devices));
	m->queues = calloc(m->n_queues + 1, sizeof(*m->queues));
	if (!m->devices || !m->queues)
		return false;
	q = m->queues;
	for (size_t i = 0; i < m->n_devices; i++) {
		const struct dev_report *d = m->reports[i];

		m->devices[i] = series_of_device(d);
		if (!m->devices[i].labels)
			return false;
		for (unsigned int j = 0; j < d->n_queues; j++, q++) {
			*q = series_of_queue(d, &d->queues[j]);
			if (!q->labels)
				return false;
		}
	}
	return true;
}

static void free_all(struct metrics *m)
{
	for (size_t i = 0; i < m->n_devices; i++) {
		free(m->reports[i]);
		if (m->devices)
			free(m->devices[i].labels);
	}
	for (size_t i = 0; m->queues && i < m->n_queues; i++)
		free(m->queues[i].labels);
	free(m->reports);
	free(m->devices);
	free(m->queues);
}

/* ---- the text ---- */

static void write_daemon(const struct metrics *m)
{
	metrics_family(m->to, "tund_build", "", "info", "The daemon.");
	fputs("tund_build_info{version=\"" TUND_VERSION "\"} 1\n", m->to);
	metrics_family(m->to, "tund_devices", "", "gauge", "Devices.");
	fprintf(m->to, "tund_devices %zu\n", m->n_devices);
	metrics_family(m->to, "tund_open_files", "", "gauge",
		       "Open files of the device node.");
	fprintf(m->to, "tund_open_files %u\n", m->n_files);
}

static void write_devices(const struct metrics *m)
{
	metrics_family(m->to, "tund_device", "", "info", "What a device is.");
	for (size_t i = 0; i < m->n_devices; i++)
		fprintf(m->to,
			"tund_device_info{%s,kind=\"%s\",plane=\"%s\"} 1\n",
			m->devices[i].labels,
			m->reports[i]->flags & IFF_TAP ? "tap" : "tun",
			ctl_plane_word(m->reports[i]->plane));
	metrics_write_numbers(m->to, &device_kind, m->devices, m->n_devices);
	metrics_write_drops(m->to, &device_kind, m->devices, m->n_devices);
	metrics_write_waits(m->to, &device_kind, m->devices, m->n_devices);
}

/* Who it is, once: his words in every line would be half of the text. */
static void write_clients(const struct metrics *m)
{
	const struct metrics_series *series = m->queues;

	metrics_family(m->to, "tund_queue", "", "info", "Whose a queue is.");
	for (size_t i = 0; i < m->n_devices; i++) {
		const struct dev_report *d = m->reports[i];

		for (unsigned int j = 0; j < d->n_queues; j++, series++) {
			const struct dev_queue_report *q = &d->queues[j];

			/* It has just left. */
			if (!q->file)
				continue;
			fprintf(m->to, "tund_queue_info{%s,pid=\"%d\",",
				series->labels, (int)q->opener.pid);
			metrics_label(m->to, "command", q->opener.command);
			fprintf(m->to, ",plane=\"%s\"} 1\n",
				ctl_plane_word(q->direct ? TUND_PLANE_DIRECT
							 : TUND_PLANE_FILE));
		}
	}
}

static void write_queues(const struct metrics *m)
{
	bool detailed = m->n_queues <= MAX_DETAILED;

	write_clients(m);
	metrics_write_numbers(m->to, &queue_kind, m->queues, m->n_queues);
	metrics_family(m->to, "tund_queues_detailed", "", "gauge",
		       "Whether drops and waits of each queue are here.");
	fprintf(m->to, "tund_queues_detailed %d\n", detailed);
	if (!detailed)
		return;
	metrics_write_drops(m->to, &queue_kind, m->queues, m->n_queues);
	metrics_write_waits(m->to, &queue_kind, m->queues, m->n_queues);
}

char *ctl_metrics(struct dev_table *table)
{
	struct metrics m = {0};
	char *text = NULL;
	size_t size;
	bool good = look(&m, table) && make_series(&m);

	m.to = good ? open_memstream(&text, &size) : NULL;
	if (m.to) {
		write_daemon(&m);
		write_devices(&m);
		write_queues(&m);
		fputs("# EOF\n", m.to);
		good = fclose(m.to) == 0;
	}
	free_all(&m);
	if (good)
		return text;
	free(text);
	return NULL;
}
