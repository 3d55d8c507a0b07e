/* SPDX-License-Identifier: MIT */
/* Cases about the virtio-net header in front of a packet: its size, its place
 * and its byte order; what stands in it is the matter of other files. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VNET	 (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)
#define VNET_TAP (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
#define HDR	 10
#define HUGE	 100000

static uint8_t buf[HUGE + 2000];

struct vnet_rig {
	struct rig rig;
	size_t pi, eth;
};

static void vnet_up(struct vnet_rig *v, int flags, bool up)
{
	rig_make(&v->rig, flags, O_RDWR | O_NONBLOCK);
	/* Who may not have it is not refused, but told. */
	if (!(tun_flags(v->rig.fd) & IFF_VNET_HDR))
		give_up("not-offered", tun_flags(v->rig.fd));
	v->pi = flags & IFF_NO_PI ? 0 : 4;
	v->eth = flags & IFF_TAP ? 14 : 0;
	if (up)
		rig_up(&v->rig);
}

/* A packet behind SIZE bytes of a header; its whole length. */
static size_t make(struct vnet_rig *v, const struct virtio_net_hdr *hdr,
		   size_t size, size_t payload)
{
	uint8_t *p = buf + v->pi + size;

	memset(buf, 0, v->pi + size);
	if (v->pi)
		put16(buf + 2, 0x0800);
	memcpy(buf + v->pi, hdr, sizeof(*hdr));
	return v->pi + size +
	       (v->eth ? make_frame4(p, v->rig.mac, payload)
		       : make_udp4(p, payload));
}

static uint8_t *ip_of(struct vnet_rig *v, size_t size)
{
	return buf + v->pi + size + v->eth;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	while (len > 0 && p[len - 1] == 0)
		len--;
	return len == 0;
}

static void say_read(struct vnet_rig *v, const char *step, size_t size)
{
	struct virtio_net_hdr hdr;
	size_t at = v->pi + size + v->eth;
	long n;

	memset(buf, 0x77, sizeof(buf));
	n = app_read(v->rig.fd, buf, sizeof(buf));
	if (n < (long)at) {
		say_rc(step, n);
		return;
	}
	memcpy(&hdr, buf + v->pi, sizeof(hdr));
	say(step, "%ld flags %u type %u hdr %u size %u csum %u+%u, %s, %s", n,
	    hdr.flags, hdr.gso_type, hdr.hdr_len, hdr.gso_size, hdr.csum_start,
	    hdr.csum_offset,
	    all_zero(buf + v->pi + sizeof(hdr), size - sizeof(hdr))
		    ? "padded with 0"
		    : "padded with other",
	    check_ip(buf + at, (size_t)n - at));
}

static void plain(int flags)
{
	struct virtio_net_hdr hdr = {0};
	struct vnet_rig v;

	vnet_up(&v, flags, true);
	say("flags", "%#x", (unsigned int)tun_flags(v.rig.fd));
	say_rc("write", rc(write(v.rig.fd, buf, make(&v, &hdr, HDR, 30))));
	say_rc("received", host_recv(v.rig.sock));
	say_rc("rx-bytes", wait_stat(v.rig.name, RX_PACKETS, 1) == 1
				   ? if_stat(v.rig.name, RX_BYTES)
				   : -EPROTO);
	host_send(v.rig.sock, 100);
	say_read(&v, "read", HDR);
	say_rc("tx-packets", wait_stat(v.rig.name, TX_PACKETS, 1));
	say_rc("tx-bytes", if_stat(v.rig.name, TX_BYTES));
	host_send(v.rig.sock, 100);
	wait_revents(v.rig.fd, 0x145);
	say_rc("read-short", rc(read(v.rig.fd, buf, v.pi + HDR - 1)));
	say_rc("read-short-lost", rc(read(v.rig.fd, buf, 500)));
	host_send(v.rig.sock, 100);
	wait_revents(v.rig.fd, 0x145);
	say_rc("read-header", rc(read(v.rig.fd, buf, v.pi + HDR)));
	say_rc("read-header-lost", rc(read(v.rig.fd, buf, 500)));
	host_send(v.rig.sock, 100);
	wait_revents(v.rig.fd, 0x145);
	say_rc("read-cut", rc(read(v.rig.fd, buf, v.pi + HDR + 20)));
	host_send(v.rig.sock, 100);
	wait_revents(v.rig.fd, 0x145);
	say_rc("read-fault", rc(read(v.rig.fd, nowhere(), 500)));
	say_rc("read-fault-then", rc(read(v.rig.fd, buf, 500)));
}

