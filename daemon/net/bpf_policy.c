/* SPDX-License-Identifier: MIT */
/*
 * bpf_policy.c - a program for what reaches the visible end: of a TUN only IP
 * passes, from the networks that the policy names, and no more in a time than
 * it allows. What it looks for in a packet is bpf_sources.c's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>

#include "dev/host.h"
#include "net/bpf.h"
#include "net/bpf_insn.h"

enum {
	OTHER_INSNS = 100,
	/*
	 * Other processors that may take from the bucket while one tries to.
	 * No more is let through than its rate, so that there is an end to it;
	 * whoever loses so often is dropped.
	 */
	RATE_TRIES = 32,
};

static void add_ip_only(struct bpf_program *p)
{
	/* The kernel has taken a VLAN tag out by now. */
	bpf_add(p, LOAD_FROM(R2, R6, vlan_present));
	bpf_add_jump(p, JUMP_NE(R2, 0, 0), &p->invalid);
	bpf_add(p, LOAD_FROM(R2, R6, protocol));
	bpf_add(p, JUMP_EQ(R2, htons(ETH_P_IP), 1));
	bpf_add_jump(p, JUMP_NE(R2, htons(ETH_P_IPV6), 0), &p->invalid);
}

/* R8 is how many packets this one will be. */
static void add_segments(struct bpf_program *p)
{
	bpf_add(p, LOAD_FROM(R8, R6, gso_segs));
	bpf_add(p, JUMP_NE(R8, 0, 7));
	bpf_add(p, MOVE_IMM(R8, 1));
	bpf_add(p, LOAD_FROM(R2, R6, gso_size));
	bpf_add(p, JUMP_EQ(R2, 0, 4));
	/* Nobody has counted yet: with the headers it may be one too many. */
	bpf_add(p, LOAD_FROM(R8, R6, len));
	bpf_add(p, ADD(R8, R2));
	bpf_add(p, ADD_IMM(R8, -1));
	bpf_add(p, DIVIDE(R8, R2));
}

/* rate_take(), on the value that R7 points to. The jump is what is too much. */
static void add_rate(struct bpf_program *p, const struct rate *rate)
{
	const int spent = offsetof(struct bpf_policy_state, spent_ns);
	size_t again;

	add_segments(p);
	bpf_add(p, MULTIPLY_IMM(R8, (int32_t)rate->packet_ns));
	bpf_add(p, CALL(BPF_FUNC_ktime_get_ns));
	bpf_add(p, MOVE(R9, R0));
	bpf_add(p, LOAD_IMM_1(R4, rate->ahead_ns));
	bpf_add(p, LOAD_IMM_2(rate->ahead_ns));
	bpf_add(p, LOAD_IMM_1(R5, rate->start_ns));
	bpf_add(p, LOAD_IMM_2(rate->start_ns));
	bpf_add(p, ADD(R5, R9));
	bpf_add(p, MOVE_IMM(R1, RATE_TRIES));
	again = p->n;
	bpf_add(p, LOAD_64(R0, R7, spent));
	bpf_add(p, MOVE(R2, R0));
	bpf_add(p, JUMP_NE(R0, 0, 1));
	bpf_add(p, MOVE(R2, R5));
	bpf_add(p, JUMP_NOT_LESS(R2, R9, 1));
	bpf_add(p, MOVE(R2, R9));
	bpf_add(p, MOVE(R3, R2));
	bpf_add(p, SUBTRACT(R3, R9));
	bpf_add_jump(p, JUMP_ABOVE(R3, R4, 0), &p->over_rate);
	bpf_add(p, ADD(R2, R8));
	bpf_add(p, MOVE(R3, R0));
	bpf_add(p, ATOMIC_SWAP_IF(R7, R2, spent));
	bpf_add(p, JUMP_SAME(R0, R3, 3));
	bpf_add(p, ADD_IMM(R1, -1));
	bpf_add(p, JUMP_NE(R1, 0, (int16_t)(again - p->n - 1)));
	bpf_add_jump(p, JUMP(0), &p->over_rate);
}

static void add_pass(struct bpf_program *p, bool tun)
{
	/* Otherwise it is kept for those who see everything. */
	if (tun) {
		bpf_add(p, MOVE(R1, R6));
		bpf_add(p, MOVE_IMM(R2, PACKET_HOST));
		bpf_add(p, CALL(BPF_FUNC_skb_change_type));
	}
	bpf_add(p, MOVE_IMM(R0, TCX_NEXT));
	bpf_add(p, EXIT());
}

static void add_drop(struct bpf_program *p, const struct bpf_jumps *jumps,
		     size_t counter)
{
	if (jumps->n == 0)
		return;
	bpf_jump_here(p, jumps);
	bpf_add(p, MOVE_IMM(R2, 1));
	bpf_add(p, ATOMIC_ADD(R7, R2, (int16_t)counter));
	bpf_add(p, MOVE_IMM(R0, TC_ACT_SHOT));
	bpf_add(p, EXIT());
}

static void write_program(struct bpf_program *p, bool tun,
			  const struct host_direct *how, int state_fd)
{
	bpf_add(p, MOVE(R6, R1));
	bpf_add(p, LOAD_VALUE_1(R7, state_fd));
	bpf_add(p, LOAD_VALUE_2());
	if (tun)
		add_ip_only(p);
	if (how->n_sources > 0)
		bpf_add_sources(p, tun, how->sources, how->n_sources);
	if (how->rate.packet_ns)
		add_rate(p, &how->rate);
	add_pass(p, tun);
	add_drop(p, &p->invalid, offsetof(struct bpf_policy_state, invalid));
	add_drop(p, &p->bad_source,
		 offsetof(struct bpf_policy_state, bad_source));
	add_drop(p, &p->over_rate,
		 offsetof(struct bpf_policy_state, over_rate));
}

int bpf_load_policy(bool tun, const struct host_direct *how, int state_fd,
		    int *ret_fd)
{
	struct bpf_program p = {
		.insns = calloc(bpf_sources_insns(how->n_sources) + OTHER_INSNS,
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
