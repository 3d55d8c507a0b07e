/* SPDX-License-Identifier: MIT */
/*
 * test-frame-flow.c - frame_flow_hash() of packet/frame.h. The hash has a
 * secret, so only what is equal and what is not is known of it. Every buffer
 * has just the size that the parser is told, for the sanitizer to see.
 */
#include <arpa/inet.h>
#include <string.h>

#include "packet/frame.h"
#include "unit.h"

enum {
	HOPOPTS = 0,
	ICMP = 1,
	TCP = 6,
	UDP = 17,
	ROUTING = 43,
	FRAGMENT = 44,
	DSTOPTS = 60,
	SCTP = 132,
};

static uint32_t seed = 0x5eed0002;

/* What a test says about a packet; the rest is random. */
struct packet {
	int version, proto;
	uint8_t from, to; /* last byte of the addresses */
	uint16_t sport, dport;
	bool fragment; /* not the whole of it */
	int options;   /* IPv4: words; IPv6: extension headers */
	int tags;      /* -1: without an Ethernet header */
};

static const struct packet plain = {
	.version = 4,
	.proto = TCP,
	.from = 1,
	.to = 2,
	.sport = 1000,
	.dport = 80,
	.tags = -1,
};

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static size_t put_ethernet(uint8_t *at, const struct packet *p)
{
	size_t len = 12;

	for (int i = 0; i < p->tags; i++, len += 4)
		put16(at + len, i + 1 < p->tags ? 0x88a8 : 0x8100);
	put16(at + len, p->version == 4 ? 0x0800 : 0x86dd);
	return len + 2;
}

static size_t put_ipv4(uint8_t *at, const struct packet *p)
{
	at[0] = (uint8_t)(0x40 | (5 + p->options));
	put16(at + 6, p->fragment ? 0x2000 : 0x4000);
	at[9] = (uint8_t)p->proto;
	memset(at + 12, 10, 8);
	at[15] = p->from;
	at[19] = p->to;
	return (size_t)(5 + p->options) * 4;
}

static size_t put_ipv6(uint8_t *at, const struct packet *p)
{
	static const uint8_t kinds[] = {HOPOPTS, ROUTING, DSTOPTS};
	uint8_t *next = at + 6;
	size_t len = 40;

	at[0] = (uint8_t)(0x60 | (at[0] & 0xf));
	memset(at + 8, 0xfd, 32);
	at[23] = p->from;
	at[39] = p->to;
	for (int i = 0; i < p->options; i++) {
		*next = kinds[i % 3];
		next = at + len;
		at[len + 1] = (uint8_t)(i % 2);
		len += 8 + (size_t)(i % 2) * 8;
	}
	if (p->fragment) {
		*next = FRAGMENT;
		next = at + len;
		len += 8;
	}
	*next = (uint8_t)p->proto;
	return len;
}

static size_t build(uint8_t *data, const struct packet *p)
{
	size_t len = 0;

	for (size_t i = 0; i < 300; i++)
		data[i] = (uint8_t)random_next(&seed);
	if (p->tags >= 0)
		len = put_ethernet(data, p);
	len += p->version == 4 ? put_ipv4(data + len, p)
			       : put_ipv6(data + len, p);
	put16(data + len, p->sport);
	put16(data + len + 2, p->dport);
	return len + 4;
}

static uint32_t hash_bytes(const uint8_t *data, size_t len, uint16_t proto,
			   bool ethernet)
{
	uint8_t *copy = must_alloc(len);
	uint32_t hash;

	if (len > 0)
		memcpy(copy, data, len);
	hash = frame_flow_hash(copy, len, htons(proto), ethernet);
	free(copy);
	return hash;
}

static uint32_t hash_of(const struct packet *p)
{
	uint8_t data[300];
	size_t len = build(data, p);

	return hash_bytes(data, len, p->version == 4 ? 0x0800 : 0x86dd,
			  p->tags >= 0);
}

static struct packet reply_to(struct packet p)
{
	struct packet reply = p;

	reply.from = p.to;
	reply.to = p.from;
	reply.sport = p.dport;
	reply.dport = p.sport;
	return reply;
}

/* Calls `check` with all that changes how ports are found. */
static void for_all_kinds(void (*check)(struct packet p))
{
	static const int protos[] = {TCP, UDP, SCTP};
	struct packet p = plain;

	for (int i = 0; i < 3 * 2 * 4; i++) {
		p.proto = protos[i % 3];
		p.version = i / 3 % 2 ? 6 : 4;
		p.tags = i / 6 - 1;
		for (p.options = 0; p.options <= 8; p.options++)
			check(p);
	}
}

