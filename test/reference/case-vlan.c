/* SPDX-License-Identifier: MIT */
/* Cases about frames with a VLAN tag, which the kernel takes out on its way
 * through a packet socket and a TAP must show in its place. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAP (IFF_TAP | IFF_NO_PI)

static uint8_t buf[2048];

/* LEN bytes behind the tags TAGS of COUNT. */
static size_t make(uint8_t *frame, const uint8_t *mac, const uint32_t *tags,
		   size_t count, size_t len)
{
	size_t i, at = 12;

	memcpy(frame, mac, 6);
	memcpy(frame + 6, "\2\0\0\0\0\7", 6);
	for (i = 0; i < count; i++, at += 4)
		put32(frame + at, tags[i]);
	put16(frame + at, 0x88b5);
	for (i = 0; i < len; i++)
		frame[at + 2 + i] = (uint8_t)i;
	return at + 2 + len;
}

static int packet_socket(const char *name)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET};
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  htons(ETH_P_ALL));

	sll.sll_ifindex = (int)if_nametoindex(name);
	sll.sll_protocol = htons(ETH_P_ALL);
	if (sock < 0 || bind(sock, (void *)&sll, sizeof(sll)) < 0)
		give_up("socket", -errno);
	return sock;
}

static const struct {
	const char *name;
	size_t count;
	uint32_t tags[2];
} rows[] = {
	{"none", 0, {0, 0}},
	{"one", 1, {0x81000005, 0}},
	{"priority", 1, {0x8100e005, 0}},
	{"zero", 1, {0x81000000, 0}},
	{"service", 1, {0x88a80007, 0}},
	{"two", 2, {0x88a80007, 0x81000005}},
};

static void say_frame(const char *step, long n, const uint8_t *frame,
		      const uint8_t *want, size_t len)
{
	if (n < 0)
		say_rc(step, n);
	else
		say(step, "%ld %08x %s", n, get32(frame + 12),
		    (size_t)n == len && !memcmp(frame, want, len) ? "same"
								  : "other");
}

static void from_host_of(int flags, size_t before)
{
	struct rig rig;
	uint8_t frame[200];
	int sock;
	size_t i;

	rig_new(&rig, flags, O_RDWR | O_NONBLOCK);
	sock = packet_socket(rig.name);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len =
			make(frame, rig.mac, rows[i].tags, rows[i].count, 60);
		long n;

		say_rc2(rows[i].name, "send", rc(send(sock, frame, len, 0)));
		n = app_read(rig.fd, buf, sizeof(buf));
		if (before && n > 0)
			say2(rows[i].name, "proto", "%02x%02x", buf[2], buf[3]);
		say_frame(rows[i].name, n > 0 ? n - (long)before : n,
			  buf + before, frame, len);
	}
	say_rc("tx-bytes", if_stat(rig.name, TX_BYTES));
}

static void from_host(void)
{
	from_host_of(TAP, 0);
}

static void from_host_pi(void)
{
	from_host_of(IFF_TAP, 4);
}

/* What the host's packet socket sees is without the tag; it is told aside. */
static void to_host(void)
{
	struct rig rig;
	uint8_t frame[200];
	int sock;
	size_t i;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	sock = packet_socket(rig.name);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len =
			make(frame, rig.mac, rows[i].tags, rows[i].count, 60);
		struct pollfd p = {.fd = sock, .events = POLLIN};
		long n;

		say_rc(rows[i].name, rc(write(rig.fd, frame, len)));
		if (poll(&p, 1, DEADLINE_MS) != 1)
			continue;
		n = rc(recv(sock, buf, sizeof(buf), 0));
		say2(rows[i].name, "received", "%ld %08x", n, get32(buf + 12));
	}
	say_rc("rx-bytes", if_stat(rig.name, RX_BYTES));
}

const struct trace_case vlan_cases[] = {
	{"vlan-from-host", from_host},
	{"vlan-from-host-pi", from_host_pi},
	{"vlan-to-host", to_host},
	{NULL, NULL},
};
