/* SPDX-License-Identifier: MIT */
/*
 * caller.h - who makes a request: the network namespace and the capabilities
 * of the calling thread, which no FUSE request carries. They are looked up in
 * /proc while the thread is pinned by its request. Policy is not made here.
 */
#ifndef TUND_FUSE_CALLER_H
#define TUND_FUSE_CALLER_H

#include <stdint.h>
#include <sys/types.h>

#include "dev/file.h"

/* A descriptor of the thread's network namespace, which the caller closes. */
int caller_open_netns(pid_t tid, int *ret_fd);

/*
 * The thread's user, groups and whether it has CAP_NET_ADMIN in the user
 * namespace that owns the network namespace: the kernel's ns_capable().
 * caller_forget() frees the groups. Who cannot be seen is no caller: rules that
 * refuse him would not fit.
 */
int caller_look_up(pid_t tid, int netns_fd, struct dev_caller *ret_caller);
void caller_forget(struct dev_caller *caller);

/* 0 if it has, else -EPERM. */
int caller_check_admin(pid_t tid, int netns_fd);

/*
 * On whose account goes what a user of that number has, by his user namespace,
 * or that of the thread: see struct dev_caller.
 */
int caller_account(int userns_fd, uid_t uid, uint64_t *ret_account);
int caller_find_account(pid_t tid, uid_t uid, uint64_t *ret_account);

/* For caller*.c: a file of the thread's in /proc, or a negative errno. */
int caller_open_proc(pid_t tid, const char *what);
/* Tells of it, once a second at most; returns what the caller is told. */
int caller_cannot_see(pid_t tid, int error);

/*
 * What policies want to know beside: POLICY_NEEDS_*. The process is held by a
 * pidfd meanwhile; what it does not have is left out, and no policy that names
 * it fits.
 */
int caller_look_closer(pid_t tid, unsigned int needs,
		       struct dev_caller *caller);

/*
 * A user or group number of the thread's user namespace as the daemon knows it;
 * (uint32_t)-1 if it has none. `map` is "uid_map" or "gid_map".
 */
uint32_t caller_map_id(pid_t tid, const char *map, uint32_t id);
/* The other way round. */
uint32_t caller_unmap_id(pid_t tid, const char *map, uint32_t id);

/* The process that a thread belongs to, or -1. */
pid_t caller_process(pid_t tid);

/* The thread's process and its command, for people to read. */
void caller_name(pid_t tid, struct dev_opener *opener);

/* Whether the thread has a descriptor of that number. */
bool caller_has_fd(pid_t tid, int fd);

#endif
