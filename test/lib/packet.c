/* SPDX-License-Identifier: MIT */
/*
 * packet.c - UDP packets whose every byte follows from flow and sequence
 * number, built and taken apart. It moves none of them.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

/* How far ahead a payload too short to hold its number is looked for. */
#define SEARCH 200000u

void frame_format_of_options(struct frame_format *f)
{
	memset(f, 0, sizeof(*f));
	f->tap = opt.tap;
	f->pi = opt.pi;
	f->sport = opt.sport;
	f->dport = opt.dport;
	f->v6 = opt.src && strchr(opt.src, ':');
	memcpy(f->src_mac, "\x02\0\0\0\0\x02", 6);
	if (!opt.src || !opt.dst ||
	    inet_pton(f->v6 ? AF_INET6 : AF_INET, opt.src, &f->src) != 1 ||
	    inet_pton(f->v6 ? AF_INET6 : AF_INET, opt.dst, &f->dst) != 1)
		die("--src and --dst are needed");
}

static uint64_t seed_of(unsigned int flow, uint64_t seq)
{
	return opt.seed ^ ((uint64_t)flow << 48) ^ (seq * 0x9e3779b1u);
}

unsigned int payload_size(unsigned int flow, uint64_t seq)
{
	uint64_t state = seed_of(flow, seq) ^ 0x5151515151515151u;

	return opt.min +
	       (unsigned int)(random_next(&state) % (opt.max - opt.min + 1));
}

/* The number, little-endian so that its low bits come first, then noise. */
void payload_fill(uint8_t *buf, unsigned int size, unsigned int flow,
		  uint64_t seq)
{
	uint64_t state = seed_of(flow, seq);
	uint64_t word = htole64(seq);

	for (unsigned int at = 0; at < size; at += 8) {
		unsigned int n = size - at < 8 ? size - at : 8;

		memcpy(buf + at, &word, n);
		word = random_next(&state);
	}
}

static bool payload_is(const uint8_t *buf, unsigned int size, unsigned int flow,
		       uint64_t seq)
{
	uint8_t want[BUFFER_SIZE];

	if (payload_size(flow, seq) != size)
		return false;
	payload_fill(want, size, flow, seq);
	return !memcmp(buf, want, size);
}

/* The lowest number from `from` on that the payload can have. */
static bool payload_find(const uint8_t *buf, unsigned int size,
			 unsigned int flow, uint64_t from, uint64_t *ret_seq)
{
	for (uint64_t seq = from; seq < from + SEARCH; seq++) {
		if (!payload_is(buf, size, flow, seq))
			continue;
		*ret_seq = seq;
		return true;
	}
	return false;
}

bool payload_check(struct flow_check *check, const uint8_t *buf,
		   unsigned int size, unsigned int flow)
{
	uint64_t *next = &check->next[flow % MAX_FLOWS];
	uint64_t seq;

	if (size >= 8) {
		memcpy(&seq, buf, 8);
		seq = le64toh(seq);
		if (!payload_is(buf, size, flow, seq)) {
			count(C_CORRUPT, 1);
			return false;
		}
	} else if (!payload_find(buf, size, flow, *next, &seq)) {
		count(C_CORRUPT, 1);
		return false;
	}
	count(C_RX, 1);
	count(C_RX_BYTES, size);
	if (seq < *next) {
		count(C_REORDERED, 1);
		return true;
	}
	count(C_LOST, seq - *next);
	*next = seq + 1;
	return true;
}

static uint32_t sum(uint32_t start, const uint8_t *p, size_t size)
{
	uint64_t total = start;

	for (; size >= 2; p += 2, size -= 2)
		total += (uint32_t)p[0] << 8 | p[1];
	if (size)
		total += (uint32_t)p[0] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint32_t)total;
}

static void put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static uint32_t pseudo_header(const uint8_t *src, const uint8_t *dst,
			      size_t address_size, size_t udp_size)
{
	uint32_t s = sum(0, src, address_size);

	s = sum(s, dst, address_size);
	return s + 17 + (uint32_t)udp_size;
}

