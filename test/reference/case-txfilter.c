/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETTXFILTER: what it returns for which list, and which of the
 * host's frames a TAP then delivers. */
#include "tun-trace.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define TAP (IFF_TAP | IFF_NO_PI)

struct filter {
	uint16_t flags;
	uint16_t count;
	uint8_t addr[64][6];
};

static uint8_t buf[2048];

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* The Nth unicast address, and the Nth multicast one. */
static void unicast(uint8_t *mac, int n)
{
	memcpy(mac, (uint8_t[]){0x02, 0, 0, 0, 1, (uint8_t)n}, 6);
}

static void multicast(uint8_t *mac, int n)
{
	memcpy(mac, (uint8_t[]){0x33, 0x33, 0, 0, 1, (uint8_t)n}, 6);
}

static void add(struct filter *f, const uint8_t *mac)
{
	memcpy(f->addr[f->count++], mac, 6);
}

static void add_unicast(struct filter *f, int first, int count)
{
	uint8_t mac[6];
	int i;

	for (i = 0; i < count; i++) {
		unicast(mac, first + i);
		add(f, mac);
	}
}

static void add_multicast(struct filter *f, int first, int count)
{
	uint8_t mac[6];
	int i;

	for (i = 0; i < count; i++) {
		multicast(mac, first + i);
		add(f, mac);
	}
}

static long set(int fd, const struct filter *f)
{
	return rc(ioctl(fd, TUNSETTXFILTER, f));
}

static void try(int fd, const char *step, int unicasts, int multicasts,
		int flags)
{
	struct filter f = {.flags = (uint16_t)flags};

	add_unicast(&f, 1, unicasts);
	add_multicast(&f, 1, multicasts);
	say_rc(step, set(fd, &f));
}

static void returns(void)
{
	struct filter f = {0};
	int fd = tun_new("txf0", TAP, O_RDWR);

	try(fd, "none", 0, 0, 0);
	try(fd, "one", 1, 0, 0);
	try(fd, "two", 2, 0, 0);
	try(fd, "eight", 8, 0, 0);
	try(fd, "nine", 9, 0, 0);
	try(fd, "twenty", 20, 0, 0);
	try(fd, "one-multicast", 0, 1, 0);
	try(fd, "nine-multicast", 0, 9, 0);
	try(fd, "thirty-multicast", 0, 30, 0);
	try(fd, "eight-and-one", 8, 1, 0);
	try(fd, "eight-and-ten", 8, 10, 0);
	try(fd, "nine-and-one", 9, 1, 0);
	try(fd, "two-and-two", 2, 2, 0);
	try(fd, "allmulti", 0, 0, TUN_FLT_ALLMULTI);
	try(fd, "allmulti-two", 2, 0, TUN_FLT_ALLMULTI);
	try(fd, "allmulti-nine", 9, 0, TUN_FLT_ALLMULTI);
	try(fd, "flags-unknown", 2, 0, 0xfffe);
	add_multicast(&f, 1, 9);
	add_unicast(&f, 1, 1);
	say_rc("unicast-last", set(fd, &f));
	memset(&f, 0, sizeof(f));
	add_unicast(&f, 1, 4);
	add_unicast(&f, 1, 4);
	say_rc("twice", set(fd, &f));
}

/* Only as much is read as the count says. */
static void memory(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct filter f = {0};
	int fd = tun_new("txf0", TAP, O_RDWR);
	uint8_t *edge = p + page;

	munmap(edge, (size_t)page);
	add_unicast(&f, 1, 3);
	say_rc("null", rc(ioctl(fd, TUNSETTXFILTER, NULL)));
	say_rc("unmapped", rc(ioctl(fd, TUNSETTXFILTER, edge)));
	memcpy(edge - 3, &f, 3);
	say_rc("three-bytes", rc(ioctl(fd, TUNSETTXFILTER, edge - 3)));
	memcpy(edge - 4, &f, 4);
	say_rc("header-only", rc(ioctl(fd, TUNSETTXFILTER, edge - 4)));
	memcpy(edge - 21, &f, 21);
	say_rc("one-short", rc(ioctl(fd, TUNSETTXFILTER, edge - 21)));
	memcpy(edge - 22, &f, 22);
	say_rc("exact", rc(ioctl(fd, TUNSETTXFILTER, edge - 22)));
	f.count = 0;
	memcpy(edge - 4, &f, 4);
	say_rc("empty", rc(ioctl(fd, TUNSETTXFILTER, edge - 4)));
	f.count = 0xffff;
	memcpy(edge - 4, &f, 4);
	say_rc("most", rc(ioctl(fd, TUNSETTXFILTER, edge - 4)));
	mprotect(p, (size_t)page, PROT_READ);
	say_rc("read-only", rc(ioctl(fd, TUNSETTXFILTER, edge - 22)));
}

