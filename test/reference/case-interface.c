/* SPDX-License-Identifier: MIT */
/* Cases about the network interface behind the file: what it looks like, its
 * limits, its carrier and its counters. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static void say_driver(const char *name)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {0};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	ifr.ifr_data = (void *)&info;
	if (ioctl(sock, SIOCETHTOOL, &ifr) < 0)
		say_rc("driver", -errno);
	else
		say("driver", "%s", info.driver);
	close(sock);
}

/* The bits one by one, because some differ and the others must not. */
static void say_flags(const char *group, const char *name)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} bits[] = {
		{"up", IFF_UP},
		{"running", IFF_RUNNING},
		{"broadcast", IFF_BROADCAST},
		{"pointopoint", IFF_POINTOPOINT},
		{"noarp", IFF_NOARP},
		{"multicast", IFF_MULTICAST},
		{"promisc", IFF_PROMISC},
		{"loopback", IFF_LOOPBACK},
	};
	int flags = if_flags(name);
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		say_rc2(group, bits[i].name,
			flags < 0 ? flags
				  : ((unsigned int)flags & bits[i].bit) != 0);
}

static void properties(int flags)
{
	uint8_t mac[6] = {0};
	uint16_t family = 0;
	char kind[32];
	struct rig rig;

	rig_make(&rig, flags, O_RDWR);
	say_flags("down", rig.name);
	say("mtu", "%d", if_mtu(rig.name));
	say("qlen", "%d", if_qlen(rig.name));
	say_rc("hwaddr", if_hwaddr(rig.name, &family, mac));
	say("type", "%u", family);
	say("mac", "%s",
	    !memcmp(mac, "\0\0\0\0\0\0", 6) ? "none"
	    : (mac[0] & 3) == 2		    ? "local unicast"
					    : "other");
	say_rc("kind-rc", if_kind(rig.name, kind, sizeof(kind)));
	say("kind", "%s", kind);
	say_driver(rig.name);
	rig_up(&rig);
	wait_running(rig.name, true);
	say_flags("up", rig.name);
	say("mtu-up", "%d", if_mtu(rig.name));
	say("qlen-up", "%d", if_qlen(rig.name));
}

static void tun(void)
{
	properties(RAW);
}

static void tun_pi(void)
{
	properties(IFF_TUN);
}

static void tap(void)
{
	properties(IFF_TAP | IFF_NO_PI);
}

static void mtu_limits(int flags)
{
	static const int sizes[] = {0,	  1,	 67,	68,    576,   1280,
				    9000, 65521, 65522, 65535, 65536, 100000};
	int fd = tun_new("mtu0", flags, O_RDWR);
	char step[32];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(step, sizeof(step), "set-%d", sizes[i]);
		say_rc(step, if_set_mtu("mtu0", sizes[i]));
	}
	if_set_mtu("mtu0", 1300);
	say_rc("get", if_mtu("mtu0"));
	close(fd);
}

static void mtu_tun(void)
{
	mtu_limits(RAW);
}

static void mtu_tap(void)
{
	mtu_limits(IFF_TAP | IFF_NO_PI);
}

