/* SPDX-License-Identifier: MIT */
/*
 * bpf.h - the small programs that make a packet socket a TUN, loaded into
 * the kernel and attached. Private to net/.
 */
#ifndef TUND_NET_BPF_H
#define TUND_NET_BPF_H

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_direct;
struct rtnl;

/*
 * For what leaves the hidden end: writes the Ethernet header that an IP packet
 * needs to reach an interface with that address, and drops all else.
 */
int bpf_load_header(const uint8_t mac[ETH_ALEN], int *ret_fd);

/*
 * For what reaches the visible end: drops what is not IP, and takes all else
 * for the host's, whatever address its Ethernet header has.
 */
int bpf_load_ip_only(int *ret_fd);

/*
 * For what reaches the visible end, of what the policy says about sources and
 * rate. For a TUN, in place of bpf_load_ip_only(), which it does, too.
 */
int bpf_load_policy(bool tun, const struct host_direct *how, int state_fd,
		    int *ret_fd);

/* What that keeps, and counts: the value of a map with one. */
struct bpf_policy_state {
	uint64_t spent_ns;			 /* as of struct rate_bucket */
	uint64_t invalid, bad_source, over_rate; /* dropped */
};

int bpf_policy_state_new(int *ret_fd);
int bpf_policy_state_read(int fd, struct bpf_policy_state *ret_state);
/* What it has spent is that at least. While no program uses it. */
int bpf_policy_state_spend(int fd, uint64_t spent_ns);

/*
 * For what leaves the visible end: the kernel takes a VLAN tag out of a frame
 * before a packet socket sees it; this puts another one before it, for the
 * kernel to take.
 */
int bpf_load_keep_tags(int *ret_fd);

/*
 * Attaches a program to what leaves an interface, in place of the one before
 * it; and removes it. `rtnl` is in the interface's namespace. -EOPNOTSUPP,
 * with the remedy logged once, where the kernel cannot.
 */
int bpf_attach_egress(struct rtnl *rtnl, int ifindex, int program_fd);
int bpf_detach_egress(struct rtnl *rtnl, int ifindex);

/*
 * The same for an interface in the calling thread's namespace, before all other
 * programs of that kind. No traffic control shows. Since Linux 6.6:
 * -EOPNOTSUPP.
 */
enum bpf_side {
	BPF_SIDE_INGRESS,
	BPF_SIDE_EGRESS,
	BPF_SIDES,
};

int bpf_attach(int ifindex, int program_fd, enum bpf_side side);
int bpf_detach(int ifindex, int program_fd, enum bpf_side side);

#endif
