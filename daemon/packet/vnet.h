/* SPDX-License-Identifier: MIT */
/*
 * vnet.h - the virtio-net header that a program may put before a packet: what
 * TUN refuses of it, and its way to and from a packet socket. It looks at no
 * packet's bytes and does no I/O.
 *
 * Numbers are in the host's byte order; who speaks another one (TUNSETVNETLE,
 * TUNSETVNETBE) turns them before and after.
 */
#ifndef TUND_PACKET_VNET_H
#define TUND_PACKET_VNET_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>

/* Younger than some systems' headers: UDP in segments, since Linux 6.2. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/*
 * Whether TUN (Linux 6.18) takes the header for a packet of `len` bytes, which
 * for TAP (`ethernet`) begin with the Ethernet header: 0 or -EINVAL, as write()
 * answers. Raises hdr_len to the end of the checksum, as TUN does. `after` is
 * what follows the header's own 10 bytes: the packet, and a larger header's
 * rest, which TUN counts to what hdr_len may cover.
 *
 * This is the whole answer. A packet socket refuses more, because it looks into
 * the packet and sends it at once (EINVAL, ENOBUFS, ENOMEM, EMSGSIZE): TUN
 * takes these packets, and the host drops them later, which the program does
 * not see.
 */
int vnet_check(struct virtio_net_hdr *h, size_t len, size_t after,
	       bool ethernet);

/*
 * Moves the positions for a packet that got `delta` bytes more (or less, if
 * negative) in front: an Ethernet header. Returns false, and changes nothing,
 * if they cannot be told.
 */
bool vnet_shift(struct virtio_net_hdr *h, int delta);

/*
 * A VLAN tag was put back into a frame that a program reads. TUN leaves
 * hdr_len, a hint only, without the tag, and so does this. Returns as
 * vnet_shift().
 */
bool vnet_add_tag(struct virtio_net_hdr *h);

/*
 * The checksum is written by whoever sends the packet on, behind all that look
 * at it: whether the first `fixed` bytes stay as they are, and all if it is 0.
 */
bool vnet_leaves(const struct virtio_net_hdr *h, size_t fixed);

/*
 * How many packets the host makes of it; it may be one more than that, since
 * the headers' options are not looked at. The header was checked.
 */
unsigned int vnet_segments(const struct virtio_net_hdr *h, size_t len);

/* Turns the numbers into the other byte order. */
void vnet_swap(struct virtio_net_hdr *h);

#endif
