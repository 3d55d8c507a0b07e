/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETPERSIST: the interface without a program, and what of the
 * device is still there when the next one attaches. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)
#define TAP (IFF_TAP | IFF_NO_PI)

static uint8_t buf[2048];

static void say_if(const char *step, const char *name)
{
	say(step, "%s", if_nametoindex(name) ? "exists" : "none");
}

/* Persistent, or the end of the case. */
static void keep(int fd)
{
	long ret = rc(ioctl(fd, TUNSETPERSIST, 1UL));

	if (ret < 0)
		give_up("persist", ret);
}

static void bit(void)
{
	int fd = tun_new("per0", RAW, O_RDWR);

	say_rc("set", rc(ioctl(fd, TUNSETPERSIST, 1UL)));
	say_tun_flags("flags", fd);
	say_rc("again", rc(ioctl(fd, TUNSETPERSIST, 1UL)));
	say_rc("other-number", rc(ioctl(fd, TUNSETPERSIST, 77UL)));
	say_tun_flags("other-flags", fd);
	say_rc("clear", rc(ioctl(fd, TUNSETPERSIST, 0UL)));
	say_tun_flags("clear-flags", fd);
	say_rc("clear-again", rc(ioctl(fd, TUNSETPERSIST, 0UL)));
	say_rc("pointer", rc(ioctl(fd, TUNSETPERSIST, buf)));
	say_tun_flags("pointer-flags", fd);
	ioctl(fd, TUNSETPERSIST, 0UL);
	close(fd);
	say("closed", "%s", wait_gone("per0") ? "gone" : "exists");
}

static void alone(void)
{
	struct rig rig;
	uint8_t mac[6], then[6] = {0};
	uint16_t family;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	keep(rig.fd);
	if_hwaddr(rig.name, &family, mac);
	host_send(rig.sock, 20);
	wait_revents(rig.fd, 0x145);
	close(rig.fd);
	say_if("closed", rig.name);
	say("carrier", "%s", wait_running(rig.name, false));
	say("up", "%d", (if_flags(rig.name) & IFF_UP) != 0);
	say_rc("mtu", if_mtu(rig.name));
	say_rc("send", host_send(rig.sock, 20));
	say_rc("dropped", wait_stat(rig.name, TX_DROPPED, -1));
	rig.fd = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("attach", tun_attach(rig.fd, rig.name, TAP, NULL));
	say("carrier-attached", "%s", wait_running(rig.name, true));
	say("poll", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("read", rc(read(rig.fd, buf, sizeof(buf))));
	if_hwaddr(rig.name, &family, then);
	say("mac", "%s", memcmp(mac, then, 6) ? "other" : "same");
	host_send(rig.sock, 21);
	say_rc("read-next", app_read(rig.fd, buf, sizeof(buf)));
	say_tun_flags("flags", rig.fd);
	say_rc("clear", rc(ioctl(rig.fd, TUNSETPERSIST, 0UL)));
	say_if("cleared", rig.name);
	close(rig.fd);
	say("end", "%s", wait_gone(rig.name) ? "gone" : "exists");
}

/* Without a program it can be renamed, moved and deleted all the same. */
static void administered(void)
{
	int there = netns_new();
	int here = netns_here();
	int fd = tun_new("per0", RAW, O_RDWR);

	keep(fd);
	close(fd);
	say_rc("rename", if_rename("per0", "named0"));
	fd = tun_open(O_RDWR);
	say_rc("attach", tun_attach(fd, "named0", RAW, NULL));
	close(fd);
	say_rc("move", if_move("named0", there));
	fd = tun_open(O_RDWR);
	say_rc("attach-here", tun_attach(fd, "named0", RAW, NULL));
	say_tun_flags("new-flags", fd);
	close(fd);
	netns_enter(there);
	say_if("there", "named0");
	fd = tun_open(O_RDWR);
	say_rc("attach-there", tun_attach(fd, "named0", RAW, NULL));
	say_tun_flags("there-flags", fd);
	close(fd);
	say_rc("delete", if_delete("named0"));
	say("deleted", "%s", wait_gone("named0") ? "gone" : "exists");
	netns_enter(here);
}

static void try_flags(const char *step, int flags)
{
	int fd = tun_open(O_RDWR);
	long ret = tun_attach(fd, "per0", flags, NULL);

	if (ret < 0)
		say_rc(step, ret);
	else
		say_tun_flags(step, fd);
	close(fd);
}

/* The format is that of who attached last. */
static void formats(void)
{
	int fd = tun_new("per0", RAW, O_RDWR);

	keep(fd);
	try_flags("taken", RAW);
	close(fd);
	try_flags("one-queue", RAW | IFF_ONE_QUEUE);
	try_flags("vnet", RAW | IFF_VNET_HDR);
	try_flags("napi", RAW | IFF_NAPI);
	try_flags("plain", RAW);
	try_flags("excl", RAW | IFF_TUN_EXCL);
	try_flags("tap", TAP);
	try_flags("multi-queue", RAW | IFF_MULTI_QUEUE);
	try_flags("no-type", IFF_NO_PI);
	try_flags("persist-bit", RAW | IFF_PERSIST);
}

/* A write behind packet information shows which format holds. */
static void format_pi(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	keep(rig.fd);
	close(rig.fd);
	rig.fd = tun_new(rig.name, IFF_TUN, O_RDWR | O_NONBLOCK);
	wait_revents(rig.fd, 0x104);
	memcpy(buf, "\0\0\x08\0", 4);
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf + 4, 10) + 4)));
	say_rc("received", host_recv(rig.sock));
	host_send(rig.sock, 10);
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	close(rig.fd);
	rig.fd = tun_new(rig.name, RAW, O_RDWR | O_NONBLOCK);
	wait_revents(rig.fd, 0x104);
	say_rc("write-raw", rc(write(rig.fd, buf, make_udp4(buf, 11))));
	say_rc("received-raw", host_recv(rig.sock));
}

