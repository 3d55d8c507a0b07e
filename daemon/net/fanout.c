/* SPDX-License-Identifier: MIT */
/*
 * fanout.c - PACKET_FANOUT with a classic BPF program that says which member
 * gets a packet: the kernel runs it for everybody, and goes on doing so when
 * the daemon is no more. Then the last member has taken the daemon's number, 0,
 * and numbers beyond the last are counted from 0 again: all find the same
 * members.
 */
#include "net/fanout.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Newer than the headers of Debian 12. */
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

/* The hidden namespace has but one group. */
#define GROUP 1

/* Offsets in the network header, wherever the packet's data begins. */
#define NET(offset)   ((uint32_t)SKF_NET_OFF + (offset))
#define IPV4_FRAGMENT 6
#define IPV4_PROTOCOL 9
#define IPV4_SOURCE   12
#define IPV6_NEXT     6
#define IPV6_SOURCE   8
#define IPV6_HLEN     40
#define FRAGMENT_MASK 0x3fff
#define GOLDEN_RATIO  0x9e3779b1u

/* The choice among members follows the hash, two instructions for each. */
#define HASH_MAX    128
#define PROGRAM_MAX (HASH_MAX + 2 * HOST_MAX_QUEUES)

struct program {
	struct sock_filter insns[PROGRAM_MAX];
	unsigned short n;
};

static void put(struct program *p, unsigned int code, uint32_t k)
{
	p->insns[p->n++] = (struct sock_filter)BPF_STMT(code, k);
}

/* A jump that is taken when A is not `k`; where to, land() says. */
static unsigned short unless(struct program *p, unsigned int code, uint32_t k)
{
	put(p, BPF_JMP | code | BPF_K, k);
	return (unsigned short)(p->n - 1);
}

static void land(struct program *p, unsigned short jump)
{
	p->insns[jump].jf = (unsigned char)(p->n - jump - 1);
}

/* The value in A counts: M[0] ^= A. */
static void mix(struct program *p)
{
	put(p, BPF_LDX | BPF_MEM, 0);
	put(p, BPF_ALU | BPF_XOR | BPF_X, 0);
	put(p, BPF_ST, 0);
}

static void mix_words(struct program *p, uint32_t offset, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		put(p, BPF_LD | BPF_W | BPF_ABS, NET(offset + 4 * i));
		mix(p);
	}
}

/* TCP, UDP and what else has two ports; they lie behind M[1] bytes. */
static void mix_ports(struct program *p)
{
	for (uint32_t i = 0; i < 2; i++) {
		put(p, BPF_LDX | BPF_MEM, 1);
		put(p, BPF_LD | BPF_H | BPF_IND, NET(2 * i));
		mix(p);
	}
}

/* Goes on only if A is a protocol with ports; the jump is past them. */
static unsigned short unless_ports(struct program *p)
{
	put(p, BPF_ST, 2);
	put(p, BPF_ALU | BPF_SUB | BPF_K, IPPROTO_TCP);
	put(p, BPF_MISC | BPF_TAX, 0);
	put(p, BPF_LD | BPF_MEM, 2);
	put(p, BPF_ALU | BPF_SUB | BPF_K, IPPROTO_UDP);
	put(p, BPF_ALU | BPF_MUL | BPF_X, 0);
	/* One factor is 0. */
	return unless(p, BPF_JEQ, 0);
}

static void mix_ipv4(struct program *p)
{
	unsigned short fragment, no_ports;

	mix_words(p, IPV4_SOURCE, 2);
	put(p, BPF_LDX | BPF_B | BPF_MSH, NET(0));
	put(p, BPF_STX, 1);
	/* Only the first fragment has ports. */
	put(p, BPF_LD | BPF_H | BPF_ABS, NET(IPV4_FRAGMENT));
	put(p, BPF_ALU | BPF_AND | BPF_K, FRAGMENT_MASK);
	fragment = unless(p, BPF_JEQ, 0);
	put(p, BPF_LD | BPF_B | BPF_ABS, NET(IPV4_PROTOCOL));
	no_ports = unless_ports(p);
	mix_ports(p);
	land(p, fragment);
	land(p, no_ports);
}

static void mix_ipv6(struct program *p)
{
	unsigned short no_ports;

	mix_words(p, IPV6_SOURCE, 8);
	put(p, BPF_LD | BPF_IMM, IPV6_HLEN);
	put(p, BPF_ST, 1);
	put(p, BPF_LD | BPF_B | BPF_ABS, NET(IPV6_NEXT));
	no_ports = unless_ports(p);
	mix_ports(p);
	land(p, no_ports);
}

/* A = IP version of the packet. */
static void load_version(struct program *p)
{
	put(p, BPF_LD | BPF_B | BPF_ABS, NET(0));
	put(p, BPF_ALU | BPF_RSH | BPF_K, 4);
}

/* Leaves in A the same number for both directions of a flow. */
static void hash(struct program *p)
{
	unsigned short other;

	put(p, BPF_LD | BPF_IMM, 0);
	put(p, BPF_ST, 0);
	load_version(p);
	other = unless(p, BPF_JEQ, 4);
	mix_ipv4(p);
	land(p, other);
	load_version(p);
	other = unless(p, BPF_JEQ, 6);
	mix_ipv6(p);
	land(p, other);
	put(p, BPF_LD | BPF_MEM, 0);
	put(p, BPF_ALU | BPF_MUL | BPF_K, GOLDEN_RATIO);
	put(p, BPF_ALU | BPF_RSH | BPF_K, 16);
}

static int set_option(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PACKET, option, value, len) < 0 ? -errno : 0;
}

int fanout_choose(int fd, const uint16_t *members, unsigned int n)
{
	struct program *p = calloc(1, sizeof(*p));
	struct sock_fprog fprog = {.filter = p ? p->insns : NULL};
	int r;

	if (!p)
		return -ENOMEM;
	if (n > 1) {
		hash(p);
		put(p, BPF_ALU | BPF_MOD | BPF_K, n);
	}
	for (unsigned int i = 0; i + 1 < n; i++) {
		unsigned short next = unless(p, BPF_JEQ, i);

		put(p, BPF_RET | BPF_K, members[i]);
		land(p, next);
	}
	/* The daemon's own throws away what nobody is there for. */
	put(p, BPF_RET | BPF_K, n > 0 ? members[n - 1] : 0);
	fprog.len = p->n;
	r = set_option(fd, PACKET_FANOUT_DATA, &fprog, sizeof(fprog));
	free(p);
	return r;
}

/* Beside the daemon's own there is room for all queues, which is one more. */
int fanout_join(int fd)
{
	const struct fanout_args group = {
		.id = GROUP,
		.type_flags =
			PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_IGNORE_OUTGOING,
		.max_num_members = 1 + HOST_MAX_QUEUES,
	};
	int r = set_option(fd, PACKET_FANOUT, &group, sizeof(group));

	/* Before Linux 5.13 it is 256, without a word of that at the end. */
	if (r == -EINVAL)
		r = set_option(fd, PACKET_FANOUT, &group, sizeof(int));
	return r == -ENOSPC ? -E2BIG : r;
}

int fanout_open(const struct host_link *link, int *ret_fd)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog drop = {.len = 1, .filter = nothing};
	_cleanup_close_ int fd = -1;
	int r;

	r = link_open_packet_socket(link, SOCK_RAW | SOCK_CLOEXEC, &fd);
	if (r < 0)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &drop, sizeof(drop)) <
	    0)
		return -errno;
	r = link_bind(link, fd, ETH_P_ALL);
	if (r == 0)
		r = fanout_join(fd);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&fd);
	return 0;
}
