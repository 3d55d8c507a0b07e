/* SPDX-License-Identifier: MIT */
/* Cases about what ioctls of the file do to the interface: link type, carrier,
 * send buffer, hardware address, index, queue length. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)
#define TAP (IFF_TAP | IFF_NO_PI)

static uint8_t buf[6000000];

static void say_type(const char *step, const char *name)
{
	long len = if_attr_len(name, IFLA_ADDRESS);
	uint8_t mac[6];
	uint16_t family = 0;

	if_hwaddr(name, &family, mac);
	say(step, "type %u address length %ld", family, len < 0 ? 0 : len);
}

static void types_of(int flags)
{
	static const unsigned long all[] = {
		ARPHRD_ETHER,
		ARPHRD_PPP,
		ARPHRD_IPGRE,
		ARPHRD_NONE,
		ARPHRD_RAWIP,
		ARPHRD_TUNNEL,
		ARPHRD_LOOPBACK,
		ARPHRD_INFINIBAND,
		ARPHRD_IEEE80211,
		0,
		65535,
		65536,
		0x10001,
	};
	int fd = tun_new("link0", flags, O_RDWR);
	char step[32];
	size_t i;

	say_type("fresh", "link0");
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(step, sizeof(step), "set-%lu", all[i]);
		say_rc(step, rc(ioctl(fd, TUNSETLINK, all[i])));
		snprintf(step, sizeof(step), "then-%lu", all[i]);
		say_type(step, "link0");
	}
	if_up("link0");
	say_rc("up", rc(ioctl(fd, TUNSETLINK, (unsigned long)ARPHRD_PPP)));
	say_rc("up-same", rc(ioctl(fd, TUNSETLINK, 0x10001ul)));
	if_down("link0");
	say_rc("down", rc(ioctl(fd, TUNSETLINK, (unsigned long)ARPHRD_ETHER)));
	say_type("end", "link0");
}

static void types_tun(void)
{
	types_of(RAW);
}

static void types_tap(void)
{
	types_of(TAP);
}

/* Packets pass, whatever the type is called. */
static void type_packets(void)
{
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("set", rc(ioctl(rig.fd, TUNSETLINK, (unsigned long)ARPHRD_PPP)));
	rig_up(&rig);
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
	host_send(rig.sock, 11);
	say_rc("read", app_read(rig.fd, buf, 2000));
}

static long set_carrier(int fd, int value)
{
	return rc(ioctl(fd, TUNSETCARRIER, &value));
}

static void carrier(void)
{
	static const uint8_t off = 0, on = 1;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("off", set_carrier(rig.fd, 0));
	say("off-then", "%s", wait_running(rig.name, false));
	say_rc("off-shown", if_attr(rig.name, IFLA_CARRIER));
	say("poll", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
	say_rc("off-again", set_carrier(rig.fd, 0));
	say_rc("on", set_carrier(rig.fd, 1));
	say("on-then", "%s", wait_running(rig.name, true));
	host_send(rig.sock, 20);
	say_rc("read", app_read(rig.fd, buf, 2000));
	say_rc("other-number", set_carrier(rig.fd, -7));
	say_rc("other-shown", if_attr(rig.name, IFLA_CARRIER));
	say_rc("by-link-off", if_set_attr(rig.name, IFLA_CARRIER, &off, 1));
	say("by-link-off-then", "%s", wait_running(rig.name, false));
	say_rc("by-link-on", if_set_attr(rig.name, IFLA_CARRIER, &on, 1));
	say("by-link-on-then", "%s", wait_running(rig.name, true));
	say_rc("null", rc(ioctl(rig.fd, TUNSETCARRIER, NULL)));
}

/* Taken away while down it is still away when up. */
static void carrier_down(void)
{
	int fd = tun_new("link0", RAW, O_RDWR);

	say_rc("off", set_carrier(fd, 0));
	if_up("link0");
	say("up", "%s", wait_running("link0", false));
	if_down("link0");
	say_rc("on", set_carrier(fd, 1));
	if_up("link0");
	say("up-again", "%s", wait_running("link0", true));
}

static void carrier_no_carrier(void)
{
	int fd = tun_new("link0", RAW | IFF_NO_CARRIER, O_RDWR);

	if_up("link0");
	say("up", "%s", wait_running("link0", false));
	say_rc("on", set_carrier(fd, 1));
	say("on-then", "%s", wait_running("link0", true));
}

static void sndbuf(void)
{
	static const int all[] = {-2147483647 - 1, -1,	      0, 1, 2, 1000,
				  100000,	   0x7fffffff};
	struct rig rig;
	char step[32];
	size_t i;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int value = all[i];

		snprintf(step, sizeof(step), "set-%d", value);
		say_rc(step, rc(ioctl(rig.fd, TUNSETSNDBUF, &value)));
		value = 7;
		ioctl(rig.fd, TUNGETSNDBUF, &value);
		say2(step, "get", "%d", value);
		say2(step, "poll", "%#x", revents_now(rig.fd));
		say_rc2(step, "write",
			rc(write(rig.fd, buf, make_udp4(buf, 10))));
		host_recv(rig.sock);
	}
}

