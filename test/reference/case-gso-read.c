/* SPDX-License-Identifier: MIT */
/* Cases about reading what the host leaves uncut or without its checksum,
 * because TUNSETOFFLOAD allowed it; TCP has a file of its own. */
#include "trace-vnet.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void say_frame(struct gso_rig *g, const char *step, long n)
{
	struct virtio_net_hdr hdr;
	size_t len = (size_t)n - HDR - g->eth;

	if (n < (long)(HDR + g->eth)) {
		say_rc(step, n);
		return;
	}
	memcpy(&hdr, gso_buf, sizeof(hdr));
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
		n = rc(read(g.rig.fd, gso_buf, sizeof(gso_buf)));
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
		n = app_read(g.rig.fd, gso_buf, sizeof(gso_buf));
		say(i == 0   ? "first"
		    : i == 1 ? "second"
			     : "third",
		    "%ld flags %u type %u", n, gso_buf[0], gso_buf[1]);
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
	n = rc(read(g.rig.fd, gso_buf, 2000));
	say("read", "%ld type %u size %u", n, gso_buf[1],
	    (unsigned int)(gso_buf[4] | gso_buf[5] << 8));
	say_rc("then", rc(read(g.rig.fd, gso_buf, 2000)));
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
	n = app_read(rig.fd, gso_buf, sizeof(gso_buf));
	say("plain", "%ld %s", n, n > 0 ? check_ip(gso_buf, (size_t)n) : "");
	setsockopt(rig.sock, IPPROTO_UDP, UDP_SEGMENT, &segment,
		   sizeof(segment));
	host_send(rig.sock, 14000);
	n = app_read(rig.fd, gso_buf, sizeof(gso_buf));
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
	say_frame(&g, "read", app_read(g.rig.fd, gso_buf, sizeof(gso_buf)));
	host_send(g.rig.sock, 2800);
	say_frame(&g, "next", app_read(g.rig.fd, gso_buf, sizeof(gso_buf)));
}

const struct trace_case gso_read_cases[] = {
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
	{NULL, NULL},
};
