/* SPDX-License-Identifier: MIT */
/*
 * test-macfilter.c - packet/macfilter.h. What is expected was seen on a TAP
 * device of Linux 6.18.
 */
#include <linux/if_tun.h>
#include <string.h>

#include "packet/macfilter.h"
#include "unit.h"

#define N_MACS 40

static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

/* Addresses that differ in their last byte. */
static uint8_t unicast[N_MACS][6], multicast[N_MACS][6];

static int make_addresses(void **state)
{
	for (uint8_t i = 0; i < N_MACS; i++) {
		memcpy(unicast[i], (uint8_t[]){2, 0, 0, 0, 0, i}, 6);
		memcpy(multicast[i], (uint8_t[]){1, 0, 0x5e, 0, 0, i}, 6);
	}
	return 0;
}

static int set(struct mac_filter *f, uint16_t flags, uint16_t count,
	       const void *macs)
{
	uint8_t *copy = must_alloc((size_t)count * 6);
	int r;

	if (count > 0)
		memcpy(copy, macs, (size_t)count * 6);
	r = mac_filter_set(f, flags, count, copy);
	free(copy);
	return r;
}

static bool accepts(const struct mac_filter *f, const uint8_t *mac)
{
	uint8_t *frame = must_alloc(14);
	bool accepted;

	memset(frame, 0xff, 14);
	memcpy(frame, mac, 6);
	accepted = mac_filter_accepts(f, frame, 14);
	free(frame);
	return accepted;
}

static void assert_off(const struct mac_filter *f)
{
	assert_true(accepts(f, unicast[30]));
	assert_true(accepts(f, multicast[30]));
	assert_true(accepts(f, broadcast));
}

static void nothing_is_filtered_at_first(void **state)
{
	static const struct mac_filter f;

	assert_off(&f);
}

static void no_addresses_turn_it_off(void **state)
{
	struct mac_filter f;

	set(&f, 0, 1, unicast[1]);
	assert_int_equal(mac_filter_set(&f, 0, 0, NULL), 0);
	assert_off(&f);
	/* Flags alone are not enough. */
	assert_int_equal(mac_filter_set(&f, TUN_FLT_ALLMULTI, 0, NULL), 0);
	assert_off(&f);
}

static void listed_addresses_are_accepted(void **state)
{
	struct mac_filter f;

	assert_int_equal(set(&f, 0, 1, unicast[1]), 1);
	assert_true(accepts(&f, unicast[1]));
	assert_false(accepts(&f, unicast[2]));
	assert_false(accepts(&f, multicast[1]));
	assert_false(accepts(&f, broadcast));

	assert_int_equal(set(&f, 0, 1, multicast[1]), 1);
	assert_true(accepts(&f, multicast[1]));
	assert_false(accepts(&f, multicast[2]));
	assert_false(accepts(&f, unicast[1]));

	assert_int_equal(set(&f, 0, 1, broadcast), 1);
	assert_true(accepts(&f, broadcast));
	assert_false(accepts(&f, multicast[1]));
}

static void every_byte_counts(void **state)
{
	static const uint8_t mac[6] = {2, 4, 6, 8, 10, 12};
	struct mac_filter f;

	set(&f, 0, 1, mac);
	assert_true(accepts(&f, mac));
	for (int i = 0; i < 6; i++) {
		uint8_t other[6];

		memcpy(other, mac, 6);
		other[i] ^= 0x80;
		assert_false(accepts(&f, other));
	}
}

static void all_multicast_is_asked_for_by_a_flag(void **state)
{
	struct mac_filter f;

	assert_int_equal(set(&f, TUN_FLT_ALLMULTI, 1, unicast[1]), 1);
	assert_true(accepts(&f, unicast[1]));
	assert_false(accepts(&f, unicast[2]));
	for (int i = 0; i < N_MACS; i++)
		assert_true(accepts(&f, multicast[i]));
	/* It is one of them. */
	assert_true(accepts(&f, broadcast));
	/* The other bits say nothing. */
	assert_int_equal(set(&f, 0xfffe, 1, unicast[1]), 1);
	assert_false(accepts(&f, multicast[1]));
}

