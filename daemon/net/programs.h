/* SPDX-License-Identifier: MIT */
/*
 * programs.h - what a link's ends need of BPF while a program has its packet
 * socket. Private to net/.
 */
#ifndef TUND_NET_PROGRAMS_H
#define TUND_NET_PROGRAMS_H

#include "net/link.h"

/* -EOPNOTSUPP where a TUN cannot do without and the kernel cannot. */
int programs_put(struct host_link *link, int home_ns_fd,
		 const struct host_direct *how);
void programs_remove(struct host_link *link);

/* Of a TUN's visible end. In place of the one before. */
int programs_set_mac(struct host_link *link, const uint8_t mac[ETH_ALEN]);

#endif
