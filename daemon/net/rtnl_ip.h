/* SPDX-License-Identifier: MIT */
/*
 * rtnl_ip.h - an interface's addresses and routes over rtnetlink, with what
 * ip(8) has by default. Each call waits for the kernel's answer, and returns
 * its error.
 */
#ifndef TUND_NET_RTNL_IP_H
#define TUND_NET_RTNL_IP_H

#include <stdbool.h>
#include <stdint.h>

struct rtnl;

/* In network byte order, 4 or 16 bytes. */
struct rtnl_address {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t prefix; /* of the peer, if there is one */
	const uint8_t *address;
	const uint8_t *peer; /* or NULL */
	bool nodad;
};

struct rtnl_route {
	uint8_t family;
	uint8_t prefix;
	const uint8_t *to;
	const uint8_t *gateway; /* NULL: they are at the interface itself */
	uint32_t metric;	/* 0: the kernel's default; of any, to remove */
};

/* The address itself, or NULL if all its bytes are 0. */
const uint8_t *rtnl_ip_or_null(uint8_t family, const uint8_t *address);

/* -EEXIST; -EADDRNOTAVAIL */
int rtnl_add_address(struct rtnl *rtnl, int ifindex,
		     const struct rtnl_address *address);
int rtnl_del_address(struct rtnl *rtnl, int ifindex,
		     const struct rtnl_address *address);

/* In the main table. -EEXIST; -ESRCH */
int rtnl_add_route(struct rtnl *rtnl, int ifindex,
		   const struct rtnl_route *route);
int rtnl_del_route(struct rtnl *rtnl, int ifindex,
		   const struct rtnl_route *route);

/*
 * Whether it is there, whoever made it; true if that cannot be seen. Questions
 * through `rtnl` are taken strictly from then on.
 */
bool rtnl_has_route(struct rtnl *rtnl, int ifindex,
		    const struct rtnl_route *route);

#endif
