/* SPDX-License-Identifier: MIT */
/*
 * client-lib/coalesce.c - which packets may be joined, and the header that they
 * then have. The conditions are those under which the kernel's own generic
 * receive offload joins packets, but that identifications of packets that must
 * not be fragmented may be any: where the host cuts, it numbers them anew.
 */
#include "coalesce.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "checksum.h"

/* Where the fields are, from the beginning of their header. */
enum {
	IP4_LENGTH = 2,
	IP4_ID = 4,
	IP4_FRAGMENT = 6,
	IP4_PROTOCOL = 9,
	IP4_CHECKSUM = 10,
	IP4_ADDRESSES = 12,
	IP4_SIZE = 20,
	IP6_LENGTH = 4,
	IP6_NEXT = 6,
	IP6_ADDRESSES = 8,
	IP6_SIZE = 40,
	UDP_LENGTH = 4,
	UDP_CHECKSUM = 6,
	UDP_SIZE = 8,
	TCP_SEQUENCE = 4,
	TCP_OFFSET = 12,
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
	TCP_SIZE = 20,
};

#define IP4_DONT_FRAGMENT 0x4000
#define TCP_PSH		  0x08
#define TCP_ACK		  0x10

/* A packet that may be joined with others, taken apart. */
struct parts {
	const uint8_t *data;
	unsigned int ip, l4, payload; /* where they begin */
	unsigned int payload_length;
	uint8_t version, protocol;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* The sum over what TCP and UDP protect of the IP header, not folded. */
static uint64_t pseudo_sum(const uint8_t *ip, uint8_t version, uint8_t protocol,
			   unsigned int length)
{
	uint64_t sum = htons(protocol) + (uint64_t)htonl(length);

	return version == 4 ? checksum_add(sum, ip + IP4_ADDRESSES, 8)
			    : checksum_add(sum, ip + IP6_ADDRESSES, 32);
}

static bool parse_ip4(const uint8_t *ip, unsigned int length, struct parts *p)
{
	if (length < IP4_SIZE || ip[0] != 0x45 ||
	    get16(ip + IP4_LENGTH) != length ||
	    (get16(ip + IP4_FRAGMENT) & ~IP4_DONT_FRAGMENT) ||
	    checksum_fold(checksum_add(0, ip, IP4_SIZE)) != 0xffff)
		return false;
	p->protocol = ip[IP4_PROTOCOL];
	p->l4 = p->ip + IP4_SIZE;
	return true;
}

static bool parse_ip6(const uint8_t *ip, unsigned int length, struct parts *p)
{
	if (length < IP6_SIZE || get16(ip + IP6_LENGTH) != length - IP6_SIZE)
		return false;
	p->protocol = ip[IP6_NEXT];
	p->l4 = p->ip + IP6_SIZE;
	return true;
}

/* Whether the host is to be given such segments. */
static bool is_offloaded(const struct parts *p, unsigned int offloads)
{
	if (p->protocol == IPPROTO_UDP)
		return offloads & TUNCLIENT_OFFLOAD_USO;
	return p->protocol == IPPROTO_TCP &&
	       offloads & (p->version == 4 ? TUNCLIENT_OFFLOAD_TSO4
					   : TUNCLIENT_OFFLOAD_TSO6);
}

static bool parse_l4(const uint8_t *l4, unsigned int length, struct parts *p)
{
	unsigned int header = UDP_SIZE;

	if (p->protocol == IPPROTO_TCP) {
		if (length < TCP_SIZE)
			return false;
		header = (l4[TCP_OFFSET] >> 4) * 4u;
		if (header < TCP_SIZE || (l4[TCP_FLAGS] & ~TCP_PSH) != TCP_ACK)
			return false;
	} else if (length < UDP_SIZE || get16(l4 + UDP_LENGTH) != length ||
		   get16(l4 + UDP_CHECKSUM) == 0) {
		return false;
	}
	if (length <= header)
		return false;
	p->payload = p->l4 + header;
	p->payload_length = length - header;
	return checksum_fold(
		       checksum_add(pseudo_sum(p->data + p->ip, p->version,
					       p->protocol, length),
				    l4, length)) == 0xffff;
}

static bool parse(const struct tunclient_packet *packet, bool tap,
		  unsigned int offloads, struct parts *ret_parts)
{
	unsigned int length = packet->length;
	const uint8_t *data = packet->data;
	struct parts p = {.data = data, .ip = tap ? ETH_HLEN : 0};
	bool r;

	if (packet->flags || packet->gso_type || length <= p.ip)
		return false;
	length -= p.ip;
	p.version = data[p.ip] >> 4;
	if (tap && get16(data + 2 * ETH_ALEN) !=
			   (p.version == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6))
		return false;
	if (p.version == 4)
		r = parse_ip4(data + p.ip, length, &p);
	else
		r = p.version == 6 && parse_ip6(data + p.ip, length, &p);
	if (!r || !is_offloaded(&p, offloads) ||
	    !parse_l4(data + p.l4, packet->length - p.l4, &p))
		return false;
	*ret_parts = p;
	return true;
}

/* All of the IP header but what counts bytes and packets. */
static bool same_ip(const struct parts *a, const struct parts *b,
		    unsigned int n)
{
	const uint8_t *x = a->data + a->ip, *y = b->data + b->ip;

	if (a->version == 6)
		return memcmp(x, y, IP6_LENGTH) == 0 &&
		       memcmp(x + IP6_NEXT, y + IP6_NEXT,
			      IP6_SIZE - IP6_NEXT) == 0;
	return memcmp(x, y, IP4_LENGTH) == 0 &&
	       memcmp(x + IP4_FRAGMENT, y + IP4_FRAGMENT,
		      IP4_CHECKSUM - IP4_FRAGMENT) == 0 &&
	       memcmp(x + IP4_ADDRESSES, y + IP4_ADDRESSES, 8) == 0 &&
	       ((get16(x + IP4_FRAGMENT) & IP4_DONT_FRAGMENT) ||
		get16(y + IP4_ID) == (uint16_t)(get16(x + IP4_ID) + n));
}

static bool same_l4(const struct parts *a, const struct parts *b,
		    unsigned int sent)
{
	const uint8_t *x = a->data + a->l4, *y = b->data + b->l4;

	if (a->protocol == IPPROTO_UDP)
		return memcmp(x, y, UDP_LENGTH) == 0;
	/* The ports, then all from the acknowledgement on but the flags, which
	 * are known, and the checksum. */
	return memcmp(x, y, TCP_SEQUENCE) == 0 &&
	       get32(y + TCP_SEQUENCE) == get32(x + TCP_SEQUENCE) + sent &&
	       memcmp(x + TCP_SEQUENCE + 4, y + TCP_SEQUENCE + 4,
		      TCP_FLAGS - TCP_SEQUENCE - 4) == 0 &&
	       memcmp(x + TCP_FLAGS + 1, y + TCP_FLAGS + 1, 2) == 0 &&
	       memcmp(x + TCP_CHECKSUM + 2, y + TCP_CHECKSUM + 2,
		      a->payload - a->l4 - TCP_CHECKSUM - 2) == 0;
}

/* Whether the packet follows the n that have `sent` bytes of payload. */
static bool follows(const struct parts *first, const struct parts *next,
		    unsigned int n, unsigned int sent)
{
	return first->version == next->version &&
	       first->protocol == next->protocol &&
	       first->payload == next->payload &&
	       next->payload_length <= first->payload_length &&
	       next->payload + sent + next->payload_length - first->ip <=
		       COALESCE_BYTES_MAX &&
	       memcmp(first->data, next->data, first->ip) == 0 &&
	       same_ip(first, next, n) && same_l4(first, next, sent);
}

/* Nothing may come behind a packet that is short, or that has PSH. */
static bool is_last(const struct parts *first, const struct parts *p)
{
	return p->payload_length < first->payload_length ||
	       (p->protocol == IPPROTO_TCP &&
		(p->data[p->l4 + TCP_FLAGS] & TCP_PSH));
}

static unsigned int gso_type(const struct parts *p)
{
	if (p->protocol == IPPROTO_UDP)
		return TUNCLIENT_GSO_UDP;
	return p->version == 4 ? TUNCLIENT_GSO_TCPV4 : TUNCLIENT_GSO_TCPV6;
}

static void make_header(const struct parts *first, const struct parts *last,
			struct tunclient_run *run)
{
	uint8_t *ip = run->header + first->ip, *l4 = run->header + first->l4;
	unsigned int l4_length = run->whole.length - first->l4;
	unsigned int checksum = UDP_CHECKSUM;

