/* SPDX-License-Identifier: MIT */
/*
 * bpf_sources.c - the part of a program that looks for the sender's addresses:
 * of IP packets, and of frames as packet/frame_sender.c does it for the file.
 * It is written out, network by network, since there are few.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "base/util.h"
#include "dev/policy.h"
#include "net/bpf_insn.h"

enum {
	/* In their headers. */
	IPV4_SOURCE = 12,
	IPV6_NEXT = 6,
	IPV6_SOURCE = 8,
	IPV6_PAYLOAD = 40,
	ND_TARGET = IPV6_PAYLOAD + 8,
	ARP_SENDER = 14,
	TAG_TYPE = 2,
	TAG_LEN = 4,
	/* Where bytes are put, below the frame pointer. */
	BYTES = -16,
	KEPT = -24,
	/* Of the headers before what a checksum may be written into. */
	IPV4_LEN = 20,
	IPV6_LEN = IPV6_PAYLOAD,
	/* Of one network: four words, three instructions each, and a jump. */
	NETWORK_INSNS = 13,
	/* How often a network is asked for: source and target of IPv6. */
	NETWORK_TIMES = 2,
	OTHER_INSNS = 230,
};

size_t bpf_sources_insns(size_t n)
{
	return n * NETWORK_INSNS * NETWORK_TIMES + OTHER_INSNS;
}

/* Bytes behind those of R8; a packet without them is dropped. R0 is 0 then. */
static void add_load(struct bpf_program *p, int offset, int len)
{
	bpf_add(p, MOVE(R1, R6));
	bpf_add(p, MOVE(R2, R8));
	bpf_add(p, ADD_IMM(R2, offset));
	bpf_add(p, MOVE(R3, R10));
	bpf_add(p, ADD_IMM(R3, BYTES));
	bpf_add(p, MOVE_IMM(R4, len));
	bpf_add(p, CALL(BPF_FUNC_skb_load_bytes));
	bpf_add_jump(p, JUMP_NE(R0, 0, 0), &p->bad_source);
}

/* The bits of one word that count, as they are in memory. */
static uint32_t word_mask(unsigned int bits, unsigned int word)
{
	unsigned int first = word * 32;

	if (bits <= first)
		return 0;
	return bits - first >= 32 ? UINT32_MAX
				  : htonl(UINT32_MAX << (32 - (bits - first)));
}

/* Ends with a jump, which is taken by an address of that network. */
static void add_network(struct bpf_program *p, const struct ip_prefix *prefix,
			size_t *ret_jump)
{
	struct bpf_jumps misses = {.n = 0};

	for (unsigned int word = 0; word < 4; word++) {
		uint32_t mask = word_mask(prefix->bits, word), value;

		if (!mask)
			break;
		memcpy(&value, prefix->address + 4 * word, sizeof(value));
		bpf_add(p,
			LOAD_WORD(R2, R10, (int16_t)(BYTES + 4 * (int)word)));
		bpf_add(p, AND_32(R2, (int32_t)mask));
		bpf_add_jump(p, JUMP_NE_32(R2, (int32_t)(value & mask), 0),
			     &misses);
	}
	/* Always: but code behind a plain jump nobody reaches is refused. */
	*ret_jump = p->n;
	bpf_add(p, JUMP_EQ(R0, 0, 0));
	bpf_jump_here(p, &misses);
}

/* The address that was loaded must be of one of the networks. */
static void add_networks(struct bpf_program *p, uint8_t family,
			 const struct ip_prefix *sources, size_t n)
{
	size_t passes[POLICY_MAX_SOURCES], n_passes = 0;

	for (size_t i = 0; i < n; i++)
		if (sources[i].family == family)
			add_network(p, &sources[i], &passes[n_passes++]);
	bpf_add_jump(p, JUMP(0), &p->bad_source);
	while (n_passes > 0) {
		size_t from = passes[--n_passes];

		p->insns[from].off = (int16_t)(p->n - from - 1);
	}
}

static bool has_family(const struct ip_prefix *sources, size_t n,
		       uint8_t family)
{
	for (size_t i = 0; i < n; i++)
		if (sources[i].family == family)
			return true;
	return false;
}

/*
 * R9 is the Ethernet type, and R8 where its packet begins. The kernel has taken
 * out one tag, where there are any.
 */
static void add_begin(struct bpf_program *p, bool tun)
{
	bpf_add(p, MOVE_IMM(R8, ETH_HLEN));
	bpf_add(p, LOAD_FROM(R9, R6, protocol));
	if (tun)
		return;
	bpf_add(p, JUMP_EQ(R9, htons(ETH_P_8021Q), 1));
	bpf_add(p, JUMP_NE(R9, htons(ETH_P_8021AD), 10));
	add_load(p, TAG_TYPE, 2);
	bpf_add(p, LOAD_HALF(R9, R10, BYTES));
	bpf_add(p, ADD_IMM(R8, TAG_LEN));
}

