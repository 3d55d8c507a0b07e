/* SPDX-License-Identifier: MIT */
/* capture_file.c - names as dumpcap(1) gives them, and what each file needs. */
#include "capture_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tundctl.h"
#include <tund/abi.h>

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static const char *name_of(const struct capture_file *file)
{
	return !file->path	? "standard output"
	       : file->max_size ? file->names[file->number % file->n_names]
				: file->path;
}

/* A pipe that nobody reads any more has its end, and there is no mistake. */
static int failed(struct capture_file *file)
{
	if (errno == EPIPE)
		file->broken = true;
	else
		complain("%s: %s", name_of(file), strerror(errno));
	return -1;
}

/* ---- which file ---- */

/* The number and the time before the ending, as in x_00001_20260131235959.p */
static char *make_name(const char *path, unsigned int number)
{
	const char *base = strrchr(path, '/');
	const char *ending = strrchr(base ? base : path, '.');
	char stamp[32] = "", *name;
	time_t seconds = time(NULL);
	struct tm tm;

	if (!ending)
		ending = path + strlen(path);
	if (localtime_r(&seconds, &tm))
		strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	if (asprintf(&name, "%.*s_%05u_%s%s", (int)(ending - path), path,
		     number, stamp, ending) < 0)
		return NULL;
	return name;
}

static const char *next_name(struct capture_file *file)
{
	char **name = &file->names[++file->number % file->n_names];

	if (*name && file->max_files > 0)
		unlink(*name);
	free(*name);
	*name = make_name(file->path, file->number);
	return *name;
}

static int open_next(struct capture_file *file)
{
	const char *name = file->path;

	if (!name) {
		file->out.fd = STDOUT_FILENO;
		return 0;
	}
	if (file->max_size)
		name = next_name(file);
	/* It has what others have said. */
	file->out.fd =
		name ? open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			    0600)
		     : -1;
	if (file->out.fd >= 0)
		return 0;
	complain_of_file(name ? name : file->path, errno);
	return -1;
}

/* ---- what is in it ---- */

static int describe(struct capture_file *file, int plane)
{
	if (file->ids[plane] >= 0)
		return 0;
	if (pcapng_add_interface(&file->out, &file->interfaces[plane]) < 0)
		return failed(file);
	file->ids[plane] = file->n_ids++;
	return 0;
}

static int begin(struct capture_file *file)
{
	if (open_next(file) < 0)
		return -1;
	file->n_ids = 0;
	file->start = now();
	for (int i = 0; i < CAPTURE_PLANES; i++) {
		file->ids[i] = -1;
		file->delivered[i] = 0;
	}
	if (pcapng_begin(&file->out, "tundctl " TUND_VERSION) < 0)
		return failed(file);
	return describe(file, file->plane);
}

/* The counts of both planes together are told with the one, not twice. */
static int finish(struct capture_file *file,
		  const struct capture_counts *counts)
{
	int r = 0;

	for (int i = 0; i < CAPTURE_PLANES && r == 0; i++) {
		struct pcapng_totals totals = {
			.start = file->start,
			.end = now(),
			.delivered = file->delivered[i],
			.known = counts->known && file->ids[i] == 0,
			.received = counts->received,
			.dropped = counts->dropped,
			.lost = counts->lost,
		};

		if (file->ids[i] < 0)
			continue;
		totals.interface = (uint32_t)file->ids[i];
		r = pcapng_add_totals(&file->out, &totals);
	}
	if (r == 0)
		r = pcapng_flush(&file->out);
	if (r < 0)
		return failed(file);
	if (file->path && close(file->out.fd) < 0)
		return failed(file);
	return 0;
}

static void free_names(struct capture_file *file)
{
	for (unsigned int i = 0; i < file->n_names; i++)
		free(file->names[i]);
	free(file->names);
}

int capture_file_open(struct capture_file *file, int plane)
{
	int r;

	file->plane = plane;
	file->n_names = file->max_files ? file->max_files : 1;
	file->names = calloc(file->n_names, sizeof(*file->names));
	if (!file->names) {
		complain("no memory is left");
		return -1;
	}
	r = begin(file) < 0 ? -1 : capture_file_flush(file);
	if (r < 0)
		free_names(file);
	return r;
}

/* Wireshark shows it beside the packet. */
static const char *comment_of(const struct tund_capture *head)
{
	static const char *const comments[TUND_DROP_MAX] = {
		[TUND_DROP_QUEUE_FULL] = "queue_full: the queue was full",
		[TUND_DROP_DETACHED] = "detached: no program was attached",
		[TUND_DROP_TOO_SMALL] =
			"too_small: the program's read had no room for its "
			"header; it is above, too, as it came",
		[TUND_DROP_FILTER] =
			"filter: the program's TUNSETTXFILTER did not want it",
		[TUND_DROP_DOWN] = "down: the interface was down",
		[TUND_DROP_INVALID] = "invalid: it is no IP packet",
		[TUND_DROP_MTU] = "mtu: it is larger than the interface takes",
		[TUND_DROP_NOBUFS] = "nobufs: the host's backlog was full",
		[TUND_DROP_ERROR] = "error: the host did not take it",
		[TUND_DROP_SOURCE] =
			"source: the program's policy does not allow its "
			"source address",
		[TUND_DROP_RATE] =
			"rate: it is beyond the rate that the program's policy "
			"allows",
	};
	static char text[160];

	if (head->dropped == TUND_CAPTURE_PASSED)
		return NULL;
	snprintf(text, sizeof(text), "dropped: %s",
		 head->dropped < TUND_DROP_MAX && comments[head->dropped]
			 ? comments[head->dropped]
			 : "for a reason that this tundctl does not know");
	return text;
}

int capture_file_add(struct capture_file *file, const struct captured *packet)
{
	const struct tund_capture *head = &packet->head;
	struct pcapng_packet p = {
		.time = head->time,
		.data = packet->data,
		.captured = (uint32_t)packet->len,
		.len = ntohl(head->len),
		.inbound = head->flags & TUND_CAPTURE_TO_HOST,
		.queue = head->queue,
		.comment = comment_of(head),
	};
	static const struct capture_counts unknown;

	file->plane = head->flags & TUND_CAPTURE_DIRECT ? 1 : 0;
	if (describe(file, file->plane) < 0)
		return -1;
	p.interface = (uint32_t)file->ids[file->plane];
	if (head->lost > file->lost) {
		p.lost = head->lost - file->lost;
		file->lost = head->lost;
	}
	if (pcapng_add_packet(&file->out, &p) < 0)
		return failed(file);
	file->delivered[file->plane]++;
	if (!file->max_size || file->out.size < file->max_size)
		return 0;
	return finish(file, &unknown) < 0 ? -1 : begin(file);
}

int capture_file_flush(struct capture_file *file)
{
	return pcapng_flush(&file->out) < 0 ? failed(file) : 0;
}

int capture_file_close(struct capture_file *file,
		       const struct capture_counts *counts)
{
	int r = file->broken ? -1 : finish(file, counts);

	free_names(file);
	return r;
}
