/* SPDX-License-Identifier: MIT */
/*
 * test-coalesce - what is joined, cut again as the host's kernel cuts it, is
 * what was there before; and what must not be joined is not.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include <tunclient.h>

#include "checksum.h"
#include "coalesce.h"

#define ALL                                                                    \
	(TUNCLIENT_OFFLOAD_CSUM | TUNCLIENT_OFFLOAD_TSO4 |                     \
	 TUNCLIENT_OFFLOAD_TSO6 | TUNCLIENT_OFFLOAD_USO)

/* What a case is about. */
struct flow {
	int version, protocol, tap;
	unsigned int options; /* bytes of TCP options */
};

static const struct flow flows[] = {
	{4, IPPROTO_TCP, 0, 12}, {6, IPPROTO_TCP, 0, 0}, {4, IPPROTO_UDP, 0, 0},
	{6, IPPROTO_UDP, 0, 0},	 {4, IPPROTO_TCP, 1, 0}, {6, IPPROTO_UDP, 1, 0},
};

struct list {
	struct tunclient_packet packets[200];
	unsigned int n;
	unsigned int sent;
	uint16_t id;
};

static struct list list;

static void put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

static unsigned int ip_at(const struct flow *f)
{
	return f->tap ? 14 : 0;
}

static unsigned int l4_at(const struct flow *f)
{
	return ip_at(f) + (f->version == 4 ? 20 : 40);
}

static unsigned int payload_at(const struct flow *f)
{
	return l4_at(f) + (f->protocol == IPPROTO_UDP ? 8 : 20 + f->options);
}

/* The plain sum over 16-bit words: not the one that is tested. */
static unsigned int slow_sum(const uint8_t *data, size_t size, unsigned int sum)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? data[i] : (unsigned int)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Lengths and checksums of a packet whose rest is there. */
static void finish(const struct flow *f, uint8_t *data, unsigned int length)
{
	uint8_t *ip = data + ip_at(f), *l4 = data + l4_at(f);
	unsigned int l4_length = length - l4_at(f), sum;
	unsigned int field = f->protocol == IPPROTO_UDP ? 6 : 16;

	if (f->version == 4) {
		put16(ip + 2, length - ip_at(f));
		put16(ip + 10, 0);
		put16(ip + 10, ~slow_sum(ip, 20, 0) & 0xffff);
	} else {
		put16(ip + 4, l4_length);
	}
	if (f->protocol == IPPROTO_UDP)
		put16(l4 + 4, l4_length);
	put16(l4 + field, 0);
	sum = slow_sum(f->version == 4 ? ip + 12 : ip + 8,
		       f->version == 4 ? 8 : 32,
		       (unsigned int)f->protocol + l4_length);
	put16(l4 + field, ~slow_sum(l4, l4_length, sum) & 0xffff);
}

static uint8_t *add(const struct flow *f, unsigned int payload)
{
	unsigned int length = payload_at(f) + payload;
	struct tunclient_packet *packet = &list.packets[list.n++];
	uint8_t *data = calloc(1, length);
	uint8_t *ip = data + ip_at(f), *l4 = data + l4_at(f);

	assert_non_null(data);
	*packet = (struct tunclient_packet){
		.data = data,
		.size = length,
		.length = length,
	};
	if (f->tap) {
		memset(data, 0x22, 12);
		put16(data + 12, f->version == 4 ? 0x0800 : 0x86dd);
	}
	ip[0] = f->version == 4 ? 0x45 : 0x60;
	if (f->version == 4) {
		put16(ip + 4, list.id++);
		ip[8] = 64;
		ip[9] = (uint8_t)f->protocol;
		put32(ip + 12, 0x0a000001);
		put32(ip + 16, 0x0a000002);
	} else {
		ip[6] = (uint8_t)f->protocol;
		ip[7] = 64;
		memset(ip + 8, 0xfd, 32);
	}
	put16(l4, 1000);
	put16(l4 + 2, 2000);
	if (f->protocol == IPPROTO_TCP) {
		put32(l4 + 4, 0xfffff000u + list.sent);
		put32(l4 + 8, 77);
		l4[12] = (uint8_t)((20 + f->options) / 4 << 4);
		l4[13] = 0x10;
		put16(l4 + 14, 500);
		memset(l4 + 20, 1, f->options);
	}
	for (unsigned int i = 0; i < payload; i++)
		data[payload_at(f) + i] = (uint8_t)(list.sent + i * 7);
	list.sent += payload;
	finish(f, data, length);
	return data;
}

