/* SPDX-License-Identifier: MIT */
/*
 * doctor_visit.c - processes that take the place of the one in question, each
 * to look at one path. A daemon that does not answer holds them, not us.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "doctor.h"
#include "identity.h"
#include "tundctl.h"

#define ANSWER_MS 3000

struct visit {
	struct doctor *d;
	enum doctor_check check;
	struct doctor_path *path;
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The namespaces in which we are not yet. */
static int differing(const struct doctor *d)
{
	static const struct {
		const char *name;
		int flag;
	} kinds[] = {
		{"ns/user", CLONE_NEWUSER},
		{"ns/mnt", CLONE_NEWNS},
		{"ns/net", CLONE_NEWNET},
		{"ns/pid", CLONE_NEWPID},
	};
	struct doctor self = *d;
	int flags = 0;

	self.pid = getpid();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_close_ int theirs =
			doctor_open(d, kinds[i].name, O_RDONLY);
		_cleanup_close_ int ours =
			doctor_open(&self, kinds[i].name, O_RDONLY);
		struct stat a, b;

		if (theirs < 0 || ours < 0 || fstat(theirs, &a) < 0 ||
		    fstat(ours, &b) < 0)
			return -1;
		if (!same_file(&a, &b))
			flags |= kinds[i].flag;
	}
	return flags;
}

/* Its root may be another than that of its mount namespace. */
static int take_root(int root)
{
	struct stat a, b;

	if (root < 0 || fstat(root, &a) < 0 || stat("/", &b) < 0)
		return -1;
	if (same_file(&a, &b))
		return 0;
	return fchdir(root) < 0 || chroot(".") < 0 ? -1 : 0;
}

static int enter(struct doctor *d)
{
	_cleanup_close_ int root = doctor_open(d, "root", O_PATH | O_DIRECTORY);
	_cleanup_close_ int pidfd =
		(int)syscall(SYS_pidfd_open, (int)d->pid, 0);
	int flags = differing(d);

	if (root < 0 || pidfd < 0 || flags < 0)
		return -1;
	if (flags && setns(pidfd, flags) < 0)
		return -1;
	return take_root(root);
}

static void end_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent && getppid() != 0)
		_exit(1);
}

static void refuse(const struct visit *v)
{
	doctor_find(v->d, v->check, DOCTOR_UNKNOWN,
		    "cannot take the place of process %d%s%s; run this as "
		    "root, or in the process's place",
		    (int)v->d->pid, errno ? ": " : "",
		    errno ? strerror(errno) : "");
	v->path->obstacle = OBSTACLE_UNSEEN;
}

/* Who waits for the end of our output shall not wait for one that is held. */
static void close_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
}

static void look(const struct visit *v, pid_t parent)
{
	struct doctor *d = v->d;

	if (d->other && identity_take(d->proc, d->pid) < 0) {
		refuse(v);
		return;
	}
	/* A change of rights takes the wish back, so it is not made before. */
	end_with_parent(parent);
	d->entered = true;
	doctor_device(d, v->check, v->path);
}

/* The second fork: only a child is in the other pid namespace. */
static void go(const struct visit *v)
{
	struct doctor *d = v->d;
	pid_t child, parent = getpid();

	errno = 0;
	if (d->other) {
		d->in_cgroup = doctor_join_cgroup(d);
		if (enter(d) < 0) {
			refuse(v);
			return;
		}
	}
	child = fork();
	if (child == 0) {
		look(v, parent);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void send(const struct visit *v)
{
	pid_t child, parent = getpid();
	struct pollfd pfd = {.events = POLLIN};

	child = fork();
	if (child < 0)
		return;
	if (child == 0) {
		end_with_parent(parent);
		close_standard_files();
		go(v);
		_exit(0);
	}
	pfd.fd = (int)syscall(SYS_pidfd_open, child, 0);
	if (pfd.fd >= 0 && poll(&pfd, 1, ANSWER_MS) == 0)
		kill(child, SIGKILL);
	if (pfd.fd >= 0)
		close(pfd.fd);
	/* Who is held by the kernel is held when we are gone, too. */
	waitpid(child, NULL, pfd.fd >= 0 ? WNOHANG : 0);
}

/* What was tried is not all that decides. */
static void qualify(const struct visit *v)
{
	struct doctor_finding *f = &v->d->findings[v->check];
	size_t len = strlen(f->evidence);

	if (f->state != DOCTOR_OK || !v->d->other)
		return;
	if (v->d->filtered)
		snprintf(f->evidence + len, sizeof(f->evidence) - len,
			 ", but for its seccomp filter or security label, "
			 "which could not be tried");
	else if (!v->path->ours && !v->d->in_cgroup)
		snprintf(f->evidence + len, sizeof(f->evidence) - len,
			 ", but for its device cgroup, which could not be "
			 "tried");
	else
		return;
	f->state = DOCTOR_UNKNOWN;
}

void doctor_visit(struct doctor *d)
{
	for (int i = 0; i < 2; i++) {
		struct visit v = {d, (enum doctor_check)(CHECK_DEVICE + i),
				  &d->paths[i]};

		doctor_find(d, v.check, DOCTOR_UNKNOWN,
			    "nobody could be sent to look");
		send(&v);
		qualify(&v);
	}
}
