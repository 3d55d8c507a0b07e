/* SPDX-License-Identifier: MIT */
/* Cases in which packets pass in both directions and are looked into: order,
 * checksums, segments, ARP, IPv6, queue length; errors are in case-io.c. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[PACKET_MAX];

static void both_ways(void)
{
	static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 1000, 1471, 1472};
	char step[32];
	struct rig rig;
	size_t i;

	rig_new(&rig, RAW, O_RDWR);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		long n;

		host_send(rig.sock, sizes[i]);
		n = app_read(rig.fd, buf, sizeof(buf));
		snprintf(step, sizeof(step), "read-%zu", sizes[i]);
		say(step, "%ld %s", n, n > 0 ? check_ip(buf, (size_t)n) : "");
		snprintf(step, sizeof(step), "write-%zu", sizes[i]);
		say_rc(step, rc(write(rig.fd, buf, make_udp4(buf, sizes[i]))));
		snprintf(step, sizeof(step), "receive-%zu", sizes[i]);
		say_rc(step, host_recv(rig.sock));
	}
}

/* The host cuts what is longer than the MTU; every fragment is a packet. */
static void fragments(void)
{
	struct rig rig;
	int no = IP_PMTUDISC_DONT;
	long a, b, c;

	rig_new(&rig, RAW, O_RDWR);
	setsockopt(rig.sock, IPPROTO_IP, IP_MTU_DISCOVER, &no, sizeof(no));
	say_rc("send", host_send(rig.sock, 3000));
	a = app_read(rig.fd, buf, sizeof(buf));
	b = app_read(rig.fd, buf, sizeof(buf));
	c = app_read(rig.fd, buf, sizeof(buf));
	say("lengths", "%ld %ld %ld", a, b, c);
}

/* One call, ten datagrams: without offloads they arrive finished. */
static void segments(void)
{
	const char *what = "ok";
	struct rig rig;
	int gso = 1400;
	long total = 0;
	int i;

	rig_new(&rig, RAW, O_RDWR);
	setsockopt(rig.sock, IPPROTO_UDP, UDP_SEGMENT, &gso, sizeof(gso));
	say_rc("send", host_send(rig.sock, 14000));
	for (i = 0; i < 10; i++) {
		long n = app_read(rig.fd, buf, sizeof(buf));

		if (n < 0) {
			say_rc("read", n);
			break;
		}
		total += n;
		if (strcmp(check_ip(buf, (size_t)n), "ok"))
			what = check_ip(buf, (size_t)n);
	}
	say("packets", "%d of %ld bytes, %s", i, total, what);
	fcntl(rig.fd, F_SETFL, O_NONBLOCK);
	say_rc("more", rc(read(rig.fd, buf, sizeof(buf))));
}

static void tcp_syn(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct rig rig;
	int sock;
	long n;

	rig_new(&rig, RAW, O_RDWR);
	sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	sin.sin_port = htons(APP_PORT);
	inet_pton(AF_INET, APP_ADDR, &sin.sin_addr);
	say_rc("connect", rc(connect(sock, (void *)&sin, sizeof(sin))));
	n = app_read(rig.fd, buf, sizeof(buf));
	say("syn", "%ld %s flags %#x mss %u", n,
	    n > 0 ? check_ip(buf, (size_t)n) : "", buf[33],
	    (unsigned int)(buf[42] << 8 | buf[43]));
}

static void order(void)
{
	struct rig rig;
	int i, bad = 0;

	rig_new(&rig, RAW, O_RDWR);
	for (i = 0; i < 200; i++)
		host_send(rig.sock, (size_t)i);
	for (i = 0; i < 200; i++)
		bad += app_read(rig.fd, buf, sizeof(buf)) != i + UDP4_HDR;
	say("host-to-app", "%d out of place", bad);
	bad = 0;
	for (i = 0; i < 50; i++) {
		size_t len = make_udp4(buf, (size_t)i);

		bad += write(rig.fd, buf, len) != (ssize_t)len;
	}
	for (i = 0; i < 50 && !bad; i++)
		bad += host_recv(rig.sock) != i;
	say("app-to-host", "%d out of place", bad);
}

