/* SPDX-License-Identifier: MIT */
/* Cases about signals that reach a process while it waits on the device, from
 * a handler that restarts to SIGKILL; each waits in a child of its own. */
#include "tun-trace.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

/* What the child tells; it lies in memory that both map. */
struct told {
	int handled;
	int back;
	long ret;
};

static struct told *told;
static struct rig rig;
static int restart_flag;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&told->handled, 1, __ATOMIC_SEQ_CST);
}

static int read_child(void *arg)
{
	struct sigaction sa = {.sa_handler = on_signal};
	uint8_t buf[2048];

	(void)arg;
	sa.sa_flags = restart_flag;
	sigaction(SIGUSR1, &sa, NULL);
	told->ret = rc(read(rig.fd, buf, sizeof(buf)));
	__atomic_store_n(&told->back, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int poll_child(void *arg)
{
	struct pollfd p = {.fd = rig.fd, .events = POLLIN};

	(void)arg;
	signal(SIGUSR1, on_signal);
	told->ret = rc(poll(&p, 1, -1));
	__atomic_store_n(&told->back, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static pid_t start(int (*fn)(void *), long nr)
{
	pid_t pid;

	if (!told) {
		told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (told == MAP_FAILED)
			give_up("mmap", -errno);
	}
	memset(told, 0, sizeof(*told));
	pid = spawn(fn, NULL);
	if (!wait_blocked(pid, nr))
		say("setup-block", "the child does not sleep");
	return pid;
}

static bool was_handled(void *arg)
{
	(void)arg;
	return __atomic_load_n(&told->handled, __ATOMIC_SEQ_CST) > 0;
}

struct settled_arg {
	pid_t pid;
	long nr;
};

/* Restarted and asleep again, or back from the call. */
static bool has_settled(void *arg)
{
	struct settled_arg *s = arg;

	return __atomic_load_n(&told->back, __ATOMIC_SEQ_CST) ||
	       blocked_now(s->pid, s->nr);
}

static void finish(pid_t pid, const char *step)
{
	int status = reap(pid);

	if (status)
		say_rc2(step, "child", status);
	else
		say_rc(step, told->ret);
}

static void interrupted(void)
{
	pid_t pid;

	rig_new(&rig, RAW, O_RDWR);
	restart_flag = 0;
	pid = start(read_child, SYS_read);
	kill(pid, SIGUSR1);
	finish(pid, "read");
	say("handled", "%d", told->handled);
}

static void restarted(void)
{
	struct settled_arg s;
	pid_t pid;

	rig_new(&rig, RAW, O_RDWR);
	restart_flag = SA_RESTART;
	pid = start(read_child, SYS_read);
	kill(pid, SIGUSR1);
	wait_until(was_handled, NULL, PATIENCE_MS);
	s = (struct settled_arg){pid, SYS_read};
	wait_until(has_settled, &s, PATIENCE_MS);
	say("handled", "%d", told->handled);
	host_send(rig.sock, 30);
	finish(pid, "read");
}

/* A signal that does nothing does not even end the sleep. */
static void ignored(void)
{
	pid_t pid;

	rig_new(&rig, RAW, O_RDWR);
	restart_flag = 0;
	pid = start(read_child, SYS_read);
	kill(pid, SIGWINCH);
	kill(pid, SIGCHLD);
	host_send(rig.sock, 30);
	finish(pid, "read");
}

static void stopped(void)
{
	struct settled_arg s;
	siginfo_t info;
	pid_t pid;

	rig_new(&rig, RAW, O_RDWR);
	restart_flag = 0;
	pid = start(read_child, SYS_read);
	kill(pid, SIGSTOP);
	say_rc("stop", rc(waitid(P_PID, (id_t)pid, &info, WSTOPPED)));
	kill(pid, SIGCONT);
	s = (struct settled_arg){pid, SYS_read};
	wait_until(has_settled, &s, PATIENCE_MS);
	host_send(rig.sock, 30);
	finish(pid, "read");
}

static void poll_interrupted(void)
{
	pid_t pid;

	rig_new(&rig, RAW, O_RDWR);
	pid = start(poll_child, SYS_poll);
	kill(pid, SIGUSR1);
	finish(pid, "poll");
}

/* What it would have read is still there for the others. */
static void killed_reader(void)
{
	uint8_t buf[256];
	pid_t pid;
	int i;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	for (i = 0; i < 5; i++) {
		char step[32];

		fcntl(rig.fd, F_SETFL, 0);
		pid = start(read_child, SYS_read);
		kill(pid, SIGKILL);
		snprintf(step, sizeof(step), "status-%d", i);
		say_rc(step, reap(pid));
		host_send(rig.sock, 30);
		snprintf(step, sizeof(step), "read-%d", i);
		say_rc(step, app_read(rig.fd, buf, sizeof(buf)));
	}
}

static int own_device(void *arg)
{
	struct rig own;
	uint8_t buf[256];

	rig_new(&own, RAW, O_RDWR);
	if (arg)
		read(own.fd, buf, sizeof(buf));
	else
		poll(&(struct pollfd){.fd = own.fd, .events = POLLIN}, 1, -1);
	return 0;
}

/* The whole client dies: the interface goes, and the name is free again. */
static void killed_owner_in(void *how, long nr)
{
	char here[1];
	pid_t pid;
	int fd, i;

	for (i = 0; i < 3; i++) {
		char step[32];

		pid = spawn(own_device, how ? here : NULL);
		if (!wait_blocked(pid, nr))
			say("setup-block", "the child does not sleep");
		kill(pid, SIGKILL);
		snprintf(step, sizeof(step), "status-%d", i);
		say_rc(step, reap(pid));
		snprintf(step, sizeof(step), "interface-%d", i);
		say(step, "%s", wait_gone("tst0") ? "gone" : "exists");
		fd = tun_open(O_RDWR);
		snprintf(step, sizeof(step), "attach-%d", i);
		say_rc(step, tun_attach(fd, "tst0", RAW, NULL));
		close(fd);
		wait_gone("tst0");
	}
}

static void killed_owner_reading(void)
{
	char yes;

	killed_owner_in(&yes, SYS_read);
}

static void killed_owner_polling(void)
{
	killed_owner_in(NULL, SYS_poll);
}

/* A process that dies with its own device does not trouble its neighbour. */
static void killed_neighbour(void)
{
	uint8_t buf[256];
	pid_t pid;
	int fd;

	fd = tun_new("near0", RAW, O_RDWR | O_NONBLOCK);
	if_up("near0");
	wait_revents(fd, 0x104);
	pid = spawn(own_device, buf);
	wait_blocked(pid, SYS_read);
	kill(pid, SIGKILL);
	say_rc("status", reap(pid));
	say_rc("write", rc(write(fd, buf, make_udp4(buf, 10))));
	say_rc("read", rc(read(fd, buf, sizeof(buf))));
	say("poll", "%#x", revents_now(fd));
}

const struct trace_case signal_cases[] = {
	{"signal-interrupted", interrupted},
	{"signal-restarted", restarted},
	{"signal-ignored", ignored},
	{"signal-stopped", stopped},
	{"signal-poll", poll_interrupted},
	{"signal-killed-reader", killed_reader},
	{"signal-killed-reading", killed_owner_reading},
	{"signal-killed-polling", killed_owner_polling},
	{"signal-killed-neighbour", killed_neighbour},
	{NULL, NULL},
};
