/* SPDX-License-Identifier: MIT */
/*
 * caller.c - the kernel's rule for a capability in a user namespace
 * (capabilities(7), user_namespaces(7)), worked out from outside.
 */
#include "fuse/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "dev/policy.h"

/* The kernel's number for the namespace that all others descend from. */
#define INIT_USERNS_INO 0xeffffffdu

/* The kernel nests user namespaces 32 deep. */
#define MAX_USERNS_DEPTH 33

int caller_open_proc(pid_t tid, const char *what)
{
	char path[64];
	int fd;

	if (tid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int caller_open_netns(pid_t tid, int *ret_fd)
{
	int fd = caller_open_proc(tid, "ns/net");

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return fd;
	if (fd < 0) {
		log_warning("cannot see the network namespace of thread %d "
			    "(%s): tund needs CAP_SYS_PTRACE, /proc, and its "
			    "own pid namespace or an outer one of the "
			    "program's",
			    (int)tid, strerror(-fd));
		return -EPERM;
	}
	*ret_fd = fd;
	return 0;
}

/* Appends the numbers of a line to the groups. */
static int add_groups(struct dev_caller *caller, const char *numbers)
{
	gid_t *groups = (gid_t *)(uintptr_t)caller->groups;

	for (;;) {
		char *end;
		unsigned long gid = strtoul(numbers, &end, 10);

		if (end == numbers)
			break;
		numbers = end;
		groups = reallocarray(groups, caller->n_groups + 1,
				      sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		groups[caller->n_groups++] = (gid_t)gid;
		caller->groups = groups;
	}
	return 0;
}

static int read_status_line(const char *line, struct dev_caller *caller,
			    uint64_t *ret_caps)
{
	char egid[16];

	if (sscanf(line, "Uid: %*u %u", &caller->uid) == 1)
		return 0;
	if (sscanf(line, "Gid: %*u %15s", egid) == 1)
		return add_groups(caller, egid);
	if (strncmp(line, "Groups:", strlen("Groups:")) == 0)
		return add_groups(caller, line + strlen("Groups:"));
	sscanf(line, "CapEff: %" SCNx64, ret_caps);
	return 0;
}

static int read_credentials(pid_t tid, struct dev_caller *caller)
{
	uint64_t effective = 0;
	char *line = NULL;
	size_t size = 0;
	FILE *status;
	int fd, r = 0;

	fd = caller_open_proc(tid, "status");
	if (fd < 0)
		return fd;
	status = fdopen(fd, "r");
	if (!status) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && getline(&line, &size, status) > 0)
		r = read_status_line(line, caller, &effective);
	free(line);
	fclose(status);
	caller->net_admin = effective & (UINT64_C(1) << CAP_NET_ADMIN);
	return r;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Walks from the owning namespace outwards until the thread's own is met. */
static bool capable_in(int userns_fd, const struct stat *own,
		       const struct dev_caller *cred)
{
	_cleanup_close_ int ns = fcntl(userns_fd, F_DUPFD_CLOEXEC, 0);

	for (int depth = 0; ns >= 0 && depth < MAX_USERNS_DEPTH; depth++) {
		struct stat here, up;
		uid_t owner;
		int parent;

		if (fstat(ns, &here) < 0)
			return false;
		if (same_file(&here, own))
			return cred->net_admin;
		/* Fails at the outermost one: the thread is not above it. */
		parent = ioctl(ns, NS_GET_PARENT);
		if (parent < 0)
			return false;
		/* Who made a namespace has every capability in it. */
		if (fstat(parent, &up) == 0 && same_file(&up, own) &&
		    ioctl(ns, NS_GET_OWNER_UID, &owner) == 0 &&
		    owner == cred->uid) {
			close(parent);
			return true;
		}
		close(ns);
		ns = parent;
	}
	return false;
}

/* What is for want of something, that cannot be helped otherwise. */
int caller_cannot_see(pid_t tid, int error)
{
	static struct policy_log log;
	unsigned int untold;

	/* A program can have it as often as it wants. */
	if (policy_may_log(&log, now_ms(), &untold))
		log_warning("cannot see the credentials of thread %d: %s (%u "
			    "others since the last message)",
			    (int)tid, strerror(-error), untold);
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM
		       ? error
		       : -EPERM;
}

int caller_look_up(pid_t tid, int netns_fd, struct dev_caller *ret_caller)
{
	_cleanup_close_ int own_fd = caller_open_proc(tid, "ns/user");
	_cleanup_close_ int owner_fd = -1;
	struct stat own;
	int r;

	*ret_caller = (struct dev_caller){.uid = (uid_t)-1};
	if (own_fd < 0)
		return caller_cannot_see(tid, own_fd);
	owner_fd = ioctl(netns_fd, NS_GET_USERNS);
	if (owner_fd < 0 || fstat(own_fd, &own) < 0)
		return caller_cannot_see(tid, -errno);
	r = read_credentials(tid, ret_caller);
	if (r == 0)
		r = caller_account(own_fd, ret_caller->uid,
				   &ret_caller->account);
	if (r < 0) {
		caller_forget(ret_caller);
		*ret_caller = (struct dev_caller){.uid = (uid_t)-1};
		return caller_cannot_see(tid, r);
	}
	ret_caller->init_net_admin =
		ret_caller->net_admin && own.st_ino == INIT_USERNS_INO;
	ret_caller->net_admin = capable_in(owner_fd, &own, ret_caller);
	return 0;
}

void caller_forget(struct dev_caller *caller)
{
	free((void *)(uintptr_t)caller->groups);
	free((void *)(uintptr_t)caller->cgroup);
	caller->groups = NULL;
	caller->cgroup = NULL;
	caller->n_groups = 0;
}

int caller_check_admin(pid_t tid, int netns_fd)
{
	struct dev_caller caller;
	int r = caller_look_up(tid, netns_fd, &caller);

	caller_forget(&caller);
	if (r < 0)
		return r;
	return caller.net_admin ? 0 : -EPERM;
}

/* `back`: from outside to inside. */
static uint32_t map_id(pid_t tid, const char *map, uint32_t id, bool back)
{
	unsigned int inside, outside, count;
	uint32_t mapped = (uint32_t)-1;
	FILE *f;
	int fd;

	fd = caller_open_proc(tid, map);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return mapped;
	}
	while (fscanf(f, "%u %u %u", &inside, &outside, &count) == 3) {
		unsigned int from = back ? outside : inside;

		if (id >= from && id - from < count)
			mapped = (back ? inside : outside) + (id - from);
	}
	fclose(f);
	return mapped;
}

uint32_t caller_map_id(pid_t tid, const char *map, uint32_t id)
{
	return map_id(tid, map, id, false);
}

uint32_t caller_unmap_id(pid_t tid, const char *map, uint32_t id)
{
	return map_id(tid, map, id, true);
}

pid_t caller_process(pid_t tid)
{
	char line[128];
	pid_t pid = -1;
	FILE *status;
	int fd;

	fd = caller_open_proc(tid, "status");
	status = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!status) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (pid < 0 && fgets(line, sizeof(line), status))
		if (sscanf(line, "Tgid: %d", &pid) != 1)
			pid = -1;
	fclose(status);
	return pid;
}

void caller_name(pid_t tid, struct dev_opener *opener)
{
	pid_t pid = caller_process(tid);
	struct process_stat stat;

	if (pid <= 0)
		return;
	opener->pid = pid;
	if (process_read_stat(pid, &stat) < 0)
		return;
	snprintf(opener->command, sizeof(opener->command), "%s", stat.command);
	opener->started = stat.started;
}

bool caller_has_fd(pid_t tid, int fd)
{
	char path[64];
	struct stat st;

	/* The link alone: what it leads to is the caller's. */
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	return lstat(path, &st) == 0;
}
