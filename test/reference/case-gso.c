/* SPDX-License-Identifier: MIT */
/* Cases about packets that the virtio-net header says are to be cut, or that
 * the host leaves uncut because TUNSETOFFLOAD allowed it. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VNET	 (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)
#define VNET_TAP (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
#define HDR	 10
#define TCP_HDRS 40

/* Younger than the headers of Debian 12. */
#define TRACE_GSO_UDP_L4 5

#define CSUM		 1ul
#define TSO4		 3ul
#define TSO6		 5ul
#define USO		 0x61ul
#define ALL		 0x6ful

static uint8_t buf[PACKET_MAX + 100];

struct gso_rig {
	struct rig rig;
	size_t eth;
	uint8_t *ip;
};

static void gso_up(struct gso_rig *g, int flags, unsigned long offloads)
{
	rig_make(&g->rig, flags, O_RDWR | O_NONBLOCK);
	if (!(tun_flags(g->rig.fd) & IFF_VNET_HDR))
		give_up("not-offered", tun_flags(g->rig.fd));
	say_rc("offload", rc(ioctl(g->rig.fd, TUNSETOFFLOAD, offloads)));
	g->eth = flags & IFF_TAP ? 14 : 0;
	g->ip = buf + HDR + g->eth;
	rig_up(&g->rig);
}

static size_t make_udp(struct gso_rig *g, size_t payload)
{
	memset(buf, 0, HDR);
	return HDR + (g->eth ? make_frame4(buf + HDR, g->rig.mac, payload)
			     : make_udp4(buf + HDR, payload));
}

/* ---- writing ------------------------------------------------------------ */

struct gso_row {
	const char *name;
	uint8_t flags, type;
	uint16_t hdr_len, size, start, offset;
};

/* A UDP packet of 3000 bytes of payload, start from the IP header. */
static const struct gso_row udp_rows[] = {
	{"udp", 1, TRACE_GSO_UDP_L4, 28, 1000, 20, 6},
	{"udp-uneven", 1, TRACE_GSO_UDP_L4, 28, 1400, 20, 6},
	{"udp-one", 1, TRACE_GSO_UDP_L4, 28, 3000, 20, 6},
	{"udp-larger", 1, TRACE_GSO_UDP_L4, 28, 4000, 20, 6},
	{"udp-size-1", 1, TRACE_GSO_UDP_L4, 28, 1, 20, 6},
	{"udp-size-0", 1, TRACE_GSO_UDP_L4, 28, 0, 20, 6},
	{"udp-no-csum", 0, TRACE_GSO_UDP_L4, 28, 1000, 0, 0},
	{"udp-tcp-offset", 1, TRACE_GSO_UDP_L4, 28, 1000, 20, 16},
	{"udp-other-start", 1, TRACE_GSO_UDP_L4, 28, 1000, 24, 6},
	{"udp-hdr-0", 1, TRACE_GSO_UDP_L4, 0, 1000, 20, 6},
	{"udp-hdr-1", 1, TRACE_GSO_UDP_L4, 1, 1000, 20, 6},
	{"udp-hdr-all", 1, TRACE_GSO_UDP_L4, 3028, 1000, 20, 6},
	{"udp-hdr-more", 1, TRACE_GSO_UDP_L4, 3500, 1000, 20, 6},
	{"udp-hdr-most", 1, TRACE_GSO_UDP_L4, 65535, 1000, 20, 6},
	{"ecn-udp", 1, TRACE_GSO_UDP_L4 | 0x80, 28, 1000, 20, 6},
	{"ufo", 1, VIRTIO_NET_HDR_GSO_UDP, 28, 1400, 20, 6},
	{"tcp4", 1, VIRTIO_NET_HDR_GSO_TCPV4, 40, 1000, 20, 16},
	{"tcp4-udp-offset", 1, VIRTIO_NET_HDR_GSO_TCPV4, 40, 1000, 20, 6},
	{"tcp6", 1, VIRTIO_NET_HDR_GSO_TCPV6, 60, 1000, 40, 16},
	{"type-2", 1, 2, 28, 1000, 20, 6},
	{"type-6", 1, 6, 28, 1000, 20, 6},
	{"type-7", 1, 7, 28, 1000, 20, 6},
	{"type-127", 1, 127, 28, 1000, 20, 6},
	{"ecn-alone", 1, 0x80, 28, 1000, 20, 6},
	{"none-size", 1, 0, 28, 1000, 20, 6},
	{"none-hdr-all", 0, 0, 3028, 0, 0, 0},
	{"none-hdr-more", 0, 0, 3500, 0, 0, 0},
	{"none-hdr-one", 0, 0, 1, 0, 0, 0},
	{"none-hdr-raised", 1, 0, 0, 0, 3020, 6},
	{"none-hdr-raised-far", 1, 0, 0, 0, 3026, 6},
};

