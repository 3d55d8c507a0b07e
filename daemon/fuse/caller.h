/* SPDX-License-Identifier: MIT */
/*
 * caller.h - who makes a request: the network namespace and the capabilities
 * of the calling thread, which no FUSE request carries. They are looked up in
 * /proc while the thread is pinned by its request. Policy is not made here.
 */
#ifndef TUND_FUSE_CALLER_H
#define TUND_FUSE_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor of the thread's network namespace, which the caller closes. */
int caller_open_netns(pid_t tid, int *ret_fd);

/*
 * Whether the thread has CAP_NET_ADMIN in the user namespace that owns the
 * network namespace: the kernel's ns_capable(). A doubt is a no.
 */
bool caller_net_admin(pid_t tid, int netns_fd);

#endif