/* The IP header, and the sum that the UDP checksum begins with. */
static size_t ip_build(const struct frame_format *f, uint8_t *ip,
		       size_t udp_size, uint64_t seq, uint32_t *ret_sum)
{
	if (f->v6) {
		memset(ip, 0, 40);
		ip[0] = 0x60;
		put16(ip + 4, (unsigned int)udp_size);
		ip[6] = 17;
		ip[7] = 64;
		memcpy(ip + 8, &f->src, 16);
		memcpy(ip + 24, &f->dst, 16);
		*ret_sum = pseudo_header(ip + 8, ip + 24, 16, udp_size);
		return 40;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned int)udp_size + 20);
	put16(ip + 4, (unsigned int)seq & 0xffff);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, &f->src, 4);
	memcpy(ip + 16, &f->dst, 4);
	put16(ip + 10, ~sum(0, ip, 20) & 0xffff);
	*ret_sum = pseudo_header(ip + 12, ip + 16, 4, udp_size);
	return 20;
}

size_t frame_build(const struct frame_format *f, uint8_t *buf,
		   unsigned int flow, uint64_t seq)
{
	unsigned int size = payload_size(flow, seq);
	unsigned int type = f->v6 ? 0x86dd : 0x0800;
	uint8_t *p = buf;
	uint32_t checksum;

	if (f->pi) {
		put16(p, 0);
		put16(p + 2, type);
		p += 4;
	}
	if (f->tap) {
		memcpy(p, f->dst_mac, 6);
		memcpy(p + 6, f->src_mac, 6);
		put16(p + 12, type);
		p += 14;
	}
	p += ip_build(f, p, size + 8, seq, &checksum);
	put16(p, f->sport + flow);
	put16(p + 2, f->dport);
	put16(p + 4, size + 8);
	put16(p + 6, 0);
	payload_fill(p + 8, size, flow, seq);
	checksum = ~sum(checksum, p, size + 8) & 0xffff;
	put16(p + 6, checksum ? checksum : 0xffff);
	return (size_t)(p - buf) + 8 + size;
}

/* The IP header's length; 0 when it is not IP or not what it says. */
static size_t ip_check(const struct frame_format *f, const uint8_t *ip,
		       size_t size, uint32_t *ret_sum, bool *ret_udp)
{
	if (size >= 40 && ip[0] >> 4 == 6) {
		*ret_udp = ip[6] == 17 && f->v6;
		*ret_sum = pseudo_header(ip + 8, ip + 24, 16, size - 40);
		return get16(ip + 4) + 40u == size ? 40 : 0;
	}
	if (size < 20 || ip[0] != 0x45 || sum(0, ip, 20) != 0xffff)
		return 0;
	*ret_udp = ip[9] == 17 && !f->v6;
	*ret_sum = pseudo_header(ip + 12, ip + 16, 4, size - 20);
	return get16(ip + 2) == size ? 20 : 0;
}

void frame_check(const struct frame_format *f, struct flow_check *check,
		 const uint8_t *buf, size_t size)
{
	const uint8_t *p = buf, *end = buf + size;
	unsigned int type = 0;
	bool udp = false;
	uint32_t checksum;
	size_t header;

	if (f->pi) {
		if (size < 4 || get16(p) != 0)
			goto corrupt;
		type = get16(p + 2);
		p += 4;
	}
	if (f->tap) {
		if (end - p < 14 || (f->pi && type != get16(p + 12)))
			goto corrupt;
		type = get16(p + 12);
		p += 14;
		if (type != 0x0800 && type != 0x86dd) {
			count(C_RX_OTHER, 1);
			return;
		}
	}
	header = ip_check(f, p, (size_t)(end - p), &checksum, &udp);
	if (!header || (type && type != (p[0] >> 4 == 6 ? 0x86dd : 0x0800)))
		goto corrupt;
	p += header;
	if (!udp || end - p < 8 || get16(p + 2) != f->dport ||
	    get16(p) < f->sport || get16(p) >= f->sport + opt.flows) {
		count(C_RX_OTHER, 1);
		return;
	}
	if (get16(p + 4) != (size_t)(end - p) || !get16(p + 6) ||
	    sum(checksum, p, (size_t)(end - p)) != 0xffff)
		goto corrupt;
	payload_check(check, p + 8, (unsigned int)(end - p) - 8,
		      get16(p) - f->sport);
	return;
corrupt:
	count(C_CORRUPT, 1);
}
