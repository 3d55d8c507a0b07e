/* SPDX-License-Identifier: MIT */
/*
 * test-frame-sender.c - frame_find_sender() of packet/frame.h. That the program
 * in the kernel says the same is test-bpf-policy.c's.
 */
#include <arpa/inet.h>
#include <string.h>

#include "packet/frame.h"
#include "unit.h"

enum {
	TAG = 4,
	LEN = 100,
};

/* Behind the Ethernet header and the tags. */
struct byte {
	uint8_t offset, value;
};

#define ARP                                                                    \
	{1, 1}, {2, 8}, {4, 6},                                                \
	{                                                                      \
		5, 4                                                           \
	}
#define MAX_BYTES 8

static void put_16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Returns where the packet begins. */
static size_t build(uint8_t ret_frame[LEN], uint16_t type, unsigned int tags,
		    const struct byte *bytes)
{
	size_t at = ETH_HLEN - 2;

	memset(ret_frame, 0, LEN);
	for (unsigned int i = 0; i < tags; i++) {
		put_16(ret_frame + at, i % 2 ? ETH_P_8021AD : ETH_P_8021Q);
		at += TAG;
	}
	put_16(ret_frame + at, type);
	for (size_t i = 0; i < MAX_BYTES; i++)
		if (bytes[i].value)
			ret_frame[at + 2 + bytes[i].offset] = bytes[i].value;
	return at + 2;
}

static void who_it_says_it_is(void **state)
{
	static const struct {
		uint16_t type;
		unsigned int tags;
		size_t len; /* of the packet; one byte less is too short */
		unsigned int n;
		size_t first, second;
		struct byte bytes[MAX_BYTES];
	} cases[] = {
		{ETH_P_IP, 0, 20, 1, 12, 0, {{0, 0x45}}},
		{ETH_P_IP, 1, 20, 1, 12, 0, {{0, 0x45}}},
		{ETH_P_IP, 2, 20, 1, 12, 0, {{0, 0x45}}},
		{ETH_P_ARP, 0, 28, 1, 14, 0, {ARP}},
		{ETH_P_ARP, 2, 28, 1, 14, 0, {ARP}},
		{ETH_P_IPV6, 0, 40, 1, 8, 0, {{6, IPPROTO_UDP}}},
		{ETH_P_IPV6, 1, 40, 1, 8, 0, {{6, IPPROTO_FRAGMENT}}},
		{ETH_P_IPV6, 0, 41, 1, 8, 0, {{6, IPPROTO_ICMPV6}, {40, 135}}},
		{ETH_P_IPV6, 0, 64, 2, 8, 48, {{6, IPPROTO_ICMPV6}, {40, 136}}},
		{ETH_P_IPV6, 2, 64, 2, 8, 48, {{6, IPPROTO_ICMPV6}, {40, 136}}},
		{ETH_P_IPV6, 0, 49, 1, 8, 0, {{40, IPPROTO_ICMPV6}, {48, 143}}},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint8_t frame[LEN];
		size_t at = build(frame, cases[i].type, cases[i].tags,
				  cases[i].bytes);
		struct frame_sender sender;
		bool ipv6 = cases[i].type == ETH_P_IPV6;
		const struct byte *byte = cases[i].bytes;
		/* What is behind an IPv6 header may count as well. */
		bool open = ipv6 ? byte->offset == 6 &&
					    byte->value != IPPROTO_ICMPV6
				 : cases[i].type == ETH_P_IP;

		for (size_t len = 0; len < at + cases[i].len; len++)
			if (frame_find_sender(frame, len, &sender))
				fail_msg("case %zu, %zu bytes", i, len);
		if (!frame_find_sender(frame, at + cases[i].len, &sender))
			fail_msg("case %zu", i);
		assert_int_equal(sender.version, ipv6 ? 6 : 4);
		assert_int_equal(sender.n, cases[i].n);
		assert_int_equal(sender.fixed, open ? at + cases[i].len : 0);
		assert_ptr_equal(sender.addresses[0],
				 frame + at + cases[i].first);
		if (sender.n > 1)
			assert_ptr_equal(sender.addresses[1],
					 frame + at + cases[i].second);
	}
}

static void what_is_not_looked_through(void **state)
{
	static const struct {
		uint16_t type;
		unsigned int tags;
		struct byte bytes[MAX_BYTES];
	} cases[] = {
		{ETH_P_IP, 3, {{0, 0x45}}},
		{ETH_P_ARP, 3, {ARP}},
		/* RARP, PPPoE, MPLS, LLDP, another tag; length and LLC. */
		{ETH_P_RARP, 0, {ARP}},
		{0x8864, 0, {{0, 0x45}}},
		{0x8847, 0, {{0, 0x45}}},
		{0x88cc, 1, {{0, 0x45}}},
		{0x9100, 0, {{0, 0x45}}},
		{60, 0, {{0, 0xaa}}},
		/* Of other kinds of address. */
		{ETH_P_ARP, 0, {{1, 6}, {2, 8}, {4, 6}, {5, 4}}},
		{ETH_P_ARP, 0, {{1, 1}, {2, 9}, {4, 6}, {5, 4}}},
		{ETH_P_ARP, 0, {{1, 1}, {2, 8}, {4, 8}, {5, 4}}},
		{ETH_P_ARP, 0, {{1, 1}, {2, 8}, {4, 6}, {5, 16}}},
		/* Where an advertisement may be hidden. */
		{ETH_P_IPV6, 0, {{40, IPPROTO_ICMPV6}, {48, 136}}},
		{ETH_P_IPV6, 0, {{40, IPPROTO_ICMPV6}, {41, 1}, {48, 143}}},
		{ETH_P_IPV6, 0, {{40, IPPROTO_DSTOPTS}, {48, IPPROTO_ICMPV6}}},
		{ETH_P_IPV6, 0, {{6, IPPROTO_ROUTING}}},
		{ETH_P_IPV6, 0, {{6, IPPROTO_AH}}},
		{ETH_P_IPV6, 0, {{6, IPPROTO_DSTOPTS}}},
		{ETH_P_IPV6, 0, {{6, IPPROTO_MH}}},
		{ETH_P_IPV6, 0, {{6, 139}}},
		{ETH_P_IPV6, 0, {{6, 140}}},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint8_t frame[LEN];
		struct frame_sender sender;

		build(frame, cases[i].type, cases[i].tags, cases[i].bytes);
		if (frame_find_sender(frame, LEN, &sender))
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_it_says_it_is),
		cmocka_unit_test(what_is_not_looked_through),
	};

	return cmocka_run_group_tests_name("frame-sender", tests, NULL, NULL);
}
