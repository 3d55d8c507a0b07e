/* SPDX-License-Identifier: MIT */
/*
 * rtnl.h - the questions and orders about interfaces that tund has for the
 * kernel, over rtnetlink. Each call waits for the kernel's answer.
 */
#ifndef TUND_NET_RTNL_H
#define TUND_NET_RTNL_H

#include <linux/if_ether.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;
struct rtnl;

#define RTNL_NO_NSID (-1)

/* What one RTM_NEWLINK says. */
struct rtnl_link {
	char name[IFNAMSIZ];
	int ifindex;
	unsigned int flags;
	unsigned int mtu;
	unsigned int queue_len;
	uint8_t mac[ETH_ALEN];
	int peer_ifindex;
	int peer_nsid; /* of the peer's namespace, or RTNL_NO_NSID */
	unsigned int promiscuity;
	/* Of IFLA_STATS64, bytes with their Ethernet headers. */
	uint64_t rx_packets, rx_bytes, rx_dropped;
	uint64_t tx_packets, tx_bytes, tx_dropped;
};

struct rtnl_veth {
	const char *name; /* may hold one %d */
	int ifindex;	  /* 0: the kernel chooses */
	unsigned int queue_len;
	unsigned int flags; /* IFF_NOARP or nothing */
	const char *peer_name;
	unsigned int peer_mtu;
	unsigned int peer_flags; /* IFF_NOARP or nothing */
	int peer_ns_fd;
};

/* A socket in the namespace that the calling thread is in. */
int rtnl_open(struct rtnl **ret_rtnl);
/* The same in another one. */
int rtnl_open_in(int ns_fd, struct rtnl **ret_rtnl);
void rtnl_close(struct rtnl *rtnl);
int rtnl_fd(const struct rtnl *rtnl);

/*
 * For a message that is not about a link: begins it with a header of its own
 * kind; attributes are added with libmnl; sends it and reads the one answer.
 */
struct nlmsghdr *rtnl_begin(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			    const void *header, size_t header_len);
int rtnl_talk(struct rtnl *rtnl, const struct nlmsghdr *nlh,
	      int (*answer)(const struct nlmsghdr *nlh, void *data),
	      void *data);

/* By name, or by index where `name` is NULL; -ENODEV if there is none. */
int rtnl_get_link(struct rtnl *rtnl, const char *name, int ifindex, int nsid,
		  struct rtnl_link *ret_link);

int rtnl_add_veth(struct rtnl *rtnl, const struct rtnl_veth *veth);
int rtnl_del_link(struct rtnl *rtnl, int ifindex);

/* Of the flags in `which`, those in `flags` are set and the others not. */
int rtnl_set_flags(struct rtnl *rtnl, int ifindex, unsigned int which,
		   unsigned int flags);
int rtnl_set_up(struct rtnl *rtnl, int ifindex, bool up);

/* The number that a namespace has here, or RTNL_NO_NSID. */
int rtnl_get_nsid(struct rtnl *rtnl, int ns_fd, int *ret_nsid);

int rtnl_set_mtu(struct rtnl *rtnl, int ifindex, uint32_t mtu);
int rtnl_set_mac(struct rtnl *rtnl, int ifindex, const uint8_t mac[ETH_ALEN]);

/* The link gives itself no IPv6 address, and so sends nothing by itself. */
int rtnl_set_silent(struct rtnl *rtnl, int ifindex);

/*
 * A socket, in the thread's namespace, that hears of every change of a link
 * there and in all namespaces that have a number there. Does not block.
 */
int rtnl_open_watch(int *ret_fd);

/* Reads an RTM_NEWLINK or RTM_DELLINK. False if it is neither. */
bool rtnl_parse_link(const struct nlmsghdr *nlh, struct rtnl_link *ret_link);

#endif
