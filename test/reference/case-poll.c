/* SPDX-License-Identifier: MIT */
/* Cases about poll(2) and select(2) in every state, and about waking those who
 * wait in them; epoll has a file of its own. */
#include "tun-trace.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

static void say_select(const char *step, int fd)
{
	struct timeval none = {0};
	fd_set r, w, e;
	int n;

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(fd, &r);
	FD_SET(fd, &w);
	FD_SET(fd, &e);
	n = select(fd + 1, &r, &w, &e, &none);
	say(step, "%d%s%s%s", n, FD_ISSET(fd, &r) ? " r" : "",
	    FD_ISSET(fd, &w) ? " w" : "", FD_ISSET(fd, &e) ? " e" : "");
}

static void states_of(int flags)
{
	struct rig rig = {.fd = tun_open(O_RDWR | O_NONBLOCK)};

	say("unattached", "%#x", revents_now(rig.fd));
	say_select("unattached-select", rig.fd);
	close(rig.fd);
	rig_make(&rig, flags, O_RDWR | O_NONBLOCK);
	say("down", "%#x", wait_revents(rig.fd, 0));
	say_select("down-select", rig.fd);
	rig_up(&rig);
	say("up", "%#x", wait_revents(rig.fd, 0x104));
	say_select("up-select", rig.fd);
	host_send(rig.sock, 20);
	say("data", "%#x", wait_revents(rig.fd, 0x145));
	say_select("data-select", rig.fd);
	host_send(rig.sock, 20);
	read(rig.fd, buf, sizeof(buf));
	say("data-second", "%#x", wait_revents(rig.fd, 0x145));
	read(rig.fd, buf, 1);
	say("read-out", "%#x", wait_revents(rig.fd, 0x104));
	host_send(rig.sock, 20);
	wait_revents(rig.fd, 0x145);
	if_down(rig.name);
	say("down-data", "%#x", wait_revents(rig.fd, 0x41));
	say_select("down-data-select", rig.fd);
	read(rig.fd, buf, sizeof(buf));
	say("down-read-out", "%#x", wait_revents(rig.fd, 0));
	if_up(rig.name);
	say("up-again", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("delete", if_delete(rig.name));
	say("deleted", "%#x", wait_revents(rig.fd, 0x8));
	say_select("deleted-select", rig.fd);
}

static void states_raw(void)
{
	states_of(RAW);
}

static void states_pi(void)
{
	states_of(IFF_TUN);
}

static void states_tap(void)
{
	states_of(IFF_TAP | IFF_NO_PI);
}

static void one_event(void)
{
	static const struct {
		const char *name;
		short events;
	} all[] = {
		{"none", 0},
		{"in", POLLIN},
		{"rdnorm", POLLRDNORM},
		{"out", POLLOUT},
		{"wrnorm", POLLWRNORM},
		{"pri", POLLPRI},
		{"rdhup", POLLRDHUP},
	};
	struct rig rig;
	size_t i;

	rig_new(&rig, RAW, O_RDWR);
	host_send(rig.sock, 10);
	wait_revents(rig.fd, 0x145);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct pollfd p = {.fd = rig.fd, .events = all[i].events};
		int n = poll(&p, 1, 0);

		say(all[i].name, "%d %#x", n, (unsigned int)p.revents);
	}
}

