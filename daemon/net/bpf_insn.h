/* SPDX-License-Identifier: MIT */
/*
 * bpf_insn.h - the kernel's BPF instructions, as far as our programs have them,
 * and their loading. Private to net/.
 */
#ifndef TUND_NET_BPF_INSN_H
#define TUND_NET_BPF_INSN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an ingress program answers for "whatever comes after us". */
#define TCX_NEXT (-1)

enum {
	R0,
	R1,
	R2,
	R3,
	R4,
	R5,
	R6,
	R7,
	R8,
	R9,
	R10 = 10,
};

/* clang-format off */
#define INSN(c, d, s, o, i) \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), \
			   .off = (o), .imm = (i)})
#define LOAD_FROM(d, s, field) \
	INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, \
	     offsetof(struct __sk_buff, field), 0)
#define LOAD_CTX(d, field)  LOAD_FROM(d, R1, field)
#define LOAD_HALF(d, s, o)  INSN(BPF_LDX | BPF_MEM | BPF_H, d, s, o, 0)
#define LOAD_BYTE(d, s, o)  INSN(BPF_LDX | BPF_MEM | BPF_B, d, s, o, 0)
#define STORE_16(d, o, i)   INSN(BPF_ST | BPF_MEM | BPF_H, d, 0, o, i)
#define MOVE(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOVE_IMM(d, i)	    INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	    INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define SHIFT_RIGHT(d, i)   INSN(BPF_ALU64 | BPF_RSH | BPF_K, d, 0, 0, i)
#define ADD(d, s)	    INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define SUBTRACT(d, s)	    INSN(BPF_ALU64 | BPF_SUB | BPF_X, d, s, 0, 0)
#define DIVIDE(d, s)	    INSN(BPF_ALU64 | BPF_DIV | BPF_X, d, s, 0, 0)
#define MULTIPLY_IMM(d, i)  INSN(BPF_ALU64 | BPF_MUL | BPF_K, d, 0, 0, i)
#define JUMP(o)		    INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define JUMP_ABOVE(d, s, o) INSN(BPF_JMP | BPF_JGT | BPF_X, d, s, o, 0)
#define JUMP_NOT_LESS(d, s, o) \
	INSN(BPF_JMP | BPF_JGE | BPF_X, d, s, o, 0)
#define JUMP_SAME(d, s, o)  INSN(BPF_JMP | BPF_JEQ | BPF_X, d, s, o, 0)
#define JUMP_EQ(d, i, o)    INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define JUMP_NE(d, i, o)    INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define LOAD_64(d, s, o)    INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define LOAD_WORD(d, s, o)  INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define AND_32(d, i)	    INSN(BPF_ALU | BPF_AND | BPF_K, d, 0, 0, i)
#define JUMP_NE_32(d, i, o) INSN(BPF_JMP32 | BPF_JNE | BPF_K, d, 0, o, i)
/* Of 64 bits: two instructions each. The address of a map's only value. */
#define LOAD_IMM_1(d, i) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, 0, 0, (int32_t)(uint32_t)(i))
#define LOAD_IMM_2(i)	    INSN(0, 0, 0, 0, (int32_t)(uint32_t)((i) >> 32))
#define LOAD_VALUE_1(d, fd) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_VALUE, 0, fd)
#define LOAD_VALUE_2()	    INSN(0, 0, 0, 0, 0)
#define ATOMIC_ADD(d, s, o) \
	INSN(BPF_STX | BPF_ATOMIC | BPF_DW, d, s, o, BPF_ADD)
/* Stores s if R0 is there, and puts into R0 what was there. */
#define ATOMIC_SWAP_IF(d, s, o) \
	INSN(BPF_STX | BPF_ATOMIC | BPF_DW, d, s, o, BPF_CMPXCHG)
#define CALL(function)	    INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT()		    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* clang-format on */

/* Jumps whose place is known later. */
struct bpf_jumps {
	size_t from[60];
	size_t n;
};

/* A program that is written; there is memory enough. */
struct bpf_program {
	struct bpf_insn *insns;
	size_t n;
	/* To where a packet is dropped, and counted as that. */
	struct bpf_jumps invalid, bad_source, over_rate;
};

static inline void bpf_add(struct bpf_program *p, struct bpf_insn insn)
{
	p->insns[p->n++] = insn;
}

static inline void bpf_add_jump(struct bpf_program *p, struct bpf_insn insn,
				struct bpf_jumps *jumps)
{
	jumps->from[jumps->n++] = p->n;
	bpf_add(p, insn);
}

/* All of them end at the next instruction. */
static inline void bpf_jump_here(struct bpf_program *p,
				 const struct bpf_jumps *jumps)
{
	for (size_t i = 0; i < jumps->n; i++)
		p->insns[jumps->from[i]].off =
			(int16_t)(p->n - jumps->from[i] - 1);
}

/*
 * Drops what is not from these sources. R6 is the context; R8 and R9 are used.
 * No more than so many instructions.
 */
struct ip_prefix;
void bpf_add_sources(struct bpf_program *p, bool tun,
		     const struct ip_prefix *sources, size_t n);
size_t bpf_sources_insns(size_t n);

int bpf_load(const struct bpf_insn *insns, size_t n, int *ret_fd);

#endif
