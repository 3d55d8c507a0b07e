/* SPDX-License-Identifier: MIT */
/*
 * bpf.c - the programs, written in the kernel's instructions, since they are
 * too small to need a compiler and a loader; and bpf(2) and rtnetlink.
 */
#include "net/bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "base/util.h"
#include "net/bpf_insn.h"
#include "net/rtnl.h"

/* Newer than the oldest headers we are built with. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47
#define ATTACH_BEFORE	   (1u << 3)

/* The part of union bpf_attr for attaching, as of Linux 6.6. */
struct attach_attr {
	uint32_t target_ifindex;
	uint32_t attach_bpf_fd;
	uint32_t attach_type;
	uint32_t attach_flags;
	uint32_t replace_bpf_fd;
	uint32_t relative_fd;
	uint64_t expected_revision;
};

#define LOAD_TRIES 10

static int sys_bpf(int command, void *attr, size_t size)
{
	int r = (int)syscall(__NR_bpf, command, attr, size);

	return r < 0 ? -errno : r;
}

/* Says what is missing once: it is asked for at every attach. */
static int missing(atomic_flag *said, int error, const char *remedy)
{
	if (!atomic_flag_test_and_set(said))
		log_notice("no packet sockets for TUN programs: %s; %s",
			   strerror(-error), remedy);
	return -EOPNOTSUPP;
}

int bpf_policy_state_new(int *ret_fd)
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(struct bpf_policy_state);
	attr.max_entries = 1;
	memcpy(attr.map_name, "tund", sizeof("tund"));
	r = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

int bpf_policy_state_read(int fd, struct bpf_policy_state *ret_state)
{
	const uint32_t key = 0;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)ret_state;
	return sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

int bpf_policy_state_spend(int fd, uint64_t spent_ns)
{
	struct bpf_policy_state state;
	const uint32_t key = 0;
	union bpf_attr attr;
	int r = bpf_policy_state_read(fd, &state);

	if (r < 0 || state.spent_ns >= spent_ns)
		return r;
	state.spent_ns = spent_ns;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&state;
	return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

int bpf_load(const struct bpf_insn *insns, size_t n, int *ret_fd)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	union bpf_attr attr;
	int r = -EAGAIN;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uintptr_t) "Dual MIT/GPL";
	memcpy(attr.prog_name, "tund", sizeof("tund"));
	/* A signal that comes meanwhile ends the kernel's look at it. */
	for (int i = 0; i < LOAD_TRIES && r == -EAGAIN; i++)
		r = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (r == -EPERM)
		return missing(&said, r,
			       "a BPF program can be loaded from the initial "
			       "user namespace only, with CAP_SYS_ADMIN and "
			       "CAP_NET_ADMIN");
	if (r == -ENOSYS || r == -EINVAL)
		return missing(&said, r,
			       "the kernel has no bpf(2) "
			       "(CONFIG_BPF_SYSCALL)");
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

