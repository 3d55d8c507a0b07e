/* SPDX-License-Identifier: MIT */
/* call.c - what a worker has to do with the program. */
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "limb.h"
#include "tundctl.h"

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

/* A program that answers its own page faults gets this much of our time. */
#define MEMORY_SECONDS 5
#define LOOK_SECONDS   5

/* ---- the descriptor ---- */

static pid_t find_process(int proc, pid_t tid)
{
	char path[32], line[128];
	pid_t tgid = -1;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%d/status", (int)tid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f)
		return -1;
	while (tgid < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Tgid: %d", &tgid);
	fclose(f);
	return tgid;
}

/* A thread may have descriptors of its own: Linux 6.9 opens it by itself. */
static int open_thread(int proc, pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
	pid_t process;

	if (fd >= 0 || errno != EINVAL)
		return fd;
	process = find_process(proc, tid);
	return process < 0 ? -1 : (int)syscall(SYS_pidfd_open, process, 0);
}

static bool is_valid(const struct call *c)
{
	return seccomp_notify_id_valid(c->context->listener, c->id) == 0;
}

int call_copy(const struct call *c, int number)
{
	int fd = (int)syscall(SYS_pidfd_getfd, c->pidfd, number, 0);

	if (fd < 0)
		return -errno;
	/* The number may have been reused; its old owner is gone then. */
	if (is_valid(c))
		return fd;
	close(fd);
	return -ESRCH;
}

struct look {
	const struct call *call;
	enum call_kind kind;
	uint64_t inode;
};

/* Asking a file may take its server's time, so a limb does it. */
static void look(void *context)
{
	struct look *l = context;
	struct stat st;

	/* If it is stuck, the worker's end shall be seen all the same. */
	close(l->call->context->supervisor);
	if (fstat(l->call->copy, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode)) {
		l->inode = st.st_ino;
		l->kind = CALL_DIRECT;
	} else if (device_is_ours(l->call->copy)) {
		l->kind = CALL_FILE;
	}
}

static enum call_kind find_kept(struct call *c, uint64_t inode)
{
	for (size_t i = 0; i < c->context->n_kept; i++) {
		const struct kept *k = &c->context->kept[i];

		if (k->file < 0 || k->inode != inode)
			continue;
		c->file = k->file;
		return CALL_DIRECT;
	}
	return CALL_FOREIGN;
}

static enum call_kind find_kind(struct call *c)
{
	struct look *l = limb_memory(sizeof(*l));

	if (!l)
		return CALL_FOREIGN;
	l->call = c;
	l->kind = CALL_FOREIGN;
	if (limb_run(look, l, LOOK_SECONDS) < 0)
		return CALL_FOREIGN;
	if (l->kind == CALL_DIRECT)
		return find_kept(c, l->inode);
	c->file = c->copy;
	return l->kind;
}

static bool is_32_bit(const struct seccomp_data *data)
{
	return !(data->arch & __AUDIT_ARCH_64BIT) && sizeof(void *) == 8;
}

enum call_kind call_open(const struct worker_context *context,
			 const struct seccomp_notif *request,
			 struct call *ret_call)
{
	struct call *c = ret_call;

	*c = (struct call){
		.context = context,
		.id = request->id,
		.tid = (pid_t)request->pid,
		.number = (int)request->data.args[0],
		.cmd = (unsigned int)request->data.args[1],
		.arg = request->data.args[2],
		.ifreq_size = is_32_bit(&request->data) ? 32 : 40,
		.pidfd = -1,
		.copy = -1,
		.file = -1,
	};
	/* 0: it is outside of our pid namespace. */
	if (c->tid == 0)
		return CALL_FOREIGN;
	c->pidfd = open_thread(context->proc, c->tid);
	if (c->pidfd < 0)
		return CALL_FOREIGN;
	c->copy = call_copy(c, c->number);
	if (c->copy < 0) {
		if (c->copy == -EPERM)
			call_log(c, "descriptor %d cannot be seen: %s",
				 c->number, strerror(EPERM));
		c->copy = -1;
		return CALL_FOREIGN;
	}
	return find_kind(c);
}

void call_close(struct call *c)
{
	if (c->copy >= 0)
		close(c->copy);
	c->copy = -1;
}

/* ---- the answer ---- */

static _Noreturn void respond(struct call *c, struct seccomp_notif_resp *r)
{
	call_close(c);
	r->id = c->id;
	ioctl(c->context->listener, SECCOMP_IOCTL_NOTIF_SEND, r);
	_exit(0);
}

_Noreturn void call_continue(struct call *c)
{
	struct seccomp_notif_resp r = {
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	respond(c, &r);
}

_Noreturn void call_answer(struct call *c, int64_t result)
{
	struct seccomp_notif_resp r = {0};

	if (result < 0)
		r.error = (int)result;
	else
		r.val = result;
	respond(c, &r);
}

static int add_fd(const struct call *c, struct seccomp_notif_addfd *add)
{
	int fd;

	add->id = c->id;
	fd = ioctl(c->context->listener, SECCOMP_IOCTL_NOTIF_ADDFD, add);
	return fd < 0 ? -errno : fd;
}

_Noreturn void call_give(struct call *c, int fd)
{
	struct seccomp_notif_addfd add = {
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (__u32)fd,
		.newfd_flags = O_CLOEXEC,
	};
	int number = add_fd(c, &add);

	if (number >= 0)
		_exit(0);
	if (number == -EINVAL) {
		/* Linux before 5.14 */
		add.flags = 0;
		number = add_fd(c, &add);
	}
	call_answer(c, number);
}

static bool closes_on_exec(const struct call *c, int number)
{
	unsigned int flags = O_CLOEXEC;
	char path[64], line[128];
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%d/fdinfo/%d", (int)c->tid, number);
	fd = openat(c->context->proc, path, O_RDONLY | O_CLOEXEC);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f)
		return true;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(f);
	return flags & O_CLOEXEC;
}

int call_put(const struct call *c, int fd, int number)
{
	struct seccomp_notif_addfd add = {
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (__u32)fd,
		.newfd = (__u32)number,
		.newfd_flags = closes_on_exec(c, number) ? O_CLOEXEC : 0,
	};
	int r = add_fd(c, &add);

	return r < 0 ? r : 0;
}

/* ---- its memory ---- */

struct touch {
	pid_t tid;
	uint64_t address;
	void *shared;
	size_t len;
	bool write;
	bool *done;
};

static void touch(void *context)
{
	const struct touch *t = context;
	struct iovec here = {t->shared, t->len};
	struct iovec there = {(void *)(uintptr_t)t->address, t->len};
	ssize_t n;

	/* It may be stuck for ever: let nobody wait for what it holds. */
	limb_keep_nothing();
	n = t->write ? process_vm_writev(t->tid, &here, 1, &there, 1, 0)
		     : process_vm_readv(t->tid, &here, 1, &there, 1, 0);
	*t->done = n == (ssize_t)t->len;
}

static int touch_memory(const struct call *c, struct touch *t)
{
	int r;

	t->tid = c->tid;
	t->done = limb_memory(sizeof(*t->done));
	if (!t->done)
		return -ENOMEM;
	r = limb_run(touch, t, MEMORY_SECONDS);
	if (r == -ETIMEDOUT)
		call_log(c, "the program's memory does not answer");
	return r == 0 && *t->done && is_valid(c) ? 0 : -EFAULT;
}

int call_read(const struct call *c, uint64_t address, void *shared, size_t len)
{
	struct touch t = {.address = address, .shared = shared, .len = len};

	return touch_memory(c, &t);
}

int call_write(const struct call *c, uint64_t address, void *shared, size_t len)
{
	struct touch t = {
		.address = address,
		.shared = shared,
		.len = len,
		.write = true,
	};

	return touch_memory(c, &t);
}

void call_log(const struct call *c, const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	if (c->context->log < 0)
		return;
	n = snprintf(line, sizeof(line), "%d: ", (int)c->tid);
	va_start(args, format);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	line[n] = '\n';
	if (write(c->context->log, line, (size_t)n + 1) < 0)
		return; /* Nobody can be told. */
}
