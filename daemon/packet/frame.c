/* SPDX-License-Identifier: MIT */
/* frame.c - bytes are read one by one or copied, never through a cast: a
 * packet has no alignment.
 */
#include "packet/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define VLAN_HLEN    4
#define MACS_LEN     (2 * ETH_ALEN)
#define TYPE_OFFSET  MACS_LEN
#define VLAN_DEFAULT ETH_P_8021Q
#define IPV4_HLEN    20
#define IPV4_SOURCE  12
#define IPV6_HLEN    40
#define IPV6_SOURCE  8

uint16_t frame_ip_proto(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	switch (data[0] >> 4) {
	case 4:
		return htons(ETH_P_IP);
	case 6:
		return htons(ETH_P_IPV6);
	default:
		return 0;
	}
}

const uint8_t *frame_ip_source(const uint8_t *data, size_t len,
			       uint16_t proto_be, int *ret_version)
{
	if (!proto_be || frame_ip_proto(data, len) != proto_be)
		return NULL;
	*ret_version = data[0] >> 4;
	if (*ret_version == 4)
		return len < IPV4_HLEN ? NULL : data + IPV4_SOURCE;
	return len < IPV6_HLEN ? NULL : data + IPV6_SOURCE;
}

uint16_t frame_proto(const uint8_t *data, size_t len)
{
	uint16_t proto;

	if (len < ETH_HLEN)
		return 0;
	memcpy(&proto, data + TYPE_OFFSET, sizeof(proto));
	return proto;
}

void frame_build_header(uint8_t ret_header[ETH_HLEN],
			const uint8_t mac[ETH_ALEN], uint16_t proto)
{
	/* The host's own frames come with its address as the source, too. */
	memcpy(ret_header, mac, ETH_ALEN);
	memcpy(ret_header + ETH_ALEN, mac, ETH_ALEN);
	memcpy(ret_header + TYPE_OFFSET, &proto, sizeof(proto));
}

/* The Internet checksum (RFC 1071) of the bytes, folded, not inverted. */
static uint16_t sum_bytes(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;
	uint16_t word;

	for (; len >= 2; data += 2, len -= 2) {
		memcpy(&word, data, 2);
		sum += word;
	}
	if (len == 1) {
		word = 0;
		memcpy(&word, data, 1);
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool frame_finish_csum(uint8_t *data, size_t len, const struct frame_meta *m)
{
	size_t start = m->csum_start;
	size_t field = start + m->csum_offset;
	uint16_t sum;

	if (start > len || field + 2 > len)
		return false;
	/* The field holds the sum of the pseudo-header: it is part of this. */
	sum = (uint16_t)~sum_bytes(data + start, len - start);
	/* 0 means "no checksum" to UDP; 0xffff is the same number. */
	if (sum == 0)
		sum = 0xffff;
	memcpy(data + field, &sum, sizeof(sum));
	return true;
}

static int tap_pkt(const uint8_t *data, size_t len, const struct frame_meta *m,
		   struct pkt **ret_pkt)
{
	size_t macs = len < MACS_LEN ? len : MACS_LEN;
	size_t tag = m->has_vlan ? VLAN_HLEN : 0;
	struct pkt *pkt = pkt_new(len + tag);
	uint16_t tpid, tci;

	if (!pkt)
		return -ENOMEM;
	memcpy(pkt->data, data, macs);
	if (tag) {
		tpid = htons(m->vlan_tpid ? m->vlan_tpid : VLAN_DEFAULT);
		tci = htons(m->vlan_tci);
		memcpy(pkt->data + MACS_LEN, &tpid, sizeof(tpid));
		memcpy(pkt->data + MACS_LEN + 2, &tci, sizeof(tci));
	}
	memcpy(pkt->data + macs + tag, data + macs, len - macs);
	pkt->proto = frame_proto(pkt->data, pkt->len);
	*ret_pkt = pkt;
	return 0;
}

int frame_to_pkt(const uint8_t *data, size_t len, const struct frame_meta *m,
		 bool tap, struct pkt **ret_pkt)
{
	struct pkt *pkt;

	if (len < ETH_HLEN && (m->has_vlan || len == 0))
		return -EINVAL;
	if (tap)
		return tap_pkt(data, len, m, ret_pkt);
	/* An empty one would be a file's end to whoever reads it. */
	if (len <= ETH_HLEN)
		return -EINVAL;

	pkt = pkt_new(len - ETH_HLEN);
	if (!pkt)
		return -ENOMEM;
	memcpy(pkt->data, data + ETH_HLEN, len - ETH_HLEN);
	pkt->proto = frame_proto(data, len);
	*ret_pkt = pkt;
	return 0;
}
