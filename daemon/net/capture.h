/* SPDX-License-Identifier: MIT */
/*
 * capture.h - looks at packets that go past the daemon, at the visible end of
 * their link. It takes none of them away. Private to net/.
 */
#ifndef TUND_NET_CAPTURE_H
#define TUND_NET_CAPTURE_H

#include "net/link.h"

int capture_start(void);
void capture_stop(void);

/* See dev/host.h. */
void capture_switch(struct host_link *link, bool on);

#endif
