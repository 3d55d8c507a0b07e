/* SPDX-License-Identifier: MIT */
/* Cases about TCP with segments larger than the wire would have: a connection
 * of which the application's end is made by hand. */
#include "trace-vnet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_HDRS 40

struct tcp {
	struct gso_rig g;
	int listener, sock;
	uint32_t seq, ack;
};

/* A segment of the application: FLAGS, PAYLOAD bytes, behind a header. */
static size_t make_tcp(struct tcp *t, unsigned int flags, size_t payload,
		       const struct virtio_net_hdr *hdr)
{
	uint8_t *ip = t->g.ip, *tcp = ip + 20;
	/* Who names no segment size gets the smallest. */
	size_t options = flags & TH_SYN ? 4 : 0;
	size_t i, len = TCP_HDRS + options + payload;

	gso_make_udp(&t->g, 0);
	ip[9] = IPPROTO_TCP;
	memcpy(tcp + 20, "\2\4\x05\xb4", 4);
	memset(tcp, 0, 20);
	put16(tcp, APP_PORT);
	put16(tcp + 2, HOST_PORT);
	put32(tcp + 4, t->seq);
	put32(tcp + 8, t->ack);
	tcp[12] = (uint8_t)((20 + options) << 2);
	tcp[13] = (uint8_t)flags;
	put16(tcp + 14, 65535);
	for (i = 0; i < payload; i++)
		tcp[20 + i] = (uint8_t)i;
	finish4(ip, len);
	if (hdr) {
		memcpy(gso_buf, hdr, sizeof(*hdr));
		put16(tcp + 16, partial_sum4(ip, len));
	}
	return HDR + t->g.eth + len;
}

static void tcp_connect(struct tcp *t, int flags, unsigned long offloads)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	long n;

	gso_up(&t->g, flags, offloads);
	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sin.sin_port = htons(HOST_PORT);
	inet_pton(AF_INET, HOST_ADDR, &sin.sin_addr);
	if (bind(t->listener, (void *)&sin, sizeof(sin)) < 0 ||
	    listen(t->listener, 1) < 0)
		give_up("listen", -errno);
	t->seq = 1000;
	t->ack = 0;
	n = rc(write(t->g.rig.fd, gso_buf, make_tcp(t, TH_SYN, 0, NULL)));
	say_rc("syn", n);
	n = app_read(t->g.rig.fd, gso_buf, sizeof(gso_buf));
	if (n < (long)(HDR + t->g.eth + TCP_HDRS))
		give_up("syn-ack", n);
	say("syn-ack", "flags %u type %u %#x", gso_buf[0], gso_buf[1],
	    t->g.ip[33]);
	t->seq++;
	t->ack = get32(t->g.ip + 24) + 1;
	n = rc(write(t->g.rig.fd, gso_buf, make_tcp(t, TH_ACK, 0, NULL)));
	say_rc("ack", n);
	t->sock = accept(t->listener, NULL, NULL);
	say_rc("accept", t->sock < 0 ? -errno : 0);
}

static long receive_all(int sock, size_t want)
{
	static uint8_t data[65536];
	struct pollfd p = {.fd = sock, .events = POLLIN};
	size_t got = 0;

	while (got < want && poll(&p, 1, DEADLINE_MS) == 1) {
		long n = rc(recv(sock, data, sizeof(data), 0));

		if (n <= 0)
			return n;
		got += (size_t)n;
	}
	return (long)got;
}

static void tcp_write_of(int flags)
{
	struct virtio_net_hdr hdr = {
		.flags = 1,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = TCP_HDRS,
		.gso_size = 1400,
		.csum_start = 20,
		.csum_offset = 16,
	};
	struct tcp t;

	tcp_connect(&t, flags, 0);
	hdr.hdr_len = (uint16_t)(TCP_HDRS + t.g.eth);
	hdr.csum_start = (uint16_t)(20 + t.g.eth);
	say_rc("write", rc(write(t.g.rig.fd, gso_buf,
				 make_tcp(&t, TH_ACK | TH_PUSH, 14000, &hdr))));
	say_rc("receive", receive_all(t.sock, 14000));
	t.seq += 14000;
	hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	say_rc("ecn", rc(write(t.g.rig.fd, gso_buf,
			       make_tcp(&t, TH_ACK | TH_PUSH, 14000, &hdr))));
	say_rc("ecn-receive", receive_all(t.sock, 14000));
	t.seq += 14000;
	hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	hdr.gso_size = 0;
	say_rc("size-0",
	       rc(write(t.g.rig.fd, gso_buf,
			make_tcp(&t, TH_ACK | TH_PUSH, 14000, &hdr))));
	hdr.gso_size = 1400;
	hdr.flags = 0;
	say_rc("no-csum",
	       rc(write(t.g.rig.fd, gso_buf,
			make_tcp(&t, TH_ACK | TH_PUSH, 3000, &hdr))));
}

static void tcp_write(void)
{
	tcp_write_of(VNET);
}

static void tcp_write_tap(void)
{
	tcp_write_of(VNET_TAP);
}

/* How the stack paces is its own affair; what a frame is like is not. */
static void tcp_read_of(int flags, unsigned long offloads)
{
	static uint8_t data[14000];
	bool large = false, bad = false;
	uint8_t first[HDR] = {0};
	long total = 0;
	struct tcp t;

	tcp_connect(&t, flags, offloads);
	say_rc("send", rc(send(t.sock, data, sizeof(data), 0)));
	while (total < 14000) {
		long n = app_read(t.g.rig.fd, gso_buf, sizeof(gso_buf));
		long payload = n - HDR - (long)t.g.eth - TCP_HDRS;

		if (n < 0) {
			say_rc("read", n);
			break;
		}
		/* Window updates and the like go by. */
		if (payload <= 0)
			continue;
		if (total == 0)
			memcpy(first, gso_buf, HDR);
		if (gso_buf[0] & 1)
			bad |= get16(t.g.ip + 36) !=
			       partial_sum4(t.g.ip, (size_t)payload + TCP_HDRS);
		else
			bad |= strcmp(check_ip(t.g.ip,
					       (size_t)payload + TCP_HDRS),
				      "ok") != 0;
		large |= payload > 1460;
		total += payload;
	}
	say("total", "%ld, %s frames, sums %s", total,
	    large ? "large" : "small", bad ? "bad" : "ok");
	say("first", "flags %u type %u hdr %u size %u csum %u+%u", first[0],
	    first[1], first[2] | first[3] << 8, first[4] | first[5] << 8,
	    first[6] | first[7] << 8, first[8] | first[9] << 8);
}

static void tcp_read_none(void)
{
	tcp_read_of(VNET, 0);
}

static void tcp_read_csum(void)
{
	tcp_read_of(VNET, CSUM);
}

static void tcp_read_tso(void)
{
	tcp_read_of(VNET, TSO4);
}

static void tcp_read_tso_tap(void)
{
	tcp_read_of(VNET_TAP, TSO4);
}

static void tcp_read_tso6(void)
{
	tcp_read_of(VNET, TSO6);
}

const struct trace_case gso_tcp_cases[] = {
	{"gso-tcp-write", tcp_write},
	{"gso-tcp-write-tap", tcp_write_tap},
	{"gso-tcp-read", tcp_read_none},
	{"gso-tcp-read-csum", tcp_read_csum},
	{"gso-tcp-read-tso", tcp_read_tso},
	{"gso-tcp-read-tso-tap", tcp_read_tso_tap},
	{"gso-tcp-read-tso6", tcp_read_tso6},
	{NULL, NULL},
};
