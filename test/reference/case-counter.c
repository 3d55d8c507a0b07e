/* SPDX-License-Identifier: MIT */
/* Cases about the interface's counters: which of them each event moves, by
 * rtnetlink and one event at a time. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[70000];

struct counted {
	struct rig rig;
	size_t pi, eth;
	struct rtnl_link_stats64 last;
};

static void count_up(struct counted *c, int flags)
{
	rig_new(&c->rig, flags, O_RDWR | O_NONBLOCK);
	c->pi = flags & IFF_NO_PI ? 0 : 4;
	c->eth = flags & IFF_TAP ? 14 : 0;
	if_stats64(c->rig.name, &c->last);
}

static size_t make(struct counted *c, size_t payload)
{
	memset(buf, 0, c->pi);
	if (c->pi)
		buf[2] = 0x08;
	return c->pi + (c->eth ? make_frame4(buf + c->pi, c->rig.mac, payload)
			       : make_udp4(buf + c->pi, payload));
}

static bool differs(void *arg)
{
	struct counted *c = arg;
	struct rtnl_link_stats64 now;

	if_stats64(c->rig.name, &now);
	return now.rx_packets != c->last.rx_packets ||
	       now.rx_dropped != c->last.rx_dropped ||
	       now.rx_frame_errors != c->last.rx_frame_errors ||
	       now.rx_errors != c->last.rx_errors ||
	       now.tx_packets != c->last.tx_packets ||
	       now.tx_dropped != c->last.tx_dropped ||
	       now.tx_errors != c->last.tx_errors;
}

/* What has been added to each counter since the last time. */
static void say_moved(struct counted *c, const char *step)
{
	struct rtnl_link_stats64 now;

	wait_until(differs, c, 400);
	if_stats64(c->rig.name, &now);
	say2(step, "moves",
	     "rx %llu/%llu dropped %llu errors %llu frame %llu, "
	     "tx %llu/%llu dropped %llu errors %llu, multicast %llu",
	     now.rx_packets - c->last.rx_packets,
	     now.rx_bytes - c->last.rx_bytes,
	     now.rx_dropped - c->last.rx_dropped,
	     now.rx_errors - c->last.rx_errors,
	     now.rx_frame_errors - c->last.rx_frame_errors,
	     now.tx_packets - c->last.tx_packets,
	     now.tx_bytes - c->last.tx_bytes,
	     now.tx_dropped - c->last.tx_dropped,
	     now.tx_errors - c->last.tx_errors,
	     now.multicast - c->last.multicast);
	c->last = now;
}

static void put(struct counted *c, const char *step, const void *data,
		size_t len)
{
	say_rc(step, rc(write(c->rig.fd, data, len)));
	say_moved(c, step);
}

static void writes(int flags)
{
	struct iovec iov[2];
	struct counted c;
	size_t len;

	count_up(&c, flags);
	put(&c, "good", buf, make(&c, 100));
	put(&c, "empty", buf, 0);
	put(&c, "short", buf, c.pi + (c.eth ? c.eth - 1 : 0));
	len = make(&c, 100);
	buf[c.pi + c.eth] = 0x55;
	put(&c, "version-5", buf, len);
	put(&c, "fault", nowhere(), 100);
	make(&c, 100);
	iov[0] = (struct iovec){buf, c.pi + c.eth + 30};
	iov[1] = (struct iovec){nowhere(), 50};
	say_rc("fault-later", rc(writev(c.rig.fd, iov, 2)));
	say_moved(&c, "fault-later");
	len = make(&c, 100);
	memset(buf + c.pi, 0xff, c.eth ? 6 : 0);
	put(&c, "broadcast", buf, len);
	if_down(c.rig.name);
	if_stats64(c.rig.name, &c.last);
	put(&c, "down", buf, make(&c, 100));
	put(&c, "down-empty", buf, 0);
}

static void writes_tun(void)
{
	writes(RAW);
}

