/* SPDX-License-Identifier: MIT */
/* doctor_mounts.c - the process's mount table, as far as tund is in it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "tundctl.h"

#define OUR_TYPE "fuse.tund"

struct table {
	const struct doctor *d;
	char seen[300]; /* where our type is mounted */
	size_t base_len;
	char base[200];	      /* the mount in which /run/tund is */
	const char *base_how; /* how mounts come into it */
};

static bool is_within(const char *path, const char *mount)
{
	size_t len = strlen(mount);

	return strcmp(mount, "/") == 0 ||
	       (strncmp(path, mount, len) == 0 &&
		(path[len] == '/' || path[len] == '\0'));
}

/* The optional fields end before the dash. */
static bool has_field(const char *line, const char *name)
{
	const char *field = strstr(line, name);

	return field && field < strstr(line, " - ");
}

/* What is wrong with it, by what was found at the paths in it. */
static const char *complaint(const struct doctor *d, const char *mount)
{
	for (int i = 0; i < 2; i++) {
		const struct doctor_path *path = &d->paths[i];

		if (!is_within(path->path, mount))
			continue;
		if (path->obstacle == OBSTACLE_DEAD)
			return ", which is dead: its daemon has ended";
		if (path->obstacle == OBSTACLE_STUCK)
			return ", whose daemon does not answer";
	}
	return "";
}

static void read_line(const char *line, struct table *t)
{
	char root[200], where[200];
	const char *rest = strstr(line, " - ");

	if (!rest || sscanf(line, "%*s %*s %*s %199s %199s", root, where) != 2)
		return;
	if (strncmp(rest + 3, OUR_TYPE " ", strlen(OUR_TYPE " ")) == 0) {
		size_t len = strlen(t->seen);

		snprintf(t->seen + len, sizeof(t->seen) - len, "%s%s%s%s",
			 len ? ", and on " : "", where,
			 strcmp(root, "/") == 0 ? "" : " (a part of it)",
			 complaint(t->d, where));
		return;
	}
	if (!is_within("/run/tund/dev", where) || strlen(where) < t->base_len)
		return;
	t->base_len = strlen(where);
	strcpy(t->base, where);
	t->base_how = has_field(line, " master:")
			      ? "receives mounts from outside"
		      : has_field(line, " shared:")
			      ? "is shared with its peers"
			      : "is private: what is mounted outside does not "
				"come in";
}

static bool same_mounts(const struct doctor *d)
{
	struct doctor self = *d;
	char theirs[64] = "", ours[64] = "";
	char path[64];
	ssize_t n;

	self.pid = getpid();
	snprintf(path, sizeof(path), "%d/ns/mnt", (int)d->pid);
	n = readlinkat(d->proc, path, theirs, sizeof(theirs) - 1);
	snprintf(path, sizeof(path), "%d/ns/mnt", (int)self.pid);
	return n > 0 && readlinkat(d->proc, path, ours, sizeof(ours) - 1) > 0 &&
	       strcmp(theirs, ours) == 0;
}

static bool any(const struct doctor *d, enum doctor_obstacle obstacle)
{
	return (d->paths[0].obstacle == obstacle) ||
	       d->paths[1].obstacle == obstacle;
}

void doctor_mounts(struct doctor *d)
{
	int fd = doctor_open(d, "mountinfo", O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct table t = {.d = d, .base_how = ""};
	char *line = NULL;
	size_t size = 0;

	if (!f) {
		doctor_find(d, CHECK_MOUNT, DOCTOR_UNKNOWN,
			    "the mount table cannot be seen: %s",
			    strerror(errno));
		return;
	}
	while (getline(&line, &size, f) > 0)
		read_line(line, &t);
	free(line);
	fclose(f);
	if (t.seen[0])
		doctor_find(d, CHECK_MOUNT,
			    any(d, OBSTACLE_DEAD) || any(d, OBSTACLE_STUCK)
				    ? DOCTOR_NOT_OK
				    : DOCTOR_OK,
			    "tund is mounted on %s", t.seen);
	else
		doctor_find(d, CHECK_MOUNT, DOCTOR_NOT_OK,
			    "tund is not mounted in %s mount namespace; %s %s",
			    same_mounts(d) ? "this" : "the process's",
			    t.base[0] ? t.base : "its root", t.base_how);
}
