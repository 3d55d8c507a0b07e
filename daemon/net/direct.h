/* SPDX-License-Identifier: MIT */
/*
 * direct.h - a link handed over to a packet socket that a program has: the
 * daemon is not on the packets' way, and need not live. Private to net/.
 */
#ifndef TUND_NET_DIRECT_H
#define TUND_NET_DIRECT_H

#include "net/link.h"

/* See dev/host.h. */
int direct_begin(struct host_link *link, int home_ns_fd,
		 const struct host_direct *how, int *ret_fd);
int direct_end(struct host_link *link);

/* For watch.c: the visible end may have got another address. */
void direct_follow_locked(struct host_link *link) REQUIRES(link->watch_lock);

/*
 * For watch.c: nothing keeps the hidden end in promiscuous mode any more. True
 * if that is because the socket is no more.
 */
bool direct_is_closed_locked(struct host_link *link) REQUIRES(link->watch_lock);

#endif
