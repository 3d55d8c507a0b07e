/* SPDX-License-Identifier: MIT */
/*
 * peer.h - who is at the other end of a control connection, as the kernel says,
 * and what he may do. The socket file's mode keeps nobody away.
 */
#ifndef TUND_CTL_PEER_H
#define TUND_CTL_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CTL_GROUP    "tund"
#define CTL_NO_GROUP ((gid_t)-1)

struct dev_table;

struct ctl_peer {
	pid_t pid;
	uid_t uid;
	uint64_t account; /* whose user that is, by subuid(5) */
	bool in_group;
};

enum ctl_right {
	CTL_READ,    /* looks */
	CTL_WRITE,   /* changes something */
	CTL_CAPTURE, /* sees packets, or whose: the command decides */
};

/* `group` is CTL_NO_GROUP where the system has none. */
int ctl_peer_look_up(int fd, gid_t group, struct dev_table *table,
		     struct ctl_peer *ret_peer);

/* Those of the process, from malloc; NULL where there are none. */
gid_t *ctl_peer_groups(int fd, size_t *ret_n);

/* `owner` is the user whose the daemon is. */
bool ctl_peer_may(const struct ctl_peer *peer, uid_t owner,
		  enum ctl_right right);

/* The number of CTL_GROUP, or CTL_NO_GROUP. */
gid_t ctl_group(void);

#endif