	memcpy(run->header, first->data, run->header_length);
	if (first->version == 4) {
		put16(ip + IP4_LENGTH, run->whole.length - first->ip);
		put16(ip + IP4_CHECKSUM, 0);
		checksum_put(ip + IP4_CHECKSUM,
			     ~checksum_fold(checksum_add(0, ip, IP4_SIZE)));
	} else {
		put16(ip + IP6_LENGTH, l4_length);
	}
	if (first->protocol == IPPROTO_TCP) {
		l4[TCP_FLAGS] |= last->data[last->l4 + TCP_FLAGS] & TCP_PSH;
		checksum = TCP_CHECKSUM;
	} else {
		put16(l4 + UDP_LENGTH, l4_length);
	}
	checksum_put(l4 + checksum,
		     checksum_fold(pseudo_sum(ip, first->version,
					      first->protocol, l4_length)));
	run->whole.flags = TUNCLIENT_NEEDS_CSUM;
	run->whole.csum_start = (uint16_t)first->l4;
	run->whole.csum_offset = (uint16_t)checksum;
	run->whole.gso_type = (uint8_t)gso_type(first);
	run->whole.gso_size = (uint16_t)first->payload_length;
	run->whole.hdr_len = (uint16_t)run->header_length;
}

void tunclient_coalesce_(const struct tunclient_packet *packets, unsigned int n,
			 bool tap, unsigned int offloads,
			 struct tunclient_run *ret_run)
{
	struct parts first, last, next;
	unsigned int done, sent;

	ret_run->n = 1;
	if (n < 2 || !parse(&packets[0], tap, offloads, &first))
		return;
	last = first;
	sent = first.payload_length;
	for (done = 1; done < n && done < COALESCE_MAX; done++) {
		if (is_last(&first, &last) ||
		    !parse(&packets[done], tap, offloads, &next) ||
		    !follows(&first, &next, done, sent))
			break;
		sent += next.payload_length;
		last = next;
	}
	if (done < 2)
		return;
	ret_run->n = done;
	ret_run->header_length = first.payload;
	ret_run->whole = (struct tunclient_packet){
		.data = ret_run->header,
		.length = first.payload + sent,
	};
	make_header(&first, &last, ret_run);
}

unsigned int tunclient_run_parts_(const struct tunclient_run *run,
				  const struct tunclient_packet *packets,
				  struct iovec *ret_parts)
{
	ret_parts[0] = (struct iovec){run->whole.data, run->header_length};
	for (unsigned int i = 0; i < run->n; i++)
		ret_parts[i + 1] = (struct iovec){
			(uint8_t *)packets[i].data + run->header_length,
			packets[i].length - run->header_length,
		};
	return run->n + 1;
}
