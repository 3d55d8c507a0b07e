/* SPDX-License-Identifier: MIT */
/*
 * doctor_cgroup.c - the device cgroup: the list of version 1, and what can be
 * seen of the BPF programs of version 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "doctor.h"
#include "tundctl.h"

struct where {
	char v1[PATH_MAX]; /* the directory, or "" */
	char v2[PATH_MAX];
};

static bool is_kind(const char *line, bool v1)
{
	const char *rest = strstr(line, " - ");

	if (!rest)
		return false;
	return v1 ? strncmp(rest, " - cgroup ", 10) == 0 &&
			       strstr(rest, "devices")
		  : strncmp(rest, " - cgroup2 ", 11) == 0;
}

/*
 * The group's directory under a mount of its hierarchy. The mount may show only
 * a part, be of an outer cgroup namespace, or lie under another one.
 */
static bool find_below(const char *line, const char *group,
		       char ret_path[PATH_MAX])
{
	char root[PATH_MAX], where[PATH_MAX];
	size_t len;

	if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, where) != 2)
		return false;
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(group, root, len) != 0 ||
	    (group[len] != '/' && group[len] != '\0'))
		return false;
	return snprintf(ret_path, PATH_MAX, "%s%s", where, group + len) <
		       PATH_MAX &&
	       access(ret_path, F_OK) == 0;
}

static void place(bool v1, const char *group, char ret_path[PATH_MAX])
{
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *f;

	/* A group outside of our own cgroup namespace has no path here. */
	if (strncmp(group, "/..", 3) == 0)
		return;
	f = fopen("/proc/self/mountinfo", "re");
	while (f && !found && getline(&line, &size, f) > 0)
		found = is_kind(line, v1) && find_below(line, group, ret_path);
	if (!found)
		ret_path[0] = '\0';
	free(line);
	if (f)
		fclose(f);
}

static void look_up(const struct doctor *d, struct where *ret_where)
{
	int fd = doctor_open(d, "cgroup", O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	ret_where->v1[0] = ret_where->v2[0] = '\0';
	while (f && getline(&line, &size, f) > 0) {
		char *names = strchr(line, ':');
		char *group = names ? strchr(names + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		if (!names[1])
			place(false, group, ret_where->v2);
		else if (strstr(names, "devices"))
			place(true, group, ret_where->v1);
	}
	free(line);
	if (f)
		fclose(f);
}

/* Whether a line of devices.list is about 10:200, for reading and writing. */
static bool allows(const char *line)
{
	char type, major[16], minor[16], access[8];

	if (sscanf(line, "%c %15[0-9*]:%15[0-9*] %7s", &type, major, minor,
		   access) != 4)
		return false;
	return type == 'a' ||
	       (type == 'c' && strchr(access, 'r') && strchr(access, 'w') &&
		(strcmp(major, "*") == 0 || strcmp(major, "10") == 0) &&
		(strcmp(minor, "*") == 0 || strcmp(minor, "200") == 0));
}

static int list_allows(const char *group)
{
	char path[PATH_MAX + 16];
	char *line = NULL;
	size_t size = 0;
	int r = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/devices.list", group);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (r == 0 && getline(&line, &size, f) > 0)
		r = allows(line);
	free(line);
	fclose(f);
	return r;
}

/* How many programs decide, those of outer groups too; -1 and errno. */
static int count_programs(const char *group)
{
	_cleanup_close_ int fd = open(group, O_RDONLY | O_CLOEXEC);
	union bpf_attr attr;

	if (fd < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (unsigned int)fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) < 0)
		return -1;
	return (int)attr.query.prog_cnt;
}

static bool join(const char *group)
{
	char path[PATH_MAX + 16];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	return done;
}

bool doctor_join_cgroup(struct doctor *d)
{
	struct where theirs, ours;
	struct doctor self = *d;
	bool v1, v2;

	self.pid = getpid();
	look_up(d, &theirs);
	look_up(&self, &ours);
	v1 = strcmp(theirs.v1, ours.v1) == 0 || join(theirs.v1);
	v2 = strcmp(theirs.v2, ours.v2) == 0 || join(theirs.v2);
	/* Without either there is none, or one that cannot be seen. */
	return v1 && v2 && (theirs.v1[0] || theirs.v2[0]);
}

/* What an open of the kernel's own node has shown. */
static bool find_by_trial(struct doctor *d, const char *what)
{
	const struct doctor_path *p = &d->paths[0];
	bool node = !p->ours && (!d->other || d->in_cgroup);

	if (node && p->obstacle == OBSTACLE_CGROUP) {
		doctor_find(d, CHECK_CGROUP, DOCTOR_NOT_OK,
			    "%s: the device 10:200 is refused; tund's file "
			    "needs no permission of it",
			    what);
		return true;
	}
	if (node &&
	    (p->obstacle == OBSTACLE_NONE || p->obstacle == OBSTACLE_RIGHTS)) {
		doctor_find(d, CHECK_CGROUP, DOCTOR_OK,
			    "%s: the device 10:200 can be opened", what);
		return true;
	}
	return false;
}

void doctor_cgroup(struct doctor *d)
{
	char what[100];
	struct where w;
	int list, programs;

	look_up(d, &w);
	list = w.v1[0] ? list_allows(w.v1) : -1;
	programs = w.v2[0] ? count_programs(w.v2) : -1;
	if (list == 0) {
		doctor_find(d, CHECK_CGROUP, DOCTOR_NOT_OK,
			    "version 1: the list does not have 10:200 rw; "
			    "tund's file needs no permission of it");
		return;
	}
	if (programs >= 0)
		snprintf(what, sizeof(what), "%s%d BPF program%s decide",
			 list == 1 ? "version 1 allows 10:200, and "
				   : "version 2: ",
			 programs, programs == 1 ? "" : "s");
	else
		snprintf(what, sizeof(what), "%s",
			 list == 1 ? "version 1 allows 10:200; the programs of "
				     "version 2 cannot be seen"
				   : "its rules cannot be seen");
	if (find_by_trial(d, what))
		return;
	doctor_find(d, CHECK_CGROUP,
		    programs == 0 && (list == 1 || !w.v1[0]) ? DOCTOR_OK
							     : DOCTOR_UNKNOWN,
		    "%s; tund's file needs no permission of it", what);
}