/* The newest is dropped, so that the first ones are always there. */
static void full_queue(void)
{
	struct rig rig;
	long failed = 0;
	int i;

	rig_make(&rig, RAW, O_RDWR);
	say_rc("set", if_set_qlen(rig.name, 3));
	rig_up(&rig);
	for (i = 0; i < 64; i++)
		failed += host_send(rig.sock, (size_t)i) != i;
	say("failed", "%ld", failed);
	say_rc("first", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("second", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("third", app_read(rig.fd, buf, sizeof(buf)));
}

static void no_reader(void)
{
	struct rig rig;
	long failed = 0;
	int i;

	rig_new(&rig, RAW, O_RDWR);
	for (i = 0; i < 2000; i++)
		failed += host_send(rig.sock, 1000) != 1000;
	say("failed", "%ld", failed);
	say_rc("first", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("received", host_recv(rig.sock));
}

static void arp(void)
{
	static const uint8_t app_mac[6] = {0x02, 0, 0, 0, 0, 0x02};
	uint8_t reply[42];
	struct rig rig;
	long n;

	rig_make(&rig, IFF_TAP | IFF_NO_PI, O_RDWR);
	rig.flags = 0;
	rig_up(&rig);
	say_rc("send", host_send(rig.sock, 20));
	n = app_read(rig.fd, buf, sizeof(buf));
	say("request", "%ld type %02x%02x op %u", n, buf[12], buf[13], buf[21]);
	say("request-to", "%s",
	    memcmp(buf, "\xff\xff\xff\xff\xff\xff", 6) ? "one" : "all");
	memcpy(reply, buf + 6, 6);
	memcpy(reply + 6, app_mac, 6);
	memcpy(reply + 12, buf + 12, 9);
	reply[21] = 2;
	memcpy(reply + 22, app_mac, 6);
	memcpy(reply + 28, buf + 38, 4);
	memcpy(reply + 32, buf + 22, 10);
	say_rc("reply", rc(write(rig.fd, reply, sizeof(reply))));
	n = app_read(rig.fd, buf, sizeof(buf));
	say("packet", "%ld type %02x%02x %s", n, buf[12], buf[13],
	    n > 14 ? check_ip(buf + 14, (size_t)n - 14) : "");
}

static void tap_frames(void)
{
	struct rig rig;
	uint8_t other[6];
	size_t len;

	rig_new(&rig, IFF_TAP | IFF_NO_PI, O_RDWR);
	len = make_frame4(buf, rig.mac, 50);
	say_rc("own", rc(write(rig.fd, buf, len)));
	say_rc("own-received", host_recv(rig.sock));
	memcpy(other, rig.mac, 6);
	other[5] ^= 1;
	len = make_frame4(buf, other, 51);
	say_rc("other", rc(write(rig.fd, buf, len)));
	memset(other, 0xff, 6);
	len = make_frame4(buf, other, 52);
	say_rc("broadcast", rc(write(rig.fd, buf, len)));
	say_rc("broadcast-received", host_recv(rig.sock));
	say_rc("rx-packets", wait_stat(rig.name, RX_PACKETS, 3));
}

static long read_udp6(int fd)
{
	int i;

	for (i = 0; i < 20; i++) {
		long n = app_read(fd, buf, sizeof(buf));

		if (n < 0)
			return n;
		/* The host's own discovery traffic goes by. */
		if (buf[0] >> 4 == 6 && buf[6] == IPPROTO_UDP)
			return n;
	}
	return -ETIMEDOUT;
}

static void ipv6(void)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	uint8_t data[300];
	struct rig rig;
	int sock;
	long n;
	int i;

	rig_make(&rig, RAW, O_RDWR);
	put_file("/proc/sys/net/ipv6/conf/tst0/disable_ipv6", "0");
	put_file("/proc/sys/net/ipv6/conf/tst0/accept_dad", "0");
	rig_up(&rig);
	say_rc("address", if_address6(rig.name, HOST_ADDR6));
	sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sin6.sin6_port = htons(HOST_PORT);
	inet_pton(AF_INET6, HOST_ADDR6, &sin6.sin6_addr);
	say_rc("bind", rc(bind(sock, (void *)&sin6, sizeof(sin6))));
	sin6.sin6_port = htons(APP_PORT);
	inet_pton(AF_INET6, APP_ADDR6, &sin6.sin6_addr);
	for (i = 0; i < 300; i++)
		data[i] = (uint8_t)i;
	say_rc("send",
	       rc(sendto(sock, data, 300, 0, (void *)&sin6, sizeof(sin6))));
	n = read_udp6(rig.fd);
	say("read", "%ld %s", n, n > 0 ? check_ip(buf, (size_t)n) : "");
	say_rc("write", rc(write(rig.fd, buf, make_udp6(buf, 60))));
	say_rc("received", host_recv(sock));
}

/* With a packet information of IPv6 in front. */
static void ipv6_pi(void)
{
	struct rig rig;
	int i;
	long n = 0;

	rig_make(&rig, IFF_TUN, O_RDWR);
	put_file("/proc/sys/net/ipv6/conf/tst0/disable_ipv6", "0");
	rig_up(&rig);
	/* The host's own listener report will do. */
	for (i = 0; i < 20 && n >= 0; i++) {
		n = app_read(rig.fd, buf, sizeof(buf));
		if (n > 4 && buf[4] >> 4 == 6)
			break;
	}
	say("report", "proto %02x%02x version %u", buf[2], buf[3], buf[4] >> 4);
}

/* Nothing that the application writes comes back to it. */
static void no_echo(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TAP | IFF_NO_PI, O_RDWR | O_NONBLOCK);
	memset(buf, 0xff, 60);
	say_rc("write", rc(write(rig.fd, buf, 60)));
	say_rc("write-good",
	       rc(write(rig.fd, buf, make_frame4(buf, rig.mac, 20))));
	say_rc("received", host_recv(rig.sock));
	say_rc("read", rc(read(rig.fd, buf, sizeof(buf))));
}

/* Two devices of one process do not see each other's packets. */
static void two_devices(void)
{
	struct rig rig;
	int other;

	rig_new(&rig, RAW, O_RDWR);
	other = tun_new("other0", RAW, O_RDWR | O_NONBLOCK);
	if_up("other0");
	say("other-up", "%#x", wait_revents(other, 0x104));
	host_send(rig.sock, 10);
	say_rc("own", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("other", rc(read(other, buf, sizeof(buf))));
}

const struct trace_case packet_cases[] = {
	{"packet-both-ways", both_ways},
	{"packet-fragments", fragments},
	{"packet-segments", segments},
	{"packet-tcp", tcp_syn},
	{"packet-order", order},
	{"packet-full-queue", full_queue},
	{"packet-no-reader", no_reader},
	{"packet-arp", arp},
	{"packet-tap", tap_frames},
	{"packet-ipv6", ipv6},
	{"packet-ipv6-pi", ipv6_pi},
	{"packet-no-echo", no_echo},
	{"packet-two-devices", two_devices},
	{NULL, NULL},
};
