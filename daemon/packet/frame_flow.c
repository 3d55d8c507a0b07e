/* SPDX-License-Identifier: MIT */
/*
 * frame_flow.c - the part of frame.h that finds out which conversation a
 * packet belongs to. It looks at headers only and remembers nothing.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/util.h"
#include "packet/frame.h"

#define VLAN_HLEN     4
#define VLAN_TAGS_MAX 2
#define IPV4_HLEN     20
#define IPV6_HLEN     40
/* Longer chains are not made by honest senders. */
#define EXTENSIONS_MAX 8

/* One end of the conversation; what it does not have is 0. */
struct end {
	uint8_t addr[16];
	uint8_t port[2];
};

/* There is no padding: it is hashed as the words that it is made of. */
struct flow_key {
	struct end from, to;
	uint8_t spare;
	uint8_t proto;
	uint16_t type; /* Ethernet type, network byte order */
};

#define KEY_WORDS (sizeof(struct flow_key) / sizeof(uint64_t))
_Static_assert(sizeof(struct flow_key) == 5 * sizeof(uint64_t), "padding");

/* ---- the key ---- */

static void read_ports(const uint8_t *data, size_t len, size_t offset,
		       struct flow_key *key)
{
	switch (key->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		break;
	default:
		return;
	}
	if (offset > len || len - offset < 4)
		return;
	memcpy(key->from.port, data + offset, 2);
	memcpy(key->to.port, data + offset + 2, 2);
}

static bool read_ipv4(const uint8_t *data, size_t len, struct flow_key *key)
{
	size_t header;
	bool fragment;

	if (len < IPV4_HLEN || data[0] >> 4 != 4)
		return false;
	header = (size_t)(data[0] & 0xf) * 4;
	if (header < IPV4_HLEN)
		return false;
	memcpy(key->from.addr, data + 12, 4);
	memcpy(key->to.addr, data + 16, 4);
	key->proto = data[9];
	/*
	 * Only the first fragment has ports, so it does without them, too:
	 * those of one packet must stay together.
	 */
	fragment = (data[6] & 0x3f) != 0 || data[7] != 0;
	if (!fragment)
		read_ports(data, len, header, key);
	return true;
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_DSTOPTS;
}

static bool read_ipv6(const uint8_t *data, size_t len, struct flow_key *key)
{
	size_t offset = IPV6_HLEN;

	if (len < IPV6_HLEN || data[0] >> 4 != 6)
		return false;
	memcpy(key->from.addr, data + 8, 16);
	memcpy(key->to.addr, data + 24, 16);
	key->proto = data[6];
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(key->proto); i++) {
		if (len - offset < 8)
			return true;
		key->proto = data[offset];
		offset += ((size_t)data[offset + 1] + 1) * 8;
		if (offset > len)
			return true;
	}
	if (key->proto == IPPROTO_FRAGMENT && len - offset >= 8)
		key->proto = data[offset];
	else
		read_ports(data, len, offset, key);
	return true;
}

static bool read_ip(const uint8_t *data, size_t len, uint16_t type,
		    struct flow_key *key)
{
	switch (ntohs(type)) {
	case ETH_P_IP:
		return read_ipv4(data, len, key);
	case ETH_P_IPV6:
		return read_ipv6(data, len, key);
	default:
		return false;
	}
}

static bool is_vlan(uint16_t type)
{
	return type == htons(ETH_P_8021Q) || type == htons(ETH_P_8021AD);
}

/* Returns where the payload begins. */
static size_t read_ethernet(const uint8_t *data, size_t len,
			    struct flow_key *key)
{
	size_t offset = ETH_HLEN;

	if (len < ETH_HLEN)
		return len;
	memcpy(key->to.addr, data, ETH_ALEN);
	memcpy(key->from.addr, data + ETH_ALEN, ETH_ALEN);
	key->type = frame_proto(data, len);
	/* The number of the VLAN does not count: it may be outside the frame.
	 */
	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(key->type); i++) {
		if (len - offset < VLAN_HLEN)
			break;
		memcpy(&key->type, data + offset + 2, sizeof(key->type));
		offset += VLAN_HLEN;
	}
	return offset;
}

static void read_key(const uint8_t *data, size_t len, uint16_t proto_be,
		     bool ethernet, struct flow_key *ret_key)
{
	struct flow_key ip = {.type = proto_be};
	size_t offset = 0;

	*ret_key = ip;
	if (ethernet) {
		offset = read_ethernet(data, len, ret_key);
		ip.type = ret_key->type;
	}
	if (read_ip(data + offset, len - offset, ip.type, &ip))
		*ret_key = ip;
}

/* Both directions get the same key. */
static void sort_ends(struct flow_key *key)
{
	struct end end = key->from;

	if (memcmp(&key->from, &key->to, sizeof(end)) <= 0)
		return;
	key->from = key->to;
	key->to = end;
}

/* ---- the hash ---- */

static uint64_t secret[2];

static void make_secret(void)
{
	if (getrandom(secret, sizeof(secret), GRND_NONBLOCK) ==
	    (ssize_t)sizeof(secret))
		return;
	/* Flows that are made to collide share a queue: no more than that. */
	secret[0] = now_ms();
	secret[1] = (uintptr_t)&secret;
}

static uint64_t rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/*
 * SipHash-1-3 over words: a plainer mixer has keys that collide whatever the
 * secret is, and whoever sends packets chooses the keys.
 */
static uint64_t hash_words(const uint64_t *words, size_t n)
{
	uint64_t v[4] = {
		secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d,
		secret[0] ^ 0x6c7967656e657261, secret[1] ^ 0x7465646279746573};

	for (size_t i = 0; i < n; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint32_t frame_flow_hash(const uint8_t *data, size_t len, uint16_t proto_be,
			 bool ethernet)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t words[KEY_WORDS];
	struct flow_key key;

	pthread_once(&once, make_secret);
	read_key(data, len, proto_be, ethernet, &key);
	sort_ends(&key);
	memcpy(words, &key, sizeof(key));
	return (uint32_t)(hash_words(words, KEY_WORDS) >> 32);
}