/* A thread that waits once and keeps what it was told. */
struct waiter {
	pthread_t thread;
	struct pollfd p;
	int ms;
	pid_t tid;
	bool done;
	int n;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_SEQ_CST);
	w->n = poll(&w->p, 1, w->ms);
	__atomic_store_n(&w->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool waiter_known(void *arg)
{
	struct waiter *w = arg;

	return __atomic_load_n(&w->tid, __ATOMIC_SEQ_CST) != 0;
}

static bool waiter_done(void *arg)
{
	struct waiter *w = arg;

	return __atomic_load_n(&w->done, __ATOMIC_SEQ_CST);
}

static bool waiter_settled(void *arg)
{
	struct waiter *w = arg;

	return waiter_done(w) || blocked_now(w->tid, SYS_poll);
}

static void waiter_start(struct waiter *w, int fd, short events)
{
	memset(w, 0, sizeof(*w));
	w->p.fd = fd;
	w->p.events = events;
	w->ms = 2 * DEADLINE_MS;
	pthread_create(&w->thread, NULL, waiter_main, w);
	wait_until(waiter_known, w, PATIENCE_MS);
	if (!wait_until(waiter_settled, w, PATIENCE_MS) || waiter_done(w))
		say("setup-wait", "the waiter does not sleep");
}

/* What poll(2) returns at its end says nothing about having been woken. */
static void waiter_end(struct waiter *w, const char *step)
{
	bool woken = wait_until(waiter_done, w, w->ms / 2);

	pthread_join(w->thread, NULL);
	say(step, "%d %#x %s", w->n, (unsigned int)w->p.revents,
	    woken ? "woken" : "at the end");
}

static void wake_in(void)
{
	struct waiter w;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	waiter_start(&w, rig.fd, POLLIN);
	host_send(rig.sock, 10);
	waiter_end(&w, "first");
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	waiter_start(&w, rig.fd, POLLIN);
	host_send(rig.sock, 11);
	waiter_end(&w, "second");
	say_rc("read-second", app_read(rig.fd, buf, sizeof(buf)));
}

static void wake_up(void)
{
	struct waiter w;
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR);
	waiter_start(&w, rig.fd, POLLOUT);
	if_up(rig.name);
	waiter_end(&w, "out");
	if_down(rig.name);
	wait_revents(rig.fd, 0);
	waiter_start(&w, rig.fd, POLLOUT | POLLIN);
	if_up(rig.name);
	waiter_end(&w, "again");
}

static void wake_delete(void)
{
	struct waiter in, out;
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR);
	waiter_start(&in, rig.fd, POLLIN);
	waiter_start(&out, rig.fd, POLLOUT);
	say_rc("delete", if_delete(rig.name));
	waiter_end(&in, "in");
	waiter_end(&out, "out");
}

static void wake_delete_up(void)
{
	struct waiter in;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	waiter_start(&in, rig.fd, POLLIN);
	say_rc("delete", if_delete(rig.name));
	waiter_end(&in, "in");
}

/* The interface goes away and comes back while one waits: nothing to tell. */
static void wake_down_data(void)
{
	struct waiter in;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	waiter_start(&in, rig.fd, POLLIN);
	if_down(rig.name);
	wait_revents(rig.fd, 0);
	if_up(rig.name);
	wait_revents(rig.fd, 0x104);
	host_send(rig.sock, 10);
	waiter_end(&in, "in");
}

static void two_waiters(void)
{
	struct waiter a, b;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	waiter_start(&a, rig.fd, POLLIN);
	waiter_start(&b, rig.fd, POLLIN);
	host_send(rig.sock, 10);
	waiter_end(&a, "a");
	waiter_end(&b, "b");
}

static void many_cycles(void)
{
	struct rig rig;
	int i, lost = 0;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	for (i = 0; i < 500; i++) {
		host_send(rig.sock, 10);
		if (app_read(rig.fd, buf, sizeof(buf)) != 10 + UDP4_HDR)
			lost++;
	}
	say("lost", "%d of 500", lost);
	say("then", "%#x", revents_now(rig.fd));
}

static void time_out(void)
{
	struct pollfd p = {.events = POLLIN};
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	p.fd = rig.fd;
	say_rc("poll", rc(poll(&p, 1, 20)));
	say("revents", "%#x", (unsigned int)p.revents);
}

const struct trace_case poll_cases[] = {
	{"poll-states", states_raw},
	{"poll-states-pi", states_pi},
	{"poll-states-tap", states_tap},
	{"poll-one-event", one_event},
	{"poll-wake-in", wake_in},
	{"poll-wake-up", wake_up},
	{"poll-wake-delete", wake_delete},
	{"poll-wake-delete-up", wake_delete_up},
	{"poll-wake-down-data", wake_down_data},
	{"poll-two-waiters", two_waiters},
	{"poll-cycles", many_cycles},
	{"poll-timeout", time_out},
	{NULL, NULL},
};