/* Nothing but time tells that a frame does not come. */
static void passes(struct rig *rig, const char *group, const char *step,
		   const uint8_t *mac)
{
	struct pollfd p = {.fd = rig->fd, .events = POLLIN};
	long n;

	host_frame(rig->name, mac, 70);
	poll(&p, 1, 100);
	n = rc(read(rig->fd, buf, sizeof(buf)));
	say2(group, step, "%s",
	     n == 70	    ? "passes"
	     : n == -EAGAIN ? "does not pass"
			    : "other");
}

static void try_frames(struct rig *rig, const char *group)
{
	uint8_t mac[6];

	passes(rig, group, "own", rig->mac);
	unicast(mac, 1);
	passes(rig, group, "unicast-1", mac);
	unicast(mac, 8);
	passes(rig, group, "unicast-8", mac);
	unicast(mac, 9);
	passes(rig, group, "unicast-9", mac);
	multicast(mac, 1);
	passes(rig, group, "multicast-1", mac);
	multicast(mac, 2);
	passes(rig, group, "multicast-2", mac);
	multicast(mac, 40);
	passes(rig, group, "multicast-40", mac);
	passes(rig, group, "broadcast", broadcast);
}

static void apply(struct rig *rig, const char *group, int unicasts,
		  int multicasts, int flags, bool all)
{
	struct filter f = {.flags = (uint16_t)flags};

	add_unicast(&f, 1, unicasts);
	if (all)
		add(&f, broadcast);
	add_multicast(&f, 1, multicasts);
	say_rc2(group, "set", set(rig->fd, &f));
	try_frames(rig, group);
}

static void delivery_exact(void)
{
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	try_frames(&rig, "fresh");
	apply(&rig, "two", 2, 0, 0, false);
	apply(&rig, "eight", 8, 0, 0, false);
	apply(&rig, "nine", 9, 0, 0, false);
	apply(&rig, "none", 0, 0, 0, false);
	say_rc("dropped", wait_stat(rig.name, TX_DROPPED, -1));
	say_rc("packets", if_stat(rig.name, TX_PACKETS));
}

static void delivery_multicast(void)
{
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	apply(&rig, "eight-and-one", 8, 1, 0, false);
	apply(&rig, "eight-and-two", 8, 2, 0, false);
	apply(&rig, "one", 0, 1, 0, false);
	apply(&rig, "all", 1, 0, TUN_FLT_ALLMULTI, false);
	apply(&rig, "all-alone", 0, 0, TUN_FLT_ALLMULTI, false);
}

static void delivery_broadcast(void)
{
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	apply(&rig, "second", 1, 0, 0, true);
	apply(&rig, "ninth", 8, 0, 0, true);
	apply(&rig, "with-multicast", 1, 1, 0, true);
}

/* A faulty argument leaves the filter that was there. */
static void kept(void)
{
	struct filter f = {0};
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	add_unicast(&f, 1, 1);
	say_rc("set", set(rig.fd, &f));
	say_rc("null", rc(ioctl(rig.fd, TUNSETTXFILTER, NULL)));
	try_frames(&rig, "null");
	f.count = 0;
	add_unicast(&f, 1, 9);
	say_rc("refused", set(rig.fd, &f));
	try_frames(&rig, "refused");
}

static void device(void)
{
	struct filter f = {0};
	int mq = TAP | IFF_MULTI_QUEUE;
	struct rig rig;
	int other;
	long ret;

	rig_make(&rig, mq, O_RDWR | O_NONBLOCK);
	other = tun_new(rig.name, mq, O_RDWR | O_NONBLOCK);
	add_unicast(&f, 1, 1);
	say_rc("set", set(other, &f));
	ret = rc(ioctl(rig.fd, TUNSETPERSIST, 1UL));
	say_rc("persist", ret);
	close(other);
	if (ret == 0) {
		close(rig.fd);
		rig.fd = tun_new(rig.name, mq, O_RDWR | O_NONBLOCK);
		ioctl(rig.fd, TUNSETPERSIST, 0UL);
	}
	rig_up(&rig);
	try_frames(&rig, "after");
}

static void refused(void)
{
	struct filter f = {0};
	int tun = tun_new("txf0", IFF_TUN | IFF_NO_PI, O_RDWR);
	int none = tun_open(O_RDWR);

	add_unicast(&f, 1, 1);
	say_rc("tun", set(tun, &f));
	say_rc("tun-null", rc(ioctl(tun, TUNSETTXFILTER, NULL)));
	say_rc("unattached", set(none, &f));
}

const struct trace_case txfilter_cases[] = {
	{"txfilter-returns", returns},
	{"txfilter-memory", memory},
	{"txfilter-exact", delivery_exact},
	{"txfilter-multicast", delivery_multicast},
	{"txfilter-broadcast", delivery_broadcast},
	{"txfilter-kept", kept},
	{"txfilter-device", device},
	{"txfilter-refused", refused},
	{NULL, NULL},
};
