/* SPDX-License-Identifier: MIT */
/*
 * test-vnet.c - packet/vnet.h. What TUN and TAP answer to each header was seen
 * on Linux 6.18; the positions of a case are those of a TUN packet, and a TAP
 * frame has 14 bytes more, unless it says `as_is`.
 */
#include <errno.h>
#include <string.h>

#include "packet/vnet.h"
#include "unit.h"

#define CSUM	 VIRTIO_NET_HDR_F_NEEDS_CSUM
#define TSO4	 VIRTIO_NET_HDR_GSO_TCPV4
#define TSO6	 VIRTIO_NET_HDR_GSO_TCPV6
#define UFO	 VIRTIO_NET_HDR_GSO_UDP
#define USO	 VIRTIO_NET_HDR_GSO_UDP_L4
#define ECN	 VIRTIO_NET_HDR_GSO_ECN

#define ETHERNET 14

struct vnet_case {
	const char *what;
	size_t len; /* from the IP header on */
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	bool tun, tap; /* whether it is taken */
	bool as_is;
};

static const struct vnet_case csum_cases[] = {
	{"nothing", 140, 0, 0, 0, 0, 0, 0, true, true},
	{"one byte", 1, 0, 0, 0, 0, 0, 0, true, true},
	{"tcp4", 140, CSUM, 0, 40, 0, 20, 16, true, true},
	{"hdr_len 0", 140, CSUM, 0, 0, 0, 20, 16, true, true},
	{"tcp6", 160, CSUM, 0, 60, 0, 40, 16, true, true},
	{"before the IP header's end", 128, CSUM, 0, 0, 0, 19, 6, false, true},
	{"in the IP header", 128, CSUM, 0, 0, 0, 6, 6, false, true},
	{"at its start", 128, CSUM, 0, 0, 0, 0, 6, false, false},
	{"19", 128, CSUM, 0, 0, 0, 19, 6, false, false, true},
	{"20", 128, CSUM, 0, 0, 0, 20, 6, true, true, true},
	{"last two bytes", 128, CSUM, 0, 0, 0, 20, 106, true, true},
	{"last byte", 128, CSUM, 0, 0, 0, 20, 107, false, false},
	{"far", 128, CSUM, 0, 0, 0, 5000, 6, false, false},
	{"largest", 128, CSUM, 0, 0, 0, 65535, 65535, false, false, true},
	{"large offset", 128, CSUM, 0, 0, 0, 20, 65520, false, false, true},
	{"end of 16 bits", 128, CSUM, 0, 0, 0, 20, 65514, false, false, true},
	{"last start", 70000, CSUM, 0, 0, 0, 65471, 6, true, true, true},
	{"past it", 70000, CSUM, 0, 0, 0, 65472, 6, false, false, true},
	{"valid", 340, 2, 0, 0, 0, 0, 0, true, true},
	{"unknown flags", 340, 0xfc, 0, 0, 0, 0, 0, true, true},
	{"valid, too", 340, 3, 0, 0, 0, 20, 16, true, true},
};

static const struct vnet_case hdr_len_cases[] = {
	{"all", 128, 0, 0, 128, 0, 0, 0, true, true},
	{"more", 128, 0, 0, 129, 0, 0, 0, false, false},
	{"1", 128, 0, 0, 1, 0, 0, 0, true, false, true},
	{"13", 128, 0, 0, 13, 0, 0, 0, true, false, true},
	{"14", 128, 0, 0, 14, 0, 0, 0, true, true, true},
	{"raised", 128, CSUM, 0, 5, 0, 20, 6, true, true, true},
};

static const struct vnet_case tso_cases[] = {
	{"4", 3040, CSUM, TSO4, 40, 1000, 20, 16, true, true},
	{"hdr_len 0", 3040, CSUM, TSO4, 0, 1000, 20, 16, true, true},
	{"hdr_len 20", 3040, CSUM, TSO4, 20, 1000, 20, 16, true, true},
	{"ECN", 3040, CSUM, TSO4 | ECN, 40, 1000, 20, 16, true, true},
	{"bit 3", 3040, CSUM, TSO4 | 8, 40, 1000, 20, 16, false, false},
	{"bit 4", 3040, CSUM, TSO4 | 0x10, 40, 1000, 20, 16, false, false},
	{"tunnel4", 3040, CSUM, TSO4 | 0x20, 40, 1000, 20, 16, false, false},
	{"tunnel6", 3040, CSUM, TSO4 | 0x40, 40, 1000, 20, 16, false, false},
	{"size 0", 3040, CSUM, TSO4, 40, 0, 20, 16, false, false},
	{"size 1", 3040, CSUM, TSO4, 40, 1, 20, 16, true, true},
	{"size 65535", 3040, CSUM, TSO4, 40, 65535, 20, 16, false, false},
	{"one segment", 340, CSUM, TSO4, 40, 1000, 20, 16, true, true},
	{"no checksum", 3040, 0, TSO4, 40, 1000, 0, 0, true, true},
	{"no room", 39, 0, TSO4, 0, 1000, 0, 0, false, true},
	{"just room", 40, 0, TSO4, 0, 1000, 0, 0, true, true},
	{"no TCP header", 39, CSUM, TSO4, 0, 1000, 20, 16, false, false},
	{"UDP's offset", 3040, CSUM, TSO4, 40, 1000, 20, 6, false, false},
	{"not at the header", 3040, CSUM, TSO4, 44, 1000, 24, 16, true, true},
	{"6", 3060, CSUM, TSO6, 60, 1000, 40, 16, true, true},
	{"6 of IPv4", 3040, CSUM, TSO6, 40, 1000, 20, 16, false, false},
	{"6 at 39", 3060, CSUM, TSO6, 60, 1000, 39, 16, false, true},
	{"6 at 26", 3060, CSUM, TSO6, 60, 1000, 26, 16, false, true},
	{"6, no checksum", 3060, 0, TSO6, 60, 1000, 0, 0, true, true},
	{"6, no room", 59, 0, TSO6, 0, 1000, 0, 0, false, true},
};