/* The first two bytes of the frame, to the stack. */
static void add_load_first(struct bpf_program *p, int to)
{
	bpf_add(p, MOVE(R1, R6));
	bpf_add(p, MOVE_IMM(R2, 0));
	bpf_add(p, MOVE(R3, R10));
	bpf_add(p, ADD_IMM(R3, to));
	bpf_add(p, MOVE_IMM(R4, 2));
	bpf_add(p, CALL(BPF_FUNC_skb_load_bytes));
	bpf_add_jump(p, JUMP_NE(R0, 0, 0), &p->bad_source);
}

/*
 * Whether the packet has a checksum that is still to be written, no program can
 * read; but only where there is none the kernel adjusts one. The jump is that
 * there is none.
 */
static void add_has_no_sum(struct bpf_program *p, struct bpf_jumps *jumps)
{
	struct bpf_jumps has = {.n = 0};

	add_load_first(p, KEPT);
	bpf_add(p, MOVE(R1, R6));
	bpf_add(p, MOVE_IMM(R2, 0));
	bpf_add(p, MOVE_IMM(R3, 0));
	bpf_add(p, MOVE_IMM(R4, 1));
	bpf_add(p, MOVE_IMM(R5, 2));
	bpf_add(p, CALL(BPF_FUNC_l4_csum_replace));
	bpf_add_jump(p, JUMP_NE(R0, 0, 0), &p->bad_source);
	add_load_first(p, BYTES);
	bpf_add(p, LOAD_HALF(R2, R10, KEPT));
	bpf_add(p, LOAD_HALF(R3, R10, BYTES));
	bpf_add_jump(p, JUMP_SAME(R2, R3, 0), &has);
	bpf_add(p, MOVE(R1, R6));
	bpf_add(p, MOVE_IMM(R2, 0));
	bpf_add(p, MOVE(R3, R10));
	bpf_add(p, ADD_IMM(R3, KEPT));
	bpf_add(p, MOVE_IMM(R4, 2));
	bpf_add(p, MOVE_IMM(R5, 0));
	bpf_add(p, CALL(BPF_FUNC_skb_store_bytes));
	bpf_add_jump(p, JUMP_NE(R0, 0, 0), &p->bad_source);
	bpf_add_jump(p, JUMP(0), jumps);
	bpf_jump_here(p, &has);
}

/* R2 is how much of the packet nothing may be written into, R9 as above. */
static void add_fixed(struct bpf_program *p, bool tun)
{
	struct bpf_jumps known = {.n = 0};

	bpf_add(p, MOVE_IMM(R2, IPV4_LEN));
	bpf_add_jump(p, JUMP_EQ(R9, htons(ETH_P_IP), 0), &known);
	bpf_add_jump(p, JUMP_NE(R9, htons(ETH_P_IPV6), 0), &p->bad_source);
	if (!tun) {
		/* What is behind it may be an advertisement. */
		add_load(p, IPV6_NEXT, 1);
		bpf_add(p, LOAD_BYTE(R2, R10, BYTES));
		bpf_add_jump(p, JUMP_EQ(R2, IPPROTO_ICMPV6, 0), &p->bad_source);
		bpf_add_jump(p, JUMP_EQ(R2, IPPROTO_HOPOPTS, 0),
			     &p->bad_source);
	}
	bpf_add(p, MOVE_IMM(R2, IPV6_LEN));
	bpf_jump_here(p, &known);
}

/*
 * A checksum is written by whoever sends the packet on, behind all that look at
 * it: it must not be in what is looked at here, as vnet_leaves() says of the
 * file. Where it is no program can read; but the kernel refuses to cut a packet
 * before its end. What is cut is dropped.
 */
static void add_sum(struct bpf_program *p, bool tun)
{
	struct bpf_jumps none = {.n = 0};

	add_has_no_sum(p, &none);
	add_fixed(p, tun);
	bpf_add(p, ADD(R2, R8));
	bpf_add(p, ADD_IMM(R2, 1));
	bpf_add(p, MOVE(R1, R6));
	bpf_add(p, MOVE_IMM(R3, 0));
	bpf_add(p, CALL(BPF_FUNC_skb_change_tail));
	bpf_add_jump(p, JUMP_NE(R0, -EINVAL, 0), &p->bad_source);
	bpf_jump_here(p, &none);
}

