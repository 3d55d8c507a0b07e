/* SPDX-License-Identifier: MIT */
/* Runs the cases on one TUN device file and prints what it does, as lines that
 * are the same every time; it does not know what would be right. */
#include "tun-trace.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_DEADLINE_MS 15000

static const struct trace_case *const tables[] = {
	name_cases,	attach_cases, ioctl_cases,	io_cases,
	read_cases,	file_cases,   packet_cases,	interface_cases,
	poll_cases,	epoll_cases,  block_cases,	signal_cases,
	lifetime_cases, netns_cases,  permission_cases, uring_cases,
};

static void case_child(const struct trace_case *c)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	/* A case that kills its processes must not leave a core. */
	prctl(PR_SET_DUMPABLE, 1);
	signal(SIGPIPE, SIG_IGN);
	trace_begin(c->name);
	if (unshare(CLONE_NEWNET) < 0)
		give_up("unshare", -errno);
	no_ipv6();
	c->run();
	_exit(0);
}

static bool exits_within(int pidfd, int ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/*
 * A hang is an observation as well.  A child that cannot even be killed (it
 * waits for an answer of a FUSE server) is left to the namespace's end.
 */
static void run_case(const struct trace_case *c)
{
	siginfo_t info = {0};
	pid_t pid;
	int pidfd;
	bool ended;

	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (pid == 0)
		case_child(c);
	setpgid(pid, pid);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		perror("pidfd_open");
		exit(2);
	}
	ended = exits_within(pidfd, CASE_DEADLINE_MS);
	trace_begin(c->name);
	if (!ended)
		say(NULL, "TIMEOUT");
	kill(-pid, SIGKILL);
	if (!exits_within(pidfd, 2000)) {
		say("exit", "cannot be killed");
	} else {
		waitid(P_PID, (id_t)pid, &info, WEXITED);
		if (ended && info.si_code != CLD_EXITED)
			say("exit", "%s", strsignal(info.si_status));
	}
	close(pidfd);
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 2 ? argv[2] : "";
	size_t i;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: tun-trace DEVICE [CASE-PREFIX]\n");
		return 2;
	}
	trace_device = argv[1];
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct trace_case *c;

		for (c = tables[i]; c->name; c++) {
			if (!strncmp(c->name, prefix, strlen(prefix)))
				run_case(c);
		}
	}
	return 0;
}