static const struct vnet_case udp_cases[] = {
	{"UFO", 3028, CSUM, UFO, 28, 1480, 20, 6, true, true},
	{"UFO, no checksum", 3028, 0, UFO, 28, 1480, 0, 0, true, true},
	{"UFO of IPv6", 3048, CSUM, UFO, 48, 1480, 40, 6, true, true},
	{"UFO 0", 3028, CSUM, UFO, 28, 0, 20, 6, false, false},
	{"USO", 3028, CSUM, USO, 28, 1000, 20, 6, true, true},
	{"USO of IPv6", 3048, CSUM, USO, 48, 1000, 40, 6, true, true},
	{"USO, no checksum", 3028, 0, USO, 28, 1000, 0, 0, false, false},
	{"USO, TCP's offset", 3028, CSUM, USO, 28, 1000, 20, 16, false, false},
	{"USO, 128", 12828, CSUM, USO, 28, 100, 20, 6, true, true},
	{"USO, 129", 12829, CSUM, USO, 28, 100, 20, 6, false, false},
	{"USO, ECN", 3028, CSUM, USO | ECN, 28, 1000, 20, 6, false, false},
	{"2", 3040, CSUM, 2, 40, 1000, 20, 16, false, false},
	{"6", 3040, CSUM, 6, 40, 1000, 20, 16, false, false},
	{"ECN of nothing", 3040, CSUM, ECN, 40, 1000, 20, 16, false, false},
	{"size of nothing", 340, 0, 0, 0, 77, 0, 0, true, true},
};

static struct virtio_net_hdr header_of(const struct vnet_case *c)
{
	return (struct virtio_net_hdr){
		.flags = c->flags,
		.gso_type = c->gso_type,
		.hdr_len = c->hdr_len,
		.gso_size = c->gso_size,
		.csum_start = c->csum_start,
		.csum_offset = c->csum_offset,
	};
}

static void check_cases(const struct vnet_case *cases, size_t n)
{
	for (const struct vnet_case *c = cases; c < cases + n; c++) {
		struct virtio_net_hdr h = header_of(c);
		bool tun = vnet_check(&h, c->len, c->len, false) == 0, tap;

		h = header_of(c);
		if (!c->as_is)
			assert_true(vnet_shift(&h, ETHERNET));
		tap = vnet_check(&h, c->len + ETHERNET, c->len + ETHERNET,
				 true) == 0;
		if (tun != c->tun || tap != c->tap)
			fail_msg("%s: TUN %d, TAP %d", c->what, tun, tap);
	}
}

static void checksums(void **state)
{
	check_cases(csum_cases, LENGTH(csum_cases));
}

static void lengths_of_headers(void **state)
{
	check_cases(hdr_len_cases, LENGTH(hdr_len_cases));
}

static void tcp_segments(void **state)
{
	check_cases(tso_cases, LENGTH(tso_cases));
}

static void udp_segments(void **state)
{
	check_cases(udp_cases, LENGTH(udp_cases));
}

static void refusal_is_einval(void **state)
{
	struct virtio_net_hdr h = {.hdr_len = 2};

	assert_int_equal(vnet_check(&h, 1, 1, false), -EINVAL);
	h = (struct virtio_net_hdr){.gso_type = 2};
	assert_int_equal(vnet_check(&h, 100, 100, false), -EINVAL);
}

static void frame_needs_a_whole_header(void **state)
{
	for (size_t len = 0; len < 20; len++) {
		struct virtio_net_hdr h = {0};

		assert_int_equal(vnet_check(&h, len, len, true),
				 len < ETHERNET ? -EINVAL : 0);
		assert_int_equal(vnet_check(&h, len, len, false), 0);
	}
}

static void hdr_len_covers_the_checksum(void **state)
{
	for (uint16_t hdr_len = 0; hdr_len < 60; hdr_len++) {
		struct virtio_net_hdr h = {.flags = CSUM,
					   .hdr_len = hdr_len,
					   .csum_start = 20,
					   .csum_offset = 16};

		assert_int_equal(vnet_check(&h, 100, 100, false), 0);
		assert_int_equal(h.hdr_len, hdr_len > 38 ? hdr_len : 38);
		assert_int_equal(h.csum_start, 20);
		h.flags = 0;
		h.hdr_len = hdr_len;
		assert_int_equal(vnet_check(&h, 100, 100, false), 0);
		assert_int_equal(h.hdr_len, hdr_len);
	}
}