static void plain_tun(void)
{
	plain(VNET);
}

static void plain_tap(void)
{
	plain(VNET_TAP);
}

static void plain_tun_pi(void)
{
	plain(IFF_TUN | IFF_VNET_HDR);
}

static void plain_tap_pi(void)
{
	plain(IFF_TAP | IFF_VNET_HDR);
}

/* What one write is checked for, in which order. */
static void lengths(int flags, bool up)
{
	static const size_t all[] = {0, 1, 4, 9, 10, 11, 13, 14, 23, 24, 25};
	static const uint16_t headers[] = {1,  13, 14, 15,   58,
					   59, 72, 73, 65535};
	struct rtnl_link_stats64 st;
	struct virtio_net_hdr hdr = {0};
	char step[32];
	struct vnet_rig v;
	size_t i;

	vnet_up(&v, flags, up);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		make(&v, &hdr, HDR, 30);
		snprintf(step, sizeof(step), "length-%zu", all[i]);
		say_rc(step, rc(write(v.rig.fd, buf, all[i])));
	}
	make(&v, &hdr, HDR, 30);
	ip_of(&v, HDR)[0] = 0x55;
	say_rc("version-5", rc(write(v.rig.fd, buf, HDR + 40)));
	say_rc("dropped", wait_stat(v.rig.name, RX_DROPPED, -1));
	/* A header that ends in the Ethernet header cannot be one. */
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t len;

		hdr.hdr_len = headers[i];
		len = make(&v, &hdr, HDR, 30);
		snprintf(step, sizeof(step), "header-%u", headers[i]);
		say_rc(step, rc(write(v.rig.fd, buf, len)));
	}
	if_stats64(v.rig.name, &st);
	say("counters", "%llu packets %llu dropped %llu frame errors",
	    st.rx_packets, st.rx_dropped, st.rx_frame_errors);
}

static void lengths_tun(void)
{
	lengths(VNET, true);
}

static void lengths_tun_down(void)
{
	lengths(VNET, false);
}

static void lengths_tap(void)
{
	lengths(VNET_TAP, true);
}

static void lengths_tap_down(void)
{
	lengths(VNET_TAP, false);
}

static void lengths_tun_pi(void)
{
	lengths(IFF_TUN | IFF_VNET_HDR, true);
}

static long set_size(int fd, int size)
{
	return rc(ioctl(fd, TUNSETVNETHDRSZ, &size));
}

static long get_size(int fd)
{
	int size = -1;
	long ret = rc(ioctl(fd, TUNGETVNETHDRSZ, &size));

	return ret < 0 ? ret : size;
}

/* The size is taken on a device without the header, too. */
static void sizes_of(int flags)
{
	static const int all[] = {-1, 0,  9,  10,    11,   12,
				  20, 24, 64, 65536, HUGE, 0x7fffffff};
	int fd = tun_new("size0", flags, O_RDWR);
	char step[32];
	size_t i;

	say_rc("default", get_size(fd));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(step, sizeof(step), "set-%d", all[i]);
		say_rc(step, set_size(fd, all[i]));
		snprintf(step, sizeof(step), "get-%d", all[i]);
		say_rc(step, get_size(fd));
	}
}

static void sizes_raw(void)
{
	sizes_of(IFF_TUN | IFF_NO_PI);
}

static void sizes_vnet(void)
{
	sizes_of(VNET);
}

