/* SPDX-License-Identifier: MIT */
/*
 * memory_agent.c - forks a child for every call. The agent touches no foreign
 * memory, so it is never stuck; a child may be, for good, and holds nothing
 * that anybody would miss.
 */
#include "fuse/memory_agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

/* Children at once; and those of one user that are stuck. */
#define MAX_CHILDREN	   64
#define MAX_STUCK_OF_A_UID 4

static struct {
	pid_t pid; /* 0: free */
	uid_t uid;
	uint64_t since_ms;
} children[MAX_CHILDREN];

static void on_child(int signal)
{
	/* Only to end the wait for a call. */
}

/* Keeps this descriptor alone: somebody may wait for the end of another. */
static void close_others(int fd)
{
	if (fd > 0)
		syscall(SYS_close_range, 0, fd - 1, 0);
	syscall(SYS_close_range, fd + 1, ~0U, 0);
}

static int touch(const struct memory_call *call, uint8_t *data)
{
	struct iovec here = {.iov_base = data, .iov_len = call->len};
	struct iovec there = {
		.iov_base = (void *)(uintptr_t)call->address,
		.iov_len = call->len,
	};
	ssize_t n;

	n = call->write ? process_vm_writev(call->tid, &here, 1, &there, 1, 0)
			: process_vm_readv(call->tid, &here, 1, &there, 1, 0);
	if (n == (ssize_t)call->len)
		return 0;
	/* Part of it is as good as nothing: a page at the end is missing. */
	return n >= 0 || errno == EFAULT ? -EFAULT : -EPERM;
}

static void answer(int fd, const struct memory_answer *a)
{
	/* Who has given up is not there any more. */
	if (send(fd, a, sizeof(*a), MSG_NOSIGNAL) < 0)
		return;
}

static void refuse(int fd, int error)
{
	struct memory_answer a = {.result = error};

	answer(fd, &a);
}

static void reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < MAX_CHILDREN; i++)
			if (children[i].pid == pid)
				children[i].pid = 0;
}

/* A free place for a child of that user, or -1. */
static int find_place(uid_t uid)
{
	uint64_t now = now_ms();
	unsigned int stuck = 0;
	int place = -1;

	for (int i = 0; i < MAX_CHILDREN; i++) {
		if (children[i].pid == 0)
			place = i;
		else if (children[i].uid == uid &&
			 now - children[i].since_ms >= MEMORY_ANSWER_MS)
			stuck++;
	}
	return stuck < MAX_STUCK_OF_A_UID ? place : -1;
}

static void carry_out(int fd, const struct memory_call *call, int answer_fd)
{
	struct memory_answer a = {0};
	int place;
	pid_t pid;

	reap();
	place = find_place(call->uid);
	pid = place < 0 ? -1 : fork();
	if (pid < 0) {
		refuse(answer_fd, -EAGAIN);
		return;
	}
	if (pid == 0) {
		close(fd);
		memcpy(a.data, call->data, sizeof(a.data));
		a.result = touch(call, a.data);
		answer(answer_fd, &a);
		_exit(0);
	}
	children[place].pid = pid;
	children[place].uid = call->uid;
	children[place].since_ms = now_ms();
}

/* Returns the size of the message, 0 at the end, negative to try again. */
static ssize_t receive(int fd, struct memory_call *call, int *ret_answer_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {call, sizeof(*call)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	*ret_answer_fd = -1;
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_answer_fd, CMSG_DATA(c), sizeof(int));
	return n;
}

_Noreturn void memory_agent_run(int fd)
{
	struct sigaction on_sigchld = {.sa_handler = on_child};
	sigset_t none;

	/* A Ctrl-C is for the daemon; the agent ends when that has ended. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigaction(SIGCHLD, &on_sigchld, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "tund-memory");
	close_others(fd);

	for (;;) {
		struct memory_call call;
		int answer_fd;
		ssize_t n = receive(fd, &call, &answer_fd);

		if (n == 0)
			_exit(0);
		if (n == (ssize_t)sizeof(call) && answer_fd >= 0 &&
		    call.len <= sizeof(call.data))
			carry_out(fd, &call, answer_fd);
		else
			reap();
		if (answer_fd >= 0)
			close(answer_fd);
	}
}
