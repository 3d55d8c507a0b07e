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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASE_DEADLINE_MS 100000
#define CASES_MAX	 500

static const struct trace_case *const tables[] = {
	name_cases,	attach_cases,	ioctl_cases,	  io_cases,
	read_cases,	file_cases,	packet_cases,	  interface_cases,
	poll_cases,	epoll_cases,	block_cases,	  signal_cases,
	lifetime_cases, netns_cases,	permission_cases, uring_cases,
	queue_cases,	detached_cases, flow_cases,	  offload_cases,
	vnet_cases,	csum_cases,	gso_write_cases,  gso_read_cases,
	gso_tcp_cases,	ebpf_cases,	napi_cases,	  filter_cases,
	txfilter_cases, persist_cases,	owner_cases,	  link_cases,
	counter_cases,	report_cases,	async_cases,	  netnsfd_cases,
	vlan_cases,	compat_cases,
};

/* A case that runs, or has run: its lines wait in a file until their turn. */
struct running {
	const struct trace_case *c;
	pid_t pid;
	int pidfd; /* -1: has ended */
	int lines;
	int64_t deadline;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void case_child(const struct running *r)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	dup2(r->lines, STDOUT_FILENO);
	/* A case that kills its processes must not leave a core. */
	prctl(PR_SET_DUMPABLE, 1);
	signal(SIGPIPE, SIG_IGN);
	trace_begin(r->c->name);
	if (unshare(CLONE_NEWNET) < 0)
		give_up("unshare", -errno);
	no_ipv6();
	r->c->run();
	_exit(0);
}

static void start_case(struct running *r, const struct trace_case *c)
{
	r->c = c;
	r->lines = memfd_create(c->name, MFD_CLOEXEC);
	if (r->lines < 0 || fcntl(r->lines, F_SETFL, O_APPEND) < 0)
		die("memfd");
	r->pid = fork();
	if (r->pid < 0)
		die("fork");
	if (r->pid == 0)
		case_child(r);
	setpgid(r->pid, r->pid);
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (r->pidfd < 0)
		die("pidfd_open");
	r->deadline = now_ms() + CASE_DEADLINE_MS;
}

/* A line of this process in a case's file. */
static void note(const struct running *r, const char *step, const char *text)
{
	if (step)
		dprintf(r->lines, "%s.%s: %s\n", r->c->name, step, text);
	else
		dprintf(r->lines, "%s: %s\n", r->c->name, text);
}

/*
 * A hang is an observation as well.  A child that cannot even be killed (it
 * waits for an answer of a FUSE server) is left to the namespace's end.
 */
static void end_case(struct running *r, bool in_time)
{
	struct pollfd p = {.fd = r->pidfd, .events = POLLIN};
	siginfo_t info = {0};

	if (!in_time)
		note(r, NULL, "TIMEOUT");
	kill(-r->pid, SIGKILL);
	if (poll(&p, 1, 2000) != 1) {
		note(r, "exit", "cannot be killed");
	} else {
		waitid(P_PID, (id_t)r->pid, &info, WEXITED);
		if (in_time && info.si_code != CLD_EXITED)
			note(r, "exit", strsignal(info.si_status));
	}
	close(r->pidfd);
	r->pidfd = -1;
}

/* Ends what has ended or is late; how many go on. */
static size_t reap_cases(struct running *all, size_t count)
{
	size_t i, left = 0;

	for (i = 0; i < count; i++) {
		struct pollfd p = {.fd = all[i].pidfd, .events = POLLIN};

		if (all[i].pidfd < 0)
			continue;
		if (poll(&p, 1, 0) == 1)
			end_case(&all[i], true);
		else if (now_ms() >= all[i].deadline)
			end_case(&all[i], false);
		else
			left++;
	}
	return left;
}

static void print_case(const struct running *r)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(r->lines, buf, sizeof(buf), at)) > 0) {
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			exit(2);
		at += n;
	}
}

static size_t select_cases(struct running *all, const char *prefix)
{
	const struct trace_case *c;
	size_t i, count = 0;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (c = tables[i]; c->name; c++) {
			if (strncmp(c->name, prefix, strlen(prefix)) != 0)
				continue;
			if (count == CASES_MAX) {
				fprintf(stderr, "too many cases\n");
				exit(2);
			}
			all[count].pidfd = -1;
			all[count++].c = c;
		}
	}
	return count;
}

/* Most of a case is waiting, so that several share a processor. */
static void run_cases(struct running *all, size_t count, size_t jobs)
{
	static const struct timespec pause = {.tv_nsec = 2000000};
	size_t started = 0, printed = 0;

	for (;;) {
		size_t left = reap_cases(all, started);

		while (printed < started && all[printed].pidfd < 0)
			print_case(&all[printed++]);
		if (left == 0 && started == count)
			return;
		if (left < jobs && started < count) {
			start_case(&all[started], all[started].c);
			started++;
		} else {
			nanosleep(&pause, NULL);
		}
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: tun-trace [-j JOBS] DEVICE [CASE-PREFIX]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct running all[CASES_MAX];
	size_t count, jobs = 1;
	int c;

	while ((c = getopt(argc, argv, "j:")) != -1) {
		if (c != 'j' || atoi(optarg) < 1)
			usage();
		jobs = (size_t)atoi(optarg);
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	trace_device = argv[optind];
	count = select_cases(all, argc - optind > 1 ? argv[optind + 1] : "");
	run_cases(all, count, jobs);
	return 0;
}