/* ---- positions ---- */

/* The headers that TUN, TAP and a packet socket give for the same segments. */
static void shift_turns_one_into_the_other(void **state)
{
	const struct virtio_net_hdr tun = {CSUM, TSO4, 40, 1400, 20, 16};
	const struct virtio_net_hdr tap = {CSUM, TSO4, 54, 1400, 34, 16};
	struct virtio_net_hdr h = tun;

	assert_true(vnet_shift(&h, ETHERNET));
	assert_memory_equal(&h, &tap, sizeof(h));
	assert_true(vnet_shift(&h, -ETHERNET));
	assert_memory_equal(&h, &tun, sizeof(h));
}

static void shift_leaves_what_is_unused(void **state)
{
	const struct virtio_net_hdr plain = {0, 0, 0, 7, 3, 5};
	const struct virtio_net_hdr csum = {CSUM, 0, 0, 0, 34, 16};
	struct virtio_net_hdr h = plain;

	assert_true(vnet_shift(&h, -ETHERNET));
	assert_memory_equal(&h, &plain, sizeof(h));
	h = csum;
	assert_true(vnet_shift(&h, -ETHERNET));
	assert_int_equal(h.csum_start, 20);
	assert_int_equal(h.hdr_len, 0);
}

static void check_no_shift(struct virtio_net_hdr h, int delta)
{
	const struct virtio_net_hdr before = h;

	assert_false(vnet_shift(&h, delta));
	assert_memory_equal(&h, &before, sizeof(h));
}

static void shift_out_of_range_is_refused(void **state)
{
	struct virtio_net_hdr h = {CSUM, 0, 14, 0, 14, 6};

	check_no_shift((struct virtio_net_hdr){CSUM, 0, 0, 0, 13, 6}, -14);
	check_no_shift((struct virtio_net_hdr){CSUM, 0, 13, 0, 14, 6}, -14);
	check_no_shift((struct virtio_net_hdr){CSUM, 0, 0, 0, 65522, 6}, 14);
	check_no_shift((struct virtio_net_hdr){CSUM, 0, 65522, 0, 20, 6}, 14);
	assert_true(vnet_shift(&h, -14));
	assert_int_equal(h.csum_start, 0);
	assert_true(vnet_shift(&h, 65535));
	assert_int_equal(h.csum_start, 65535);
}

static void tag_moves_the_checksum_only(void **state)
{
	const struct virtio_net_hdr before = {CSUM, USO, 42, 1000, 34, 6};
	const struct virtio_net_hdr after = {CSUM, USO, 42, 1000, 38, 6};
	struct virtio_net_hdr h = before;

	assert_true(vnet_add_tag(&h));
	assert_memory_equal(&h, &after, sizeof(h));
	h.flags = 0;
	assert_true(vnet_add_tag(&h));
	assert_int_equal(h.csum_start, 38);
	h.flags = CSUM;
	h.csum_start = 65532;
	assert_false(vnet_add_tag(&h));
	assert_int_equal(h.csum_start, 65532);
}

/* hdr_len may cover the rest of a larger header; the host is told less. */
static void larger_header_counts(void **state)
{
	struct virtio_net_hdr h = {.hdr_len = 52};

	assert_int_equal(vnet_check(&h, 50, 50, false), -EINVAL);
	assert_int_equal(vnet_check(&h, 50, 52, false), 0);
	assert_int_equal(h.hdr_len, 50);
}

static void checksum_leaves_what_is_before(void **state)
{
	struct virtio_net_hdr h = {.csum_start = 20, .csum_offset = 20};

	assert_true(vnet_leaves(&h, 0));
	h.flags = CSUM;
	assert_false(vnet_leaves(&h, 0));
	assert_true(vnet_leaves(&h, 40));
	h.csum_offset = 19;
	assert_false(vnet_leaves(&h, 40));
	h.csum_start = h.csum_offset = 65535;
	assert_true(vnet_leaves(&h, 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_header_counts),
		cmocka_unit_test(checksums),
		cmocka_unit_test(lengths_of_headers),
		cmocka_unit_test(tcp_segments),
		cmocka_unit_test(udp_segments),
		cmocka_unit_test(refusal_is_einval),
		cmocka_unit_test(frame_needs_a_whole_header),
		cmocka_unit_test(hdr_len_covers_the_checksum),
		cmocka_unit_test(shift_turns_one_into_the_other),
		cmocka_unit_test(shift_leaves_what_is_unused),
		cmocka_unit_test(shift_out_of_range_is_refused),
		cmocka_unit_test(tag_moves_the_checksum_only),
		cmocka_unit_test(checksum_leaves_what_is_before),
	};

	return cmocka_run_group_tests_name("vnet", tests, NULL, NULL);
}