/* The lengths of what is received until nothing more comes. */
static void say_received(const char *step, int sock)
{
	static uint8_t data[65536];
	struct pollfd p = {.fd = sock, .events = POLLIN};
	char text[128] = "";
	size_t at = 0;
	int count = 0;

	while (poll(&p, 1, 100) == 1) {
		long n = rc(recv(sock, data, sizeof(data), 0));

		count++;
		if (at < 40)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       " %ld", n);
	}
	say2(step, "received", "%d:%s%s", count, text, at < 40 ? "" : " ..");
}

static void try_row(struct gso_rig *g, const struct gso_row *row)
{
	struct virtio_net_hdr hdr = {
		.flags = row->flags,
		.gso_type = row->type,
		.gso_size = row->size,
		.csum_offset = row->offset,
	};
	size_t len = make_udp(g, 3000);
	long ret;

	if (row->hdr_len)
		hdr.hdr_len = (uint16_t)(row->hdr_len +
					 (row->hdr_len < 60000 ? g->eth : 0));
	if (row->flags)
		hdr.csum_start = (uint16_t)(row->start + g->eth);
	if (row->flags)
		put16(g->ip + 26, partial_sum4(g->ip, 3028));
	memcpy(buf, &hdr, sizeof(hdr));
	ret = rc(write(g->rig.fd, buf, len));
	say_rc(row->name, ret);
	if (ret > 0)
		say_received(row->name, g->rig.sock);
}

static void write_rows(int flags, bool up)
{
	struct rtnl_link_stats64 st;
	struct gso_rig g;
	size_t i;

	gso_up(&g, flags, 0);
	if (!up)
		if_down(g.rig.name);
	for (i = 0; i < sizeof(udp_rows) / sizeof(udp_rows[0]); i++)
		try_row(&g, &udp_rows[i]);
	if_stats64(g.rig.name, &st);
	say("counters", "%llu packets %llu dropped %llu frame errors",
	    st.rx_packets, st.rx_dropped, st.rx_frame_errors);
}

static void write_tun(void)
{
	write_rows(VNET, true);
}

static void write_tun_down(void)
{
	write_rows(VNET, false);
}

static void write_tap(void)
{
	write_rows(VNET_TAP, true);
}

