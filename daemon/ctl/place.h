/* SPDX-License-Identifier: MIT */
/* place.h - how many connections there may be, and whose. */
#ifndef TUND_CTL_PLACE_H
#define TUND_CTL_PLACE_H

#include "base/list.h"
#include "ctl/peer.h"

struct ctl_client;

/*
 * Whether one more may join the clients and those who have left; `owner` is the
 * daemon's user.
 */
bool ctl_has_place(const struct list *clients, struct list *left,
		   const struct ctl_peer *peer, uid_t owner);

/*
 * Ends a client that is in no list, and takes it. It is freed when it is seen
 * that its request is done, and that what it was sent is read, or its sockets
 * closed. Nobody wakes for that: it is looked up when a place is asked for.
 */
void ctl_leave_place(struct list *left, struct ctl_client *client);
/* At the end, read or not. */
void ctl_free_left(struct list *left);

#endif