static int clear(void **state)
{
	for (unsigned int i = 0; i < list.n; i++)
		free(list.packets[i].data);
	memset(&list, 0, sizeof(list));
	return 0;
}

static unsigned int coalesce(const struct flow *f,
			     struct tunclient_run *ret_run)
{
	memset(ret_run, 0xee, sizeof(*ret_run));
	tunclient_coalesce_(list.packets, list.n, f->tap, ALL, ret_run);
	return ret_run->n;
}

static unsigned int joined(const struct flow *f)
{
	struct tunclient_run run;

	return coalesce(f, &run);
}

/* The i-th packet of the run, cut as the kernel cuts. */
static void check_cut(const struct flow *f, const struct tunclient_run *run,
		      unsigned int i)
{
	const struct tunclient_packet *packet = &list.packets[i];
	const uint8_t *was = packet->data;
	unsigned int payload = packet->length - payload_at(f);
	uint8_t data[2048];

	assert_true(packet->length <= sizeof(data));
	memcpy(data, run->header, run->header_length);
	memcpy(data + run->header_length, was + payload_at(f), payload);
	if (f->version == 4)
		put16(data + ip_at(f) + 4,
		      i + (unsigned int)(data[ip_at(f) + 4] << 8 |
					 data[ip_at(f) + 5]));
	if (f->protocol == IPPROTO_TCP) {
		put32(data + l4_at(f) + 4,
		      0xfffff000u + i * run->whole.gso_size);
		if (i + 1 < run->n)
			data[l4_at(f) + 13] &= (uint8_t)~8;
	}
	finish(f, data, packet->length);
	assert_memory_equal(data, was, packet->length);
}

/* The header that the kernel needs to cut it. */
static void check_header(const struct flow *f, const struct tunclient_run *run)
{
	const uint8_t *ip = run->header + ip_at(f),
		      *l4 = run->header + l4_at(f);
	unsigned int length = run->whole.length, sum;
	unsigned int field = f->protocol == IPPROTO_UDP ? 6 : 16;
	unsigned int type = TUNCLIENT_GSO_UDP;

	assert_int_equal(run->header_length, payload_at(f));
	assert_int_equal(run->whole.hdr_len, payload_at(f));
	assert_int_equal(run->whole.csum_start, l4_at(f));
	assert_int_equal(run->whole.csum_offset, field);
	assert_int_equal(run->whole.flags, TUNCLIENT_NEEDS_CSUM);
	if (f->protocol == IPPROTO_TCP)
		type = f->version == 4 ? TUNCLIENT_GSO_TCPV4
				       : TUNCLIENT_GSO_TCPV6;
	assert_int_equal(run->whole.gso_type, type);
	if (f->version == 4) {
		assert_int_equal(ip[2] << 8 | ip[3], length - ip_at(f));
		assert_int_equal(slow_sum(ip, 20, 0), 0xffff);
	} else {
		assert_int_equal(ip[4] << 8 | ip[5], length - l4_at(f));
	}
	if (f->protocol == IPPROTO_UDP)
		assert_int_equal(l4[4] << 8 | l4[5], length - l4_at(f));
	sum = slow_sum(f->version == 4 ? ip + 12 : ip + 8,
		       f->version == 4 ? 8 : 32,
		       (unsigned int)f->protocol + length - l4_at(f));
	assert_int_equal(l4[field] << 8 | l4[field + 1], sum);
}

static void a_run_is_what_it_was(void **state)
{
	for (size_t k = 0; k < sizeof(flows) / sizeof(flows[0]); k++) {
		const struct flow *f = &flows[k];
		struct tunclient_run run;

		for (int i = 0; i < 5; i++)
			add(f, 101);
		add(f, 33);
		assert_int_equal(coalesce(f, &run), 6);
		assert_int_equal(run.whole.gso_size, 101);
		assert_int_equal(run.whole.length - run.header_length,
				 5 * 101 + 33);
		check_header(f, &run);
		for (unsigned int i = 0; i < run.n; i++)
			check_cut(f, &run, i);
		clear(state);
	}
}

static void nothing_comes_behind_a_short_one(void **state)
{
	add(&flows[0], 100);
	add(&flows[0], 99);
	add(&flows[0], 99);
	assert_int_equal(joined(&flows[0]), 2);
}

static void a_longer_one_begins_anew(void **state)
{
	add(&flows[2], 100);
	add(&flows[2], 101);
	assert_int_equal(joined(&flows[2]), 1);
}

