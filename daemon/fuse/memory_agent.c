/* SPDX-License-Identifier: MIT */
/*
 * memory_agent.c - forks a child for every call. The agent touches no foreign
 * memory and no foreign descriptor, so it is never stuck; a child may be, for
 * good, and holds nothing that anybody would miss.
 */
#include "fuse/memory_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

/* PIDFD_THREAD, since Linux 6.9. */
#define PIDFD_OF_THREAD O_EXCL

/*
 * Children at once, of which the last ones are root's; and those of one user
 * that are stuck. Who has numbers of users to spare can have all others stuck.
 */
#define MAX_CHILDREN	   64
#define ROOTS_CHILDREN	   8
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

	n = call->what == MEMORY_WRITE
		    ? process_vm_writev(call->tid, &here, 1, &there, 1, 0)
		    : process_vm_readv(call->tid, &here, 1, &there, 1, 0);
	if (n == (ssize_t)call->len)
		return 0;
	/* Part of it is as good as nothing: a page at the end is missing. */
	return n >= 0 || errno == EFAULT ? -EFAULT : -EPERM;
}

/*
 * The caller's descriptor. Whatever it is of, to close it may take for ever:
 * the server of a file is asked then. The thread may have a table of its own.
 */
static int take(const struct memory_call *call)
{
	int pidfd = (int)syscall(SYS_pidfd_open, call->tid, PIDFD_OF_THREAD);
	int fd;

	if (pidfd < 0)
		pidfd = (int)syscall(SYS_pidfd_open, call->pid, 0);
	if (pidfd < 0)
		return -errno;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)call->address, 0);
	return fd < 0 ? -errno : fd;
}

static int check_socket(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	int domain = -1;
	socklen_t len = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    domain != AF_UNIX)
		return -ENOTSOCK;
	/* What is made for it later could not be taken back. */
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
		return -ENOBUFS;
	return 0;
}

static int send_through(int socket_fd, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1
		       ? 0
		       : -ENOBUFS;
}

/* Answers before it ends, which closes the socket. */
static int use_socket(const struct memory_call *call, int passed_fd)
{
	int fd = take(call);
	int r;

	if (fd < 0)
		return fd;
	r = check_socket(fd);
	if (r == 0 && call->what == MEMORY_SEND) {
		r = send_through(fd, passed_fd);
		/* Nobody shall wait for our end to see that of it. */
		close(passed_fd);
	}
	return r;
}

static void answer(int fd, const struct memory_answer *a)
{
	/* Who has given up is not there any more. */
	if (send(fd, a, sizeof(*a), MSG_NOSIGNAL) < 0)
		return;
}

/* What holds us up from here on is the caller's. */
static void announce(int fd)
{
	pid_t self = getpid();

	if (send(fd, &self, sizeof(self), MSG_NOSIGNAL) < 0)
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
	unsigned int stuck = 0, n_free = 0;
	int place = -1;

	for (int i = 0; i < MAX_CHILDREN; i++) {
		if (children[i].pid == 0) {
			n_free++;
			place = i;
		} else if (children[i].uid == uid &&
			   now - children[i].since_ms >= MEMORY_ANSWER_MS) {
			stuck++;
		}
	}
	if (uid != 0 && n_free <= ROOTS_CHILDREN)
		return -1;
	return stuck < MAX_STUCK_OF_A_UID ? place : -1;
}

static void carry_out(int fd, const struct memory_call *call, int answer_fd,
		      int passed_fd)
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
		announce(answer_fd);
		memcpy(a.data, call->data, sizeof(a.data));
		a.result = call->what >= MEMORY_SOCKET
				   ? use_socket(call, passed_fd)
				   : touch(call, a.data);
		answer(answer_fd, &a);
		_exit(0);
	}
	children[place].pid = pid;
	children[place].uid = call->uid;
	children[place].since_ms = now_ms();
}

/*
 * Returns the size of the message, 0 at the end, negative if a child has ended
 * or to try again. Of the two descriptors the first is for the answer; -1 for
 * one that did not come.
 */
static ssize_t receive(int fd, struct memory_call *call, int ret_fds[2])
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {call, sizeof(*call)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	struct cmsghdr *c;
	sigset_t none;
	ssize_t n;

	ret_fds[0] = ret_fds[1] = -1;
	/* SIGCHLD comes in here only, so that no end is missed. */
	sigemptyset(&none);
	if (ppoll(&readable, 1, NULL, &none) < 0)
		return -1;
	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return n;
}

_Noreturn void memory_agent_run(int fd)
{
	struct sigaction on_sigchld = {.sa_handler = on_child};
	sigset_t ends;

	/* A Ctrl-C is for the daemon; the agent ends when that has ended. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigaction(SIGCHLD, &on_sigchld, NULL);
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_SETMASK, &ends, NULL);
	prctl(PR_SET_NAME, "tund-memory");
	close_others(fd);

	for (;;) {
		struct memory_call call;
		int fds[2];
		ssize_t n = receive(fd, &call, fds);

		if (n == 0)
			_exit(0);
		if (n == (ssize_t)sizeof(call) && fds[0] >= 0 &&
		    call.len <= sizeof(call.data))
			carry_out(fd, &call, fds[0], fds[1]);
		else
			reap();
		for (int i = 0; i < 2; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
}
