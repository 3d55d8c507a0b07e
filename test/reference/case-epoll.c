/* SPDX-License-Identifier: MIT */
/* Cases about epoll, level- and edge-triggered, in the order in which event
 * loops do things. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RAW   (IFF_TUN | IFF_NO_PI)
#define EVERY (EPOLLIN | EPOLLOUT | EPOLLRDHUP)

static uint8_t buf[2048];

static int watch(int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events};
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		give_up("epoll", -errno);
	return ep;
}

static void say_wait(const char *step, int ep, int ms)
{
	struct epoll_event ev[4] = {0};
	int n = epoll_wait(ep, ev, 4, ms);

	if (n <= 0)
		say_rc(step, rc(n));
	else
		say(step, "%d %#x", n, ev[0].events);
}

static void level(void)
{
	struct rig rig;
	int ep;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	ep = watch(rig.fd, EPOLLIN);
	say_wait("empty", ep, 0);
	host_send(rig.sock, 10);
	say_wait("data", ep, DEADLINE_MS);
	say_wait("still", ep, 0);
	read(rig.fd, buf, sizeof(buf));
	say_wait("read-out", ep, 0);
	host_send(rig.sock, 10);
	say_wait("next", ep, DEADLINE_MS);
	if_delete(rig.name);
	wait_revents(rig.fd, 0x8);
	say_wait("deleted", ep, DEADLINE_MS);
	say_wait("deleted-still", ep, DEADLINE_MS);
}

static void level_out(void)
{
	struct rig rig;
	int ep;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	ep = watch(rig.fd, EPOLLOUT);
	say_wait("down", ep, 0);
	rig_up(&rig);
	say_wait("up", ep, DEADLINE_MS);
	say_wait("up-still", ep, 0);
	if_down(rig.name);
	wait_revents(rig.fd, 0);
	say_wait("down-again", ep, 0);
}

static void edge(void)
{
	struct rig rig;
	int ep;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	ep = watch(rig.fd, EPOLLIN | EPOLLET);
	say_wait("empty", ep, 0);
	host_send(rig.sock, 10);
	say_wait("first", ep, DEADLINE_MS);
	say_wait("first-again", ep, 0);
	host_send(rig.sock, 10);
	say_wait("second-unread", ep, DEADLINE_MS);
	say_rc("read", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("read-second", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("read-empty", rc(read(rig.fd, buf, sizeof(buf))));
	say_wait("drained", ep, 0);
	host_send(rig.sock, 10);
	say_wait("third", ep, DEADLINE_MS);
}

/* What Go's runtime asks for. */
static void edge_all(void)
{
	struct rig rig;
	int ep;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	ep = watch(rig.fd, EVERY | EPOLLET);
	say_wait("down", ep, 0);
	if_address(rig.name, HOST_ADDR);
	if_up(rig.name);
	say_wait("up", ep, DEADLINE_MS);
	rig.sock = host_socket();
	wait_revents(rig.fd, 0x104);
	host_send(rig.sock, 10);
	say_wait("data", ep, DEADLINE_MS);
	say_rc("read", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("read-empty", rc(read(rig.fd, buf, sizeof(buf))));
	host_send(rig.sock, 10);
	say_wait("more", ep, DEADLINE_MS);
	if_delete(rig.name);
	wait_revents(rig.fd, 0x8);
	say_wait("deleted", ep, DEADLINE_MS);
}

static void edge_cycles(void)
{
	struct epoll_event ev;
	struct rig rig;
	int ep, i, lost = 0;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	ep = watch(rig.fd, EPOLLIN | EPOLLET);
	for (i = 0; i < 500; i++) {
		host_send(rig.sock, 10);
		if (epoll_wait(ep, &ev, 1, DEADLINE_MS) != 1)
			lost++;
		while (read(rig.fd, buf, sizeof(buf)) > 0)
			;
	}
	say("lost", "%d of 500", lost);
}

static void one_shot(void)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT};
	struct rig rig;
	int ep;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	ep = watch(rig.fd, EPOLLIN | EPOLLONESHOT);
	host_send(rig.sock, 10);
	say_wait("first", ep, DEADLINE_MS);
	say_wait("disarmed", ep, 0);
	epoll_ctl(ep, EPOLL_CTL_MOD, rig.fd, &ev);
	say_wait("armed", ep, DEADLINE_MS);
}

/* Watched before it is attached: there is no wait queue to be on yet. */
static void early(void)
{
	int fd = tun_open(O_RDWR | O_NONBLOCK);
	int level_ep = watch(fd, EPOLLIN | EPOLLOUT);
	int edge_ep = watch(fd, EPOLLIN | EPOLLOUT | EPOLLET);

	say_wait("level", level_ep, 0);
	say_wait("level-still", level_ep, 0);
	say_wait("edge", edge_ep, 0);
	say_wait("edge-once", edge_ep, 0);
	say_rc("attach", tun_attach(fd, "early0", RAW, NULL));
	say_wait("level-down", level_ep, 0);
	if_up("early0");
	say("up", "%#x", wait_revents(fd, 0x104));
	say_wait("level-up", level_ep, 100);
	say_wait("edge-up", edge_ep, 100);
}

static void two_sets(void)
{
	struct rig rig;
	int a, b;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	a = watch(rig.fd, EPOLLIN | EPOLLET);
	b = watch(rig.fd, EPOLLIN);
	host_send(rig.sock, 10);
	say_wait("edge", a, DEADLINE_MS);
	say_wait("level", b, DEADLINE_MS);
}

const struct trace_case epoll_cases[] = {
	{"epoll-level", level},
	{"epoll-level-out", level_out},
	{"epoll-edge", edge},
	{"epoll-edge-all", edge_all},
	{"epoll-edge-cycles", edge_cycles},
	{"epoll-one-shot", one_shot},
	{"epoll-early", early},
	{"epoll-two-sets", two_sets},
	{NULL, NULL},
};
