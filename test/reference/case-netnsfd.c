/* SPDX-License-Identifier: MIT */
/* Cases about the ioctls that return a namespace as a descriptor:
 * TUNGETDEVNETNS and SIOCGSKNS, which one they mean and who may have it. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

/* Younger than the headers of Debian 12, or hidden by the C library's. */
#define TRACE_TUNGETDEVNETNS _IO('T', 227)
#define TRACE_SIOCGSKNS	     0x894cUL

static ino_t inode(int fd)
{
	struct stat st = {0};

	fstat(fd, &st);
	return st.st_ino;
}

/* Which of two namespaces a descriptor is. */
static void say_netns(const char *step, int fd, unsigned long cmd, int here,
		      int there)
{
	long ret = rc(ioctl(fd, cmd, 0));

	if (ret < 0) {
		say_rc(step, ret);
		return;
	}
	say(step, "%s%s",
	    inode((int)ret) == inode(here)    ? "here"
	    : inode((int)ret) == inode(there) ? "there"
					      : "elsewhere",
	    fcntl((int)ret, F_GETFD) & FD_CLOEXEC ? ", closed on exec" : "");
	close((int)ret);
}

static void which(void)
{
	int here = netns_here();
	int there = netns_new();
	int fd = tun_open(O_RDWR);
	int other;

	say_netns("unattached-device", fd, TRACE_TUNGETDEVNETNS, here, there);
	say_netns("unattached-opener", fd, TRACE_SIOCGSKNS, here, there);
	tun_attach(fd, "ns0", RAW, NULL);
	say_netns("device", fd, TRACE_TUNGETDEVNETNS, here, there);
	say_netns("opener", fd, TRACE_SIOCGSKNS, here, there);
	say_rc("move", if_move("ns0", there));
	say_netns("moved-device", fd, TRACE_TUNGETDEVNETNS, here, there);
	say_netns("moved-opener", fd, TRACE_SIOCGSKNS, here, there);
	netns_enter(there);
	say_netns("entered-device", fd, TRACE_TUNGETDEVNETNS, here, there);
	say_netns("entered-opener", fd, TRACE_SIOCGSKNS, here, there);
	other = tun_open(O_RDWR);
	say_netns("opened-there", other, TRACE_SIOCGSKNS, here, there);
	say_rc("delete", if_delete("ns0"));
	wait_revents(fd, 0x8);
	say_netns("deleted-device", fd, TRACE_TUNGETDEVNETNS, here, there);
	say_netns("deleted-opener", fd, TRACE_SIOCGSKNS, here, there);
}

struct pair {
	int fd, here;
};

static int asks(void *arg)
{
	const struct pair *p = arg;

	be_nobody();
	say_netns("nobody-device", p->fd, TRACE_TUNGETDEVNETNS, p->here,
		  p->here);
	say_netns("nobody-opener", p->fd, TRACE_SIOCGSKNS, p->here, p->here);
	return 0;
}

static void permission(void)
{
	struct pair p = {tun_new("ns0", RAW, O_RDWR), netns_here()};
	int none = tun_open(O_RDWR);
	int fd = p.fd;

	say_rc("status", reap(spawn(asks, &p)));
	be_nobody();
	say_rc("unattached-device", rc(ioctl(none, TRACE_TUNGETDEVNETNS, 0)));
	say_rc("unattached-opener", rc(ioctl(none, TRACE_SIOCGSKNS, 0)));
	say_tun_flags("flags", fd);
}

/* The argument means nothing. */
static void arguments(void)
{
	int here = netns_here();
	int fd = tun_new("ns0", RAW, O_RDWR);
	int a = ioctl(fd, TRACE_TUNGETDEVNETNS, nowhere());
	int b = ioctl(fd, TRACE_SIOCGSKNS, nowhere());

	say("device", "%s", inode(a) == inode(here) ? "here" : "other");
	say("opener", "%s", inode(b) == inode(here) ? "here" : "other");
}

/* What is returned can be entered. */
static void entered(void)
{
	int there = netns_new();
	int fd = tun_new("ns0", RAW, O_RDWR);
	int ns;

	say_rc("move", if_move("ns0", there));
	ns = ioctl(fd, TRACE_TUNGETDEVNETNS, 0);
	if (ns < 0)
		give_up("devnetns", -errno);
	netns_enter(ns);
	say("interface", "%s", if_nametoindex("ns0") ? "exists" : "none");
}

const struct trace_case netnsfd_cases[] = {
	{"netnsfd-which", which},
	{"netnsfd-permission", permission},
	{"netnsfd-arguments", arguments},
	{"netnsfd-entered", entered},
	{NULL, NULL},
};
