/* SPDX-License-Identifier: MIT */
/* Cases about how much of a packet one read gives and what becomes of the
 * rest, and about gathering and scattering; not about waiting. */
#include "tun-trace.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

static void again(struct rig *rig, const char *step)
{
	fcntl(rig->fd, F_SETFL, O_NONBLOCK);
	say_rc(step, rc(read(rig->fd, buf, 100)));
	fcntl(rig->fd, F_SETFL, 0);
}

/* PI of what was read: flags in host order, protocol as it stands there. */
static void say_pi(const char *step)
{
	struct tun_pi pi;

	memcpy(&pi, buf, sizeof(pi));
	say(step, "flags %u proto %02x%02x", pi.flags, buf[2], buf[3]);
}

static void read_raw(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	host_send(rig.sock, 100);
	say_rc("zero", app_read(rig.fd, buf, 0));
	say_rc("whole", app_read(rig.fd, buf, sizeof(buf)));
	say("whole-is", "%s", check_ip(buf, 128));
	host_send(rig.sock, 100);
	memset(buf, 0x77, sizeof(buf));
	say_rc("short", app_read(rig.fd, buf, 20));
	say("short-is", "%#x behind %#x", buf[0], buf[20]);
	again(&rig, "rest-lost");
	host_send(rig.sock, 100);
	say_rc("one", app_read(rig.fd, buf, 1));
	host_send(rig.sock, 100);
	say_rc("exact", app_read(rig.fd, buf, 128));
	host_send(rig.sock, 0);
	say_rc("no-payload", app_read(rig.fd, buf, 128));
	again(&rig, "empty");
}

static void read_pi(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TUN, O_RDWR);
	host_send(rig.sock, 100);
	say_rc("whole", app_read(rig.fd, buf, sizeof(buf)));
	say_pi("whole-pi");
	say("whole-is", "%s", check_ip(buf + 4, 128));
	host_send(rig.sock, 100);
	say_rc("exact", app_read(rig.fd, buf, 132));
	say_pi("exact-pi");
	host_send(rig.sock, 100);
	say_rc("one-less", app_read(rig.fd, buf, 131));
	say_pi("one-less-pi");
	host_send(rig.sock, 100);
	say_rc("short", app_read(rig.fd, buf, 24));
	say_pi("short-pi");
	again(&rig, "rest-lost");
	host_send(rig.sock, 100);
	say_rc("four", app_read(rig.fd, buf, 4));
	say_pi("four-pi");
	again(&rig, "four-lost");
	host_send(rig.sock, 100);
	say_rc("three", app_read(rig.fd, buf, 3));
	again(&rig, "three-lost");
	host_send(rig.sock, 100);
	say_rc("zero", app_read(rig.fd, buf, 0));
	say_rc("zero-kept", app_read(rig.fd, buf, 500));
}

static void read_tap(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TAP | IFF_NO_PI, O_RDWR);
	host_send(rig.sock, 100);
	say_rc("whole", app_read(rig.fd, buf, sizeof(buf)));
	say("type", "%02x%02x", buf[12], buf[13]);
	say("from", "%s", memcmp(buf + 6, rig.mac, 6) ? "other" : "own MAC");
	say("to", "%s", memcmp(buf, "\2\0\0\0\0\2", 6) ? "other" : "neighbour");
	say("whole-is", "%s", check_ip(buf + 14, 128));
	host_send(rig.sock, 100);
	say_rc("short", app_read(rig.fd, buf, 13));
	again(&rig, "rest-lost");
}

static void read_tap_pi(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TAP, O_RDWR);
	host_send(rig.sock, 100);
	say_rc("whole", app_read(rig.fd, buf, sizeof(buf)));
	say_pi("whole-pi");
	say("type", "%02x%02x", buf[16], buf[17]);
	host_send(rig.sock, 100);
	say_rc("short", app_read(rig.fd, buf, 10));
	say_pi("short-pi");
}

static void read_fault(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	host_send(rig.sock, 100);
	say_rc("raw", app_read(rig.fd, nowhere(), 200));
	again(&rig, "raw-then");
}

static void read_fault_pi(void)
{
	struct rig rig;

	rig_new(&rig, IFF_TUN, O_RDWR);
	host_send(rig.sock, 100);
	say_rc("pi", app_read(rig.fd, nowhere(), 200));
	again(&rig, "pi-then");
}

static void vectors(void)
{
	struct iovec iov[4];
	uint8_t head[3], mid[25], tail[300];
	struct rig rig;
	size_t len;

	rig_new(&rig, RAW, O_RDWR);
	len = make_udp4(buf, 72);
	iov[0] = (struct iovec){buf, 1};
	iov[1] = (struct iovec){buf + 1, 0};
	iov[2] = (struct iovec){buf + 1, 30};
	iov[3] = (struct iovec){buf + 31, len - 31};
	say_rc("writev", rc(writev(rig.fd, iov, 4)));
	say_rc("received", host_recv(rig.sock));
	host_send(rig.sock, 100);
	wait_revents(rig.fd, 0x145);
	iov[0] = (struct iovec){head, sizeof(head)};
	iov[1] = (struct iovec){mid, sizeof(mid)};
	iov[2] = (struct iovec){tail, sizeof(tail)};
	say_rc("readv", rc(readv(rig.fd, iov, 3)));
	say("scattered", "%#x %u %u", head[0], tail[0], tail[99]);
	host_send(rig.sock, 100);
	wait_revents(rig.fd, 0x145);
	say_rc("readv-short", rc(readv(rig.fd, iov, 2)));
	again(&rig, "readv-lost");
}

/* More segments than FUSE puts into one request. */
static void many_vectors(void)
{
	static struct iovec iov[300];
	struct rig rig;
	size_t i;

	rig_new(&rig, RAW, O_RDWR);
	make_udp4(buf, 300 - UDP4_HDR);
	for (i = 0; i < 300; i++)
		iov[i] = (struct iovec){buf + i, 1};
	say_rc("writev-300", rc(writev(rig.fd, iov, 300)));
	say_rc("next", rc(write(rig.fd, buf, make_udp4(buf, 1))));
	say_rc("received", host_recv(rig.sock));
}

static void nonblock(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("by-open", rc(read(rig.fd, buf, 100)));
	host_send(rig.sock, 10);
	say_rc("packet", app_read(rig.fd, buf, 100));
	say_rc("empty", rc(read(rig.fd, buf, 100)));
	say_rc("clear", rc(fcntl(rig.fd, F_SETFL, 0)));
	host_send(rig.sock, 11);
	say_rc("blocking", rc(read(rig.fd, buf, 100)));
	say_rc("set", rc(fcntl(rig.fd, F_SETFL, O_NONBLOCK)));
	say_rc("by-fcntl", rc(read(rig.fd, buf, 100)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("getfl", rc(fcntl(rig.fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE)));
}

const struct trace_case read_cases[] = {
	{"io-read-raw", read_raw},
	{"io-read-pi", read_pi},
	{"io-read-tap", read_tap},
	{"io-read-tap-pi", read_tap_pi},
	{"io-read-fault", read_fault},
	{"io-read-fault-pi", read_fault_pi},
	{"io-vectors", vectors},
	{"io-many-vectors", many_vectors},
	{"io-nonblock", nonblock},
	{NULL, NULL},
	{NULL, NULL},
};