/* Packets behind a header of each size. */
static void sized(int flags)
{
	static const int all[] = {10, 12, 20, 64, 1000, HUGE};
	struct virtio_net_hdr hdr = {0};
	struct vnet_rig v;
	char group[32];
	long ret;
	size_t i;

	vnet_up(&v, flags, true);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t size = (size_t)all[i];
		size_t len = make(&v, &hdr, size, 30);

		snprintf(group, sizeof(group), "%d", all[i]);
		ret = set_size(v.rig.fd, all[i]);
		say_rc2(group, "set", ret);
		/* What it was before has been seen. */
		if (ret < 0)
			continue;
		say_rc2(group, "short",
			rc(write(v.rig.fd, buf, v.pi + size - 1)));
		say_rc2(group, "bare", rc(write(v.rig.fd, buf, v.pi + size)));
		say_rc2(group, "write", rc(write(v.rig.fd, buf, len)));
		say_rc2(group, "received", host_recv(v.rig.sock));
		memset(buf + v.pi + sizeof(hdr), 0xff, size - sizeof(hdr));
		say_rc2(group, "junk", rc(write(v.rig.fd, buf, len)));
		say_rc2(group, "junk-received", host_recv(v.rig.sock));
		host_send(v.rig.sock, 40);
		snprintf(group, sizeof(group), "%d-read", all[i]);
		say_read(&v, group, size);
		host_send(v.rig.sock, 40);
		wait_revents(v.rig.fd, 0x145);
		say_rc2(group, "short",
			rc(read(v.rig.fd, buf, v.pi + size - 1)));
		say_rc2(group, "short-lost", rc(read(v.rig.fd, buf, HUGE)));
	}
}

static void sized_tun(void)
{
	sized(VNET);
}

static void sized_tap(void)
{
	sized(VNET_TAP);
}

/* The size that was set before a packet came holds when it is read. */
static void size_between(void)
{
	struct vnet_rig v;

	vnet_up(&v, VNET, true);
	host_send(v.rig.sock, 40);
	wait_revents(v.rig.fd, 0x145);
	say_rc("set", set_size(v.rig.fd, 12));
	say_read(&v, "read", 12);
}

static void endian(int flags)
{
	static const int all[] = {0, 1, 2, -1};
	int value = 7;
	int fd = tun_new("end0", flags, O_RDWR);
	char step[32];
	size_t i;

	say_rc("get", rc(ioctl(fd, TUNGETVNETLE, &value)));
	say("value", "%d", value);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		value = all[i];
		snprintf(step, sizeof(step), "le-%d", value);
		say_rc(step, rc(ioctl(fd, TUNSETVNETLE, &value)));
		value = 7;
		ioctl(fd, TUNGETVNETLE, &value);
		say2(step, "get", "%d", value);
		value = all[i];
		snprintf(step, sizeof(step), "be-%d", value);
		say_rc(step, rc(ioctl(fd, TUNSETVNETBE, &value)));
	}
	say_rc("be-get", rc(ioctl(fd, TUNGETVNETBE, &value)));
	say_rc("le-null", rc(ioctl(fd, TUNSETVNETLE, NULL)));
	say_rc("le-get-null", rc(ioctl(fd, TUNGETVNETLE, NULL)));
	say_rc("be-null", rc(ioctl(fd, TUNSETVNETBE, NULL)));
}

static void endian_raw(void)
{
	endian(IFF_TUN | IFF_NO_PI);
}

static void endian_vnet(void)
{
	endian(VNET);
}

const struct trace_case vnet_cases[] = {
	{"vnet-plain-tun", plain_tun},
	{"vnet-plain-tap", plain_tap},
	{"vnet-plain-tun-pi", plain_tun_pi},
	{"vnet-plain-tap-pi", plain_tap_pi},
	{"vnet-lengths-tun", lengths_tun},
	{"vnet-lengths-tun-down", lengths_tun_down},
	{"vnet-lengths-tap", lengths_tap},
	{"vnet-lengths-tap-down", lengths_tap_down},
	{"vnet-lengths-tun-pi", lengths_tun_pi},
	{"vnet-sizes-raw", sizes_raw},
	{"vnet-sizes", sizes_vnet},
	{"vnet-sized-tun", sized_tun},
	{"vnet-sized-tap", sized_tap},
	{"vnet-size-between", size_between},
	{"vnet-endian-raw", endian_raw},
	{"vnet-endian", endian_vnet},
	{NULL, NULL},
};
