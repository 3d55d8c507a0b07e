/* SPDX-License-Identifier: MIT */
/*
 * caller_closer.c - what only policies want to know of a caller: its control
 * group and its executable file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "dev/policy.h"
#include "fuse/caller.h"

/* The path behind the second colon, if it is the hierarchy of services. */
static const char *path_in(char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return NULL;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	return strcmp(line, "0:") == 0 ||
			       strcmp(controllers, ":name=systemd") == 0
		       ? path
		       : NULL;
}

static int read_cgroup(pid_t tid, struct dev_caller *caller)
{
	char path[64], *line = NULL, *cgroup = NULL;
	size_t size = 0;
	int r = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)tid);
	f = fopen(path, "re");
	/* A kernel may have none. */
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && !cgroup && getline(&line, &size, f) > 0) {
		const char *found = path_in(line);

		cgroup = found ? strdup(found) : NULL;
		r = found && !cgroup ? -ENOMEM : 0;
	}
	fclose(f);
	free(line);
	caller->cgroup = cgroup;
	return r;
}

static void read_executable(pid_t tid, struct dev_caller *caller)
{
	struct statx st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)tid);
	/* Whoever serves that file's file system is not asked. */
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
		return;
	caller->exe_dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	caller->exe_ino = st.stx_ino;
}

static bool has_ended(int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	return poll(&end, 1, 0) != 0;
}

int caller_look_closer(pid_t tid, unsigned int needs, struct dev_caller *caller)
{
	_cleanup_close_ int pidfd = -1;
	int r = 0;

	if (!needs)
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, caller_process(tid), 0);
	if (pidfd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : -EPERM;
	if (needs & POLICY_NEEDS_CGROUP)
		r = read_cgroup(tid, caller);
	if (needs & POLICY_NEEDS_EXECUTABLE)
		read_executable(tid, caller);
	/* Else the number may have been another's when it was looked up. */
	return r == 0 && has_ended(pidfd) ? -EPERM : r;
}
