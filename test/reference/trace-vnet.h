/* SPDX-License-Identifier: MIT */
/* A device with a virtio-net header in front of its packets, as the cases of
 * case-gso- use it; headers of other sizes are case-vnet.c's own. */
#ifndef TRACE_VNET_H
#define TRACE_VNET_H

#include "tun-trace.h"

#include <linux/virtio_net.h>

#define VNET	 (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)
#define VNET_TAP (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
#define HDR	 10

/* Younger than the headers of Debian 12. */
#define TRACE_GSO_UDP_L4 5

/* Arguments of TUNSETOFFLOAD. */
#define CSUM 1ul
#define TSO4 3ul
#define TSO6 5ul
#define USO  0x61ul
#define ALL  0x6ful

/* The packet that is being made or was read. */
extern uint8_t gso_buf[PACKET_MAX + 100];

struct gso_rig {
	struct rig rig;
	size_t eth;
	uint8_t *ip; /* into gso_buf, behind the headers */
};

/* Attached and up, with these offloads; or the end of the case. */
void gso_up(struct gso_rig *g, int flags, unsigned long offloads);
/* A datagram in gso_buf, behind a header of zeros; its whole length. */
size_t gso_make_udp(struct gso_rig *g, size_t payload);

#endif
