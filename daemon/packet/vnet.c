/* SPDX-License-Identifier: MIT */
/*
 * vnet.c - the rules as Linux 6.18 has them: millions of random headers,
 * written to TUN and TAP devices, got the same answer as here.
 */
#include "packet/vnet.h"

#include <byteswap.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdint.h>

#define VLAN_HLEN	  4
#define IPV4_HLEN	  20
#define IPV6_HLEN	  40
#define TCP_HLEN	  20
#define TCP_CSUM_OFFSET	  16
#define UDP_HLEN	  8
#define UDP_CSUM_OFFSET	  6
#define UDP_SEGMENTS_MAX  128
#define GSO_SIZE_RESERVED 0xffff
/* TUN counts 64 bytes of its own in the 16 bits that hold the position. */
#define CSUM_START_MAX (0xffff - 64)

/* What a kind of segmentation needs of the headers. */
struct kind {
	size_t ip_len;	      /* at least */
	size_t transport_len; /* at least */
};

/* Returns false for a kind that there is not. */
static bool read_kind(uint8_t gso_type, struct kind *ret_kind)
{
	*ret_kind = (struct kind){.ip_len = IPV4_HLEN};
	if (gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV6:
		ret_kind->ip_len = IPV6_HLEN;
		ret_kind->transport_len = TCP_HLEN;
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		ret_kind->transport_len = TCP_HLEN;
		return true;
	case VIRTIO_NET_HDR_GSO_UDP:
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		ret_kind->transport_len = UDP_HLEN;
		return true;
	default:
		return false;
	}
}

static bool needs_csum(const struct virtio_net_hdr *h)
{
	return h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
}

/* `headers` is how much of the packet is no payload. */
static bool gso_fits(const struct virtio_net_hdr *h, size_t len, size_t headers)
{
	if (h->gso_size == 0 || h->gso_size == GSO_SIZE_RESERVED)
		return false;
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return h->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4 &&
		       needs_csum(h) && h->csum_offset == UDP_CSUM_OFFSET &&
		       len - headers <= (size_t)h->gso_size * UDP_SEGMENTS_MAX;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return !needs_csum(h) || h->csum_offset == TCP_CSUM_OFFSET;
	default:
		return true;
	}
}

static bool hdr_len_fits(struct virtio_net_hdr *h, size_t len, size_t after,
			 bool ethernet)
{
	size_t csum_end = (size_t)h->csum_start + h->csum_offset + 2;

	/* TUN keeps 16 bits of it, too; csum_fits() sees the rest. */
	if (needs_csum(h) && csum_end > h->hdr_len)
		h->hdr_len = (uint16_t)csum_end;
	if (h->hdr_len > after)
		return false;
	return !ethernet ||
	       (len >= ETH_HLEN && (h->hdr_len == 0 || h->hdr_len >= ETH_HLEN));
}

/* What is no payload, at least. */
static size_t headers_len(const struct virtio_net_hdr *h,
			  const struct kind *kind)
{
	return kind->transport_len +
	       (needs_csum(h) ? h->csum_start : kind->ip_len);
}

/* Positions count from the first byte, for TAP as well: so does the least. */
static bool csum_fits(const struct virtio_net_hdr *h, size_t len,
		      const struct kind *kind)
{
	size_t start = h->csum_start;

	return start >= kind->ip_len && start <= CSUM_START_MAX &&
	       start + h->csum_offset + 2 <= len;
}

int vnet_check(struct virtio_net_hdr *h, size_t len, size_t after,
	       bool ethernet)
{
	bool gso = h->gso_type != VIRTIO_NET_HDR_GSO_NONE;
	struct kind kind;
	size_t headers;

	if (!hdr_len_fits(h, len, after, ethernet) ||
	    !read_kind(h->gso_type, &kind))
		return -EINVAL;
	if (needs_csum(h) && !csum_fits(h, len, &kind))
		return -EINVAL;
	headers = headers_len(h, &kind);
	if (gso && (headers > len || !gso_fits(h, len, headers)))
		return -EINVAL;
	/* A packet socket would refuse it; it is a hint. */
	if (h->hdr_len > len)
		h->hdr_len = (uint16_t)len;
	return 0;
}

bool vnet_leaves(const struct virtio_net_hdr *h, size_t fixed)
{
	if (!needs_csum(h))
		return true;
	return fixed && (size_t)h->csum_start + h->csum_offset >= fixed;
}

unsigned int vnet_segments(const struct virtio_net_hdr *h, size_t len)
{
	struct kind kind;
	size_t headers;

	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE || h->gso_size == 0 ||
	    !read_kind(h->gso_type, &kind))
		return 1;
	headers = headers_len(h, &kind);
	if (len <= headers + h->gso_size)
		return 1;
	return (unsigned int)((len - headers + h->gso_size - 1) / h->gso_size);
}

static bool fits(int position)
{
	return position >= 0 && position <= UINT16_MAX;
}

bool vnet_shift(struct virtio_net_hdr *h, int delta)
{
	int start = h->csum_start + (needs_csum(h) ? delta : 0);
	int hdr_len = h->hdr_len + (h->hdr_len ? delta : 0);

	if (!fits(start) || !fits(hdr_len))
		return false;
	h->csum_start = (uint16_t)start;
	h->hdr_len = (uint16_t)hdr_len;
	return true;
}

bool vnet_add_tag(struct virtio_net_hdr *h)
{
	int start = h->csum_start + (needs_csum(h) ? VLAN_HLEN : 0);

	if (!fits(start))
		return false;
	h->csum_start = (uint16_t)start;
	return true;
}

void vnet_swap(struct virtio_net_hdr *h)
{
	h->hdr_len = bswap_16(h->hdr_len);
	h->gso_size = bswap_16(h->gso_size);
	h->csum_start = bswap_16(h->csum_start);
	h->csum_offset = bswap_16(h->csum_offset);
}
