/* SPDX-License-Identifier: MIT */
/* Cases about IFF_NAPI and IFF_NAPI_FRAGS: kept, reported, and what they
 * change about a write. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAPI_TUN (IFF_TUN | IFF_NO_PI | IFF_NAPI)
#define NAPI_TAP (IFF_TAP | IFF_NO_PI | IFF_NAPI)
#define FRAGS	 (NAPI_TAP | IFF_NAPI_FRAGS)

static uint8_t buf[20000];

static void converse(int flags)
{
	size_t eth = flags & IFF_TAP ? 14 : 0;
	struct rig rig;
	size_t len;
	int i, good = 0;

	rig_make(&rig, flags, O_RDWR | O_NONBLOCK);
	say_tun_flags("flags", rig.fd);
	say_rc("down", rc(write(rig.fd, buf, 60)));
	rig_up(&rig);
	len = eth ? make_frame4(buf, rig.mac, 30) : make_udp4(buf, 30);
	say_rc("write", rc(write(rig.fd, buf, len)));
	say_rc("received", host_recv(rig.sock));
	host_send(rig.sock, 40);
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	for (i = 0; i < 100; i++) {
		len = eth ? make_frame4(buf, rig.mac, 30) : make_udp4(buf, 30);
		good += write(rig.fd, buf, len) == (ssize_t)len &&
			host_recv(rig.sock) == 30;
	}
	say("many", "%d of 100", good);
	say_rc("short", rc(write(rig.fd, buf, 0)));
	say_rc("rx-packets", wait_stat(rig.name, RX_PACKETS, 101));
}

static void tun(void)
{
	converse(NAPI_TUN);
}

static void tap(void)
{
	converse(NAPI_TAP);
}

static void frags(void)
{
	converse(FRAGS);
}

/* Segment by segment a fragment of its own. */
static void frags_vectors(void)
{
	static const size_t counts[] = {1, 2, 16, 17, 18, 19, 30};
	struct iovec iov[32];
	struct rig rig;
	char step[32];
	size_t i, k;

	rig_new(&rig, FRAGS, O_RDWR | O_NONBLOCK);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		size_t n = counts[i];
		size_t len = make_frame4(buf, rig.mac, 600);
		long ret;

		iov[0] = (struct iovec){buf, 300};
		for (k = 1; k < n; k++)
			iov[k] = (struct iovec){buf + 299 + k, 1};
		iov[n - 1].iov_len =
			len - (size_t)((uint8_t *)iov[n - 1].iov_base - buf);
		ret = rc(writev(rig.fd, iov, (int)n));
		snprintf(step, sizeof(step), "vectors-%zu", n);
		say_rc(step, ret);
		if (ret > 0)
			say_rc2(step, "received", host_recv(rig.sock));
	}
}

/* Asked for again, it is what the last one asked for. */
static void changed(void)
{
	int fd = tun_new("napi0", NAPI_TAP, O_RDWR);
	long ret = rc(ioctl(fd, TUNSETPERSIST, 1UL));

	say_rc("persist", ret);
	if (ret < 0)
		give_up("persist", ret);
	close(fd);
	fd = tun_new("napi0", IFF_TAP | IFF_NO_PI, O_RDWR);
	say_tun_flags("without", fd);
	close(fd);
	fd = tun_new("napi0", FRAGS, O_RDWR);
	say_tun_flags("frags", fd);
	close(fd);
	fd = tun_open(O_RDWR);
	say_rc("frags-alone",
	       tun_attach(fd, "napi0", IFF_TAP | IFF_NAPI_FRAGS, NULL));
	say_rc("plain", tun_attach(fd, "napi0", NAPI_TAP, NULL));
	say_tun_flags("plain-flags", fd);
	ioctl(fd, TUNSETPERSIST, 0UL);
}

/* A detached queue has no NAPI to hand its packet to. */
static void detached(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	struct rig rig;
	int other;

	rig_new(&rig, NAPI_TUN | IFF_MULTI_QUEUE, O_RDWR | O_NONBLOCK);
	other = tun_new(rig.name, NAPI_TUN | IFF_MULTI_QUEUE,
			O_RDWR | O_NONBLOCK);
	say_tun_flags("flags", other);
	say_rc("detach", rc(ioctl(other, TUNSETQUEUE, &ifr)));
	say_tun_flags("detached", other);
	say_rc("write", rc(write(other, buf, make_udp4(buf, 10))));
	say_rc("write-first", rc(write(rig.fd, buf, make_udp4(buf, 11))));
	say_rc("received", host_recv(rig.sock));
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	say_rc("attach", rc(ioctl(other, TUNSETQUEUE, &ifr)));
	say_rc("write-attached", rc(write(other, buf, make_udp4(buf, 12))));
	say_rc("received-attached", host_recv(rig.sock));
}

const struct trace_case napi_cases[] = {
	{"napi-tun", tun},
	{"napi-tap", tap},
	{"napi-frags", frags},
	{"napi-frags-vectors", frags_vectors},
	{"napi-changed", changed},
	{"napi-detached", detached},
	{NULL, NULL},
};
