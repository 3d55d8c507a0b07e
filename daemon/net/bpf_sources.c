/* SPDX-License-Identifier: MIT */
/*
 * bpf_sources.c - a program for what reaches the visible end of a TUN: IP from
 * some networks passes, all else is dropped. It is written out, network by
 * network, since there are few.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "dev/host.h"
#include "net/bpf.h"
#include "net/bpf_insn.h"

enum {
	IPV4_SOURCE = 12,
	IPV6_SOURCE = 8,
	/* Where the address is, below the frame pointer. */
	ADDRESS = -16,
	/* Of one network: four words, three instructions each, and a jump. */
	NETWORK_INSNS = 13,
	OTHER_INSNS = 40,
};

struct program {
	struct bpf_insn *insns;
	size_t n;
};

static void add(struct program *p, struct bpf_insn insn)
{
	p->insns[p->n++] = insn;
}

/* Where a jump is that was added last, or will be. */
static void jump_here(struct program *p, size_t from)
{
	p->insns[from].off = (int16_t)(p->n - from - 1);
}

/* Loads the address; what has none ends where the caller says. */
static size_t add_load(struct program *p, int offset, int len)
{
	add(p, MOVE(R1, R6));
	add(p, MOVE_IMM(R2, ETH_HLEN + offset));
	add(p, MOVE(R3, R10));
	add(p, ADD_IMM(R3, ADDRESS));
	add(p, MOVE_IMM(R4, len));
	add(p, CALL(BPF_FUNC_skb_load_bytes));
	add(p, JUMP_NE(R0, 0, 0));
	return p->n - 1;
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
static size_t add_network(struct program *p, const struct ip_prefix *prefix)
{
	size_t misses[4], n = 0;

	for (unsigned int word = 0; word < 4; word++) {
		uint32_t mask = word_mask(prefix->bits, word), value;

		if (!mask)
			break;
		memcpy(&value, prefix->address + 4 * word, sizeof(value));
		add(p, LOAD_WORD(R2, R10, (int16_t)(ADDRESS + 4 * (int)word)));
		add(p, AND_32(R2, (int32_t)mask));
		add(p, JUMP_NE_32(R2, (int32_t)(value & mask), 0));
		misses[n++] = p->n - 1;
	}
	/* Always: but code behind a plain jump nobody reaches is refused. */
	add(p, JUMP_EQ(R0, 0, 0));
	while (n > 0)
		jump_here(p, misses[--n]);
	return p->n - 1;
}

struct jumps {
	size_t *from;
	size_t n;
};

static void add_family(struct program *p, uint8_t family,
		       const struct ip_prefix *sources, size_t n,
		       struct jumps *passes, struct jumps *drops)
{
	if (family == AF_INET)
		drops->from[drops->n++] = add_load(p, IPV4_SOURCE, 4);
	else
		drops->from[drops->n++] = add_load(p, IPV6_SOURCE, 16);
	for (size_t i = 0; i < n; i++)
		if (sources[i].family == family)
			passes->from[passes->n++] = add_network(p, &sources[i]);
	add(p, JUMP(0));
	drops->from[drops->n++] = p->n - 1;
}

static void write_program(struct program *p, const struct ip_prefix *sources,
			  size_t n, size_t *pass_jumps)
{
	size_t drop_jumps[8], is_ipv4;
	struct jumps drops = {drop_jumps, 0}, passes = {pass_jumps, 0};

	add(p, MOVE(R6, R1));
	/* The kernel has taken a VLAN tag out by now. */
	add(p, LOAD_CTX(R2, vlan_present));
	add(p, JUMP_NE(R2, 0, 0));
	drops.from[drops.n++] = p->n - 1;
	add(p, LOAD_CTX(R2, protocol));
	add(p, JUMP_EQ(R2, htons(ETH_P_IP), 0));
	is_ipv4 = p->n - 1;
	add(p, JUMP_NE(R2, htons(ETH_P_IPV6), 0));
	drops.from[drops.n++] = p->n - 1;
	add_family(p, AF_INET6, sources, n, &passes, &drops);
	jump_here(p, is_ipv4);
	add_family(p, AF_INET, sources, n, &passes, &drops);

	for (size_t i = 0; i < passes.n; i++)
		jump_here(p, passes.from[i]);
	/* Otherwise it is kept for those who see everything. */
	add(p, MOVE(R1, R6));
	add(p, MOVE_IMM(R2, PACKET_HOST));
	add(p, CALL(BPF_FUNC_skb_change_type));
	add(p, MOVE_IMM(R0, TCX_NEXT));
	add(p, EXIT());
	for (size_t i = 0; i < drops.n; i++)
		jump_here(p, drops.from[i]);
	add(p, MOVE_IMM(R0, TC_ACT_SHOT));
	add(p, EXIT());
}

int bpf_load_sources(const struct ip_prefix *sources, size_t n, int *ret_fd)
{
	struct program p = {
		.insns = calloc(n * NETWORK_INSNS + OTHER_INSNS,
				sizeof(*p.insns)),
	};
	size_t *pass_jumps = calloc(n, sizeof(*pass_jumps));
	int r = -ENOMEM;

	if (p.insns && pass_jumps) {
		write_program(&p, sources, n, pass_jumps);
		r = bpf_load(p.insns, p.n, ret_fd);
	}
	free(p.insns);
	free(pass_jumps);
	return r;
}
