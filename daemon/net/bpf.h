/* SPDX-License-Identifier: MIT */
/*
 * bpf.h - the two small programs that make a packet socket a TUN, loaded into
 * the kernel and attached. Private to net/.
 */
#ifndef TUND_NET_BPF_H
#define TUND_NET_BPF_H

#include <linux/if_ether.h>
#include <stdint.h>

struct rtnl;

/*
 * For what leaves the hidden end: writes the Ethernet header that an IP packet
 * needs to reach an interface with that address, and drops all else.
 */
int bpf_load_header(const uint8_t mac[ETH_ALEN], int *ret_fd);

/* For what reaches the visible end: drops what is not IP. */
int bpf_load_ip_only(int *ret_fd);

/*
 * Attaches a program to what leaves an interface, in place of the one before
 * it; and removes it. `rtnl` is in the interface's namespace. -EOPNOTSUPP,
 * with the remedy logged once, where the kernel cannot.
 */
int bpf_attach_egress(struct rtnl *rtnl, int ifindex, int program_fd);
int bpf_detach_egress(struct rtnl *rtnl, int ifindex);

/*
 * The same for what reaches an interface in the calling thread's namespace,
 * before all others of that kind. No traffic control shows. Since Linux 6.6:
 * -EOPNOTSUPP.
 */
int bpf_attach_ingress(int ifindex, int program_fd);
int bpf_detach_ingress(int ifindex, int program_fd);

#endif
