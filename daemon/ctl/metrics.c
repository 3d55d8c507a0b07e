/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - one family after the other, as the format wants it, over all
 * devices and queues.
 */
#include "ctl/metrics.h"

#include <inttypes.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "ctl/describe.h"
#include "ctl/request.h"

/* Each device as it was at one time, for all families. */
struct metrics {
	FILE *to;
	struct dev_report **devices;
	size_t n;
	unsigned int n_files;
};

/* ---- text ---- */

static void family(FILE *to, const char *name, const char *type,
		   const char *help)
{
	fprintf(to, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* A label's value: somebody else's bytes, made UTF-8 and escaped. */
static void label(FILE *to, const char *key, const char *bytes)
{
	json_t *text = ctl_text(bytes);
	const char *p = text ? json_string_value(text) : "";

	fprintf(to, "%s=\"", key);
	for (; *p; p++) {
		if (*p == '\n')
			fputs("\\n", to);
		else if (*p == '"' || *p == '\\')
			fprintf(to, "\\%c", *p);
		else
			fputc(*p, to);
	}
	fputc('"', to);
	json_decref(text);
}

static void device_labels(FILE *to, const struct dev_report *d)
{
	label(to, "device", d->state.name);
	fprintf(to, ",netns=\"%" PRIu64 "\"", d->ns_id);
}

static void queue_labels(FILE *to, const struct dev_report *d,
			 const struct dev_queue_report *q)
{
	device_labels(to, d);
	fprintf(to, ",file=\"%" PRIu64 "\",pid=\"%d\",", q->file,
		(int)q->opener.pid);
	label(to, "command", q->opener.command);
}

/* ---- devices ---- */

static void device_line(FILE *to, const char *name, const struct dev_report *d,
			uint64_t value)
{
	fprintf(to, "%s{", name);
	device_labels(to, d);
	fprintf(to, "} %" PRIu64 "\n", value);
}

static void write_states(const struct metrics *m)
{
	family(m->to, "tund_device", "info", "What a device is.");
	for (size_t i = 0; i < m->n; i++) {
		fputs("tund_device_info{", m->to);
		device_labels(m->to, m->devices[i]);
		fprintf(m->to, ",kind=\"%s\",plane=\"%s\"} 1\n",
			m->devices[i]->flags & IFF_TAP ? "tap" : "tun",
			ctl_plane_word(m->devices[i]->plane));
	}
	family(m->to, "tund_device_up", "gauge",
	       "Whether the interface is up.");
	for (size_t i = 0; i < m->n; i++)
		device_line(m->to, "tund_device_up", m->devices[i],
			    m->devices[i]->state.up);
	family(m->to, "tund_device_queued_packets", "gauge",
	       "Packets that wait for a read.");
	for (size_t i = 0; i < m->n; i++)
		device_line(m->to, "tund_device_queued_packets", m->devices[i],
			    m->devices[i]->stats.queued);
}

static void write_traffic(const struct metrics *m)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} counters[] = {
		{"tund_device_receive_packets",
		 "Packets programs have written.",
		 offsetof(struct tund_stats, rx_packets)},
		{"tund_device_receive_bytes", "Bytes programs have written.",
		 offsetof(struct tund_stats, rx_bytes)},
		{"tund_device_transmit_packets", "Packets programs have read.",
		 offsetof(struct tund_stats, tx_packets)},
		{"tund_device_transmit_bytes", "Bytes programs have read.",
		 offsetof(struct tund_stats, tx_bytes)},
	};

	for (size_t c = 0; c < ARRAY_SIZE(counters); c++) {
		char name[64];

		family(m->to, counters[c].name, "counter", counters[c].help);
		snprintf(name, sizeof(name), "%s_total", counters[c].name);
		for (size_t i = 0; i < m->n; i++) {
			const char *stats = (const char *)&m->devices[i]->stats;

			device_line(
				m->to, name, m->devices[i],
				*(const uint64_t
					  *)(const void *)(stats +
							   counters[c].offset));
		}
	}
}

static void write_drops(const struct metrics *m)
{
	family(m->to, "tund_device_dropped_packets", "counter",
	       "Packets that were lost, by reason.");
	for (size_t i = 0; i < m->n; i++) {
		for (int r = 0; r < TUND_DROP_MAX; r++) {
			const char *word = ctl_drop_word((enum tund_drop)r);

			if (!word)
				continue;
			fputs("tund_device_dropped_packets_total{", m->to);
			device_labels(m->to, m->devices[i]);
			fprintf(m->to, ",reason=\"%s\"} %" PRIu64 "\n", word,
				(uint64_t)m->devices[i]->stats.drops[r]);
		}
	}
}

