/* SPDX-License-Identifier: MIT */
/*
 * client-lib/direct.h - what the files of the direct plane share: how packets
 * lie on the socket, and what its errors mean.
 */
#ifndef TUNCLIENT_DIRECT_H
#define TUNCLIENT_DIRECT_H

#include <linux/virtio_net.h>
#include <net/ethernet.h>

#include "client.h"

/*
 * What precedes a packet on a socket with TUND_FD_FRAMES: both for TUN, the
 * first alone for TAP. Without the flag it is nothing.
 */
struct tunclient_frame_head {
	struct virtio_net_hdr vnet;
	struct ether_header ethernet;
};

_Static_assert(sizeof(struct tunclient_frame_head) ==
		       sizeof(struct virtio_net_hdr) + ETHER_HDR_LEN,
	       "there is nothing between them");

static inline size_t tunclient_head_size_(const struct tunclient *client)
{
	if (!client->has_offloads)
		return 0;
	return client->kind == TUNCLIENT_TUN
		       ? sizeof(struct tunclient_frame_head)
		       : sizeof(struct virtio_net_hdr);
}

/* Bytes that the vnet header counts and the program's packet has not. */
static inline unsigned int tunclient_counted_(const struct tunclient *client)
{
	return client->kind == TUNCLIENT_TUN ? ETHER_HDR_LEN : 0;
}

/* direct_packet.c: as in struct tunclient_plane. */
ssize_t tunclient_direct_read_(struct tunclient *client, void *ret_packet,
			       size_t size);
ssize_t tunclient_direct_write_(struct tunclient *client, const void *packet,
				size_t size);
int tunclient_direct_recv_(struct tunclient *client,
			   struct tunclient_packet *packets, unsigned int n);
int tunclient_direct_send_(struct tunclient *client,
			   const struct tunclient_packet *packets,
			   unsigned int n);

int tunclient_direct_send_run_(struct tunclient *client,
			       const struct tunclient_packet *packets,
			       const struct tunclient_run *run);

/* Loses what waits in the socket, or the ring. */
void tunclient_direct_drain_(struct tunclient *client);

/* After ENETDOWN: -EBADFD, or 0 if the interface is still there. */
int tunclient_direct_down_(struct tunclient *client);

/*
 * After ENETDOWN, which is told once: so that whoever receives next hears of it
 * if the interface is gone. Waits a quarter of a second at most.
 */
void tunclient_direct_note_down_(struct tunclient *client);

/* Before sending: -EIO if the interface is down. */
int tunclient_direct_check_(struct tunclient *client);

/*
 * What an error of sending a packet of that size means; one of gso may be
 * larger than the MTU.
 */
int tunclient_direct_cause_(struct tunclient *client, int error, size_t size,
			    bool gso);

#endif
