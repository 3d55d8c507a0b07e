/* SPDX-License-Identifier: MIT */
/*
 * client-lib/vnet.c - numbers that move to another place, and which of them
 * there can be.
 */
#include "vnet.h"

#include <net/ethernet.h>
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

/* ---- what fits ---- */

/* What a kind of segmentation needs of the headers, at least. */
struct kind {
	unsigned int ip, transport; /* bytes */
};

/* TUN counts 64 bytes of its own in the 16 bits that hold the position. */
enum { CSUM_START_MAX = UINT16_MAX - 64 };

/* GSO_SIZE of the kernel's own use, and segments that it makes of UDP. */
enum { GSO_SIZE_RESERVED = UINT16_MAX, UDP_SEGMENTS_MAX = 128 };

static bool read_kind(unsigned int gso_type, struct kind *ret_kind)
{
	switch (gso_type) {
	case TUNCLIENT_GSO_NONE:
		*ret_kind = (struct kind){20, 0};
		return true;
	case TUNCLIENT_GSO_TCPV4:
	case TUNCLIENT_GSO_TCPV4 | TUNCLIENT_GSO_ECN:
		*ret_kind = (struct kind){20, 20};
		return true;
	case TUNCLIENT_GSO_TCPV6:
	case TUNCLIENT_GSO_TCPV6 | TUNCLIENT_GSO_ECN:
		*ret_kind = (struct kind){40, 20};
		return true;
	case TUNCLIENT_GSO_UDP:
		*ret_kind = (struct kind){20, 8};
		return true;
	default:
		return false;
	}
}

static bool hdr_len_fits(const struct tunclient_packet *p, bool ethernet)
{
	unsigned int len = p->gso_type ? p->hdr_len : 0;
	unsigned int csum_end = p->csum_start + p->csum_offset + 2u;

	if (p->flags & TUNCLIENT_NEEDS_CSUM && csum_end > len)
		len = csum_end;
	return len <= p->length &&
	       (!ethernet || len == 0 || len >= ETHER_HDR_LEN);
}

static bool csum_fits(const struct tunclient_packet *p, const struct kind *kind)
{
	return p->csum_start >= kind->ip && p->csum_start <= CSUM_START_MAX;
}

static bool gso_fits(const struct tunclient_packet *p, const struct kind *kind)
{
	bool needs_csum = p->flags & TUNCLIENT_NEEDS_CSUM;
	unsigned int headers =
		kind->transport + (needs_csum ? p->csum_start : kind->ip);

	if (headers > p->length || p->gso_size == 0 ||
	    p->gso_size == GSO_SIZE_RESERVED)
		return false;
	if (p->gso_type == TUNCLIENT_GSO_UDP)
		return needs_csum && p->csum_offset == 6 &&
		       p->length - headers <=
			       (unsigned int)p->gso_size * UDP_SEGMENTS_MAX;
	return !needs_csum || p->csum_offset == 16;
}

bool tunclient_vnet_fits_(const struct tunclient_packet *packet, bool ethernet)
{
	struct kind kind;

	if (!read_kind(packet->gso_type, &kind) ||
	    !hdr_len_fits(packet, ethernet))
		return false;
	if (packet->flags & TUNCLIENT_NEEDS_CSUM && !csum_fits(packet, &kind))
		return false;
	return packet->gso_type == TUNCLIENT_GSO_NONE ||
	       gso_fits(packet, &kind);
}