/* Two bytes of a frame, as an instruction stores them. */
static int bytes_at(const uint8_t *bytes, size_t offset)
{
	uint16_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

int bpf_load_header(const uint8_t mac[ETH_ALEN], int *ret_fd)
{
	const int type = offsetof(struct ethhdr, h_proto);
	const int source = offsetof(struct ethhdr, h_source);
	/* By two bytes: some machines cannot store four at that address. */
	const struct bpf_insn insns[] = {
		/* Of a large frame only the header need be in one piece. */
		MOVE(R6, R1),
		MOVE_IMM(R2, ETH_HLEN),
		MOVE(R3, R10),
		ADD_IMM(R3, -8),
		MOVE_IMM(R4, 1),
		CALL(BPF_FUNC_skb_load_bytes),
		JUMP_NE(R0, 0, 20),
		LOAD_FROM(R2, R6, data),
		LOAD_FROM(R3, R6, data_end),
		MOVE(R4, R2),
		ADD_IMM(R4, ETH_HLEN),
		JUMP_ABOVE(R4, R3, 15),
		LOAD_BYTE(R5, R10, -8),
		SHIFT_RIGHT(R5, 4),
		JUMP_EQ(R5, 4, 3),
		JUMP_NE(R5, 6, 11),
		STORE_16(R2, type, htons(ETH_P_IPV6)),
		JUMP(1),
		STORE_16(R2, type, htons(ETH_P_IP)),
		STORE_16(R2, 0, bytes_at(mac, 0)),
		STORE_16(R2, 2, bytes_at(mac, 2)),
		STORE_16(R2, 4, bytes_at(mac, 4)),
		STORE_16(R2, source, bytes_at(mac, 0)),
		STORE_16(R2, source + 2, bytes_at(mac, 2)),
		STORE_16(R2, source + 4, bytes_at(mac, 4)),
		MOVE_IMM(R0, TC_ACT_OK),
		EXIT(),
		MOVE_IMM(R0, TC_ACT_SHOT),
		EXIT(),
	};

	return bpf_load(insns, ARRAY_SIZE(insns), ret_fd);
}

int bpf_load_ip_only(int *ret_fd)
{
	const struct bpf_insn insns[] = {
		/* The kernel has taken a VLAN tag out by now. */
		LOAD_CTX(R2, vlan_present),
		JUMP_NE(R2, 0, 7),
		LOAD_CTX(R2, protocol),
		JUMP_EQ(R2, htons(ETH_P_IP), 1),
		JUMP_NE(R2, htons(ETH_P_IPV6), 4),
		/* Otherwise it is kept for those who see everything. */
		MOVE_IMM(R2, PACKET_HOST),
		CALL(BPF_FUNC_skb_change_type),
		MOVE_IMM(R0, TCX_NEXT),
		EXIT(),
		MOVE_IMM(R0, TC_ACT_SHOT),
		EXIT(),
	};

	return bpf_load(insns, ARRAY_SIZE(insns), ret_fd);
}

int bpf_load_keep_tags(int *ret_fd)
{
	const struct bpf_insn insns[] = {
		/* The tag is beside the frame, or in it. */
		LOAD_CTX(R2, vlan_present),
		JUMP_NE(R2, 0, 3),
		LOAD_CTX(R2, protocol),
		JUMP_EQ(R2, htons(ETH_P_8021Q), 1),
		JUMP_NE(R2, htons(ETH_P_8021AD), 3),
		MOVE_IMM(R2, htons(ETH_P_8021Q)),
		MOVE_IMM(R3, 0),
		CALL(BPF_FUNC_skb_vlan_push),
		MOVE_IMM(R0, TCX_NEXT),
		EXIT(),
	};

	return bpf_load(insns, ARRAY_SIZE(insns), ret_fd);
}

static int add_clsact(struct rtnl *rtnl, int ifindex)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	const struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};
	struct nlmsghdr *nlh = rtnl_begin(rtnl, RTM_NEWQDISC,
					  NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
					  &tc, sizeof(tc));
	int r;

	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	r = rtnl_talk(rtnl, nlh, NULL, NULL);
	if (r == -ENOENT || r == -EOPNOTSUPP)
		return missing(&said, r,
			       "the kernel has no clsact: load the module with "
			       "\"modprobe sch_ingress\" "
			       "(CONFIG_NET_SCH_INGRESS)");
	return r == -EEXIST ? 0 : r;
}

int bpf_attach_egress(struct rtnl *rtnl, int ifindex, int program_fd)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	/* Its handle makes the next one replace it. */
	const struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = 1,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
		.tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL)),
	};
	struct nlmsghdr *nlh;
	struct nlattr *options;
	int r;

	r = add_clsact(rtnl, ifindex);
	if (r < 0)
		return r;
	nlh = rtnl_begin(rtnl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_ACK, &tc,
			 sizeof(tc));
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_BPF_FD, (uint32_t)program_fd);
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, "tund");
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, options);
	r = rtnl_talk(rtnl, nlh, NULL, NULL);
	if (r == -ENOENT || r == -EOPNOTSUPP)
		return missing(&said, r,
			       "the kernel has no BPF classifier: load the "
			       "module with \"modprobe cls_bpf\" "
			       "(CONFIG_NET_CLS_BPF)");
	return r;
}

int bpf_detach_egress(struct rtnl *rtnl, int ifindex)
{
	const struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};
	struct nlmsghdr *nlh =
		rtnl_begin(rtnl, RTM_DELQDISC, NLM_F_ACK, &tc, sizeof(tc));

	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

static int tcx(int command, int ifindex, int program_fd, enum bpf_side side,
	       uint32_t flags)
{
	struct attach_attr attr = {
		.target_ifindex = (uint32_t)ifindex,
		.attach_bpf_fd = (uint32_t)program_fd,
		.attach_type = side == BPF_SIDE_INGRESS ? ATTACH_TCX_INGRESS
							: ATTACH_TCX_EGRESS,
		.attach_flags = flags,
	};
	int r = sys_bpf(command, &attr, sizeof(attr));

	/* Older kernels do not know this type, or attributes of that size. */
	return r == -EINVAL || r == -E2BIG ? -EOPNOTSUPP : r;
}

int bpf_attach(int ifindex, int program_fd, enum bpf_side side)
{
	return tcx(BPF_PROG_ATTACH, ifindex, program_fd, side, ATTACH_BEFORE);
}

int bpf_detach(int ifindex, int program_fd, enum bpf_side side)
{
	return tcx(BPF_PROG_DETACH, ifindex, program_fd, side, 0);
}
