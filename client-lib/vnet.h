/* SPDX-License-Identifier: MIT */
/*
 * client-lib/vnet.h - struct tunclient_packet from and to a virtio-net header,
 * and whether its fields fit the packet.
 */
#ifndef TUNCLIENT_VNET_H
#define TUNCLIENT_VNET_H

#include <linux/virtio_net.h>
#include <stdbool.h>

#include <tunclient.h>

/* `before`: bytes that the header counts and the packet has not. */
void tunclient_vnet_take_(struct tunclient_packet *packet,
			  const struct virtio_net_hdr *header,
			  unsigned int before);
void tunclient_vnet_give_(struct virtio_net_hdr *ret_header,
			  const struct tunclient_packet *packet,
			  unsigned int before);

/* A packet without any. */
void tunclient_vnet_clear_(struct tunclient_packet *packet);

/*
 * Whether the packet can have its offload: as the kernel's TUN judges, which
 * looks at no byte of the packet.
 */
bool tunclient_vnet_fits_(const struct tunclient_packet *packet, bool ethernet);

#endif
