/* SPDX-License-Identifier: MIT */
/*
 * test-frame.c - the parser of packet bytes, packet/frame.h. Every buffer has
 * just the size that the parser is told, for the sanitizer to see. Checksums
 * are compared with a calculation of the test's own, in big-endian numbers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "packet/frame.h"
#include "unit.h"

#define TCP 6
#define UDP 17

static uint32_t seed = 0x5eed0001;

static void fill_random(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_next(&seed);
}

/* ---- types and headers ---- */

static void ip_version_gives_the_type(void **state)
{
	for (unsigned int first = 0; first < 256; first++) {
		uint8_t *data = must_alloc(1);
		uint16_t expected = first >> 4 == 4   ? htons(0x0800)
				    : first >> 4 == 6 ? htons(0x86dd)
						      : 0;

		data[0] = (uint8_t)first;
		assert_int_equal(frame_ip_proto(data, 1), expected);
		free(data);
	}
	assert_int_equal(frame_ip_proto(NULL, 0), 0);
}

static void frame_type_needs_a_whole_header(void **state)
{
	for (size_t len = 0; len < 20; len++) {
		uint8_t *data = malloc(len ? len : 1);

		assert_non_null(data);
		memset(data, 0xab, len);
		if (len >= 14) {
			data[12] = 0x88;
			data[13] = 0xcc;
		}
		assert_int_equal(frame_proto(data, len),
				 len < 14 ? 0 : htons(0x88cc));
		free(data);
	}
}

static void header_goes_from_and_to_the_address(void **state)
{
	static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
	static const uint8_t expected[14] = {2, 1, 2, 3, 4, 5,	  2,
					     1, 2, 3, 4, 5, 0x86, 0xdd};
	uint8_t *header = must_alloc(14);

	frame_build_header(header, mac, htons(0x86dd));
	assert_memory_equal(header, expected, 14);
	free(header);
}

/* ---- received frames ---- */

static uint8_t *new_frame(size_t len)
{
	uint8_t *data = malloc(len ? len : 1);

	assert_non_null(data);
	fill_random(data, len);
	return data;
}

static void tun_packet_is_what_follows_the_header(void **state)
{
	static const struct frame_meta meta;

	for (size_t len = 0; len < 80; len++) {
		uint8_t *data = new_frame(len);
		struct pkt *pkt = NULL;
		int r;

		r = frame_to_pkt(data, len, &meta, false, &pkt);
		if (len <= 14) {
			assert_int_equal(r, -EINVAL);
			assert_null(pkt);
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(pkt->len, len - 14);
			assert_memory_equal(pkt->data, data + 14, len - 14);
			assert_memory_equal(&pkt->proto, data + 12, 2);
			pkt_free(pkt);
		}
		free(data);
	}
}

static void tap_packet_is_the_frame(void **state)
{
	static const struct frame_meta meta;

	for (size_t len = 0; len < 80; len++) {
		uint8_t *data = new_frame(len);
		struct pkt *pkt = NULL;
		int r;

		r = frame_to_pkt(data, len, &meta, true, &pkt);
		if (len == 0) {
			assert_int_equal(r, -EINVAL);
			assert_null(pkt);
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(pkt->len, len);
			assert_memory_equal(pkt->data, data, len);
			if (len >= 14)
				assert_memory_equal(&pkt->proto, data + 12, 2);
			pkt_free(pkt);
		}
		free(data);
	}
}

