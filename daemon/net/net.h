/* SPDX-License-Identifier: MIT */
/*
 * net.h - the host side of devices, as main and dev/ know it: veth pairs, their
 * packet sockets and their changes. It knows no open file and no FUSE.
 */
#ifndef TUND_NET_NET_H
#define TUND_NET_NET_H

#include "dev/host.h"

/* For dev_table_new(). */
extern const struct host_ops net_host_ops;

/*
 * Before there are other threads: remembers the namespace and starts the
 * thread that receives. net_stop() comes after dev_table_free().
 */
int net_start(void);
void net_stop(void);

/*
 * A descriptor that is readable when some interface has changed, for the event
 * loop, which then calls net_dispatch().
 */
int net_changes_fd(void);
void net_dispatch(void *unused);

/*
 * Makes and removes a bridge in a namespace of its own. What is missing is
 * logged with its remedy.
 */
int net_check(void);

/*
 * What net_check() found, of TUND_ABILITY_*: whether links can be handed over
 * to packet sockets, those of TAPs at least, and how.
 */
uint64_t net_abilities(void);

#endif