/* The kernel's limit is that of one allocation. */
static void largest_write(void)
{
	static const size_t all[] = {65535, 65536, 100000, 4 << 20, 5 << 20};
	struct rig rig;
	char step[32];
	size_t i;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		make_udp4(buf, 30000);
		snprintf(step, sizeof(step), "write-%zu", all[i]);
		say_rc(step, rc(write(rig.fd, buf, all[i])));
	}
	make_udp4(buf, 16);
	say_rc("then", rc(write(rig.fd, buf, 44)));
	say_rc("received", host_recv(rig.sock));
}

/* An address may change while up, and both sides see the new one. */
static void hwaddr_up(void)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x77};
	struct ifreq ifr = {.ifr_hwaddr = {.sa_family = ARPHRD_ETHER}};
	uint16_t family;
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	say_rc("set", rc(ioctl(rig.fd, SIOCSIFHWADDR, &ifr)));
	if_hwaddr(rig.name, &family, rig.mac);
	say("shown", "%02x", rig.mac[5]);
	host_send(rig.sock, 20);
	say_rc("read", app_read(rig.fd, buf, 2000));
	say("from", "%02x", buf[11]);
	say_rc("write", rc(write(rig.fd, buf, make_frame4(buf, mac, 20))));
	say_rc("received", host_recv(rig.sock));
	memset(ifr.ifr_hwaddr.sa_data, 0, 6);
	say_rc("zero", rc(ioctl(rig.fd, SIOCSIFHWADDR, &ifr)));
	memset(ifr.ifr_hwaddr.sa_data, 0xff, 6);
	say_rc("broadcast", rc(ioctl(rig.fd, SIOCSIFHWADDR, &ifr)));
	snprintf(ifr.ifr_name, IFNAMSIZ, "lo");
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	ifr.ifr_hwaddr.sa_data[5] = 0x78;
	say_rc("other-name", rc(ioctl(rig.fd, SIOCSIFHWADDR, &ifr)));
	if_hwaddr(rig.name, &family, rig.mac);
	say("other-name-shown", "%02x", rig.mac[5]);
}

static void index_taken(void)
{
	unsigned int lo = if_nametoindex("lo"), zero = 0, large = 0x7fffffff;
	int fd = tun_open(O_RDWR);

	say_rc("set", rc(ioctl(fd, TUNSETIFINDEX, &lo)));
	say_rc("attach", tun_attach(fd, "idx0", RAW, NULL));
	say_rc("zero", rc(ioctl(fd, TUNSETIFINDEX, &zero)));
	say_rc("attach-zero", tun_attach(fd, "idx0", RAW, NULL));
	close(fd);
	wait_gone("idx0");
	fd = tun_open(O_RDWR);
	say_rc("large", rc(ioctl(fd, TUNSETIFINDEX, &large)));
	say_rc("attach-large", tun_attach(fd, "idx0", RAW, NULL));
	say("index", "%s", if_nametoindex("idx0") == large ? "large" : "other");
}

/* More or fewer while packets wait. */
static void queue_length(void)
{
	struct rig rig;
	int i, got = 0;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("ten", if_set_qlen(rig.name, 10));
	for (i = 0; i < 30; i++)
		host_send(rig.sock, (size_t)i);
	say_rc("dropped", wait_stat(rig.name, TX_DROPPED, 20));
	say_rc("twenty", if_set_qlen(rig.name, 20));
	for (i = 0; i < 30; i++)
		host_send(rig.sock, (size_t)i);
	say_rc("dropped-more", wait_stat(rig.name, TX_DROPPED, 40));
	while (read(rig.fd, buf, 2000) > 0)
		got++;
	say("read", "%d", got);
	say_rc("none", if_set_qlen(rig.name, 0));
	host_send(rig.sock, 10);
	say_rc("dropped-none", wait_stat(rig.name, TX_DROPPED, 41));
	say_rc("read-none", rc(read(rig.fd, buf, 2000)));
}

/* Fewer than wait already: what is too much is lost, the oldest stay. */
static void queue_shorter(void)
{
	struct rig rig;
	int i, got = 0;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	for (i = 0; i < 20; i++)
		host_send(rig.sock, (size_t)i);
	wait_revents(rig.fd, 0x145);
	say_rc("set", if_set_qlen(rig.name, 5));
	say_rc("first", app_read(rig.fd, buf, 2000));
	while (read(rig.fd, buf, 2000) > 0)
		got++;
	say("more", "%d", got);
}

const struct trace_case link_cases[] = {
	{"link-types-tun", types_tun},
	{"link-types-tap", types_tap},
	{"link-type-packets", type_packets},
	{"link-carrier", carrier},
	{"link-carrier-down", carrier_down},
	{"link-carrier-none", carrier_no_carrier},
	{"link-sndbuf", sndbuf},
	{"link-largest-write", largest_write},
	{"link-hwaddr-up", hwaddr_up},
	{"link-index", index_taken},
	{"link-queue-length", queue_length},
	{"link-queue-shorter", queue_shorter},
	{NULL, NULL},
};
