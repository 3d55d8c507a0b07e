/* SPDX-License-Identifier: MIT */
/* peer.c - SO_PEERCRED and SO_PEERGROUPS, and the one rule. */
#include "ctl/peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "dev/policy.h"
#include "dev/table.h"

/* The kernel's limit. */
#define MAX_GROUPS 65536u

gid_t *ctl_peer_groups(int fd, size_t *ret_n)
{
	socklen_t size = MAX_GROUPS * sizeof(gid_t);
	gid_t *groups = malloc(size + sizeof(gid_t));
	struct ucred cred;
	socklen_t cred_size = sizeof(cred);

	*ret_n = 0;
	if (!groups ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_size) < 0) {
		free(groups);
		return NULL;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
		*ret_n = size / sizeof(gid_t);
	groups[(*ret_n)++] = cred.gid;
	return groups;
}

static bool has_group(int fd, gid_t group)
{
	bool has = false;
	size_t n;
	gid_t *groups = ctl_peer_groups(fd, &n);

	for (size_t i = 0; i < n && !has; i++)
		has = groups[i] == group;
	free(groups);
	return has;
}

static uint64_t account_of(struct dev_table *table, uid_t uid)
{
	struct policy_set *set = dev_table_policy(table);
	uint64_t account = policy_account(set, uid);

	policy_set_unref(set);
	return account;
}

int ctl_peer_look_up(int fd, gid_t group, struct dev_table *table,
		     struct ctl_peer *ret_peer)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	*ret_peer = (struct ctl_peer){
		.pid = cred.pid,
		.uid = cred.uid,
		.account = account_of(table, cred.uid),
		.in_group = group != CTL_NO_GROUP && has_group(fd, group),
	};
	return 0;
}

bool ctl_peer_may(const struct ctl_peer *peer, uid_t owner,
		  enum ctl_right right)
{
	if (peer->uid == 0 || peer->uid == owner || right == CTL_CAPTURE)
		return true;
	return right == CTL_READ && peer->in_group;
}

gid_t ctl_group(void)
{
	const struct group *group = getgrnam(CTL_GROUP);

	return group ? group->gr_gid : CTL_NO_GROUP;
}