/* Of Ethernet and IPv4: nobody takes any other for one. */
static void add_arp(struct bpf_program *p)
{
	add_load(p, 0, 8);
	bpf_add(p, LOAD_WORD(R2, R10, BYTES));
	bpf_add_jump(p, JUMP_NE_32(R2, (int32_t)htonl(0x00010800), 0),
		     &p->bad_source);
	bpf_add(p, LOAD_HALF(R2, R10, BYTES + 4));
	bpf_add_jump(p, JUMP_NE(R2, htons(0x0604), 0), &p->bad_source);
	add_load(p, ARP_SENDER, 4);
}

static void add_ipv4(struct bpf_program *p, bool tun,
		     const struct ip_prefix *sources, size_t n,
		     struct bpf_jumps *passes)
{
	struct bpf_jumps others = {.n = 0}, is_arp = {.n = 0},
			 loaded = {.n = 0};

	if (!tun)
		bpf_add_jump(p, JUMP_EQ(R9, htons(ETH_P_ARP), 0), &is_arp);
	bpf_add_jump(p, JUMP_NE(R9, htons(ETH_P_IP), 0), &others);
	add_load(p, IPV4_SOURCE, 4);
	if (!tun) {
		bpf_add_jump(p, JUMP(0), &loaded);
		bpf_jump_here(p, &is_arp);
		add_arp(p);
		bpf_jump_here(p, &loaded);
	}
	add_networks(p, AF_INET, sources, n);
	bpf_add_jump(p, JUMP(0), passes);
	bpf_jump_here(p, &others);
}

/* An advertisement is about its target, and may not be hidden. */
static void add_neighbour(struct bpf_program *p,
			  const struct ip_prefix *sources, size_t n,
			  struct bpf_jumps *passes)
{
	static const uint8_t extensions[] = {IPPROTO_ROUTING, IPPROTO_AH,
					     IPPROTO_DSTOPTS, IPPROTO_MH,
					     139 /* HIP */,   140 /* shim6 */};
	struct bpf_jumps is_icmp = {.n = 0}, has_options = {.n = 0};

	bpf_add_jump(p, JUMP_EQ(R9, IPPROTO_ICMPV6, 0), &is_icmp);
	bpf_add_jump(p, JUMP_EQ(R9, IPPROTO_HOPOPTS, 0), &has_options);
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		bpf_add_jump(p, JUMP_EQ(R9, extensions[i], 0), &p->bad_source);
	bpf_add_jump(p, JUMP(0), passes);

	/* Those of multicast listeners are that long. */
	bpf_jump_here(p, &has_options);
	add_load(p, IPV6_PAYLOAD, 9);
	bpf_add(p, LOAD_HALF(R2, R10, BYTES));
	bpf_add_jump(p, JUMP_NE(R2, htons(IPPROTO_ICMPV6 << 8), 0),
		     &p->bad_source);
	bpf_add(p, LOAD_BYTE(R2, R10, BYTES + 8));
	bpf_add_jump(p, JUMP_EQ(R2, ND_NEIGHBOR_ADVERT, 0), &p->bad_source);
	bpf_add_jump(p, JUMP(0), passes);

	bpf_jump_here(p, &is_icmp);
	add_load(p, IPV6_PAYLOAD, 1);
	bpf_add(p, LOAD_BYTE(R2, R10, BYTES));
	bpf_add_jump(p, JUMP_NE(R2, ND_NEIGHBOR_ADVERT, 0), passes);
	add_load(p, ND_TARGET, 16);
	add_networks(p, AF_INET6, sources, n);
}

static void add_ipv6(struct bpf_program *p, bool tun,
		     const struct ip_prefix *sources, size_t n,
		     struct bpf_jumps *passes)
{
	bpf_add_jump(p, JUMP_NE(R9, htons(ETH_P_IPV6), 0), &p->bad_source);
	if (!tun) {
		add_load(p, IPV6_NEXT, 1);
		bpf_add(p, LOAD_BYTE(R9, R10, BYTES));
	}
	add_load(p, IPV6_SOURCE, 16);
	add_networks(p, AF_INET6, sources, n);
	if (!tun)
		add_neighbour(p, sources, n, passes);
}

void bpf_add_sources(struct bpf_program *p, bool tun,
		     const struct ip_prefix *sources, size_t n)
{
	struct bpf_jumps passes = {.n = 0};

	add_begin(p, tun);
	add_sum(p, tun);
	if (has_family(sources, n, AF_INET))
		add_ipv4(p, tun, sources, n, &passes);
	if (has_family(sources, n, AF_INET6))
		add_ipv6(p, tun, sources, n, &passes);
	else
		bpf_add_jump(p, JUMP(0), &p->bad_source);
	bpf_jump_here(p, &passes);
}
