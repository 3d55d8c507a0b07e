/* SPDX-License-Identifier: MIT */
/* task_group.c - see task_group.h; reads /proc and /sys, each time anew. */
#include "fuse/task_group.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define CGROUP2 "/sys/fs/cgroup"

/* The inode of the control group namespace in which the machine began. */
#define INITIAL_CGROUP_NS 0xeffffffbU

#define MAX_TEXT	  4096

struct cgroup {
	char text[MAX_TEXT];
	char *path; /* in the text */
	bool v2;
};

/* Whether the line's controllers, "cpu,cpuacct", are of processors. */
static bool names_cpu(const char *names)
{
	for (const char *p = names; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, "cpu", 3) == 0 && (p[3] == ',' || p[3] == '\0'))
			return true;
	}
	return false;
}

/*
 * Finds the path in "4:cpu,cpuacct:/path" or else, where that controller is
 * version 2's, in "0::/path".
 */
static bool find_path(struct cgroup *cgroup)
{
	char *rest = NULL;

	cgroup->path = NULL;
	for (char *line = strtok_r(cgroup->text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':');
		char *end = names ? strchr(names + 1, ':') : NULL;

		if (!end)
			continue;
		*end = '\0';
		if (names[1] && !names_cpu(names + 1))
			continue;
		cgroup->v2 = !names[1];
		cgroup->path = end + 1;
		if (!cgroup->v2)
			break;
	}
	return cgroup->path;
}

static bool read_cgroup(const char *name, struct cgroup *ret_cgroup)
{
	char path[40];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/cgroup", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1
		   : read(fd, ret_cgroup->text, sizeof(ret_cgroup->text) - 1);
	if (n < 0)
		return false;
	ret_cgroup->text[n] = '\0';
	return find_path(ret_cgroup);
}

/* In version 2 it may be one further up that has the controller. */
static void go_up(char *path)
{
	char file[sizeof(CGROUP2) + MAX_TEXT + sizeof("/cpu.weight")];
	char *slash;

	for (;;) {
		snprintf(file, sizeof(file), CGROUP2 "%s/cpu.weight", path);
		slash = strrchr(path, '/');
		if (!slash || access(file, F_OK) == 0)
			return;
		*slash = '\0';
	}
}

/* What a namespace begins with is "/", too. */
static bool is_root(const struct cgroup *cgroup)
{
	struct stat ns;

	if (cgroup->v2)
		return !*cgroup->path &&
		       access(CGROUP2 "/cpu.weight", F_OK) < 0;
	return strcmp(cgroup->path, "/") == 0 &&
	       stat("/proc/self/ns/cgroup", &ns) == 0 &&
	       ns.st_ino == INITIAL_CGROUP_NS;
}

static bool is_same(struct cgroup *ours, struct cgroup *theirs)
{
	if (ours->v2 && access(CGROUP2 "/cgroup.controllers", F_OK) == 0) {
		go_up(ours->path);
		go_up(theirs->path);
	}
	return strcmp(ours->path, theirs->path) == 0 && !is_root(ours);
}

bool task_group_is_ours(pid_t tid, const struct process_stat *stat)
{
	struct cgroup *ours, *theirs;
	struct process_stat self;
	char name[16];
	bool same;

	if (process_read_stat(getpid(), &self) < 0 ||
	    self.session == stat->session)
		return true;
	ours = malloc(sizeof(*ours));
	theirs = malloc(sizeof(*theirs));
	snprintf(name, sizeof(name), "%d", (int)tid);
	/* Without control groups there are sessions only. */
	if (!ours || !theirs)
		same = true;
	else if (!read_cgroup("self", ours))
		same = false;
	else
		same = !read_cgroup(name, theirs) || is_same(ours, theirs);
	free(ours);
	free(theirs);
	return same;
}
