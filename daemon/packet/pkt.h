/* SPDX-License-Identifier: MIT */
/*
 * pkt.h - one packet in memory of its own. It does not know what its bytes
 * mean: see frame.h.
 */
#ifndef TUND_PACKET_PKT_H
#define TUND_PACKET_PKT_H

#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* For what the host is given in front: a virtio-net and an Ethernet header. */
#define PKT_HEAD_ROOM 24

/* What TUN carries is an IP packet, what TAP carries an Ethernet frame. */
struct pkt {
	struct list node;
	size_t len;
	uint16_t proto;	    /* Ethernet type, network byte order */
	uint32_t queue;	    /* that it was written through, or all ones */
	uint64_t tag;	    /* whose it is, or 0 */
	uint64_t queued_us; /* of now_us(), if somebody will ask */
	/* What is left to do to it; positions count from its first byte. */
	struct virtio_net_hdr vnet;
	uint8_t head[PKT_HEAD_ROOM]; /* of whoever sends it */
	uint8_t data[];
};

/* Uninitialised bytes; NULL when there is no memory. pkt_free() takes NULL. */
struct pkt *pkt_new(size_t len);
void pkt_free(struct pkt *pkt);

#endif