static void check_directions(struct packet p)
{
	struct packet reply = reply_to(p);

	assert_int_equal(hash_of(&p), hash_of(&reply));
	p.fragment = reply.fragment = true;
	assert_int_equal(hash_of(&p), hash_of(&reply));
	/* To oneself, too. */
	p.to = reply.to = p.from;
	p.fragment = reply.fragment = false;
	reply.from = p.from;
	assert_int_equal(hash_of(&p), hash_of(&reply));
}

static void both_directions_are_one_flow(void **state)
{
	for_all_kinds(check_directions);
}

static void check_parts(struct packet p)
{
	const uint32_t hash = hash_of(&p);
	struct packet other = p;

	other.sport++;
	assert_int_not_equal(hash_of(&other), hash);
	other = p;
	other.dport++;
	assert_int_not_equal(hash_of(&other), hash);
	other = p;
	other.from++;
	assert_int_not_equal(hash_of(&other), hash);
	other = p;
	other.to++;
	assert_int_not_equal(hash_of(&other), hash);
	other = p;
	other.proto = p.proto == TCP ? UDP : TCP;
	assert_int_not_equal(hash_of(&other), hash);
	/* The ports belong to their addresses. */
	other = p;
	other.sport = p.dport;
	other.dport = p.sport;
	assert_int_not_equal(hash_of(&other), hash);
}

static void every_part_counts(void **state)
{
	for_all_kinds(check_parts);
}

/* All the rest of the packet is random each time that it is built. */
static void check_rest(struct packet p)
{
	struct packet bare = p;

	assert_int_equal(hash_of(&p), hash_of(&p));
	bare.tags = -1;
	bare.options = 0;
	assert_int_equal(hash_of(&p), hash_of(&bare));
}

static void headers_around_do_not_count(void **state)
{
	for_all_kinds(check_rest);
}

static void check_fragments(struct packet p)
{
	struct packet other = p;

	p.fragment = true;
	other.fragment = true;
	other.sport = 1;
	other.dport = 2;
	assert_int_equal(hash_of(&p), hash_of(&other));
	other.to++;
	assert_int_not_equal(hash_of(&p), hash_of(&other));
}

static void fragments_stay_together(void **state)
{
	for_all_kinds(check_fragments);
}

static void last_fragment_is_one(void **state)
{
	struct packet p = plain;
	uint8_t data[300];
	uint32_t hash;

	p.fragment = true;
	hash = hash_of(&p);
	for (unsigned int offset = 1; offset < 0x2000; offset <<= 1) {
		size_t len = build(data, &p);

		put16(data + 6, offset);
		assert_int_equal(hash_bytes(data, len, 0x0800, false), hash);
	}
}

static void other_protocols_have_no_ports(void **state)
{
	struct packet p = plain, other = plain;

	p.proto = other.proto = ICMP;
	other.sport = 1;
	assert_int_equal(hash_of(&p), hash_of(&other));
	p.version = other.version = 6;
	assert_int_equal(hash_of(&p), hash_of(&other));
}

/* Beyond the bound ports are not looked for. */
static void long_chains_are_left(void **state)
{
	struct packet p = plain, other = plain;

	p.version = other.version = 6;
	p.options = other.options = 9;
	other.sport = 1;
	assert_int_equal(hash_of(&p), hash_of(&other));
	other.to++;
	assert_int_not_equal(hash_of(&p), hash_of(&other));
}

static void versions_are_not_confused(void **state)
{
	struct packet p = plain;
	uint8_t data[300];
	size_t len = build(data, &p);
	uint32_t hash = hash_bytes(data, len, 0x0800, false);
	uint32_t none = hash_bytes(NULL, 0, 0x0800, false);

	data[0] = 0x65;
	assert_int_equal(hash_bytes(data, len, 0x0800, false), none);
	data[0] = 0x44; /* a header of four words */
	assert_int_equal(hash_bytes(data, len, 0x0800, false), none);
	data[0] = 0x45;
	assert_int_equal(hash_bytes(data, len, 0x0800, false), hash);
	assert_int_not_equal(hash_bytes(data, len, 0x86dd, false), hash);
}

/* ---- what is no IP ---- */

