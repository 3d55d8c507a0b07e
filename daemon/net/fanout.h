/* SPDX-License-Identifier: MIT */
/*
 * fanout.h - the packet sockets of a device with several queues: each packet
 * goes to one of them, all packets of a flow to the same. Private to net/.
 */
#ifndef TUND_NET_FANOUT_H
#define TUND_NET_FANOUT_H

#include "net/link.h"

/*
 * Opens the group of a link: a member of the daemon's own, which is never
 * given a packet and through which the others are chosen. In the hidden
 * namespace.
 */
int fanout_open(const struct host_link *link, int *ret_fd);

/* The socket, which is bound, receives its share from fanout_choose() on. */
int fanout_join(int fd);

/*
 * Spreads flows over the members with these numbers: 1 for the first that has
 * joined, and so on; who leaves has the last one take his place.
 */
int fanout_choose(int fd, const uint16_t *members, unsigned int n);

#endif
