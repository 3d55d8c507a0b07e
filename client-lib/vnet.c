/* SPDX-License-Identifier: MIT */
/* client-lib/vnet.c - nothing but numbers that move to another place. */
#include "vnet.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(TUNCLIENT_NEEDS_CSUM == VIRTIO_NET_HDR_F_NEEDS_CSUM &&
		       TUNCLIENT_CSUM_VALID == VIRTIO_NET_HDR_F_DATA_VALID &&
		       TUNCLIENT_GSO_TCPV4 == VIRTIO_NET_HDR_GSO_TCPV4 &&
		       TUNCLIENT_GSO_TCPV6 == VIRTIO_NET_HDR_GSO_TCPV6 &&
		       TUNCLIENT_GSO_UDP == 5 &&
		       TUNCLIENT_GSO_ECN == VIRTIO_NET_HDR_GSO_ECN,
	       "they are said in virtio's numbers");

void tunclient_vnet_clear_(struct tunclient_packet *packet)
{
	static const struct virtio_net_hdr none;

	tunclient_vnet_take_(packet, &none, 0);
}

void tunclient_vnet_take_(struct tunclient_packet *packet,
			  const struct virtio_net_hdr *header,
			  unsigned int before)
{
	bool needs_csum = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;

	packet->flags =
		header->flags & (TUNCLIENT_NEEDS_CSUM | TUNCLIENT_CSUM_VALID);
	packet->gso_type = header->gso_type;
	packet->hdr_len = header->hdr_len > before
				  ? (uint16_t)(header->hdr_len - before)
				  : 0;
	packet->gso_size = header->gso_size;
	packet->csum_start =
		needs_csum ? (uint16_t)(header->csum_start - before) : 0;
	packet->csum_offset = needs_csum ? header->csum_offset : 0;
	memset(packet->reserved, 0, sizeof(packet->reserved));
}

/* What does not fit is refused by whoever receives it, and must not wrap. */
static uint16_t shifted(uint16_t at, unsigned int before)
{
	return (uint16_t)(at + before < UINT16_MAX ? at + before : UINT16_MAX);
}

void tunclient_vnet_give_(struct virtio_net_hdr *ret_header,
			  const struct tunclient_packet *packet,
			  unsigned int before)
{
	bool needs_csum = packet->flags & TUNCLIENT_NEEDS_CSUM;

	memset(ret_header, 0, sizeof(*ret_header));
	ret_header->gso_type = packet->gso_type;
	if (packet->gso_type != TUNCLIENT_GSO_NONE) {
		ret_header->gso_size = packet->gso_size;
		ret_header->hdr_len = shifted(packet->hdr_len, before);
	}
	if (needs_csum) {
		ret_header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		ret_header->csum_start = shifted(packet->csum_start, before);
		ret_header->csum_offset = packet->csum_offset;
	}
}