/* The bounds in seconds; the sum of whole microseconds. */
static void write_waits_of(FILE *to, const struct dev_report *d)
{
	const char *name = "tund_device_wait_seconds";
	uint64_t n = 0;

	for (unsigned int i = 0; i < DEV_WAIT_BUCKETS; i++) {
		n += d->waits.buckets[i];
		fprintf(to, "%s_bucket{", name);
		device_labels(to, d);
		if (i < DEV_WAIT_BUCKETS - 1)
			fprintf(to, ",le=\"%.9g\"} %" PRIu64 "\n",
				(double)(1u << i) / 1e6, n);
		else
			fprintf(to, ",le=\"+Inf\"} %" PRIu64 "\n", n);
	}
	fprintf(to, "%s_sum{", name);
	device_labels(to, d);
	fprintf(to, "} %" PRIu64 ".%06" PRIu64 "\n", d->waits.sum_us / 1000000,
		d->waits.sum_us % 1000000);
	fprintf(to, "%s_count{", name);
	device_labels(to, d);
	fprintf(to, "} %" PRIu64 "\n", n);
}

static void write_waits(const struct metrics *m)
{
	family(m->to, "tund_device_wait_seconds", "histogram",
	       "How long packets waited for a read.");
	for (size_t i = 0; i < m->n; i++)
		write_waits_of(m->to, m->devices[i]);
}

/* ---- queues ---- */

enum queue_number {
	QUEUED,
	QUEUED_MAX,
	RX_PACKETS,
	RX_BYTES,
	TX_PACKETS,
	TX_BYTES,
	DROPPED,
	N_QUEUE_NUMBERS,
};

static uint64_t number_of(const struct dev_queue_report *q,
			  enum queue_number which)
{
	uint64_t dropped = 0;

	switch (which) {
	case QUEUED:
		return q->queued;
	case QUEUED_MAX:
		return q->queued_max;
	case RX_PACKETS:
		return q->rx_packets;
	case RX_BYTES:
		return q->rx_bytes;
	case TX_PACKETS:
		return q->tx_packets;
	case TX_BYTES:
		return q->tx_bytes;
	default:
		for (size_t i = 0; i < ARRAY_SIZE(q->drops); i++)
			dropped += q->drops[i];
		return dropped;
	}
}

static void write_queues(const struct metrics *m)
{
	static const struct {
		const char *name, *type, *help;
	} families[] = {
		[QUEUED] = {"tund_queue_packets", "gauge",
			    "Packets in a program's queue."},
		[QUEUED_MAX] = {"tund_queue_most_packets", "gauge",
				"The most that there were at once."},
		[RX_PACKETS] = {"tund_queue_receive_packets", "counter",
				"Packets the program has written."},
		[RX_BYTES] = {"tund_queue_receive_bytes", "counter",
			      "Bytes the program has written."},
		[TX_PACKETS] = {"tund_queue_transmit_packets", "counter",
				"Packets the program has read."},
		[TX_BYTES] = {"tund_queue_transmit_bytes", "counter",
			      "Bytes the program has read."},
		[DROPPED] = {"tund_queue_dropped_packets", "counter",
			     "Packets lost on their way to the program."},
	};

	for (int f = 0; f < N_QUEUE_NUMBERS; f++) {
		family(m->to, families[f].name, families[f].type,
		       families[f].help);
		for (size_t i = 0; i < m->n; i++) {
			const struct dev_report *d = m->devices[i];

			for (unsigned int j = 0; j < d->n_queues; j++) {
				/* What goes past the daemon is not 0. */
				if (d->queues[j].direct)
					continue;
				fprintf(m->to, "%s%s{", families[f].name,
					families[f].type[0] == 'c' ? "_total"
								   : "");
				queue_labels(m->to, d, &d->queues[j]);
				fprintf(m->to, "} %" PRIu64 "\n",
					number_of(&d->queues[j],
						  (enum queue_number)f));
			}
		}
	}
}

/* ---- the whole ---- */

static void write_all(const struct metrics *m)
{
	family(m->to, "tund_build", "info", "The daemon.");
	fputs("tund_build_info{version=\"" TUND_VERSION "\"} 1\n", m->to);
	family(m->to, "tund_devices", "gauge", "Devices.");
	fprintf(m->to, "tund_devices %zu\n", m->n);
	family(m->to, "tund_open_files", "gauge",
	       "Open files of the device node.");
	fprintf(m->to, "tund_open_files %u\n", m->n_files);
	write_states(m);
	write_traffic(m);
	write_drops(m);
	write_waits(m);
	write_queues(m);
	fputs("# EOF\n", m->to);
}

/* Returns false when there is no memory. */
static bool look(struct metrics *m, struct dev_table *table)
{
	struct dev_file_report file;
	struct dev_report *device;

	for (uint64_t id = 0; dev_report(table, id, &device) == 0;) {
		struct dev_report **more =
			reallocarray(m->devices, m->n + 1, sizeof(*m->devices));

		if (!more) {
			free(device);
			return false;
		}
		id = device->id;
		m->devices = more;
		m->devices[m->n++] = device;
	}
	for (uint64_t id = 0; dev_file_report(table, id, &file) == 0;) {
		id = file.id;
		m->n_files++;
	}
	return true;
}

char *ctl_metrics(struct dev_table *table)
{
	struct metrics m = {0};
	char *text = NULL;
	size_t size;
	bool good = look(&m, table);

	m.to = good ? open_memstream(&text, &size) : NULL;
	if (m.to) {
		write_all(&m);
		good = fclose(m.to) == 0;
	}
	for (size_t i = 0; i < m.n; i++)
		free(m.devices[i]);
	free(m.devices);
	if (good)
		return text;
	free(text);
	return NULL;
}
