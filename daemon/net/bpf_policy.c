/* SPDX-License-Identifier: MIT */
/*
 * bpf_policy.c - a program for what reaches the visible end: of a TUN only IP
 * passes, from the networks that the policy names, and no more in a time than
 * it allows. It is written out, network by network, since there are few.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "dev/policy.h"
#include "net/bpf.h"
#include "net/bpf_insn.h"

enum {
	IPV4_SOURCE = 12,
	IPV6_SOURCE = 8,
	/* Where the address is, below the frame pointer. */
	ADDRESS = -16,
	/* Of one network: four words, three instructions each, and a jump. */
	NETWORK_INSNS = 13,
	OTHER_INSNS = 100,
	/*
	 * Other processors that may take from the bucket while one tries to.
	 * No more is let through than its rate, so that there is an end to it;
	 * whoever loses so often is dropped.
	 */
	RATE_TRIES = 32,
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

static void add_sources(struct program *p, const struct ip_prefix *sources,
			size_t n, struct jumps *drops)
{
	size_t pass_jumps[POLICY_MAX_SOURCES], is_ipv4;
	struct jumps passes = {pass_jumps, 0};

	add(p, JUMP_EQ(R2, htons(ETH_P_IP), 0));
	is_ipv4 = p->n - 1;
	add_family(p, AF_INET6, sources, n, &passes, drops);
	jump_here(p, is_ipv4);
	add_family(p, AF_INET, sources, n, &passes, drops);
	for (size_t i = 0; i < passes.n; i++)
		jump_here(p, passes.from[i]);
}

/* R2 is the type afterwards. */
static void add_ip_only(struct program *p, struct jumps *drops)
{
	/* The kernel has taken a VLAN tag out by now. */
	add(p, LOAD_FROM(R2, R6, vlan_present));
	add(p, JUMP_NE(R2, 0, 0));
	drops->from[drops->n++] = p->n - 1;
	add(p, LOAD_FROM(R2, R6, protocol));
	add(p, JUMP_EQ(R2, htons(ETH_P_IP), 1));
	add(p, JUMP_NE(R2, htons(ETH_P_IPV6), 0));
	drops->from[drops->n++] = p->n - 1;
}

/* R8 is how many packets this one will be. */
static void add_segments(struct program *p)
{
	add(p, LOAD_FROM(R8, R6, gso_segs));
	add(p, JUMP_NE(R8, 0, 7));
	add(p, MOVE_IMM(R8, 1));
	add(p, LOAD_FROM(R2, R6, gso_size));
	add(p, JUMP_EQ(R2, 0, 4));
	/* Nobody has counted yet: with the headers it may be one too many. */
	add(p, LOAD_FROM(R8, R6, len));
	add(p, ADD(R8, R2));
	add(p, ADD_IMM(R8, -1));
	add(p, DIVIDE(R8, R2));
}

/* rate_take(), on the value that R7 points to. The jump is what is too much. */
static void add_rate(struct program *p, const struct rate *rate,
		     struct jumps *drops)
{
	const int spent = offsetof(struct bpf_policy_state, spent_ns);
	size_t again;

	add_segments(p);
	add(p, MULTIPLY_IMM(R8, (int32_t)rate->packet_ns));
	add(p, CALL(BPF_FUNC_ktime_get_ns));
	add(p, MOVE(R9, R0));
	add(p, LOAD_IMM_1(R4, rate->ahead_ns));
	add(p, LOAD_IMM_2(rate->ahead_ns));
	add(p, LOAD_IMM_1(R5, rate->start_ns));
	add(p, LOAD_IMM_2(rate->start_ns));
	add(p, ADD(R5, R9));
	add(p, MOVE_IMM(R1, RATE_TRIES));
	again = p->n;
	add(p, LOAD_64(R0, R7, spent));
	add(p, MOVE(R2, R0));
	add(p, JUMP_NE(R0, 0, 1));
	add(p, MOVE(R2, R5));
	add(p, JUMP_NOT_LESS(R2, R9, 1));
	add(p, MOVE(R2, R9));
	add(p, MOVE(R3, R2));
	add(p, SUBTRACT(R3, R9));
	add(p, JUMP_ABOVE(R3, R4, 0));
	drops->from[drops->n++] = p->n - 1;
	add(p, ADD(R2, R8));
	add(p, MOVE(R3, R0));
	add(p, ATOMIC_SWAP_IF(R7, R2, spent));
	add(p, JUMP_SAME(R0, R3, 3));
	add(p, ADD_IMM(R1, -1));
	add(p, JUMP_NE(R1, 0, (int16_t)(again - p->n - 1)));
	add(p, JUMP(0));
	drops->from[drops->n++] = p->n - 1;
}

static void add_pass(struct program *p, bool tun)
{
	/* Otherwise it is kept for those who see everything. */
	if (tun) {
		add(p, MOVE(R1, R6));
		add(p, MOVE_IMM(R2, PACKET_HOST));
		add(p, CALL(BPF_FUNC_skb_change_type));
	}
	add(p, MOVE_IMM(R0, TCX_NEXT));
	add(p, EXIT());
}

static void add_drop(struct program *p, const struct jumps *jumps,
		     size_t counter)
{
	if (jumps->n == 0)
		return;
	for (size_t i = 0; i < jumps->n; i++)
		jump_here(p, jumps->from[i]);
	add(p, MOVE_IMM(R2, 1));
	add(p, ATOMIC_ADD(R7, R2, (int16_t)counter));
	add(p, MOVE_IMM(R0, TC_ACT_SHOT));
	add(p, EXIT());
}

static void write_program(struct program *p, bool tun,
			  const struct host_direct *how, int state_fd)
{
	size_t invalid_jumps[2], source_jumps[4], rate_jumps[2];
	struct jumps invalid = {invalid_jumps, 0};
	struct jumps sources = {source_jumps, 0};
	struct jumps rate = {rate_jumps, 0};

	add(p, MOVE(R6, R1));
	add(p, LOAD_VALUE_1(R7, state_fd));
	add(p, LOAD_VALUE_2());
	if (tun)
		add_ip_only(p, &invalid);
	if (how->n_sources > 0)
		add_sources(p, how->sources, how->n_sources, &sources);
	if (how->rate.packet_ns)
		add_rate(p, &how->rate, &rate);
	add_pass(p, tun);
	add_drop(p, &invalid, offsetof(struct bpf_policy_state, invalid));
	add_drop(p, &sources, offsetof(struct bpf_policy_state, bad_source));
	add_drop(p, &rate, offsetof(struct bpf_policy_state, over_rate));
}

int bpf_load_policy(bool tun, const struct host_direct *how, int state_fd,
		    int *ret_fd)
{
	struct program p = {
		.insns = calloc(how->n_sources * NETWORK_INSNS + OTHER_INSNS,
				sizeof(*p.insns)),
	};
	int r;

	if (!p.insns)
		return -ENOMEM;
	write_program(&p, tun, how, state_fd);
	r = bpf_load(p.insns, p.n, ret_fd);
	free(p.insns);
	return r;
}
