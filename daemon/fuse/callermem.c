/* SPDX-License-Identifier: MIT */
/*
 * callermem.c - the daemon's side: sends a call to the agent, with a socket for
 * the answer, and waits for so long. The agent is memory_agent.c's.
 */
#include "fuse/callermem.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "fuse/memory_agent.h"

/*
 * Whether a child is blocked is looked at so often that a machine that stood
 * still counts as one look. One that has not begun for want of a processor, or
 * has used no more of one than it needs (in ticks of 10 ms), is not blocked:
 * callers can do nothing for that, but all have an end.
 */
#define LOOK_MS	    250
#define MAX_BLOCKED (MEMORY_ANSWER_MS / LOOK_MS)
#define MAX_LOOKS   (10 * MAX_BLOCKED)
#define MAX_TICKS   5

static struct {
	struct lock lock;
	int fd GUARDED_BY(lock); /* -1: not running */
	pid_t pid GUARDED_BY(lock);
} agent = {.fd = -1};

/* An event that never goes away, so that every wait sees it; -1 before. */
static int give_up_fd = -1;

static void end_agent_locked(void) REQUIRES(agent.lock)
{
	if (agent.fd < 0)
		return;
	/* It exits when nobody can send to it any more. */
	close(agent.fd);
	agent.fd = -1;
	while (waitpid(agent.pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int start_agent_locked(void) REQUIRES(agent.lock)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	agent.pid = fork();
	if (agent.pid < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (agent.pid == 0) {
		close(fds[0]);
		memory_agent_run(fds[1]);
	}
	close(fds[1]);
	agent.fd = fds[0];
	return 0;
}

int callermem_start(void)
{
	int r;

	give_up_fd = eventfd(0, EFD_CLOEXEC);
	if (give_up_fd < 0)
		return -errno;
	lock_init(&agent.lock, LOCK_RANK_AGENT, "memory agent");
	lock_acquire(&agent.lock);
	r = start_agent_locked();
	lock_release(&agent.lock);
	if (r < 0)
		log_error("cannot start the memory agent: %s", strerror(-r));
	return r;
}

void callermem_stop(void)
{
	lock_acquire(&agent.lock);
	end_agent_locked();
	lock_release(&agent.lock);
	lock_destroy(&agent.lock);
	close(give_up_fd);
}

void callermem_give_up(void)
{
	eventfd_write(give_up_fd, 1);
}

/* `fds` are one or two, the first of them for the answer. */
static bool send_call(int fd, const struct memory_call *call, const int *fds,
		      size_t n_fds)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)call, sizeof(*call)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(n_fds * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(*call);
}

/* Somebody may have killed the agent: then there is a new one. */
static bool send_to_agent(const struct memory_call *call, const int *fds,
			  size_t n_fds)
{
	bool sent;

	lock_acquire(&agent.lock);
	sent = agent.fd >= 0 && send_call(agent.fd, call, fds, n_fds);
	if (!sent) {
		end_agent_locked();
		sent = start_agent_locked() == 0 &&
		       send_call(agent.fd, call, fds, n_fds);
	}
	lock_release(&agent.lock);
	return sent;
}

/* It could go on, and has not got a processor to do so. */
static bool is_starved(pid_t pid)
{
	struct process_stat stat;

	return process_read_stat(pid, &stat) == 0 && stat.state == 'R' &&
	       stat.user + stat.system < MAX_TICKS;
}

static int receive_answer(int fd, struct memory_answer *ret_answer)
{
	struct pollfd pfds[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = give_up_fd, .events = POLLIN},
	};
	unsigned int blocked = 0;
	pid_t child = 0;

	for (int i = 0; i < MAX_LOOKS && blocked < MAX_BLOCKED; i++) {
		int r = poll(pfds, ARRAY_SIZE(pfds), LOOK_MS);
		ssize_t n;

		if (pfds[1].revents)
			break;
		if (r <= 0) {
			blocked += child && !is_starved(child);
			continue;
		}
		n = recv(fd, ret_answer, sizeof(*ret_answer), MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(*ret_answer))
			return ret_answer->result;
		if (n != (ssize_t)sizeof(child))
			break;
		memcpy(&child, ret_answer, sizeof(child));
	}
	return -EFAULT;
}

/* `passed_fd` goes with the call, or is -1. */
static int ask_with(const struct callermem_thread *thread,
		    struct memory_call *call, int passed_fd,
		    struct memory_answer *ret_answer)
{
	int sv[2], r;

	call->tid = thread->tid;
	call->uid = thread->uid;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	r = send_to_agent(call, (const int[]){sv[1], passed_fd},
			  passed_fd >= 0 ? 2 : 1)
		    ? 0
		    : -EIO;
	close(sv[1]);
	if (r == 0)
		r = receive_answer(sv[0], ret_answer);
	close(sv[0]);
	if (r == -EPERM)
		log_warning("cannot reach the memory of thread %d: tund needs "
			    "CAP_SYS_PTRACE, and its own pid namespace or an "
			    "outer one of the program's",
			    (int)thread->tid);
	return r;
}

static int ask(const struct callermem_thread *thread, struct memory_call *call,
	       struct memory_answer *ret_answer)
{
	return ask_with(thread, call, -1, ret_answer);
}

int callermem_check_socket(const struct callermem_thread *thread, pid_t pid,
			   int fd)
{
	struct memory_call call = {
		.pid = pid,
		.address = (uint32_t)fd,
		.what = MEMORY_SOCKET,
	};
	struct memory_answer answer;

	return ask(thread, &call, &answer);
}

int callermem_send_fd(const struct callermem_thread *thread, pid_t pid, int fd,
		      int sent_fd)
{
	struct memory_call call = {
		.pid = pid,
		.address = (uint32_t)fd,
		.what = MEMORY_SEND,
	};
	struct memory_answer answer;

	return ask_with(thread, &call, sent_fd, &answer);
}

static int read_piece(const struct callermem_thread *thread, uint64_t address,
		      void *ret_buf, size_t len)
{
	struct memory_call call = {.address = address, .len = (uint32_t)len};
	struct memory_answer answer;
	int r = ask(thread, &call, &answer);

	if (r == 0)
		memcpy(ret_buf, answer.data, len);
	return r;
}

int callermem_read(const struct callermem_thread *thread, uint64_t address,
		   void *ret_buf, size_t len)
{
	uint8_t *to = ret_buf;
	int r = 0;

	for (size_t done = 0, n; r == 0 && done < len; done += n) {
		n = len - done < CALLERMEM_MAX ? len - done : CALLERMEM_MAX;
		r = read_piece(thread, address + done, to + done, n);
	}
	return r;
}

int callermem_write(const struct callermem_thread *thread, uint64_t address,
		    const void *buf, size_t len)
{
	struct memory_call call = {
		.address = address,
		.len = (uint32_t)len,
		.what = MEMORY_WRITE,
	};
	struct memory_answer answer;

	memcpy(call.data, buf, len);
	return ask(thread, &call, &answer);
}
