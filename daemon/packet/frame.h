/* SPDX-License-Identifier: MIT */
/*
 * frame.h - the only parser of packet bytes: IP versions, Ethernet headers,
 * VLAN tags, unfinished checksums and flows. It keeps no packet and does no
 * I/O.
 *
 * Every length is checked here; a caller hands in what it received, as it is.
 */
#ifndef TUND_PACKET_FRAME_H
#define TUND_PACKET_FRAME_H

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/pkt.h"

/*
 * The Ethernet type, in network byte order, that the version of an IP packet
 * stands for; 0 if the bytes are no IP packet. Only the first byte is looked
 * at, as the kernel's TUN does.
 */
uint16_t frame_ip_proto(const uint8_t *data, size_t len);

/*
 * The source address of an IP packet of that type, and its version: 4 or 6.
 * NULL if it is none, or cut off.
 */
const uint8_t *frame_ip_source(const uint8_t *data, size_t len,
			       uint16_t proto_be, int *ret_version);

/*
 * Whose an Ethernet frame says it is, behind up to two VLAN tags: the source of
 * an IP packet, the sender of ARP, the source of a neighbour's advertisement
 * and its target.
 */
struct frame_sender {
	int version; /* 4 or 6 */
	unsigned int n;
	const uint8_t *addresses[2]; /* in the frame */
	/* Nothing may be written before that later; 0: nor behind it. */
	size_t fixed;
};

/*
 * False if it says nothing of that, or cannot be looked through: other
 * protocols, what is cut off, and IPv6 with extension headers that may hide an
 * advertisement. Fragments hide none, since nobody takes those.
 */
bool frame_find_sender(const uint8_t *data, size_t len,
		       struct frame_sender *ret_sender);

/* The frame's Ethernet type, network byte order; 0 if it is too short. */
uint16_t frame_proto(const uint8_t *data, size_t len);

/* Builds the header of a frame that carries an IP packet to `mac`. */
void frame_build_header(uint8_t ret_header[ETH_HLEN],
			const uint8_t mac[ETH_ALEN], uint16_t proto);

/* What the kernel says about a received frame beside its bytes. */
struct frame_meta {
	bool has_vlan;	    /* a tag was taken out of the frame */
	uint16_t vlan_tpid; /* host byte order */
	uint16_t vlan_tci;  /* host byte order */
	bool needs_csum;    /* the checksum covers the pseudo-header only */
	uint16_t csum_start;
	uint16_t csum_offset;
};

/*
 * Completes the checksum that an offload left to the hardware. Returns false
 * if the positions lie outside the frame.
 */
bool frame_finish_csum(uint8_t *data, size_t len, const struct frame_meta *m);

/*
 * Makes the packet that a program is to read from a received frame: for TAP
 * the frame with its VLAN tag put back, for TUN what follows the Ethernet
 * header, which is something. Returns 0, -EINVAL for a frame that cannot be
 * one, or -ENOMEM. That of a TAP may have been cut anywhere, by the program's
 * own filter.
 */
int frame_to_pkt(const uint8_t *data, size_t len, const struct frame_meta *m,
		 bool tap, struct pkt **ret_pkt);

/*
 * A number for the conversation that a packet belongs to, the same in both
 * directions and for this process only: of the IP addresses, the protocol and,
 * where they are to be seen in every packet of it, the ports. Of what is no IP
 * packet, the Ethernet addresses and the type. `proto_be` is the Ethernet type
 * of a packet without an Ethernet header. Never fails.
 */
uint32_t frame_flow_hash(const uint8_t *data, size_t len, uint16_t proto_be,
			 bool ethernet);

#endif
