/* SPDX-License-Identifier: MIT */
/*
 * pcapng.c - section header, interface description, enhanced packet and
 * interface statistics blocks, in the byte order of this machine. The numbers
 * are those of draft-ietf-opsawg-pcapng.
 */
#include "pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_OS = 3,
	SHB_APPLICATION = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_OS = 12,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_QUEUE = 6,
	ISB_START = 2,
	ISB_END = 3,
	ISB_RECEIVED = 4,
	ISB_DROPPED = 5,
	ISB_OS_DROPPED = 7,
	ISB_DELIVERED = 8,
};

#define NANOSECONDS 9

/* ---- bytes ---- */

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int pcapng_flush(struct pcapng *to)
{
	size_t n = to->n;

	to->n = 0;
	return write_all(to->fd, to->bytes, n);
}

static int put(struct pcapng *to, const void *data, size_t len)
{
	to->size += len;
	if (to->n + len > sizeof(to->bytes) && pcapng_flush(to) < 0)
		return -1;
	if (len > sizeof(to->bytes))
		return write_all(to->fd, data, len);
	memcpy(to->bytes + to->n, data, len);
	to->n += len;
	return 0;
}

/* ---- blocks ---- */

/* All of a block but a packet's bytes, which are behind its first words. */
struct block {
	size_t n;
	uint8_t bytes[4096];
};

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static void add(struct block *b, const void *data, size_t len)
{
	/* What has no value has no address either. */
	if (len > 0)
		memcpy(b->bytes + b->n, data, len);
	memset(b->bytes + b->n + len, 0, padded(len) - len);
	b->n += padded(len);
}

static void add_word(struct block *b, uint32_t value)
{
	add(b, &value, sizeof(value));
}

static void add_time(struct block *b, uint64_t time)
{
	add_word(b, (uint32_t)(time >> 32));
	add_word(b, (uint32_t)time);
}

static void add_option(struct block *b, uint16_t code, const void *value,
		       size_t len)
{
	uint16_t head[2] = {code, (uint16_t)len};

	add(b, head, sizeof(head));
	add(b, value, len);
}

static void add_text(struct block *b, uint16_t code, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len > 512)
		len = 512;
	if (len > 0)
		add_option(b, code, text, len);
}

static void add_number(struct block *b, uint16_t code, uint64_t value)
{
	add_option(b, code, &value, sizeof(value));
}

static int put_block(struct pcapng *to, uint32_t type, const struct block *head,
		     const void *data, size_t len, const struct block *options)
{
	static const uint8_t zeros[4];
	size_t padding = padded(len) - len;
	uint32_t total = (uint32_t)(12 + head->n + len + padding + options->n);
	uint32_t begin[2] = {type, total};

	if (put(to, begin, sizeof(begin)) < 0 ||
	    put(to, head->bytes, head->n) < 0 ||
	    (len > 0 && put(to, data, len) < 0) ||
	    put(to, zeros, padding) < 0 ||
	    put(to, options->bytes, options->n) < 0)
		return -1;
	return put(to, &total, sizeof(total));
}

static void add_system(struct block *b, uint16_t code)
{
	struct utsname name;
	char text[192];

	if (uname(&name) < 0)
		return;
	snprintf(text, sizeof(text), "%.64s %.120s", name.sysname,
		 name.release);
	add_text(b, code, text);
}

int pcapng_begin(struct pcapng *to, const char *application)
{
	const uint16_t version[2] = {1, 0};
	const uint64_t unknown = UINT64_MAX;
	struct block head = {0}, options = {0};

	to->n = 0;
	to->size = 0;
	add_word(&head, 0x1a2b3c4d);
	add(&head, version, sizeof(version));
	add(&head, &unknown, sizeof(unknown));
	add_system(&options, SHB_OS);
	add_text(&options, SHB_APPLICATION, application);
	add_option(&options, OPT_END, NULL, 0);
	return put_block(to, BLOCK_SECTION, &head, NULL, 0, &options);
}

static void add_filter(struct block *b, const char *filter)
{
	/* The first byte says that it is an expression of libpcap. */
	char text[513] = "";
	size_t len = filter ? strlen(filter) : 0;

	/* Half of one would be another one. */
	if (len == 0 || len >= sizeof(text))
		return;
	memcpy(text + 1, filter, len);
	add_option(b, IF_FILTER, text, len + 1);
}

int pcapng_add_interface(struct pcapng *to,
			 const struct pcapng_interface *interface)
{
	const uint16_t link[2] = {(uint16_t)interface->link_type, 0};
	const uint8_t resolution = NANOSECONDS;
	struct block head = {0}, options = {0};

	add(&head, link, sizeof(link));
	add_word(&head, interface->snaplen);
	add_text(&options, OPT_COMMENT, interface->comment);
	add_text(&options, IF_NAME, interface->name);
	add_text(&options, IF_DESCRIPTION, interface->description);
	add_option(&options, IF_TSRESOL, &resolution, 1);
	add_filter(&options, interface->filter);
	add_system(&options, IF_OS);
	add_option(&options, OPT_END, NULL, 0);
	return put_block(to, BLOCK_INTERFACE, &head, NULL, 0, &options);
}

int pcapng_add_packet(struct pcapng *to, const struct pcapng_packet *packet)
{
	const uint32_t flags = packet->inbound ? 1 : 2;
	struct block head = {0}, options = {0};

	add_word(&head, packet->interface);
	add_time(&head, packet->time);
	add_word(&head, packet->captured);
	add_word(&head, packet->len);
	add_option(&options, EPB_FLAGS, &flags, sizeof(flags));
	if (packet->queue != PCAPNG_NO_QUEUE)
		add_option(&options, EPB_QUEUE, &packet->queue,
			   sizeof(packet->queue));
	if (packet->lost > 0)
		add_number(&options, EPB_DROPCOUNT, packet->lost);
	add_text(&options, OPT_COMMENT, packet->comment);
	add_option(&options, OPT_END, NULL, 0);
	return put_block(to, BLOCK_PACKET, &head, packet->data,
			 packet->captured, &options);
}

static void add_moment(struct block *b, uint16_t code, uint64_t time)
{
	uint32_t halves[2] = {(uint32_t)(time >> 32), (uint32_t)time};

	add_option(b, code, halves, sizeof(halves));
}

int pcapng_add_totals(struct pcapng *to, const struct pcapng_totals *totals)
{
	struct block head = {0}, options = {0};

	add_word(&head, totals->interface);
	add_time(&head, totals->end);
	add_moment(&options, ISB_START, totals->start);
	add_moment(&options, ISB_END, totals->end);
	if (totals->known) {
		add_number(&options, ISB_RECEIVED, totals->received);
		add_number(&options, ISB_DROPPED, totals->dropped);
		add_number(&options, ISB_OS_DROPPED, totals->lost);
	}
	add_number(&options, ISB_DELIVERED, totals->delivered);
	add_option(&options, OPT_END, NULL, 0);
	return put_block(to, BLOCK_STATISTICS, &head, NULL, 0, &options);
}
