// SPDX-License-Identifier: MIT
/* The two programs of the direct descriptor, as a test needs them. */
#include "platform-bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	ATTACH_TCX_INGRESS = 46, /* not in older headers */
	ATTACH_TCX_EGRESS = 47,
	DATA = offsetof(struct __sk_buff, data),
	DATA_END = offsetof(struct __sk_buff, data_end),
	PROTOCOL = offsetof(struct __sk_buff, protocol),
	VLAN_PRESENT = offsetof(struct __sk_buff, vlan_present),
};

/* clang-format off */
#define INSN(c, d, s, o, i) {(c), (d), (s), (o), (i)}
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(o, i)	    INSN(BPF_ST | BPF_MEM | BPF_H, 2, 0, o, i)
#define ALU(op, d, i)	    INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define MOVE(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define JUMP(op, d, i, o)   INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMP_ABOVE(d, s, o) INSN(BPF_JMP | BPF_JGT | BPF_X, d, s, o, 0)
#define RETURN(i)	    ALU(BPF_MOV, 0, i), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* clang-format on */

static int load(const struct bpf_insn *insns, size_t size)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (uint32_t)(size / sizeof(*insns));
	attr.license = (uintptr_t) "Dual MIT/GPL";
	fd = (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0 && (errno == EPERM || errno == ENOSYS))
		platform_skip("no BPF program can be loaded: %s",
			      strerror(errno));
	return (int)must(fd);
}

/* A message about traffic control; 0 or negative errno. */
static int ask(uint16_t type, const struct tcmsg *tc, const char *kind,
	       const void *options, size_t options_size)
{
	struct platform_rtnl message;
	int fd = platform_rtnl_socket(0);
	int error;

	platform_rtnl_start(&message, type, NLM_F_CREATE | NLM_F_ACK, 0);
	memcpy(&message.link, tc, sizeof(*tc));
	message.header.nlmsg_len = NLMSG_LENGTH(sizeof(*tc));
	platform_rtnl_add(&message, TCA_KIND, kind, strlen(kind) + 1);
	if (options)
		platform_rtnl_add(&message, TCA_OPTIONS, options, options_size);
	error = platform_rtnl_ask(fd, &message);
	close(fd);
	return error;
}

static void attach_egress(const char *name, int program_fd)
{
	const struct {
		struct rtattr fd;
		uint32_t fd_value;
		struct rtattr flags;
		uint32_t flags_value;
	} options = {
		{sizeof(struct rtattr) + 4, TCA_BPF_FD},
		(uint32_t)program_fd,
		{sizeof(struct rtattr) + 4, TCA_BPF_FLAGS},
		TCA_BPF_FLAG_ACT_DIRECT,
	};
	struct tcmsg tc = {
		.tcm_ifindex = (int)if_nametoindex(name),
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};
	int error = ask(RTM_NEWQDISC, &tc, "clsact", NULL, 0);

	if (error == -ENOENT)
		platform_skip("this kernel has no clsact");
	tc.tcm_handle = 1;
	tc.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
	tc.tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL));
	error = ask(RTM_NEWTFILTER, &tc, "bpf", &options, sizeof(options));
	if (error == -ENOENT)
		platform_skip("this kernel has no BPF classifier");
	expect(error == 0, "set-up: the program: %s", strerror(-error));
}

void platform_bpf_header(const char *name, const uint8_t mac[ETH_ALEN])
{
	uint16_t m[3];
	int fd;

	memcpy(m, mac, ETH_ALEN);
	const struct bpf_insn insns[] = {
		LOAD(BPF_W, 2, 1, DATA),
		LOAD(BPF_W, 3, 1, DATA_END),
		MOVE(4, 2),
		ALU(BPF_ADD, 4, ETH_HLEN + 1),
		JUMP_ABOVE(4, 3, 12),
		LOAD(BPF_B, 5, 2, ETH_HLEN),
		ALU(BPF_RSH, 5, 4),
		JUMP(BPF_JEQ, 5, 4, 3),
		JUMP(BPF_JNE, 5, 6, 8),
		STORE(12, htons(ETH_P_IPV6)),
		JUMP(BPF_JA, 0, 0, 1),
		STORE(12, htons(ETH_P_IP)),
		STORE(0, m[0]),
		STORE(2, m[1]),
		STORE(4, m[2]),
		RETURN(TC_ACT_OK),
		RETURN(TC_ACT_SHOT),
	};
	fd = load(insns, sizeof(insns));
	attach_egress(name, fd);
	close(fd);
}

static void attach_tcx(const char *name, int program_fd, uint32_t type)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = if_nametoindex(name);
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = type;
	if (syscall(__NR_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0)
		platform_skip("no program can be attached with tcx: %s",
			      strerror(errno));
	close(program_fd);
}

void platform_bpf_ip_only(const char *name)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_W, 2, 1, VLAN_PRESENT),
		JUMP(BPF_JNE, 2, 0, 7),
		LOAD(BPF_W, 2, 1, PROTOCOL),
		JUMP(BPF_JEQ, 2, htons(ETH_P_IP), 1),
		JUMP(BPF_JNE, 2, htons(ETH_P_IPV6), 4),
		ALU(BPF_MOV, 2, PACKET_HOST),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_change_type),
		RETURN(TC_ACT_UNSPEC),
		RETURN(TC_ACT_SHOT),
	};

	attach_tcx(name, load(insns, sizeof(insns)), ATTACH_TCX_INGRESS);
}

void platform_bpf_keep_tags(const char *name)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_W, 2, 1, VLAN_PRESENT),
		JUMP(BPF_JNE, 2, 0, 2),
		LOAD(BPF_W, 2, 1, PROTOCOL),
		JUMP(BPF_JNE, 2, htons(ETH_P_8021Q), 3),
		ALU(BPF_MOV, 2, htons(ETH_P_8021Q)),
		ALU(BPF_MOV, 3, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_vlan_push),
		RETURN(TC_ACT_UNSPEC),
	};

	attach_tcx(name, load(insns, sizeof(insns)), ATTACH_TCX_EGRESS);
}
