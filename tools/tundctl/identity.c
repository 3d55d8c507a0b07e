/* SPDX-License-Identifier: MIT */
/*
 * identity.c - credentials(7), as /proc/TID/status tells of them. In the end
 * what was reached is compared with what was wanted, as seen from the namespace
 * at the beginning, in which no two users look alike.
 */
#include "identity.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tundctl.h"

#define MAX_GROUPS 65536

struct identity {
	uid_t uid;
	gid_t gid;
	size_t n_groups;
	gid_t *groups;
	uint64_t caps;
};

static int open_of(int proc, const char *who, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", who, what);
	return openat(proc, path, flags | O_CLOEXEC);
}

static void read_groups(const char *numbers, struct identity *id)
{
	char *end;

	for (id->n_groups = 0; id->n_groups < MAX_GROUPS; id->n_groups++) {
		unsigned long gid = strtoul(numbers, &end, 10);

		if (end == numbers)
			return;
		id->groups[id->n_groups] = (gid_t)gid;
		numbers = end;
	}
}

/* From its beginning, however often. 0, or -1 if something is missing. */
static int read_status(int fd, struct identity *ret_id)
{
	char *line = NULL;
	size_t size = 0;
	int found = 0;
	FILE *f;

	*ret_id = (struct identity){.groups = calloc(MAX_GROUPS, 4)};
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f || !ret_id->groups)
		return -1;
	rewind(f);
	while (getline(&line, &size, f) > 0) {
		found += sscanf(line, "Uid: %*u %u", &ret_id->uid) == 1;
		found += sscanf(line, "Gid: %*u %u", &ret_id->gid) == 1;
		found += sscanf(line, "CapEff: %" SCNx64, &ret_id->caps) == 1;
		if (strncmp(line, "Groups:", 7) == 0)
			read_groups(line + 7, ret_id);
	}
	free(line);
	fclose(f);
	return found == 3 ? 0 : -1;
}

/* ---- each of them ---- */

static int take_user_namespace(int theirs, int ours)
{
	struct stat a, b;

	if (theirs < 0 || ours < 0 || fstat(theirs, &a) < 0 ||
	    fstat(ours, &b) < 0)
		return -1;
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return 0;
	return setns(theirs, CLONE_NEWUSER);
}

static int take_groups(const struct identity *id)
{
	static gid_t own[MAX_GROUPS];
	int n = getgroups(MAX_GROUPS, own);

	/* Whoever may not set them has them already. */
	if (n >= 0 && (size_t)n == id->n_groups &&
	    memcmp(own, id->groups, id->n_groups * sizeof(gid_t)) == 0)
		return 0;
	return setgroups(id->n_groups, id->groups);
}

static int take_ids(const struct identity *id)
{
	uid_t u[3];
	gid_t g[3];

	if (take_groups(id) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0 ||
	    getresuid(&u[0], &u[1], &u[2]) < 0)
		return -1;
	/*
	 * The saved ones, too: nothing shall be left to go back to. An id that
	 * has no number here cannot be set, even if it is there already.
	 */
	if ((g[0] != id->gid || g[1] != id->gid || g[2] != id->gid) &&
	    setresgid(id->gid, id->gid, id->gid) < 0)
		return -1;
	if (u[0] == id->uid && u[1] == id->uid && u[2] == id->uid)
		return 0;
	return setresuid(id->uid, id->uid, id->uid);
}

static int take_caps(uint64_t wanted)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(wanted >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &header, data);
}

/* ---- the whole ---- */

static bool is_within(const struct identity *a, const struct identity *b)
{
	return a->uid == b->uid && a->gid == b->gid &&
	       a->n_groups == b->n_groups &&
	       memcmp(a->groups, b->groups, a->n_groups * sizeof(gid_t)) == 0 &&
	       (a->caps & ~b->caps) == 0;
}

/*
 * Ids may be out of reach on one side of the namespace's border: who is root
 * outside sets them there, who has made the namespace inside. What was reached
 * shows in the end. Changing them takes the effective capabilities away.
 */
static int take_all(int proc, const char *who, const struct identity *outside)
{
	_cleanup_close_ int their_ns = open_of(proc, who, "ns/user", O_RDONLY);
	_cleanup_close_ int our_ns = open_of(proc, "self", "ns/user", O_RDONLY);
	_cleanup_close_ int inside = -1;
	struct identity id;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -1;
	take_ids(outside);
	if (take_caps(UINT64_MAX) < 0 ||
	    take_user_namespace(their_ns, our_ns) < 0)
		return -1;
	inside = open_of(proc, who, "status", O_RDONLY);
	if (inside < 0 || read_status(inside, &id) < 0)
		return -1;
	take_ids(&id);
	return take_caps(id.caps);
}

int identity_take(int proc, pid_t tid)
{
	struct identity reached, wanted;
	int theirs, ours;
	char who[16];

	snprintf(who, sizeof(who), "%d", (int)tid);
	/* A file shows users as they are seen where it was opened. */
	theirs = open_of(proc, who, "status", O_RDONLY);
	ours = open_of(proc, "self", "status", O_RDONLY);
	if (theirs < 0 || ours < 0 || read_status(theirs, &wanted) < 0 ||
	    take_all(proc, who, &wanted) < 0 || read_status(ours, &reached) < 0)
		return -1;
	return is_within(&reached, &wanted) ? 0 : -1;
}
