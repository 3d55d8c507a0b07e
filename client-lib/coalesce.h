/* SPDX-License-Identifier: MIT */
/*
 * client-lib/coalesce.h - finds packets of one flow that may go to the host as
 * one large packet, which it divides again only where it must: what a network
 * card's driver does for what it has received. It sends nothing.
 */
#ifndef TUNCLIENT_COALESCE_H
#define TUNCLIENT_COALESCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <tunclient.h>

/* Ethernet, IPv6 and the longest TCP header. */
#define COALESCE_HEADER_MAX (14 + 40 + 60)

/* Packets of one run, at most; and their bytes, which IP has to count. */
#define COALESCE_MAX	   64
#define COALESCE_BYTES_MAX 65535

/* Packets that go as one. */
struct tunclient_run {
	unsigned int n; /* of them; with 1 nothing else is set */
	/* The one: `data` is the header alone, `length` that of all. */
	struct tunclient_packet whole;
	/* Of each packet this many bytes are replaced by the header, once. */
	unsigned int header_length;
	uint8_t header[COALESCE_HEADER_MAX];
};

/*
 * How many of the packets, from the first, go together; n is 1 or more. `tap`
 * says that they are Ethernet frames. TCP over IPv4, over IPv6 and UDP are
 * joined if `offloads` has TUNCLIENT_OFFLOAD_TSO4, TSO6 or USO. Only packets
 * whose checksum is right are: the host makes new ones, and must not repair a
 * packet that was damaged.
 */
void tunclient_coalesce_(const struct tunclient_packet *packets, unsigned int n,
			 bool tap, unsigned int offloads,
			 struct tunclient_run *ret_run);

/* The bytes of the run, in COALESCE_PARTS pieces at most; returns how many. */
#define COALESCE_PARTS (COALESCE_MAX + 1)
unsigned int tunclient_run_parts_(const struct tunclient_run *run,
				  const struct tunclient_packet *packets,
				  struct iovec *ret_parts);

#endif
