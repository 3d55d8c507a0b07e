/* SPDX-License-Identifier: MIT */
/* place.h - how many connections there may be, and whose. */
#ifndef TUND_CTL_PLACE_H
#define TUND_CTL_PLACE_H

#include "base/list.h"
#include "ctl/peer.h"

/* Whether one more may join the clients; `owner` is the daemon's user. */
bool ctl_has_place(const struct list *clients, const struct ctl_peer *peer,
		   uid_t owner);

#endif