static void push_ends_a_run_and_stays(void **state)
{
	const struct flow *f = &flows[1];
	struct tunclient_run run;

	add(f, 100);
	add(f, 100)[l4_at(f) + 13] |= 8;
	finish(f, list.packets[1].data, list.packets[1].length);
	add(f, 100);
	assert_int_equal(coalesce(f, &run), 2);
	assert_int_equal(run.header[l4_at(f) + 13], 0x18);
	check_cut(f, &run, 0);
	check_cut(f, &run, 1);
}

/* Changes one byte of the second packet, makes it right again, or not. */
static void differ(const struct flow *f, unsigned int at, int right)
{
	add(f, 100);
	add(f, 100)[at] ^= 0x04;
	if (right)
		finish(f, list.packets[1].data, list.packets[1].length);
	assert_int_equal(joined(f), 1);
	clear(NULL);
}

static void what_differs_is_not_joined(void **state)
{
	const struct flow *tcp4 = &flows[0], *udp4 = &flows[2];
	const struct flow *tcp6 = &flows[1], *tap4 = &flows[4];

	differ(tcp4, 1, 1);		   /* type of service */
	differ(tcp4, 4, 1);		   /* identification */
	differ(tcp4, 8, 1);		   /* time to live */
	differ(tcp4, 12, 1);		   /* source */
	differ(tcp4, 19, 1);		   /* destination */
	differ(tcp6, 3, 1);		   /* flow label */
	differ(tcp6, 7, 1);		   /* hop limit */
	differ(tcp6, 39, 1);		   /* destination */
	differ(tap4, 0, 1);		   /* Ethernet */
	differ(tcp4, l4_at(tcp4), 1);	   /* port */
	differ(udp4, l4_at(udp4) + 3, 1);  /* port */
	differ(tcp4, l4_at(tcp4) + 7, 1);  /* sequence */
	differ(tcp4, l4_at(tcp4) + 9, 1);  /* acknowledgement */
	differ(tcp4, l4_at(tcp4) + 15, 1); /* window */
	differ(tcp4, l4_at(tcp4) + 19, 1); /* urgent */
	differ(tcp4, l4_at(tcp4) + 31, 1); /* the last option */
	differ(tcp4, l4_at(tcp4) + 13, 1); /* RST */
}

static void what_is_damaged_is_not_joined(void **state)
{
	for (size_t k = 0; k < sizeof(flows) / sizeof(flows[0]); k++) {
		const struct flow *f = &flows[k];

		differ(f, payload_at(f), 0);
		differ(f, payload_at(f) + 99, 0);
		differ(f, l4_at(f) + (f->protocol == IPPROTO_UDP ? 6 : 16), 0);
		if (f->version == 4)
			differ(f, ip_at(f) + 10, 0);
	}
}

static void identification_is_free_where_none_divides(void **state)
{
	const struct flow *f = &flows[0];

	for (unsigned int i = 0; i < 3; i++) {
		uint8_t *data = add(f, 50);

		data[6] = 0x40;
		put16(data + 4, 9);
		finish(f, data, list.packets[i].length);
	}
	assert_int_equal(joined(f), 3);
}

/* The first packet, changed so, goes alone. */
static void alone(const struct flow *f, unsigned int at, uint8_t value)
{
	for (unsigned int i = 0; i < 2; i++) {
		add(f, 100)[at] = value;
		finish(f, list.packets[i].data, list.packets[i].length);
	}
	assert_int_equal(joined(f), 1);
	clear(NULL);
}

static void what_is_no_plain_packet_goes_alone(void **state)
{
	const struct flow *tcp4 = &flows[0], *tcp6 = &flows[1];
	const struct flow *udp4 = &flows[2];

	alone(tcp4, 0, 0x46);		     /* IP options */
	alone(tcp4, 6, 0x20);		     /* a fragment */
	alone(tcp4, 7, 0x01);		     /* a fragment */
	alone(tcp4, 9, 1);		     /* ICMP */
	alone(tcp6, 6, 0);		     /* an extension header */
	alone(tcp4, l4_at(tcp4) + 13, 0x11); /* FIN */
	alone(tcp4, l4_at(tcp4) + 13, 0x50); /* ECE */
	alone(tcp4, l4_at(tcp4) + 12, 0x40); /* a header that is too short */
	alone(tcp4, 0, 0x75);		     /* no version of IP */
	add(udp4, 100);
	add(udp4, 100);
	/* A checksum of 0: there is none. */
	put16((uint8_t *)list.packets[0].data + 26, 0);
	put16((uint8_t *)list.packets[1].data + 26, 0);
	assert_int_equal(joined(udp4), 1);
	clear(NULL);
	add(tcp4, 0);
	add(tcp4, 0);
	assert_int_equal(joined(tcp4), 1);
}

