/* SPDX-License-Identifier: MIT */
/*
 * caller_account.c - on whose account goes what a program has: that of the user
 * who has made its user namespaces, whatever numbers they gave him, or that of
 * the container. Not what it may.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "fuse/caller.h"

/* The kernel nests user namespaces 32 deep. */
#define MAX_USERNS_DEPTH 33

static struct stat home;

static void find_home(void)
{
	/* Without user namespaces nobody can be seen at all. */
	if (stat("/proc/self/ns/user", &home) < 0)
		home.st_ino = 0;
}

static bool is_home(const struct stat *st)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_home);
	return st->st_dev == home.st_dev && st->st_ino == home.st_ino;
}

/* `ns_fd` is just below the daemon's own namespace. */
static int account_of_ns(int ns_fd, const struct stat *st, uid_t uid,
			 uint64_t *ret_account)
{
	uid_t owner;

	if (ioctl(ns_fd, NS_GET_OWNER_UID, &owner) < 0)
		return -errno;
	if (owner != 0)
		*ret_account = owner;
	/*
	 * Root's number alone is in what anybody with it can make. With others
	 * it is what somebody has made who could have taken any number.
	 */
	else if (uid == 0)
		*ret_account = 0;
	else
		*ret_account = DEV_ACCOUNT_NS | st->st_ino;
	return 0;
}

int caller_account(int userns_fd, uid_t uid, uint64_t *ret_account)
{
	_cleanup_close_ int ns = -1;
	struct stat here, up;
	int parent;

	if (fstat(userns_fd, &here) < 0)
		return -errno;
	if (is_home(&here)) {
		*ret_account = uid;
		return 0;
	}
	ns = fcntl(userns_fd, F_DUPFD_CLOEXEC, 0);
	for (int depth = 0; ns >= 0 && depth < MAX_USERNS_DEPTH; depth++) {
		parent = ioctl(ns, NS_GET_PARENT);
		if (parent < 0)
			return -errno;
		if (fstat(parent, &up) == 0 && is_home(&up)) {
			close(parent);
			return account_of_ns(ns, &here, uid, ret_account);
		}
		close(ns);
		ns = parent;
		here = up;
	}
	return ns < 0 ? -errno : -EPERM;
}

int caller_find_account(pid_t tid, uid_t uid, uint64_t *ret_account)
{
	_cleanup_close_ int ns = caller_open_proc(tid, "ns/user");
	int r;

	r = ns < 0 ? ns : caller_account(ns, uid, ret_account);
	return r < 0 ? caller_cannot_see(tid, r) : 0;
}
