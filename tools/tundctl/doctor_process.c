/* SPDX-License-Identifier: MIT */
/*
 * doctor_process.c - what /proc says of the process: capabilities, namespaces,
 * seccomp, security modules. It is not about devices.
 */
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

#include "doctor.h"
#include "tundctl.h"

/* The kernel's numbers for the first user namespace. */
#define INIT_USERNS_INO 0xeffffffdu

struct status {
	unsigned int uid;
	unsigned int seccomp;
	uint64_t caps;
};

static bool read_status(const struct doctor *d, struct status *ret_status)
{
	int fd = doctor_open(d, "status", O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	*ret_status = (struct status){0};
	if (!f)
		return false;
	while (getline(&line, &size, f) > 0) {
		sscanf(line, "Uid: %*u %u", &ret_status->uid);
		sscanf(line, "Seccomp: %u", &ret_status->seccomp);
		sscanf(line, "CapEff: %" SCNx64, &ret_status->caps);
	}
	free(line);
	fclose(f);
	return true;
}

/* Whether the network namespace belongs to the process's user namespace. */
static int owns_netns(const struct doctor *d)
{
	_cleanup_close_ int net = doctor_open(d, "ns/net", O_RDONLY);
	_cleanup_close_ int user = doctor_open(d, "ns/user", O_RDONLY);
	_cleanup_close_ int owner = -1;
	struct stat a, b;

	if (net < 0 || user < 0)
		return -1;
	owner = ioctl(net, NS_GET_USERNS);
	/* The kernel shows no owner that is outside of our own. */
	if (owner < 0)
		return errno == EPERM ? 0 : -1;
	if (fstat(owner, &a) < 0 || fstat(user, &b) < 0)
		return -1;
	return a.st_ino == b.st_ino;
}

static void find_capability(struct doctor *d, const struct status *s)
{
	bool has = s->caps & (UINT64_C(1) << CAP_NET_ADMIN);
	int owns = owns_netns(d);

	if (!has)
		doctor_find(d, CHECK_CAPABILITY, DOCTOR_NOT_OK,
			    "user %u without CAP_NET_ADMIN", s->uid);
	else if (owns == 0)
		doctor_find(d, CHECK_CAPABILITY, DOCTOR_NOT_OK,
			    "CAP_NET_ADMIN, but in a user namespace that does "
			    "not own the network namespace");
	else
		doctor_find(d, CHECK_CAPABILITY,
			    owns < 0 ? DOCTOR_UNKNOWN : DOCTOR_OK,
			    "user %u with CAP_NET_ADMIN%s", s->uid,
			    owns < 0 ? "; its namespaces cannot be seen"
				     : " over its network namespace");
}

static void find_userns(struct doctor *d)
{
	_cleanup_close_ int user = doctor_open(d, "ns/user", O_RDONLY);
	char map[100];
	struct stat st;

	if (user < 0 || fstat(user, &st) < 0) {
		doctor_find(d, CHECK_USERNS, DOCTOR_UNKNOWN,
			    "cannot be seen: %s", strerror(errno));
		return;
	}
	if (st.st_ino == INIT_USERNS_INO) {
		doctor_find(d, CHECK_USERNS, DOCTOR_OK, "the first one");
		return;
	}
	doctor_read(d, "uid_map", map, sizeof(map));
	doctor_find(d, CHECK_USERNS, map[0] ? DOCTOR_OK : DOCTOR_NOT_OK,
		    "one of its own, number %llu, users (inside, outside, "
		    "count):%s",
		    (unsigned long long)st.st_ino, map[0] ? map : " none");
}

static void find_seccomp(struct doctor *d, const struct status *s)
{
	d->filtered = s->seccomp != 0;
	if (!d->filtered)
		doctor_find(d, CHECK_SECCOMP, DOCTOR_OK, "no filter");
	else if (d->other)
		doctor_find(d, CHECK_SECCOMP, DOCTOR_UNKNOWN,
			    "it has a filter, which cannot be seen from "
			    "outside");
	else
		doctor_find(d, CHECK_SECCOMP, DOCTOR_OK,
			    "a filter, under which all of this was tried");
}

static void find_lsm(struct doctor *d)
{
	char label[200], own[200];
	struct doctor self = *d;
	bool there =
		doctor_read(d, "attr/apparmor/current", label, sizeof(label)) ||
		doctor_read(d, "attr/current", label, sizeof(label));

	if (!there || !label[0]) {
		doctor_find(d, CHECK_LSM, DOCTOR_OK, "no SELinux, no AppArmor");
		return;
	}
	self.pid = getpid();
	if (!doctor_read(&self, "attr/apparmor/current", own, sizeof(own)))
		doctor_read(&self, "attr/current", own, sizeof(own));
	if (!d->other || strcmp(label, own) == 0) {
		doctor_find(d, CHECK_LSM, DOCTOR_OK,
			    "\"%s\", under which all of this was tried", label);
	} else if (strcmp(label, "unconfined") == 0) {
		doctor_find(d, CHECK_LSM, DOCTOR_OK, "\"%s\"", label);
	} else {
		d->filtered = true;
		doctor_find(d, CHECK_LSM, DOCTOR_UNKNOWN,
			    "\"%s\": what that forbids cannot be seen from "
			    "outside",
			    label);
	}
}

void doctor_process(struct doctor *d)
{
	struct status status;

	if (!read_status(d, &status)) {
		doctor_find(d, CHECK_CAPABILITY, DOCTOR_UNKNOWN,
			    "/proc/%d/status: %s", (int)d->pid,
			    strerror(errno));
		return;
	}
	find_capability(d, &status);
	find_userns(d);
	find_seccomp(d, &status);
	find_lsm(d);
}