/* As large as an IP packet can be; the largest number of pieces. */
static void write_large(void)
{
	struct virtio_net_hdr hdr = {
		.flags = 1,
		.gso_type = TRACE_GSO_UDP_L4,
		.hdr_len = 28,
		.gso_size = 1000,
		.csum_start = 20,
		.csum_offset = 6,
	};
	int room = 4000000;
	struct gso_rig g;
	size_t len;

	gso_up(&g, VNET, 0);
	setsockopt(g.rig.sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	len = make_udp(&g, 65000);
	put16(g.ip + 26, partial_sum4(g.ip, len - HDR));
	memcpy(buf, &hdr, sizeof(hdr));
	say_rc("write", rc(write(g.rig.fd, buf, len)));
	say_received("large", g.rig.sock);
}

/* ---- reading ------------------------------------------------------------ */

static void say_frame(struct gso_rig *g, const char *step, long n)
{
	struct virtio_net_hdr hdr;
	size_t len = (size_t)n - HDR - g->eth;

	if (n < (long)(HDR + g->eth)) {
		say_rc(step, n);
		return;
	}
	memcpy(&hdr, buf, sizeof(hdr));
	say(step, "%ld flags %u type %u hdr %u size %u csum %u+%u, %s, %s", n,
	    hdr.flags, hdr.gso_type, hdr.hdr_len, hdr.gso_size, hdr.csum_start,
	    hdr.csum_offset, get16(g->ip + 2) == len ? "whole" : "not whole",
	    !(hdr.flags & 1) ? check_ip(g->ip, len)
	    : get16(g->ip + hdr.csum_start - g->eth + hdr.csum_offset) ==
			    partial_sum4(g->ip, len)
		    ? "partial"
		    : "bad partial");
}

static void read_udp_of(int flags, unsigned long offloads, int segment)
{
	struct gso_rig g;
	char step[32];
	int i;

	gso_up(&g, flags, offloads);
	if (segment)
		setsockopt(g.rig.sock, IPPROTO_UDP, UDP_SEGMENT, &segment,
			   sizeof(segment));
	say_rc("send", host_send(g.rig.sock, segment ? 14000 : 1000));
	for (i = 0; i < 11; i++) {
		long n;

		wait_revents(g.rig.fd, 0x145);
		n = rc(read(g.rig.fd, buf, sizeof(buf)));
		snprintf(step, sizeof(step), "read-%d", i);
		say_frame(&g, step, n);
		if (n < 0)
			break;
	}
}

static void read_udp_none(void)
{
	read_udp_of(VNET, 0, 1400);
}

static void read_udp_csum(void)
{
	read_udp_of(VNET, CSUM, 1400);
}

static void read_udp_csum_plain(void)
{
	read_udp_of(VNET, CSUM, 0);
}

static void read_udp_csum_tap(void)
{
	read_udp_of(VNET_TAP, CSUM, 0);
}

static void read_udp_tso(void)
{
	read_udp_of(VNET, TSO4, 1400);
}

static void read_udp_uso(void)
{
	read_udp_of(VNET, USO, 1400);
}

static void read_udp_uso_tap(void)
{
	read_udp_of(VNET_TAP, USO, 1400);
}

static void read_udp_uneven(void)
{
	read_udp_of(VNET, ALL, 1300);
}

/* A fragment's checksum cannot be left to anybody. */
static void read_fragments(void)
{
	int no = IP_PMTUDISC_DONT;
	struct gso_rig g;
	long n;
	int i;

	gso_up(&g, VNET, ALL);
	setsockopt(g.rig.sock, IPPROTO_IP, IP_MTU_DISCOVER, &no, sizeof(no));
	say_rc("send", host_send(g.rig.sock, 3000));
	for (i = 0; i < 3; i++) {
		n = app_read(g.rig.fd, buf, sizeof(buf));
		say(i == 0   ? "first"
		    : i == 1 ? "second"
			     : "third",
		    "%ld flags %u type %u", n, buf[0], buf[1]);
	}
}

/* A short buffer for a large frame: the rest is lost. */
static void read_cut(void)
{
	struct gso_rig g;
	int segment = 1400;
	long n;

	gso_up(&g, VNET, USO);
	setsockopt(g.rig.sock, IPPROTO_UDP, UDP_SEGMENT, &segment,
		   sizeof(segment));
	host_send(g.rig.sock, 14000);
	wait_revents(g.rig.fd, 0x145);
	n = rc(read(g.rig.fd, buf, 2000));
	say("read", "%ld type %u size %u", n, buf[1],
	    (unsigned int)(buf[4] | buf[5] << 8));
	say_rc("then", rc(read(g.rig.fd, buf, 2000)));
}

/* Offloads without the header: the frames come as large and unfinished. */
static void read_no_header(void)
{
	struct rig rig;
	int segment = 1400;
	long n;

	rig_make(&rig, IFF_TUN | IFF_NO_PI, O_RDWR | O_NONBLOCK);
	say_rc("offload", rc(ioctl(rig.fd, TUNSETOFFLOAD, USO)));
	rig_up(&rig);
	host_send(rig.sock, 100);
	n = app_read(rig.fd, buf, sizeof(buf));
	say("plain", "%ld %s", n, n > 0 ? check_ip(buf, (size_t)n) : "");
	setsockopt(rig.sock, IPPROTO_UDP, UDP_SEGMENT, &segment,
		   sizeof(segment));
	host_send(rig.sock, 14000);
	n = app_read(rig.fd, buf, sizeof(buf));
	say("large", "%ld", n);
}

/* Changed while a frame waits: it is read as it is. */
static void read_changed(void)
{
	struct gso_rig g;
	int segment = 1400;

	gso_up(&g, VNET, USO);
	setsockopt(g.rig.sock, IPPROTO_UDP, UDP_SEGMENT, &segment,
		   sizeof(segment));
	host_send(g.rig.sock, 14000);
	wait_revents(g.rig.fd, 0x145);
	say_rc("clear", rc(ioctl(g.rig.fd, TUNSETOFFLOAD, 0ul)));
	say_frame(&g, "read", app_read(g.rig.fd, buf, sizeof(buf)));
	host_send(g.rig.sock, 2800);
	say_frame(&g, "next", app_read(g.rig.fd, buf, sizeof(buf)));
}

/* ---- TCP ---------------------------------------------------------------- */

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

	make_udp(&t->g, 0);
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
		memcpy(buf, hdr, sizeof(*hdr));
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
	n = rc(write(t->g.rig.fd, buf, make_tcp(t, TH_SYN, 0, NULL)));
	say_rc("syn", n);
	n = app_read(t->g.rig.fd, buf, sizeof(buf));
	if (n < (long)(HDR + t->g.eth + TCP_HDRS))
		give_up("syn-ack", n);
	say("syn-ack", "flags %u type %u %#x", buf[0], buf[1], t->g.ip[33]);
	t->seq++;
	t->ack = get32(t->g.ip + 24) + 1;
	n = rc(write(t->g.rig.fd, buf, make_tcp(t, TH_ACK, 0, NULL)));
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
	say_rc("write", rc(write(t.g.rig.fd, buf,
				 make_tcp(&t, TH_ACK | TH_PUSH, 14000, &hdr))));
	say_rc("receive", receive_all(t.sock, 14000));
	t.seq += 14000;
	hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	say_rc("ecn", rc(write(t.g.rig.fd, buf,
			       make_tcp(&t, TH_ACK | TH_PUSH, 14000, &hdr))));
	say_rc("ecn-receive", receive_all(t.sock, 14000));
	t.seq += 14000;
	hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	hdr.gso_size = 0;
	say_rc("size-0",
	       rc(write(t.g.rig.fd, buf,
			make_tcp(&t, TH_ACK | TH_PUSH, 14000, &hdr))));
	hdr.gso_size = 1400;
	hdr.flags = 0;
	say_rc("no-csum",
	       rc(write(t.g.rig.fd, buf,
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
		long n = app_read(t.g.rig.fd, buf, sizeof(buf));
		long payload = n - HDR - (long)t.g.eth - TCP_HDRS;

		if (n < 0) {
			say_rc("read", n);
			break;
		}
		/* Window updates and the like go by. */
		if (payload <= 0)
			continue;
		if (total == 0)
			memcpy(first, buf, HDR);
		if (buf[0] & 1)
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

const struct trace_case gso_cases[] = {
	{"gso-write-tun", write_tun},
	{"gso-write-tun-down", write_tun_down},
	{"gso-write-tap", write_tap},
	{"gso-write-large", write_large},
	{"gso-read-none", read_udp_none},
	{"gso-read-csum", read_udp_csum},
	{"gso-read-csum-plain", read_udp_csum_plain},
	{"gso-read-csum-tap", read_udp_csum_tap},
	{"gso-read-tso", read_udp_tso},
	{"gso-read-uso", read_udp_uso},
	{"gso-read-uso-tap", read_udp_uso_tap},
	{"gso-read-uneven", read_udp_uneven},
	{"gso-read-fragments", read_fragments},
	{"gso-read-cut", read_cut},
	{"gso-read-no-header", read_no_header},
	{"gso-read-changed", read_changed},
	{"gso-tcp-write", tcp_write},
	{"gso-tcp-write-tap", tcp_write_tap},
	{"gso-tcp-read", tcp_read_none},
	{"gso-tcp-read-csum", tcp_read_csum},
	{"gso-tcp-read-tso", tcp_read_tso},
	{"gso-tcp-read-tso-tap", tcp_read_tso_tap},
	{"gso-tcp-read-tso6", tcp_read_tso6},
	{NULL, NULL},
};
