/* SPDX-License-Identifier: MIT */
/*
 * find_ns.h - a descriptor for a namespace of which only the number is known.
 * Private to net/.
 */
#ifndef TUND_NET_FIND_NS_H
#define TUND_NET_FIND_NS_H

struct rtnl;

/*
 * The namespace that has the number `nsid` in the one that `rtnl` is in.
 * -EOPNOTSUPP if no process is in it and it has no name where names are kept:
 * nobody but a mount elsewhere or a descriptor holds it.
 */
int find_ns(struct rtnl *rtnl, int nsid, int *ret_fd);

#endif
