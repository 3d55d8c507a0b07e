/* SPDX-License-Identifier: MIT */
/*
 * client-lib/netlink.h - rtnetlink for the kernel's TUN, in the words of tund's
 * ABI and with its results. It knows no handle.
 */
#ifndef TUNCLIENT_NETLINK_H
#define TUNCLIENT_NETLINK_H

#include <tunclient.h>
#include <tund/abi.h>

/*
 * A socket in the calling thread's network namespace, where it stays. One
 * conversation at a time.
 */
int tunclient_netlink_open_(void);

/* name's own; stats may be NULL. -ENODEV: there is none. */
int tunclient_netlink_link_(int fd, const char *name,
			    struct tund_link *ret_link,
			    struct tunclient_stats *ret_stats);

int tunclient_netlink_configure_(int fd, unsigned int ifindex,
				 const struct tund_config *config);

#endif
