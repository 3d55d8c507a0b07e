/* SPDX-License-Identifier: MIT */
/*
 * client-lib/record.h - packets from and to struct tund_record. It reads and
 * writes no file.
 */
#ifndef TUNCLIENT_RECORD_H
#define TUNCLIENT_RECORD_H

#include <sys/uio.h>

#include "plane.h"

/* One whose bytes are at packet->data already, as far as there is room. */
void tunclient_record_take_(struct tunclient_packet *packet,
			    const struct tund_record *record);

/* The other way round; the bytes are the caller's to put behind it. */
void tunclient_record_give_(struct tund_record *ret_record,
			    const struct tunclient_packet *packet);

/* Out of what was read; the number of packets. */
int tunclient_records_copy_(const unsigned char *memory, size_t size,
			    struct tunclient_packet *packets, unsigned int n);

/* The same, but they stay where they are. */
int tunclient_records_find_(unsigned char *memory, size_t size,
			    struct tunclient_packet *ret_packets,
			    unsigned int n);

/* What is to be written for some packets: those of n that fit one write. */
struct tunclient_gather {
	unsigned int n;
	int n_iov;
	struct iovec iov[2 * TUNCLIENT_BATCH_];
	/* The padding behind the packet before, and the header. */
	struct {
		unsigned char padding[TUND_RECORD_ALIGN];
		struct tund_record record;
	} joints[TUNCLIENT_BATCH_];
};

void tunclient_records_gather_(struct tunclient_gather *ret_gather,
			       const struct tunclient_packet *packets,
			       unsigned int n);

/* Packets that the bytes taken are. */
int tunclient_records_taken_(const struct tunclient_packet *packets,
			     unsigned int n, size_t size);

#endif
