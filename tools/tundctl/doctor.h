/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - what the files of `tundctl doctor` have in common: the report, and
 * who fills it. All of it is in memory that the examining processes share.
 */
#ifndef TUNDCTL_DOCTOR_H
#define TUNDCTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DOCTOR_USUAL  "/dev/net/tun"
#define DOCTOR_DAEMON "/run/tund/dev/net/tun"

enum doctor_state {
	DOCTOR_UNKNOWN,
	DOCTOR_OK,
	DOCTOR_NOT_OK,
};

/* In the order in which they are shown. */
enum doctor_check {
	CHECK_DEVICE, /* the path that programs know */
	CHECK_TUND,   /* the path at which the daemon serves */
	CHECK_DAEMON,
	CHECK_MOUNT,
	CHECK_CAPABILITY,
	CHECK_USERNS,
	CHECK_CGROUP,
	CHECK_SECCOMP,
	CHECK_LSM,
	CHECK_MODULE,
	CHECK_FUSE,
	CHECK_VETH,
	CHECK_PACKET,
	CHECK_MAX
};

struct doctor_finding {
	enum doctor_state state;
	char evidence[600];
};

/* What stands in a path's way, the nearest first. */
enum doctor_obstacle {
	OBSTACLE_UNSEEN, /* nobody has looked */
	OBSTACLE_NONE,
	OBSTACLE_ABSENT,
	OBSTACLE_OUT_OF_REACH, /* a directory on the way, a mode, nodev */
	OBSTACLE_WRONG,	       /* something else is there */
	OBSTACLE_DEAD,	       /* its daemon has ended */
	OBSTACLE_STUCK,	       /* its daemon does not answer */
	OBSTACLE_DRIVER,       /* a node, and no driver behind it */
	OBSTACLE_CGROUP,
	OBSTACLE_RIGHTS, /* TUNSETIFF is refused */
	OBSTACLE_OTHER,
};

struct doctor_path {
	const char *path;
	enum doctor_obstacle obstacle;
	bool ours; /* tund's file */
	int error; /* errno of the step that failed, or 0 */
};

struct doctor {
	pid_t pid;	/* whom it is about */
	bool other;	/* not this process */
	bool entered;	/* the examining process has its place and its rights */
	bool in_cgroup; /* and is in its device cgroup */
	bool filtered;	/* it has a seccomp filter, or a confining label */
	int proc;	/* /proc of the pid namespace in which `pid` counts */
	struct doctor_path paths[2];
	struct doctor_finding findings[CHECK_MAX];
};

__attribute__((format(printf, 4, 5))) void doctor_find(struct doctor *d,
						       enum doctor_check check,
						       enum doctor_state state,
						       const char *format, ...);

/* Looks at a path, as the calling process: opens it, and asks for a TUN. */
void doctor_device(struct doctor *d, enum doctor_check check,
		   struct doctor_path *path);

/* What /proc tells of the process; needs not be in its place. */
void doctor_process(struct doctor *d);
void doctor_mounts(struct doctor *d);
void doctor_cgroup(struct doctor *d);

/* What belongs to the kernel, or to the machine. */
void doctor_machine(struct doctor *d);

/* Forks, becomes the process as far as it may, and looks at the paths there. */
void doctor_visit(struct doctor *d);

/* Puts the calling process into the cgroups of `pid`. Whether it is there. */
bool doctor_join_cgroup(struct doctor *d);

/* The process of a container, or -1 after a complaint. */
pid_t doctor_container(const char *name);

/* Whether a TUN can be had, and at which path. NULL: no. */
const struct doctor_path *doctor_way(const struct doctor *d);

/* The one thing to do. */
void doctor_advise(const struct doctor *d, char *ret_text, size_t size);

void doctor_print(const struct doctor *d, bool json);

/* Opens /proc/PID/`what` of a process, relative to d->proc. -1 and errno. */
int doctor_open(const struct doctor *d, const char *what, int flags);

/* The first bytes of it, as a string without a line's end. Whether it is. */
bool doctor_read(const struct doctor *d, const char *what, char *ret_text,
		 size_t size);

#endif
