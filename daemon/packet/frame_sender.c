/* SPDX-License-Identifier: MIT */
/*
 * frame_sender.c - the part of frame.h that finds a sender's IP addresses in
 * Ethernet frames. net/bpf_sources.c has the same in the kernel's instructions.
 */
#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "packet/frame.h"

#define VLAN_HLEN     4
#define VLAN_TAGS_MAX 2
#define IPV4_HLEN     20
#define IPV4_SOURCE   12
#define IPV6_HLEN     40
#define IPV6_NEXT     6
#define IPV6_SOURCE   8
/* Behind the IPv6 header. */
#define ND_TARGET     8
#define ND_TARGET_END 24
#define SHORT_OPTIONS 8
#define ARP_SENDER    14
#define ARP_LEN	      28
/* In no header of ours. */
#define PROTO_HIP   139
#define PROTO_SHIM6 140

static void add(struct frame_sender *sender, int version,
		const uint8_t *address)
{
	sender->version = version;
	sender->addresses[sender->n++] = address;
}

static bool read_ipv4(const uint8_t *data, size_t len,
		      struct frame_sender *sender)
{
	if (len < IPV4_HLEN)
		return false;
	sender->fixed = IPV4_HLEN;
	add(sender, 4, data + IPV4_SOURCE);
	return true;
}

/* Of Ethernet and IPv4: nobody takes any other for one. */
static bool read_arp(const uint8_t *data, size_t len,
		     struct frame_sender *sender)
{
	static const uint8_t begin[] = {0, 1, 8, 0, 6, 4};

	if (len < ARP_LEN || memcmp(data, begin, sizeof(begin)) != 0)
		return false;
	add(sender, 4, data + ARP_SENDER);
	return true;
}

/* An advertisement is about its target. */
static bool read_icmp(const uint8_t *data, size_t len,
		      struct frame_sender *sender)
{
	if (len == 0)
		return false;
	if (data[0] != ND_NEIGHBOR_ADVERT)
		return true;
	if (len < ND_TARGET_END)
		return false;
	add(sender, 6, data + ND_TARGET);
	return true;
}

/* Those of multicast listeners, which are that long, and no advertisement. */
static bool are_harmless_options(const uint8_t *data, size_t len)
{
	return len > SHORT_OPTIONS && data[0] == IPPROTO_ICMPV6 &&
	       data[1] == 0 && data[SHORT_OPTIONS] != ND_NEIGHBOR_ADVERT;
}

static bool read_ipv6(const uint8_t *data, size_t len,
		      struct frame_sender *sender)
{
	if (len < IPV6_HLEN)
		return false;
	add(sender, 6, data + IPV6_SOURCE);
	switch (data[IPV6_NEXT]) {
	case IPPROTO_ICMPV6:
		return read_icmp(data + IPV6_HLEN, len - IPV6_HLEN, sender);
	case IPPROTO_HOPOPTS:
		return are_harmless_options(data + IPV6_HLEN, len - IPV6_HLEN);
	case IPPROTO_ROUTING:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return false;
	default:
		sender->fixed = IPV6_HLEN;
		return true;
	}
}

static bool read_packet(uint16_t type, const uint8_t *data, size_t len,
			struct frame_sender *sender)
{
	switch (type) {
	case ETH_P_IP:
		return read_ipv4(data, len, sender);
	case ETH_P_IPV6:
		return read_ipv6(data, len, sender);
	case ETH_P_ARP:
		return read_arp(data, len, sender);
	default:
		return false;
	}
}

bool frame_find_sender(const uint8_t *data, size_t len,
		       struct frame_sender *ret_sender)
{
	const uint8_t *begin = data;
	unsigned int tags = 0;
	uint16_t type;

	ret_sender->n = 0;
	ret_sender->fixed = 0;
	if (len < ETH_HLEN)
		return false;
	type = ntohs(frame_proto(data, len));
	data += ETH_HLEN;
	len -= ETH_HLEN;
	while (type == ETH_P_8021Q || type == ETH_P_8021AD) {
		if (tags++ == VLAN_TAGS_MAX || len < VLAN_HLEN)
			return false;
		memcpy(&type, data + 2, sizeof(type));
		type = ntohs(type);
		data += VLAN_HLEN;
		len -= VLAN_HLEN;
	}
	if (!read_packet(type, data, len, ret_sender))
		return false;
	if (ret_sender->fixed)
		ret_sender->fixed += (size_t)(data - begin);
	return true;
}