static void writes_pi(void)
{
	writes(IFF_TUN);
}

static void writes_tap(void)
{
	writes(IFF_TAP | IFF_NO_PI);
}

static void reads(int flags)
{
	struct counted c;

	count_up(&c, flags);
	host_send(c.rig.sock, 100);
	wait_revents(c.rig.fd, 0x145);
	say_moved(&c, "queued");
	say_rc("read", rc(read(c.rig.fd, buf, sizeof(buf))));
	say_moved(&c, "read");
	say_rc("empty", rc(read(c.rig.fd, buf, sizeof(buf))));
	say_moved(&c, "empty");
	host_send(c.rig.sock, 100);
	wait_revents(c.rig.fd, 0x145);
	say_rc("cut", rc(read(c.rig.fd, buf, 20)));
	say_moved(&c, "cut");
	if (c.pi) {
		host_send(c.rig.sock, 100);
		wait_revents(c.rig.fd, 0x145);
		say_rc("no-room", rc(read(c.rig.fd, buf, 3)));
		say_moved(&c, "no-room");
	}
	host_send(c.rig.sock, 100);
	wait_revents(c.rig.fd, 0x145);
	say_rc("fault", rc(read(c.rig.fd, nowhere(), 500)));
	say_moved(&c, "fault");
	if_down(c.rig.name);
	say_moved(&c, "going-down");
}

static void reads_tun(void)
{
	reads(RAW);
}

static void reads_pi(void)
{
	reads(IFF_TUN);
}

static void reads_tap(void)
{
	reads(IFF_TAP | IFF_NO_PI);
}

/* A queue that is full, one that has no length, one that is taken away. */
static void drops(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	struct counted c;

	count_up(&c, RAW | IFF_MULTI_QUEUE);
	if_set_qlen(c.rig.name, 1);
	host_send(c.rig.sock, 100);
	wait_revents(c.rig.fd, 0x145);
	say_moved(&c, "room");
	host_send(c.rig.sock, 100);
	say_moved(&c, "full");
	read(c.rig.fd, buf, 2000) < 0 ? say("empty", "no") : (void)0;
	say_moved(&c, "read");
	if_set_qlen(c.rig.name, 0);
	host_send(c.rig.sock, 100);
	say_moved(&c, "no-length");
	if_set_qlen(c.rig.name, 500);
	host_send(c.rig.sock, 100);
	wait_revents(c.rig.fd, 0x145);
	say_moved(&c, "queued");
	say_rc("detach", rc(ioctl(c.rig.fd, TUNSETQUEUE, &ifr)));
	say_moved(&c, "detach");
	host_send(c.rig.sock, 100);
	say_moved(&c, "detached");
}

/* Persistent, with a packet that nobody will read. */
static void nobody(void)
{
	struct counted c;
	long ret;

	count_up(&c, RAW);
	ret = rc(ioctl(c.rig.fd, TUNSETPERSIST, 1UL));
	say_rc("persist", ret);
	if (ret < 0)
		give_up("persist", ret);
	host_send(c.rig.sock, 100);
	wait_revents(c.rig.fd, 0x145);
	close(c.rig.fd);
	wait_running(c.rig.name, false);
	say_moved(&c, "close");
	host_send(c.rig.sock, 100);
	say_moved(&c, "send");
	c.rig.fd = tun_new(c.rig.name, RAW, O_RDWR | O_NONBLOCK);
	say_moved(&c, "attach");
}

const struct trace_case counter_cases[] = {
	{"counter-writes-tun", writes_tun},
	{"counter-writes-pi", writes_pi},
	{"counter-writes-tap", writes_tap},
	{"counter-reads-tun", reads_tun},
	{"counter-reads-pi", reads_pi},
	{"counter-reads-tap", reads_tap},
	{"counter-drops", drops},
	{"counter-nobody", nobody},
	{NULL, NULL},
};
