/* SPDX-License-Identifier: MIT */
/* Cases about the checksum that a virtio-net header leaves to the host, and
 * about the checksums that the host then believes. */
#include "trace-vnet.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A datagram behind this header; its whole length. */
static size_t make(struct gso_rig *v, const struct virtio_net_hdr *hdr)
{
	size_t len = gso_make_udp(v, 30);

	memcpy(gso_buf, hdr, sizeof(*hdr));
	return len;
}

/* On this machine both orders are the same; packets do not change. */
static void endian_packets(void)
{
	struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .csum_start = 20,
				     .csum_offset = 6};
	int one = 1;
	struct gso_rig v;
	size_t len;

	gso_up(&v, VNET, 0);
	say_rc("le", rc(ioctl(v.rig.fd, TUNSETVNETLE, &one)));
	len = make(&v, &hdr);
	put16(v.ip + 26, partial_sum4(v.ip, len - HDR));
	say_rc("write", rc(write(v.rig.fd, gso_buf, len)));
	say_rc("received", host_recv(v.rig.sock));
}

static long received_soon(int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};

	if (poll(&p, 1, 400) != 1)
		return -ENOMSG;
	return host_recv(sock);
}

enum sum_kind { SUM_RIGHT, SUM_PARTIAL, SUM_WRONG, SUM_NONE };

struct sum_row {
	const char *name;
	enum sum_kind sum;
	uint8_t flags;
	uint16_t start, offset; /* from the IP header */
};

static const struct sum_row sums[] = {
	{"right", SUM_RIGHT, 0, 0, 0},
	{"wrong", SUM_WRONG, 0, 0, 0},
	{"none", SUM_NONE, 0, 0, 0},
	{"partial", SUM_PARTIAL, 0, 0, 0},
	{"needs-partial", SUM_PARTIAL, 1, 20, 6},
	{"needs-right", SUM_RIGHT, 1, 20, 6},
	{"needs-wrong", SUM_WRONG, 1, 20, 6},
	{"needs-none", SUM_NONE, 1, 20, 6},
	{"needs-elsewhere", SUM_RIGHT, 1, 30, 6},
	{"needs-elsewhere-wrong", SUM_WRONG, 1, 30, 6},
	{"needs-zero", SUM_RIGHT, 1, 0, 0},
	{"needs-ip-header", SUM_RIGHT, 1, 0, 10},
	{"needs-last", SUM_RIGHT, 1, 56, 0},
	{"needs-beyond", SUM_RIGHT, 1, 57, 0},
	{"needs-offset-beyond", SUM_RIGHT, 1, 20, 37},
	{"needs-far", SUM_RIGHT, 1, 1000, 6},
	{"needs-overflow", SUM_RIGHT, 1, 65535, 65535},
	{"valid-right", SUM_RIGHT, 2, 0, 0},
	{"valid-wrong", SUM_WRONG, 2, 0, 0},
	{"both-wrong", SUM_WRONG, 3, 20, 6},
	{"rsc-right", SUM_RIGHT, 4, 0, 0},
	{"unknown-flag", SUM_RIGHT, 0x80, 0, 0},
	{"unknown-flag-wrong", SUM_WRONG, 0x80, 0, 0},
	{"start-without-flag", SUM_RIGHT, 0, 5000, 6},
};

static void try_sum(struct gso_rig *v, const struct sum_row *row)
{
	struct virtio_net_hdr hdr = {.flags = row->flags,
				     .csum_offset = row->offset};
	size_t len;
	uint8_t *ip;
	long ret;

	if (row->start || row->offset)
		hdr.csum_start = (uint16_t)(row->start + v->eth);
	len = make(v, &hdr);
	ip = v->ip;
	if (row->sum == SUM_PARTIAL)
		put16(ip + 26, partial_sum4(ip, 58));
	else if (row->sum == SUM_WRONG)
		put16(ip + 26, get16(ip + 26) ^ 0x1234);
	else if (row->sum == SUM_NONE)
		put16(ip + 26, 0);
	ret = rc(write(v->rig.fd, gso_buf, len));
	say_rc(row->name, ret);
	if (ret > 0)
		say_rc2(row->name, "received", received_soon(v->rig.sock));
}

static void checksums(int flags)
{
	struct rtnl_link_stats64 st;
	struct gso_rig v;
	size_t i;

	gso_up(&v, flags, 0);
	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		try_sum(&v, &sums[i]);
	if_stats64(v.rig.name, &st);
	say("counters", "%llu packets %llu dropped %llu frame errors",
	    st.rx_packets, st.rx_dropped, st.rx_frame_errors);
}

static void checksums_tun(void)
{
	checksums(VNET);
}

static void checksums_tap(void)
{
	checksums(VNET_TAP);
}

/* What the host forwards it finishes. */
static void forwarded(void)
{
	struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .csum_start = 20,
				     .csum_offset = 6};
	struct gso_rig v;
	uint8_t *ip;
	size_t len;
	long n;
	int out;

	gso_up(&v, VNET, 0);
	put_file("/proc/sys/net/ipv4/ip_forward", "1");
	out = tun_new("out0", IFF_TUN | IFF_NO_PI, O_RDWR | O_NONBLOCK);
	if_address("out0", "10.8.0.1");
	if_up("out0");
	len = make(&v, &hdr);
	ip = v.ip;
	inet_pton(AF_INET, "10.8.0.2", ip + 16);
	finish4(ip, len - HDR);
	put16(ip + 26, partial_sum4(ip, len - HDR));
	say_rc("write", rc(write(v.rig.fd, gso_buf, len)));
	n = app_read(out, gso_buf, sizeof(gso_buf));
	say("read", "%ld %s", n, n > 0 ? check_ip(gso_buf, (size_t)n) : "");
	len = make(&v, &hdr);
	inet_pton(AF_INET, "10.8.0.2", ip + 16);
	finish4(ip, len - HDR);
	put16(ip + 26, 0);
	say_rc("wrong", rc(write(v.rig.fd, gso_buf, len)));
	n = app_read(out, gso_buf, sizeof(gso_buf));
	say("wrong-read", "%ld %s", n,
	    n > 0 ? check_ip(gso_buf, (size_t)n) : "");
}

const struct trace_case csum_cases[] = {
	{"vnet-endian-packets", endian_packets},
	{"vnet-sums-tun", checksums_tun},
	{"vnet-sums-tap", checksums_tap},
	{"vnet-forwarded", forwarded},
	{NULL, NULL},
};
