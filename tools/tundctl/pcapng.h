/* SPDX-License-Identifier: MIT */
/*
 * pcapng.h - the blocks of a pcapng file, one after the other into a
 * descriptor. Where packets come from, and which file is written, is decided
 * elsewhere.
 */
#ifndef TUNDCTL_PCAPNG_H
#define TUNDCTL_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_ETHERNET 1
#define LINK_RAW      101

/* Of one file or pipe; what is not written yet is in it. */
struct pcapng {
	int fd;
	uint64_t size; /* written, and in the buffer */
	size_t n;
	uint8_t bytes[1 << 16];
};

struct pcapng_interface {
	unsigned int link_type;
	uint32_t snaplen;
	const char *name;
	const char *description;
	const char *filter;  /* NULL: none */
	const char *comment; /* NULL: none */
};

#define PCAPNG_NO_QUEUE 0xffffffffu

struct pcapng_packet {
	uint32_t interface;
	uint64_t time; /* nanoseconds since 1970 */
	const uint8_t *data;
	uint32_t captured, len;
	bool inbound; /* else outbound */
	uint32_t queue;
	uint64_t lost;	     /* packets before this one, if any */
	const char *comment; /* NULL: none */
};

struct pcapng_totals {
	uint32_t interface;
	uint64_t start, end;
	uint64_t delivered;
	/* What is not known is not told. */
	bool known;
	uint64_t received, dropped, lost;
};

/* Each returns 0, or -1 with errno set. */
int pcapng_begin(struct pcapng *to, const char *application);
int pcapng_add_interface(struct pcapng *to,
			 const struct pcapng_interface *interface);
int pcapng_add_packet(struct pcapng *to, const struct pcapng_packet *packet);
int pcapng_add_totals(struct pcapng *to, const struct pcapng_totals *totals);
int pcapng_flush(struct pcapng *to);

#endif
