/* SPDX-License-Identifier: MIT */
/* Cases about signals of a descriptor with O_ASYNC: whose they are, when they
 * come, and when they stop. */
#include "tun-trace.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The signal, if it comes soon; only the newest of the standard ones counts. */
static bool wait_signal(int sig, int ms, siginfo_t *info)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, info, &ts) == sig;
}

static void drain(int sig)
{
	siginfo_t info;

	while (wait_signal(sig, 0, &info))
		;
}

static void say_signal(const char *step, int sig, int fd)
{
	siginfo_t info = {0};

	if (!wait_signal(sig, 200, &info))
		say(step, "none");
	else
		say(step, "band %#lx code %d fd %s", info.si_band, info.si_code,
		    info.si_fd == fd ? "own" : "none");
}

static void say_owner(const char *step, int fd)
{
	int owner = fcntl(fd, F_GETOWN);

	say(step, "%s",
	    owner == 0		? "none"
	    : owner == getpid() ? "this process"
				: "other");
}

/* How it is asked for decides about nothing but the owner. */
static void owners(void)
{
	int on = 1, off = 0;
	int a = tun_new("asy0", RAW, O_RDWR);
	int b = tun_new("asy1", RAW, O_RDWR | O_ASYNC);
	int c = tun_open(O_RDWR);

	say_owner("fresh", a);
	say_rc("on", rc(ioctl(a, FIOASYNC, &on)));
	say("getfl", "%#x", (unsigned int)fcntl(a, F_GETFL) & O_ASYNC);
	say_owner("on-owner", a);
	say_rc("off", rc(ioctl(a, FIOASYNC, &off)));
	say("getfl-off", "%#x", (unsigned int)fcntl(a, F_GETFL) & O_ASYNC);
	say_owner("off-owner", a);
	say_rc("setown", rc(fcntl(a, F_SETOWN, 1)));
	say_owner("setown-owner", a);
	say_rc("setfl", rc(fcntl(a, F_SETFL, O_ASYNC)));
	say_owner("setfl-owner", a);
	say("open", "%#x", (unsigned int)fcntl(b, F_GETFL) & O_ASYNC);
	say_owner("open-owner", b);
	say_rc("unattached", rc(fcntl(c, F_SETFL, O_ASYNC)));
	say_owner("unattached-owner", c);
}

static void packets(void)
{
	siginfo_t info;
	struct rig rig;
	int i, got = 0;

	block(SIGIO);
	block(SIGRTMIN);
	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	fcntl(rig.fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	host_send(rig.sock, 10);
	say_signal("first", SIGIO, rig.fd);
	host_send(rig.sock, 10);
	say_signal("second-unread", SIGIO, rig.fd);
	say_rc("setsig", rc(fcntl(rig.fd, F_SETSIG, SIGRTMIN)));
	host_send(rig.sock, 10);
	say_signal("real-time", SIGRTMIN, rig.fd);
	for (i = 0; i < 5; i++)
		host_send(rig.sock, 10);
	while (wait_signal(SIGRTMIN, 200, &info))
		got++;
	say("five", "%d", got);
	for (i = 0; i < 8; i++)
		read(rig.fd, buf, sizeof(buf)) < 0 ? say("lost", "one")
						   : (void)0;
	say_signal("read-out", SIGRTMIN, rig.fd);
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say_signal("written", SIGRTMIN, rig.fd);
	fcntl(rig.fd, F_SETFL, O_NONBLOCK);
	host_send(rig.sock, 10);
	say_signal("switched-off", SIGRTMIN, rig.fd);
}

static void states(void)
{
	int other;
	struct rig rig;

	block(SIGIO);
	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	fcntl(rig.fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	rig_up(&rig);
	say_signal("up", SIGIO, rig.fd);
	if_down(rig.name);
	say_signal("down", SIGIO, rig.fd);
	if_up(rig.name);
	say_signal("up-again", SIGIO, rig.fd);
	drain(SIGIO);
	other = dup(rig.fd);
	close(rig.fd);
	host_send(rig.sock, 10);
	say_signal("duplicated", SIGIO, other);
	drain(SIGIO);
	say_rc("delete", if_delete(rig.name));
	say_signal("deleted", SIGIO, other);
}

/* Asked for before there is a device to ask about. */
static void early(void)
{
	struct rig rig = {.sock = -1, .flags = RAW};

	block(SIGIO);
	rig.fd = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("setfl", rc(fcntl(rig.fd, F_SETFL, O_ASYNC | O_NONBLOCK)));
	say_rc("attach", tun_attach(rig.fd, "tst0", RAW, rig.name));
	rig_up(&rig);
	drain(SIGIO);
	host_send(rig.sock, 10);
	say_signal("packet", SIGIO, rig.fd);
}

/* Of two queues only the one that the packet is in has news. */
static void queues(void)
{
	int flags = RAW | IFF_MULTI_QUEUE;
	struct rig rig;
	int other;

	block(SIGIO);
	block(SIGRTMIN);
	rig_make(&rig, flags, O_RDWR | O_NONBLOCK);
	other = tun_new(rig.name, flags, O_RDWR | O_NONBLOCK);
	rig_up(&rig);
	fcntl(rig.fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	fcntl(other, F_SETFL, O_ASYNC | O_NONBLOCK);
	fcntl(other, F_SETSIG, SIGRTMIN);
	say_rc("write", rc(write(other, buf, make_udp4(buf, 10))));
	host_recv(rig.sock);
	drain(SIGIO);
	drain(SIGRTMIN);
	host_send(rig.sock, 10);
	say_signal("writer", SIGRTMIN, other);
	say_signal("other", SIGIO, rig.fd);
}

static int waits(void *arg)
{
	siginfo_t info;

	(void)arg;
	return wait_signal(SIGIO, DEADLINE_MS, &info) ? 0 : 1;
}

/* The signal goes to the owner, not to who has the descriptor. */
static void process(void)
{
	struct rig rig;
	pid_t pid;

	block(SIGIO);
	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	pid = spawn(waits, NULL);
	fcntl(rig.fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	say_rc("setown", rc(fcntl(rig.fd, F_SETOWN, pid)));
	host_send(rig.sock, 10);
	say_rc("child", reap(pid));
	say_signal("parent", SIGIO, rig.fd);
}

const struct trace_case async_cases[] = {
	{"async-owners", owners},
	{"async-packets", packets},
	{"async-states", states},
	{"async-early", early},
	{"async-queues", queues},
	{"async-process", process},
	{NULL, NULL},
};
