/* SPDX-License-Identifier: MIT */
/*
 * netns.h - lets one thread visit another network namespace, to make sockets
 * there. A socket belongs for good to the namespace it was made in.
 */
#ifndef TUND_NET_NETNS_H
#define TUND_NET_NETNS_H

/* Remembers the daemon's own namespace. Once, before there are threads. */
int netns_init(void);
void netns_exit(void);

/* From here to netns_leave() this thread is in that namespace. */
int netns_enter(int ns_fd);

/* The same with a namespace of its own, which lasts as long as somebody holds
 * the descriptor or a socket in it. */
int netns_enter_new(int *ret_ns_fd);

void netns_leave(void);

#endif