static long get_int(int fd, unsigned long cmd)
{
	int value = -1;
	long ret = rc(ioctl(fd, cmd, &value));

	return ret < 0 ? ret : value;
}

static void set_int(int fd, const char *step, unsigned long cmd, int value)
{
	say_rc(step, rc(ioctl(fd, cmd, &value)));
}

static void settings(void)
{
	int fd = tun_new("per0", TAP, O_RDWR);

	keep(fd);
	set_int(fd, "sndbuf", TUNSETSNDBUF, 123456);
	set_int(fd, "vnethdrsz", TUNSETVNETHDRSZ, 12);
	set_int(fd, "vnetle", TUNSETVNETLE, 1);
	set_int(fd, "carrier", TUNSETCARRIER, 0);
	say_rc("owner", rc(ioctl(fd, TUNSETOWNER, 1234UL)));
	close(fd);
	fd = tun_new("per0", TAP, O_RDWR);
	say_rc("sndbuf-then", get_int(fd, TUNGETSNDBUF));
	say_rc("vnethdrsz-then", get_int(fd, TUNGETVNETHDRSZ));
	say_rc("vnetle-then", get_int(fd, TUNGETVNETLE));
	if_up("per0");
	say("carrier-then", "%s", wait_running("per0", true));
}

static void no_carrier(void)
{
	int fd = tun_new("per0", RAW, O_RDWR);

	keep(fd);
	if_up("per0");
	say("first", "%s", wait_running("per0", true));
	close(fd);
	say("closed", "%s", wait_running("per0", false));
	fd = tun_new("per0", RAW | IFF_NO_CARRIER, O_RDWR);
	say("attached-without", "%s", wait_running("per0", false));
	close(fd);
	fd = tun_new("per0", RAW, O_RDWR);
	say("attached", "%s", wait_running("per0", true));
}

static int attaches(void *arg)
{
	int fd = tun_open(O_RDWR);

	(void)arg;
	tun_attach(fd, "per0", RAW, NULL);
	keep(fd);
	return 0;
}

/* Whose process has ended is nobody's, and anybody's. */
static int attaches_as_nobody(void *arg)
{
	/* Opened before: the node's own mode is not what this is about. */
	int fd = tun_open(O_RDWR);

	(void)arg;
	be_nobody();
	if (tun_attach(fd, "per0", RAW, NULL) < 0)
		return errno;
	return ioctl(fd, TUNSETPERSIST, 0UL) < 0 ? 2 : 0;
}

static void unowned(void)
{
	say_rc("maker", reap(spawn(attaches, NULL)));
	say_if("made", "per0");
	say_rc("nobody", reap(spawn(attaches_as_nobody, NULL)));
	say("end", "%s", wait_gone("per0") ? "gone" : "exists");
}

const struct trace_case persist_cases[] = {
	{"persist-bit", bit},
	{"persist-alone", alone},
	{"persist-administered", administered},
	{"persist-formats", formats},
	{"persist-format-pi", format_pi},
	{"persist-settings", settings},
	{"persist-no-carrier", no_carrier},
	{"persist-unowned", unowned},
	{NULL, NULL},
};