static void other_frames_go_by_their_addresses(void **state)
{
	uint8_t there[60] = {0}, back[60] = {0};
	uint32_t hash;

	memcpy(there, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
	memcpy(back, "\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5", 14);
	back[20] = 1;
	hash = hash_bytes(there, 60, 0, true);
	assert_int_equal(hash_bytes(back, 60, 0, true), hash);
	/* What the caller says is not looked at, nor is the VLAN. */
	assert_int_equal(hash_bytes(there, 60, 0x0800, true), hash);
	memcpy(there + 12, "\x81\0\0\5\x88\xb5", 6);
	assert_int_equal(hash_bytes(there, 60, 0, true), hash);
	there[17]++;
	assert_int_not_equal(hash_bytes(there, 60, 0, true), hash);
	back[11]++;
	assert_int_not_equal(hash_bytes(back, 60, 0, true), hash);
}

static void third_tag_is_no_ip(void **state)
{
	struct packet p = plain, other = plain;
	uint8_t data[300];
	uint32_t hash;
	size_t len;

	p.tags = 3;
	len = build(data, &p);
	hash = hash_bytes(data, len, 0, true);
	data[14 + 12 + 15]++;
	assert_int_equal(hash_bytes(data, len, 0, true), hash);
	data[3]++;
	assert_int_not_equal(hash_bytes(data, len, 0, true), hash);
	other.tags = 2;
	assert_int_not_equal(hash_of(&other), hash);
}

/* ---- hostile ---- */

static void check_truncated(struct packet p)
{
	uint16_t proto = p.version == 4 ? 0x0800 : 0x86dd;
	uint8_t data[300];
	size_t whole = build(data, &p);
	uint32_t hash = hash_bytes(data, whole, proto, p.tags >= 0);

	for (size_t len = 0; len < whole; len++) {
		uint32_t part = hash_bytes(data, len, proto, p.tags >= 0);

		assert_int_equal(part,
				 hash_bytes(data, len, proto, p.tags >= 0));
		assert_int_not_equal(part, hash);
	}
	/* What follows the ports does not matter. */
	assert_int_equal(hash_bytes(data, whole + 20, proto, p.tags >= 0),
			 hash);
}

static void truncated_packets_are_harmless(void **state)
{
	for_all_kinds(check_truncated);
}

static void hostile_packets_are_harmless(void **state)
{
	static const uint8_t kinds[] = {HOPOPTS, ROUTING,  DSTOPTS,
					TCP,	 FRAGMENT, 59};
	uint8_t data[300];

	for (int i = 0; i < 100000; i++) {
		struct packet p = plain;
		size_t len = random_next(&seed) % 200;

		p.version = i & 1 ? 4 : 6;
		p.tags = (int)(random_next(&seed) % 5) - 1;
		p.options = (int)(random_next(&seed) % 10);
		build(data, &p);
		for (int k = 0; k < 3; k++)
			data[random_next(&seed) % 200] =
				k ? (uint8_t)random_next(&seed)
				  : kinds[random_next(&seed) % LENGTH(kinds)];
		hash_bytes(data, len, 0x0800, p.tags >= 0);
		hash_bytes(data, len, 0x86dd, p.tags >= 0);
	}
}

/* Neighbouring ports and addresses; seven times the deviation is allowed. */
static void flows_are_spread_evenly(void **state)
{
	unsigned int high[8] = {0}, low[8] = {0};
	struct packet p = plain;

	for (int i = 0; i < 4096; i++) {
		uint32_t hash;

		p.sport = (uint16_t)(1024 + i % 64);
		p.to = (uint8_t)(i / 64);
		hash = hash_of(&p);
		high[hash >> 29]++;
		low[hash & 7]++;
	}
	for (int i = 0; i < 8; i++) {
		assert_in_range(high[i], 512 - 150, 512 + 150);
		assert_in_range(low[i], 512 - 150, 512 + 150);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_are_one_flow),
		cmocka_unit_test(every_part_counts),
		cmocka_unit_test(headers_around_do_not_count),
		cmocka_unit_test(fragments_stay_together),
		cmocka_unit_test(last_fragment_is_one),
		cmocka_unit_test(other_protocols_have_no_ports),
		cmocka_unit_test(long_chains_are_left),
		cmocka_unit_test(versions_are_not_confused),
		cmocka_unit_test(other_frames_go_by_their_addresses),
		cmocka_unit_test(third_tag_is_no_ip),
		cmocka_unit_test(truncated_packets_are_harmless),
		cmocka_unit_test(hostile_packets_are_harmless),
		cmocka_unit_test(flows_are_spread_evenly),
	};

	return cmocka_run_group_tests_name("frame flow", tests, NULL, NULL);
}
