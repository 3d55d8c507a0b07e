/* SPDX-License-Identifier: MIT */
/* Cases about what one write is checked for, in which order, and how large it
 * may be; whole conversations are in case-packet.c. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[PACKET_MAX];

/* A write of LEN bytes that begin with FIRST. */
static void put(int fd, const char *step, unsigned int first, size_t len)
{
	uint8_t data[128] = {0};

	data[0] = (uint8_t)first;
	say_rc(step, rc(write(fd, data, len)));
}

static void unattached(void)
{
	struct iovec iov = {buf, 40};
	int fd = tun_open(O_RDWR);

	say_rc("read", rc(read(fd, buf, 40)));
	say_rc("read-zero", rc(read(fd, buf, 0)));
	say_rc("read-fault", rc(read(fd, nowhere(), 40)));
	say_rc("readv", rc(readv(fd, &iov, 1)));
	say_rc("readv-none", rc(readv(fd, &iov, 0)));
	say_rc("write", rc(write(fd, buf, 40)));
	say_rc("write-one", rc(write(fd, buf, 1)));
	say_rc("write-zero", rc(write(fd, buf, 0)));
	say_rc("write-fault", rc(write(fd, nowhere(), 40)));
	say_rc("writev", rc(writev(fd, &iov, 1)));
	say_rc("writev-none", rc(writev(fd, &iov, 0)));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	say_rc("read-nonblock", rc(read(fd, buf, 40)));
}

static void put_tun(int fd)
{
	uint8_t data[64];

	put(fd, "zero", 0x45, 0);
	put(fd, "one-45", 0x45, 1);
	put(fd, "one-60", 0x60, 1);
	put(fd, "one-40", 0x40, 1);
	put(fd, "one-50", 0x50, 1);
	put(fd, "one-00", 0x00, 1);
	put(fd, "three", 0x45, 3);
	put(fd, "version-5", 0x55, 40);
	put(fd, "version-0", 0x05, 40);
	put(fd, "version-15", 0xf5, 40);
	put(fd, "garbage-4", 0x45, 40);
	put(fd, "garbage-6", 0x60, 60);
	say_rc("good", rc(write(fd, data, make_udp4(data, 16))));
}

static void put_tun_pi(int fd)
{
	struct iovec iov[2];
	uint8_t data[128] = {0};

	put(fd, "zero", 0, 0);
	put(fd, "one", 0, 1);
	put(fd, "three", 0, 3);
	put(fd, "four", 0, 4);
	put(fd, "five", 0, 5);
	put(fd, "proto-zero", 0, 40);
	put(fd, "flags-set", 0xff, 40);
	data[2] = 0x86;
	data[3] = 0xdd;
	say_rc("proto-mismatch", rc(write(fd, data, make_udp4(data + 4, 16))));
	data[2] = 0x08;
	data[3] = 0x06;
	say_rc("proto-arp", rc(write(fd, data, 32)));
	data[2] = 0x08;
	data[3] = 0x00;
	memset(data + 4, 0xff, 40);
	say_rc("version-15", rc(write(fd, data, 44)));
	iov[0].iov_base = data;
	iov[0].iov_len = 4;
	iov[1].iov_base = data + 4;
	iov[1].iov_len = make_udp4(data + 4, 16);
	say_rc("good", rc(writev(fd, iov, 2)));
}

static void put_tap(int fd, size_t pi)
{
	uint8_t data[128] = {0};

	put(fd, "zero", 0, 0);
	put(fd, "three", 0, 3);
	put(fd, "four", 0, 4);
	put(fd, "short", 0, pi + 13);
	put(fd, "header", 0, pi + 14);
	put(fd, "one-more", 0, pi + 15);
	put(fd, "garbage", 0xff, pi + 60);
	say_rc("good", rc(write(fd, data, pi + 60)));
}

static void down_raw(void)
{
	put_tun(tun_new("io0", RAW, O_RDWR));
}

static void down_pi(void)
{
	put_tun_pi(tun_new("io0", IFF_TUN, O_RDWR));
}

static void down_tap(void)
{
	put_tap(tun_new("io0", IFF_TAP | IFF_NO_PI, O_RDWR), 0);
}

static void down_tap_pi(void)
{
	put_tap(tun_new("io0", IFF_TAP, O_RDWR), 4);
}

static void down_read(void)
{
	int fd = tun_new("io0", RAW, O_RDWR | O_NONBLOCK);

	say_rc("read", rc(read(fd, buf, 100)));
	say_rc("read-zero", rc(read(fd, buf, 0)));
	say_rc("read-fault", rc(read(fd, nowhere(), 100)));
}

static void up_raw(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	put_tun(rig.fd);
	say_rc("received", host_recv(rig.sock));
}

static void up_pi(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TUN, O_RDWR);
	put_tun_pi(rig.fd);
	say_rc("received", host_recv(rig.sock));
}

static void up_tap(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TAP | IFF_NO_PI, O_RDWR);
	put_tap(rig.fd, 0);
}

static void up_tap_pi(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TAP, O_RDWR);
	put_tap(rig.fd, 4);
}

static void write_fault(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	say_rc("unmapped", rc(write(rig.fd, nowhere(), 40)));
	say_rc("kernel", rc(write(rig.fd, (void *)-4096L, 40)));
	say_rc("good", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("received", host_recv(rig.sock));
}

/* The interface's own MTU, then a raised one; a TAP has its header besides. */
static void write_mtu_of(int flags, size_t header)
{
	static const size_t sizes[] = {1500, 1501, 1504, 1505, 4300, 30000};
	char step[32];
	struct rig rig;
	size_t i;

	rig_new(&rig, flags, O_RDWR);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t len =
			header ? make_frame4(buf, rig.mac, sizes[i] - UDP4_HDR)
			       : make_udp4(buf, sizes[i] - UDP4_HDR);
		long ret = rc(write(rig.fd, buf, len));

		snprintf(step, sizeof(step), "write-%zu", sizes[i]);
		say_rc(step, ret);
		snprintf(step, sizeof(step), "receive-%zu", sizes[i]);
		say_rc(step, ret < 0 ? ret : host_recv(rig.sock));
	}
	say_rc("set-mtu", if_set_mtu(rig.name, 9000));
	make_udp4(buf, 9000 - UDP4_HDR);
	if (header)
		make_frame4(buf, rig.mac, 9000 - UDP4_HDR);
	say_rc("write-9000", rc(write(rig.fd, buf, 9000 + header)));
	say_rc("receive-9000", host_recv(rig.sock));
}

static void write_mtu(void)
{
	write_mtu_of(RAW, 0);
}

static void write_mtu_tap(void)
{
	write_mtu_of(IFF_TAP | IFF_NO_PI, 14);
}

static void write_huge(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	say_rc("set-mtu", if_set_mtu(rig.name, 65535));
	say_rc("65535", rc(write(rig.fd, buf, make_udp4(buf, 65507))));
	say_rc("received", host_recv(rig.sock));
}

const struct trace_case io_cases[] = {
	{"io-unattached", unattached},
	{"io-down-raw", down_raw},
	{"io-down-pi", down_pi},
	{"io-down-tap", down_tap},
	{"io-down-tap-pi", down_tap_pi},
	{"io-down-read", down_read},
	{"io-up-raw", up_raw},
	{"io-up-pi", up_pi},
	{"io-up-tap", up_tap},
	{"io-up-tap-pi", up_tap_pi},
	{"io-write-fault", write_fault},
	{"io-mtu", write_mtu},
	{"io-mtu-tap", write_mtu_tap},
	{"io-huge", write_huge},
	{NULL, NULL},
};
