/* SPDX-License-Identifier: MIT */
/* Cases about writing a packet that its virtio-net header says is to be cut:
 * what of such a header is believed; TCP has a file of its own. */
#include "trace-vnet.h"

#include <linux/if_link.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

	/* They come together. */
	while (poll(&p, 1, count ? 200 : 400) == 1) {
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
	size_t len = gso_make_udp(g, 3000);
	long ret;

	if (row->hdr_len)
		hdr.hdr_len = (uint16_t)(row->hdr_len +
					 (row->hdr_len < 60000 ? g->eth : 0));
	if (row->flags)
		hdr.csum_start = (uint16_t)(row->start + g->eth);
	if (row->flags)
		put16(g->ip + 26, partial_sum4(g->ip, 3028));
	memcpy(gso_buf, &hdr, sizeof(hdr));
	ret = rc(write(g->rig.fd, gso_buf, len));
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
	len = gso_make_udp(&g, 65000);
	put16(g.ip + 26, partial_sum4(g.ip, len - HDR));
	memcpy(gso_buf, &hdr, sizeof(hdr));
	say_rc("write", rc(write(g.rig.fd, gso_buf, len)));
	say_received("large", g.rig.sock);
}

const struct trace_case gso_write_cases[] = {
	{"gso-write-tun", write_tun},
	{"gso-write-tun-down", write_tun_down},
	{"gso-write-tap", write_tap},
	{"gso-write-large", write_large},
	{NULL, NULL},
};