static void vlan_tag_is_put_back(void **state)
{
	static const struct {
		struct frame_meta meta;
		uint8_t tag[4];
	} cases[] = {
		{{.has_vlan = true, .vlan_tpid = 0x8100, .vlan_tci = 5},
		 {0x81, 0x00, 0x00, 0x05}},
		{{.has_vlan = true, .vlan_tpid = 0x88a8, .vlan_tci = 0xefff},
		 {0x88, 0xa8, 0xef, 0xff}},
		/* Priority only; and a kernel that does not tell the type. */
		{{.has_vlan = true, .vlan_tpid = 0x8100, .vlan_tci = 0},
		 {0x81, 0x00, 0x00, 0x00}},
		{{.has_vlan = true, .vlan_tpid = 0, .vlan_tci = 0x1001},
		 {0x81, 0x00, 0x10, 0x01}},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		for (size_t len = 14; len < 70; len++) {
			uint8_t *data = new_frame(len);
			struct pkt *pkt;

			assert_int_equal(frame_to_pkt(data, len, &cases[i].meta,
						      true, &pkt),
					 0);
			assert_int_equal(pkt->len, len + 4);
			assert_memory_equal(pkt->data, data, 12);
			assert_memory_equal(pkt->data + 12, cases[i].tag, 4);
			assert_memory_equal(pkt->data + 16, data + 12,
					    len - 12);
			assert_memory_equal(&pkt->proto, cases[i].tag, 2);
			pkt_free(pkt);
			free(data);
		}
	}
}

static void tag_of_a_short_frame_is_refused(void **state)
{
	static const struct frame_meta meta = {
		.has_vlan = true, .vlan_tpid = 0x8100, .vlan_tci = 1};

	for (size_t len = 0; len < 14; len++) {
		uint8_t *data = new_frame(len);
		struct pkt *pkt;

		assert_int_equal(frame_to_pkt(data, len, &meta, true, &pkt),
				 -EINVAL);
		free(data);
	}
}

static void tun_has_no_tag(void **state)
{
	static const struct frame_meta meta = {
		.has_vlan = true, .vlan_tpid = 0x8100, .vlan_tci = 1};
	uint8_t *data = new_frame(40);
	struct pkt *pkt;

	assert_int_equal(frame_to_pkt(data, 40, &meta, false, &pkt), 0);
	assert_int_equal(pkt->len, 26);
	assert_memory_equal(pkt->data, data + 14, 26);
	assert_memory_equal(&pkt->proto, data + 12, 2);
	pkt_free(pkt);
	free(data);
}

/* ---- checksums ---- */

/* RFC 1071 in numbers, one after the other; the pad of an odd byte is low. */
static uint32_t add_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* A segment in its frame, as a sender with an offload leaves it. */
struct segment {
	uint8_t *frame;
	size_t len, start, field;
	uint32_t pseudo; /* sum of the pseudo-header */
};

