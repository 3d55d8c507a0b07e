/* SPDX-License-Identifier: MIT */
/* client-lib/record.c - see struct tund_record in <tund/abi.h>. */
#include "record.h"

#include <string.h>

#include "vnet.h"

_Static_assert(sizeof(((struct tund_record *)0)->vnet) ==
		       sizeof(struct virtio_net_hdr),
	       "it is the same header");

/*
 * FUSE carries 256 pages in one request, and a piece of a vector takes at least
 * one; what is more makes a second request out of the rest.
 */
#define PAGES	  250u
#define PAGE_SIZE 4096u

void tunclient_record_take_(struct tunclient_packet *packet,
			    const struct tund_record *record)
{
	struct virtio_net_hdr header;
	bool cut = record->flags & TUND_RECORD_CUT;

	memcpy(&header, &record->vnet, sizeof(header));
	packet->length = record->len;
	if (packet->length > packet->size) {
		packet->length = packet->size;
		cut = true;
	}
	packet->status = cut ? TUNCLIENT_PACKET_CUT : 0;
	tunclient_vnet_take_(packet, &header, 0);
}

/* The record at `at`, or false: there is none. */
static bool next_record(const unsigned char *memory, size_t size, size_t at,
			struct tund_record *ret_record)
{
	if (size < at || size - at < sizeof(*ret_record))
		return false;
	memcpy(ret_record, memory + at, sizeof(*ret_record));
	return ret_record->len <= size - at - sizeof(*ret_record);
}

int tunclient_records_copy_(const unsigned char *memory, size_t size,
			    struct tunclient_packet *packets, unsigned int n)
{
	struct tund_record record;
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < n && next_record(memory, size, at, &record); i++) {
		tunclient_record_take_(&packets[i], &record);
		memcpy(packets[i].data, memory + at + sizeof(record),
		       packets[i].length);
		at += TUND_RECORD_SPACE(record.len);
	}
	return (int)i;
}

int tunclient_records_find_(unsigned char *memory, size_t size,
			    struct tunclient_packet *ret_packets,
			    unsigned int n)
{
	struct tund_record record;
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < n && next_record(memory, size, at, &record); i++) {
		ret_packets[i].data = memory + at + sizeof(record);
		ret_packets[i].size = record.len;
		tunclient_record_take_(&ret_packets[i], &record);
		at += TUND_RECORD_SPACE(record.len);
	}
	return (int)i;
}

static unsigned int pages_of(const void *data, size_t size)
{
	size_t offset = (uintptr_t)data % PAGE_SIZE;

	return (unsigned int)((offset + size + PAGE_SIZE - 1) / PAGE_SIZE);
}

void tunclient_record_give_(struct tund_record *ret_record,
			    const struct tunclient_packet *packet)
{
	struct virtio_net_hdr header;

	tunclient_vnet_give_(&header, packet, 0);
	memset(ret_record, 0, sizeof(*ret_record));
	ret_record->len = packet->length;
	memcpy(&ret_record->vnet, &header, sizeof(header));
}

void tunclient_records_gather_(struct tunclient_gather *ret_gather,
			       const struct tunclient_packet *packets,
			       unsigned int n)
{
	struct tunclient_gather *g = ret_gather;
	size_t size = 0, padding = 0;
	unsigned int pages = 0, i;

	for (i = 0; i < n; i++) {
		const struct tunclient_packet *p = &packets[i];
		struct tund_record *record = &g->joints[i].record;

		size += TUND_RECORD_SPACE(p->length);
		/* The header may lie on two. */
		pages += 2 + pages_of(p->data, p->length);
		if (i > 0 && (size > TUND_BATCH_MAX || pages > PAGES))
			break;
		memset(&g->joints[i].padding, 0, sizeof(g->joints[i].padding));
		tunclient_record_give_(record, p);
		g->iov[2 * i] = (struct iovec){
			(unsigned char *)record - padding,
			sizeof(*record) + padding,
		};
		g->iov[2 * i + 1] = (struct iovec){p->data, p->length};
		padding = TUND_RECORD_SPACE(p->length) - sizeof(*record) -
			  p->length;
	}
	g->n = i;
	g->n_iov = (int)(2 * i);
}

int tunclient_records_taken_(const struct tunclient_packet *packets,
			     unsigned int n, size_t size)
{
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < n; i++) {
		if (at + sizeof(struct tund_record) + packets[i].length > size)
			break;
		at += TUND_RECORD_SPACE(packets[i].length);
	}
	return (int)i;
}
