/* SPDX-License-Identifier: MIT */
/*
 * client-lib/ring.h - the rings to receive from: one that the kernel fills and
 * one that is read into. Calls as in struct tunclient_plane.
 */
#ifndef TUNCLIENT_RING_H
#define TUNCLIENT_RING_H

#include "client.h"

/*
 * Both lie in blocks. One must hold the largest packet and its headers, which
 * 64 KiB do not; the more packets share one, the less there is to do for each.
 */
#define TUNCLIENT_BLOCK_ (256u << 10)

/* What both begin with. */
struct tunclient_receive_ring {
	unsigned int held; /* packets with the program: ring.c counts them */
};

/* If there is none yet: client->receive_ring. */
int tunclient_ring_begin_(struct tunclient *client);

/* Blocks of that size for options.ring_bytes. */
unsigned int tunclient_ring_blocks_(const struct tunclient *client,
				    unsigned int size);

/* ring_copy.c */
int tunclient_copy_begin_(struct tunclient *client,
			  struct tunclient_receive_ring **ret_ring);
void tunclient_copy_end_(struct tunclient_receive_ring *ring);
int tunclient_copy_receive_(struct tunclient *client,
			    struct tunclient_receive_ring *ring,
			    struct tunclient_packet *ret_packets,
			    unsigned int n);
void tunclient_copy_release_(struct tunclient_receive_ring *ring,
			     unsigned int n);

/* ring_mapped.c */
int tunclient_mapped_begin_(struct tunclient *client,
			    struct tunclient_receive_ring **ret_ring);
void tunclient_mapped_end_(struct tunclient_receive_ring *ring);
int tunclient_mapped_receive_(struct tunclient *client,
			      struct tunclient_receive_ring *ring,
			      struct tunclient_packet *ret_packets,
			      unsigned int n);
void tunclient_mapped_release_(struct tunclient_receive_ring *ring,
			       unsigned int n);
/* Loses what was not given yet. Waits until the kernel has handed it over. */
void tunclient_mapped_drain_(struct tunclient_receive_ring *ring);

/* ring_send.c: frees it; NULL is allowed. */
void tunclient_send_ring_free_(struct tunclient_send_ring *ring);

#endif
