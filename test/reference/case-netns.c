/* SPDX-License-Identifier: MIT */
/* Cases about network namespaces: whose the interface is, and what a device
 * does whose interface moves to another or dies with one. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

static void say_if(const char *step, const char *name)
{
	say(step, "%s", if_nametoindex(name) ? "exists" : "none");
}

static void opener(void)
{
	int here = netns_here();
	int there = netns_new();
	int fd = tun_open(O_RDWR);

	netns_enter(there);
	say_rc("attach", tun_attach(fd, "open0", RAW, NULL));
	say_if("of-caller", "open0");
	netns_enter(here);
	say_if("of-opener", "open0");
	say("flags", "%#x", (unsigned int)tun_flags(fd));
}

/* Names, too, are looked up where the file was opened. */
static void names(void)
{
	int here = netns_here();
	int there = netns_new();
	int a = tun_open(O_RDWR);
	int b, c;

	netns_enter(there);
	b = tun_open(O_RDWR);
	c = tun_open(O_RDWR);
	say_rc("here", tun_attach(a, "same0", RAW, NULL));
	say_rc("there", tun_attach(b, "same0", RAW, NULL));
	say_rc("there-again", tun_attach(c, "same0", RAW, NULL));
	close(b);
	say("there-closed", "%s", wait_gone("same0") ? "gone" : "exists");
	netns_enter(here);
	say_if("here-still", "same0");
}

static int attach_there(void *arg)
{
	char name[IFNAMSIZ];

	netns_enter(*(int *)arg);
	if (tun_attach(tun_open(O_RDWR), "", RAW, name) < 0)
		return 1;
	return strcmp(name, "tun0") ? 2 : 0;
}

/* A device here does not take the number of a device there. */
static void numbers(void)
{
	int there = netns_new();

	tun_new("", RAW, O_RDWR);
	say_rc("first-there", reap(spawn(attach_there, &there)));
}

static void converse(struct rig *rig, const char *group)
{
	say_rc2(group, "send", host_send(rig->sock, 20));
	say_rc2(group, "read", app_read(rig->fd, buf, sizeof(buf)));
	say_rc2(group, "write", rc(write(rig->fd, buf, make_udp4(buf, 16))));
	say_rc2(group, "received", host_recv(rig->sock));
}

static void moved(void)
{
	struct ifreq ifr = {0};
	int here = netns_here();
	int there = netns_new();
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	converse(&rig, "before");
	say_rc("move", if_move(rig.name, there));
	say_if("here", rig.name);
	say("poll", "%#x", wait_revents(rig.fd, 0));
	say_rc("write-down", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("getiff", rc(ioctl(rig.fd, TUNGETIFF, &ifr)));
	say("name", "%s", ifr.ifr_name);
	netns_enter(there);
	say_if("there", rig.name);
	close(rig.sock);
	rig_up(&rig);
	say("poll-up", "%#x", revents_now(rig.fd));
	converse(&rig, "there");
	netns_enter(here);
	say("poll-here", "%#x", revents_now(rig.fd));
	close(rig.fd);
	netns_enter(there);
	say("closed", "%s", wait_gone(rig.name) ? "gone" : "exists");
}

/* The name is free again where the interface came from. */
static void moved_and_named(void)
{
	int there = netns_new();
	struct rig rig;
	int second;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("move", if_move(rig.name, there));
	second = tun_open(O_RDWR);
	say_rc("attach", tun_attach(second, rig.name, RAW, NULL));
	say_if("here", rig.name);
	say("first", "%#x", (unsigned int)tun_flags(rig.fd));
	close(rig.fd);
	netns_enter(there);
	say("there-closed", "%s", wait_gone(rig.name) ? "gone" : "exists");
	say("second", "%#x", (unsigned int)tun_flags(second));
}

static void moved_renamed(void)
{
	int there = netns_new();
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("move", if_move(rig.name, there));
	netns_enter(there);
	say_rc("rename", if_rename(rig.name, "eth0"));
	memcpy(rig.name, "eth0", 5);
	rig_up(&rig);
	converse(&rig, "there");
}

static void moved_deleted(void)
{
	int there = netns_new();
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("move", if_move(rig.name, there));
	netns_enter(there);
	say_rc("delete", if_delete(rig.name));
	say("poll", "%#x", wait_revents(rig.fd, 0x8));
	say_rc("read", rc(read(rig.fd, buf, 100)));
	say_rc("attach", tun_attach(rig.fd, rig.name, RAW, NULL));
	say_if("there", rig.name);
}

/* A dying namespace tells poll(2) first and lets go of the file later. */
static bool is_detached(void *arg)
{
	return tun_flags(*(int *)arg) == -EBADFD;
}

/* The namespace dies with the interface in it; the opener's lives on. */
static void moved_and_lost(void)
{
	int there = netns_new();
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("move", if_move(rig.name, there));
	close(there);
	say("poll", "%#x", wait_revents(rig.fd, 0x8));
	wait_until(is_detached, &rig.fd, DEADLINE_MS);
	say_rc("read", rc(read(rig.fd, buf, 100)));
	say_rc("attach", tun_attach(rig.fd, rig.name, RAW, NULL));
	say_if("here", rig.name);
}

/* The descriptor alone keeps the namespace it was opened in. */
static void abandoned(void)
{
	int there = netns_new();
	int here = netns_here();
	int fd;

	netns_enter(there);
	fd = tun_open(O_RDWR | O_NONBLOCK);
	netns_enter(here);
	close(there);
	say_rc("attach", tun_attach(fd, "left0", RAW, NULL));
	say("flags", "%#x", (unsigned int)tun_flags(fd));
	say("poll", "%#x", revents_now(fd));
	say_rc("read", rc(read(fd, buf, 100)));
}

static void abandoned_attached(void)
{
	int there = netns_new();
	int here = netns_here();
	struct rig rig;

	netns_enter(there);
	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	netns_enter(here);
	close(there);
	converse(&rig, "left");
	close(rig.sock);
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say("flags", "%#x", (unsigned int)tun_flags(rig.fd));
}

const struct trace_case netns_cases[] = {
	{"netns-opener", opener},
	{"netns-names", names},
	{"netns-numbers", numbers},
	{"netns-moved", moved},
	{"netns-moved-named", moved_and_named},
	{"netns-moved-renamed", moved_renamed},
	{"netns-moved-deleted", moved_deleted},
	{"netns-moved-lost", moved_and_lost},
	{"netns-abandoned", abandoned},
	{"netns-abandoned-attached", abandoned_attached},
	{NULL, NULL},
};