static void eight_are_compared(void **state)
{
	struct mac_filter f;

	assert_int_equal(set(&f, 0, 8, unicast), 8);
	for (int i = 0; i < N_MACS; i++)
		assert_int_equal(accepts(&f, unicast[i]), i < 8);
	assert_false(accepts(&f, multicast[1]));
}

static void ninth_unicast_turns_it_off(void **state)
{
	struct mac_filter f;

	set(&f, 0, 1, unicast[1]);
	assert_int_equal(set(&f, 0, 9, unicast), 0);
	assert_off(&f);
	assert_int_equal(set(&f, TUN_FLT_ALLMULTI, 9, unicast), 0);
	assert_off(&f);
}

/* The bucket of an address, of which the kernel has 64. */
static void known_hashes(void **state)
{
	static const struct {
		uint8_t mac[6];
		int bucket;
	} known[] = {
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x00}, 5},
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}, 31},
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x02}, 8},
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x03}, 18},
		{{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}, 62},
		{{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}, 25},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 63},
	};

	for (size_t i = 0; i < LENGTH(known); i++) {
		uint8_t macs[9][6];
		struct mac_filter f;

		memcpy(macs, unicast, sizeof(macs));
		memcpy(macs[8], known[i].mac, 6);
		assert_int_equal(set(&f, 0, 9, macs), 8);
		assert_true(f.mask == 1ULL << known[i].bucket);
		for (size_t k = 0; k < LENGTH(known); k++)
			assert_int_equal(accepts(&f, known[k].mac), k == i);
		/* Unicast addresses are never looked up there. */
		assert_false(accepts(&f, unicast[8]));
	}
}

static void a_set_forgets_the_one_before(void **state)
{
	uint8_t macs[20][6];
	struct mac_filter f;

	memcpy(macs, unicast, 8 * 6);
	memcpy(macs[8], multicast[8], 12 * 6);
	assert_int_equal(set(&f, 0, 20, macs), 8);
	for (int i = 8; i < 20; i++)
		assert_true(accepts(&f, multicast[i]));
	set(&f, 0, 1, unicast[1]);
	for (int i = 0; i < N_MACS; i++) {
		assert_false(accepts(&f, multicast[i]));
		assert_int_equal(accepts(&f, unicast[i]), i == 1);
	}
}

static void longest_list(void **state)
{
	uint8_t *macs = must_alloc((size_t)UINT16_MAX * 6);
	struct mac_filter f;

	for (size_t i = 0; i < UINT16_MAX; i++)
		memcpy(macs + i * 6, multicast[i % N_MACS], 6);
	assert_int_equal(set(&f, 0, UINT16_MAX, macs), 8);
	for (int i = 0; i < N_MACS; i++)
		assert_true(accepts(&f, multicast[i]));
	assert_false(accepts(&f, unicast[1]));
	free(macs);
}

static void short_frames_have_no_address(void **state)
{
	struct mac_filter f;

	set(&f, TUN_FLT_ALLMULTI, 1, broadcast);
	for (size_t len = 0; len < 8; len++) {
		uint8_t *frame = must_alloc(len);

		memset(frame, 0xff, len);
		assert_int_equal(mac_filter_accepts(&f, frame, len), len >= 6);
		free(frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_filtered_at_first),
		cmocka_unit_test(no_addresses_turn_it_off),
		cmocka_unit_test(listed_addresses_are_accepted),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(all_multicast_is_asked_for_by_a_flag),
		cmocka_unit_test(eight_are_compared),
		cmocka_unit_test(ninth_unicast_turns_it_off),
		cmocka_unit_test(known_hashes),
		cmocka_unit_test(a_set_forgets_the_one_before),
		cmocka_unit_test(longest_list),
		cmocka_unit_test(short_frames_have_no_address),
	};

	return cmocka_run_group_tests_name("macfilter", tests, make_addresses,
					   NULL);
}