static void packets_cut_off_anywhere_go_alone(void **state)
{
	for (size_t k = 0; k < sizeof(flows) / sizeof(flows[0]); k++) {
		add(&flows[k], 4);
		add(&flows[k], 4);
		while (list.packets[0].length > 0) {
			list.packets[0].length--;
			/* What is behind the length is not looked at. */
			list.packets[0].data =
				realloc(list.packets[0].data,
					list.packets[0].length + 1);
			assert_int_equal(joined(&flows[k]), 1);
		}
		clear(state);
	}
}

static void what_has_work_left_goes_alone(void **state)
{
	add(&flows[0], 100);
	add(&flows[0], 100);
	list.packets[1].flags = TUNCLIENT_NEEDS_CSUM;
	assert_int_equal(joined(&flows[0]), 1);
	list.packets[1].flags = 0;
	list.packets[0].gso_type = TUNCLIENT_GSO_TCPV4;
	assert_int_equal(joined(&flows[0]), 1);
}

static void what_is_not_negotiated_goes_alone(void **state)
{
	static const unsigned int offload[] = {
		TUNCLIENT_OFFLOAD_TSO4, TUNCLIENT_OFFLOAD_TSO6,
		TUNCLIENT_OFFLOAD_USO,	TUNCLIENT_OFFLOAD_USO,
		TUNCLIENT_OFFLOAD_TSO4, TUNCLIENT_OFFLOAD_USO,
	};
	struct tunclient_run run;

	for (size_t k = 0; k < sizeof(flows) / sizeof(flows[0]); k++) {
		const struct flow *f = &flows[k];

		add(f, 100);
		add(f, 100);
		tunclient_coalesce_(list.packets, list.n, f->tap,
				    ALL & ~offload[k], &run);
		assert_int_equal(run.n, 1);
		tunclient_coalesce_(list.packets, list.n, f->tap, offload[k],
				    &run);
		assert_int_equal(run.n, 2);
		clear(state);
	}
}

static void the_parts_are_the_header_and_all_payloads(void **state)
{
	const struct flow *f = &flows[0];
	struct iovec parts[COALESCE_PARTS];
	struct tunclient_run run;

	add(f, 10);
	add(f, 10);
	add(f, 3);
	assert_int_equal(coalesce(f, &run), 3);
	assert_int_equal(tunclient_run_parts_(&run, list.packets, parts), 4);
	assert_ptr_equal(parts[0].iov_base, run.header);
	assert_int_equal(parts[0].iov_len, payload_at(f));
	for (unsigned int i = 0; i < 3; i++) {
		assert_ptr_equal(parts[i + 1].iov_base,
				 (uint8_t *)list.packets[i].data +
					 payload_at(f));
		assert_int_equal(parts[i + 1].iov_len, i < 2 ? 10 : 3);
	}
}

static void a_run_has_its_bounds(void **state)
{
	struct tunclient_run run;

	for (int i = 0; i < 100; i++)
		add(&flows[0], 10);
	assert_int_equal(joined(&flows[0]), COALESCE_MAX);
	clear(state);
	for (int i = 0; i < 60; i++)
		add(&flows[2], 1400);
	assert_int_equal(coalesce(&flows[2], &run), (65535 - 28) / 1400);
	clear(state);
	add(&flows[2], 10);
	assert_int_equal(joined(&flows[2]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_run_is_what_it_was, clear),
		cmocka_unit_test_teardown(nothing_comes_behind_a_short_one,
					  clear),
		cmocka_unit_test_teardown(a_longer_one_begins_anew, clear),
		cmocka_unit_test_teardown(push_ends_a_run_and_stays, clear),
		cmocka_unit_test_teardown(what_differs_is_not_joined, clear),
		cmocka_unit_test_teardown(what_is_damaged_is_not_joined, clear),
		cmocka_unit_test_teardown(
			identification_is_free_where_none_divides, clear),
		cmocka_unit_test_teardown(what_is_no_plain_packet_goes_alone,
					  clear),
		cmocka_unit_test_teardown(packets_cut_off_anywhere_go_alone,
					  clear),
		cmocka_unit_test_teardown(what_has_work_left_goes_alone, clear),
		cmocka_unit_test_teardown(what_is_not_negotiated_goes_alone,
					  clear),
		cmocka_unit_test_teardown(
			the_parts_are_the_header_and_all_payloads, clear),
		cmocka_unit_test_teardown(a_run_has_its_bounds, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
