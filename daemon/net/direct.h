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
		 const struct host_direct *how, int *ret_fd, uint64_t *ret_id);
void direct_switch(struct host_link *link, uint64_t id, bool on);
int direct_end(struct host_link *link);

/* The hidden end went down and up: the kernel has put the sockets in order. */
void direct_reordered(struct host_link *link);

/* For watch.c: the visible end may have got another address. */
void direct_follow_locked(struct host_link *link) REQUIRES(link->watch_lock);

/*
 * For watch.c: forgets the sockets that are no more, and tells their numbers,
 * HOST_MAX_QUEUES at most.
 */
unsigned int direct_take_closed_locked(struct host_link *link,
				       uint64_t *ret_ids)
	REQUIRES(link->watch_lock);

#endif