/* The host cuts to the new MTU, and what it sends arrives whole. */
static void mtu_change(void)
{
	static uint8_t buf[10000];
	int never = IP_PMTUDISC_DO;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	setsockopt(rig.sock, IPPROTO_IP, IP_MTU_DISCOVER, &never,
		   sizeof(never));
	say_rc("small", if_set_mtu(rig.name, 576));
	host_send(rig.sock, 576 - UDP4_HDR);
	say_rc("small-read", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("too-big", host_send(rig.sock, 577 - UDP4_HDR));
	say_rc("big", if_set_mtu(rig.name, 9000));
	say_rc("big-send", host_send(rig.sock, 9000 - UDP4_HDR));
	say_rc("big-read", app_read(rig.fd, buf, sizeof(buf)));
}

static void queue_length(void)
{
	int fd = tun_new("q0", RAW, O_RDWR);

	say_rc("set", if_set_qlen("q0", 77));
	say_rc("get", if_qlen("q0"));
	say_rc("zero", if_set_qlen("q0", 0));
	close(fd);
}

static void stats_of(int flags, size_t header)
{
	uint8_t buf[256];
	struct rig rig;
	size_t len;

	rig_make(&rig, flags, O_RDWR);
	say_rc("start-rx", if_stat(rig.name, RX_PACKETS));
	say_rc("start-tx", if_stat(rig.name, TX_PACKETS));
	rig_up(&rig);
	len = header ? make_frame4(buf, rig.mac, 100) : make_udp4(buf, 100);
	say_rc("write", rc(write(rig.fd, buf, len)));
	say_rc("receive", host_recv(rig.sock));
	say_rc("rx-packets", wait_stat(rig.name, RX_PACKETS, 1));
	say_rc("rx-bytes", if_stat(rig.name, RX_BYTES));
	say_rc("rx-dropped", if_stat(rig.name, RX_DROPPED));
	host_send(rig.sock, 100);
	wait_revents(rig.fd, 0x145);
	say_rc("tx-packets-unread", if_stat(rig.name, TX_PACKETS));
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("tx-packets", wait_stat(rig.name, TX_PACKETS, 1));
	say_rc("tx-bytes", if_stat(rig.name, TX_BYTES));
	say_rc("tx-dropped", if_stat(rig.name, TX_DROPPED));
	if_down(rig.name);
	wait_revents(rig.fd, 0);
	say_rc("down-write", rc(write(rig.fd, buf, header + 40)));
	say_rc("down-dropped", wait_stat(rig.name, RX_DROPPED, 1));
}

static void stats_tun(void)
{
	stats_of(RAW, 0);
}

static void stats_tap(void)
{
	stats_of(IFF_TAP | IFF_NO_PI, 14);
}

/* Neither a refused length nor a refused version is a packet. */
static void stats_refused(void)
{
	uint8_t bad[40] = {0x55};
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	say_rc("write", rc(write(rig.fd, bad, sizeof(bad))));
	say_rc("dropped", wait_stat(rig.name, RX_DROPPED, 1));
	say_rc("packets", if_stat(rig.name, RX_PACKETS));
}

static void no_carrier(void)
{
	uint8_t buf[256];
	struct rig rig;

	rig_make(&rig, RAW | IFF_NO_CARRIER, O_RDWR | O_NONBLOCK);
	say("flags", "%#x", (unsigned int)tun_flags(rig.fd));
	rig_up(&rig);
	say("up", "%s", wait_running(rig.name, false));
	say("poll", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("receive", host_recv(rig.sock));
	say_rc("send", host_send(rig.sock, 16));
	say_rc("read", rc(read(rig.fd, buf, sizeof(buf))));
}

static void carrier_of_close(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	say("up", "%s", wait_running(rig.name, true));
	if_down(rig.name);
	say_rc("down", (if_flags(rig.name) & IFF_RUNNING) != 0);
	if_up(rig.name);
	say("again", "%s", wait_running(rig.name, true));
}

/* Down does not flush what is queued; up does not lose it either. */
static void down_up(void)
{
	uint8_t buf[256];
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	host_send(rig.sock, 10);
	wait_revents(rig.fd, 0x145);
	if_down(rig.name);
	say("poll-queued", "%#x", wait_revents(rig.fd, 0x41));
	say_rc("read-queued", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("read-empty", rc(read(rig.fd, buf, sizeof(buf))));
	say("poll-empty", "%#x", wait_revents(rig.fd, 0));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	if_up(rig.name);
	say("poll-up", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("write-up", rc(write(rig.fd, buf, make_udp4(buf, 11))));
	say_rc("receive-up", host_recv(rig.sock));
	host_send(rig.sock, 12);
	say_rc("read-up", app_read(rig.fd, buf, sizeof(buf)));
}

/* What a program sees that does not wait between the two calls. */
static void at_once(void)
{
	uint8_t buf[256];
	int i, eio = 0, late = 0;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	make_udp4(buf, 16);
	for (i = 0; i < 20; i++) {
		if_down(rig.name);
		eio += rc(write(rig.fd, buf, 44)) == -EIO;
		if_up(rig.name);
		late += rc(write(rig.fd, buf, 44)) != 44;
	}
	say("write-after-down", "%d of 20 EIO", eio);
	say("write-after-up", "%d of 20 failed", late);
}

const struct trace_case interface_cases[] = {
	{"if-tun", tun},
	{"if-tun-pi", tun_pi},
	{"if-tap", tap},
	{"if-mtu-tun", mtu_tun},
	{"if-mtu-tap", mtu_tap},
	{"if-mtu-change", mtu_change},
	{"if-queue-length", queue_length},
	{"if-stats-tun", stats_tun},
	{"if-stats-tap", stats_tap},
	{"if-stats-refused", stats_refused},
	{"if-no-carrier", no_carrier},
	{"if-carrier", carrier_of_close},
	{"if-down-up", down_up},
	{"if-at-once", at_once},
	{NULL, NULL},
};
