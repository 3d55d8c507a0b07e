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
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

/* The kernel nests user namespaces 32 deep. */
#define MAX_USERNS_DEPTH 33

static int open_proc(pid_t tid, const char *what)
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
	int fd = open_proc(tid, "ns/net");

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

struct credentials {
	uid_t euid;
	bool net_admin;
};

static int read_credentials(pid_t tid, struct credentials *ret)
{
	uint64_t effective = 0;
	bool have_uid = false, have_caps = false;
	char line[256];
	unsigned int euid;
	FILE *status;
	int fd;

	fd = open_proc(tid, "status");
	if (fd < 0)
		return fd;
	status = fdopen(fd, "r");
	if (!status) {
		close(fd);
		return -ENOMEM;
	}
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "Uid: %*u %u", &euid) == 1)
			have_uid = true;
		else if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			have_caps = true;
	}
	fclose(status);
	if (!have_uid || !have_caps)
		return -ENODATA;
	ret->euid = euid;
	ret->net_admin = effective & (UINT64_C(1) << CAP_NET_ADMIN);
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Walks from the owning namespace outwards until the thread's own is met. */
static bool capable_in(int userns_fd, const struct stat *own,
		       const struct credentials *cred)
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
		    owner == cred->euid) {
			close(parent);
			return true;
		}
		close(ns);
		ns = parent;
	}
	return false;
}

bool caller_net_admin(pid_t tid, int netns_fd)
{
	_cleanup_close_ int own_fd = open_proc(tid, "ns/user");
	_cleanup_close_ int owner_fd = ioctl(netns_fd, NS_GET_USERNS);
	struct credentials cred;
	struct stat own;

	if (own_fd < 0 || owner_fd < 0 || fstat(own_fd, &own) < 0 ||
	    read_credentials(tid, &cred) < 0) {
		log_warning("cannot see the credentials of thread %d: it is "
			    "taken to have none",
			    (int)tid);
		return false;
	}
	return capable_in(owner_fd, &own, &cred);
}