/* Pseudo-headers: RFC 768 and 9293 for IPv4, RFC 8200 for IPv6. */
static uint32_t pseudo_sum(int version, int proto, const uint8_t *addresses,
			   size_t segment_len)
{
	uint32_t sum = add_sum(0, addresses, version == 4 ? 8 : 32);
	const uint8_t rest[8] = {(uint8_t)(segment_len >> 24),
				 (uint8_t)(segment_len >> 16),
				 (uint8_t)(segment_len >> 8),
				 (uint8_t)segment_len,
				 0,
				 0,
				 0,
				 (uint8_t)proto};

	return add_sum(sum, rest, sizeof(rest));
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static void build_segment(struct segment *s, int version, int proto,
			  size_t payload)
{
	size_t ip_len = version == 4 ? 20 : 40;
	size_t header = proto == TCP ? 20 : 8;
	size_t addresses = 14 + (version == 4 ? 12 : 8);

	s->start = 14 + ip_len;
	s->field = s->start + (proto == TCP ? 16 : 6);
	s->len = s->start + header + payload;
	s->frame = new_frame(s->len);
	s->frame[14] = (uint8_t)(version << 4 | 5);
	s->pseudo = pseudo_sum(version, proto, s->frame + addresses,
			       header + payload);
	put16(s->frame + s->field, s->pseudo);
}

/* What the field must be; it is overwritten for the calculation. */
static uint32_t expected_csum(struct segment *s)
{
	uint32_t sum;

	put16(s->frame + s->field, 0);
	sum = add_sum(s->pseudo, s->frame + s->start, s->len - s->start);
	put16(s->frame + s->field, s->pseudo);
	return sum == 0xffff ? 0xffff : ~sum & 0xffff;
}

static void check_segment(struct segment *s)
{
	const struct frame_meta meta = {
		.needs_csum = true,
		.csum_start = (uint16_t)s->start,
		.csum_offset = (uint16_t)(s->field - s->start),
	};
	uint32_t expected = expected_csum(s);

	assert_true(frame_finish_csum(s->frame, s->len, &meta));
	assert_int_equal(get16(s->frame + s->field), expected);
	/* And what a receiver does. */
	assert_int_equal(
		add_sum(s->pseudo, s->frame + s->start, s->len - s->start),
		0xffff);
	free(s->frame);
}

static void check_protocol(int version, int proto)
{
	static const size_t large[] = {1459, 1460, 8999, 9000, 65480, 65481};
	struct segment s;

	for (size_t payload = 0; payload < 70; payload++) {
		build_segment(&s, version, proto, payload);
		check_segment(&s);
	}
	for (size_t i = 0; i < LENGTH(large); i++) {
		build_segment(&s, version, proto, large[i]);
		/* The largest sums there are. */
		if (i % 2)
			memset(s.frame + s.field + 4, 0xff,
			       s.len - s.field - 4);
		check_segment(&s);
	}
}

static void tcp_over_ipv4(void **state)
{
	check_protocol(4, TCP);
}

static void tcp_over_ipv6(void **state)
{
	check_protocol(6, TCP);
}

static void udp_over_ipv4(void **state)
{
	check_protocol(4, UDP);
}

static void udp_over_ipv6(void **state)
{
	check_protocol(6, UDP);
}

/* A payload is chosen for which the sum comes out as 0: it is sent as ~0. */
static void sum_of_zero_is_sent_as_ones(void **state)
{
	static const int versions[] = {4, 6}, protos[] = {TCP, UDP};

	for (size_t i = 0; i < 8; i++) {
		struct segment s;

		/* With an odd and with an even end. */
		build_segment(&s, versions[i & 1], protos[i >> 1 & 1],
			      30 + (i >> 2));
		put16(s.frame + s.len - (s.len - s.start) % 2 - 2, 0);
		put16(s.frame + s.len - (s.len - s.start) % 2 - 2,
		      expected_csum(&s));
		assert_int_equal(expected_csum(&s), 0xffff);
		check_segment(&s);
	}
}

/* The example in Wikipedia's "Internet checksum". */
static void known_header_checksum(void **state)
{
	static const uint8_t header[20] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	const struct frame_meta meta = {.csum_offset = 10};
	uint8_t *data = must_alloc(sizeof(header));

	memcpy(data, header, sizeof(header));
	assert_true(frame_finish_csum(data, sizeof(header), &meta));
	assert_int_equal(get16(data + 10), 0xb861);
	free(data);
}

static void check_position(size_t len, uint32_t start, uint32_t offset)
{
	const struct frame_meta meta = {.csum_start = (uint16_t)start,
					.csum_offset = (uint16_t)offset};
	size_t field = (size_t)start + offset;
	bool inside = field + 2 <= len;
	uint8_t *data = new_frame(len), *before = must_alloc(len);

	if (len > 0)
		memcpy(before, data, len);
	assert_int_equal(frame_finish_csum(data, len, &meta), inside);
	for (size_t i = 0; i < len; i++)
		if (!inside || i < field || i >= field + 2)
			assert_int_equal(data[i], before[i]);
	free(before);
	free(data);
}

static void positions_outside_are_refused(void **state)
{
	static const uint32_t far[] = {0x7fff, 0x8000, 0xfffd, 0xfffe, 0xffff};

	for (size_t len = 0; len < 24; len++) {
		for (uint32_t start = 0; start < 28; start++)
			for (uint32_t offset = 0; offset < 28; offset++)
				check_position(len, start, offset);
		for (size_t i = 0; i < LENGTH(far); i++) {
			for (uint32_t near = 0; near < 28; near++) {
				check_position(len, far[i], near);
				check_position(len, near, far[i]);
			}
			for (size_t k = 0; k < LENGTH(far); k++)
				check_position(len, far[i], far[k]);
		}
	}
	/* At the end of the largest packet. */
	for (uint32_t back = 0; back < 4; back++)
		for (uint32_t offset = 0; offset < 4; offset++)
			check_position(65535, 65535 - back, offset);
	check_position(65536 + 65535, 65535, 65535);
	check_position(65535 + 65535 + 1, 65535, 65535);
	check_position(65535 + 65535 + 2, 65535, 65535);
}

/* Random bytes and positions: the sanitizer judges. */
static void hostile_frames_are_harmless(void **state)
{
	for (int i = 0; i < 20000; i++) {
		size_t len = random_next(&seed) % 100;
		uint8_t *data = new_frame(len);
		struct frame_meta meta;
		struct pkt *pkt;
		int r;

		fill_random((uint8_t *)&meta.vlan_tpid, sizeof(meta.vlan_tpid));
		meta.vlan_tci = (uint16_t)random_next(&seed);
		meta.has_vlan = random_next(&seed) & 1;
		meta.needs_csum = true;
		meta.csum_start = (uint16_t)(random_next(&seed) % 110);
		meta.csum_offset = (uint16_t)(random_next(&seed) % 110);
		frame_finish_csum(data, len, &meta);
		r = frame_to_pkt(data, len, &meta, i & 1, &pkt);
		if (!(i & 1))
			assert_int_equal(r, len <= 14 ? -EINVAL : 0);
		else if (meta.has_vlan)
			assert_int_equal(r, len < 14 ? -EINVAL : 0);
		else
			assert_int_equal(r, len == 0 ? -EINVAL : 0);
		if (r == 0)
			pkt_free(pkt);
		free(data);
	}
}

static void freeing_nothing_is_harmless(void **state)
{
	pkt_free(NULL);
}

static void source_of_an_ip_packet(void **state)
{
	static const struct {
		uint8_t first;
		size_t len;
		uint16_t proto;
		int version, offset; /* 0: it has none */
	} cases[] = {
		{0x45, 20, ETH_P_IP, 4, 12},  {0x45, 19, ETH_P_IP, 0, 0},
		{0x4f, 60, ETH_P_IP, 4, 12},  {0x60, 40, ETH_P_IPV6, 6, 8},
		{0x60, 39, ETH_P_IPV6, 0, 0}, {0x45, 60, ETH_P_IPV6, 0, 0},
		{0x60, 60, ETH_P_IP, 0, 0},   {0x45, 60, ETH_P_ARP, 0, 0},
		{0x05, 60, ETH_P_IP, 0, 0},   {0x05, 60, 0, 0, 0},
		{0x45, 0, ETH_P_IP, 0, 0},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint8_t data[60] = {cases[i].first};
		const uint8_t *source;
		int version = 0;

		source = frame_ip_source(data, cases[i].len,
					 htons(cases[i].proto), &version);
		if (source !=
		    (cases[i].version ? data + cases[i].offset : NULL))
			fail_msg("case %zu", i);
		if (source)
			assert_int_equal(version, cases[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_of_an_ip_packet),
		cmocka_unit_test(ip_version_gives_the_type),
		cmocka_unit_test(frame_type_needs_a_whole_header),
		cmocka_unit_test(header_goes_from_and_to_the_address),
		cmocka_unit_test(tun_packet_is_what_follows_the_header),
		cmocka_unit_test(tap_packet_is_the_frame),
		cmocka_unit_test(vlan_tag_is_put_back),
		cmocka_unit_test(tag_of_a_short_frame_is_refused),
		cmocka_unit_test(tun_has_no_tag),
		cmocka_unit_test(tcp_over_ipv4),
		cmocka_unit_test(tcp_over_ipv6),
		cmocka_unit_test(udp_over_ipv4),
		cmocka_unit_test(udp_over_ipv6),
		cmocka_unit_test(sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(known_header_checksum),
		cmocka_unit_test(positions_outside_are_refused),
		cmocka_unit_test(hostile_frames_are_harmless),
		cmocka_unit_test(freeing_nothing_is_harmless),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
