/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETIFF's flags and its argument's memory, and about TUNGETIFF;
 * names have a file of their own. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static const char *type_name(int flags)
{
	return flags < 0 ? "none" : flags & IFF_TUN ? "tun" : "tap";
}

static void try_flags(const char *step, int flags)
{
	int fd = tun_open(O_RDWR);
	int ret = tun_attach(fd, "", flags, NULL);
	int got = tun_flags(fd);

	if (ret < 0)
		say_rc(step, ret);
	else
		say(step, "%s %#x", type_name(got), (unsigned int)got);
	close(fd);
}

static void flags_type(void)
{
	try_flags("zero", 0);
	try_flags("no-pi-only", IFF_NO_PI);
	try_flags("tun", IFF_TUN);
	try_flags("tap", IFF_TAP);
	try_flags("tun-no-pi", RAW);
	try_flags("tap-no-pi", IFF_TAP | IFF_NO_PI);
	try_flags("both", IFF_TUN | IFF_TAP | IFF_NO_PI);
	try_flags("excl-only", IFF_TUN_EXCL);
}

static void flags_more(void)
{
	try_flags("one-queue", RAW | IFF_ONE_QUEUE);
	try_flags("one-queue-pi", IFF_TUN | IFF_ONE_QUEUE);
	try_flags("tap-one-queue", IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE);
	try_flags("no-carrier", RAW | IFF_NO_CARRIER);
	try_flags("ignored-0004", RAW | 0x0004);
	try_flags("ignored-0008", RAW | 0x0008);
	try_flags("ignored-0080", RAW | 0x0080);
	try_flags("attach-queue", RAW | IFF_ATTACH_QUEUE);
	try_flags("detach-queue", RAW | IFF_DETACH_QUEUE);
	try_flags("persist", RAW | IFF_PERSIST);
	try_flags("excl", RAW | IFF_TUN_EXCL);
}

static void flags_napi(void)
{
	try_flags("tun", RAW | IFF_NAPI);
	try_flags("tap", IFF_TAP | IFF_NO_PI | IFF_NAPI);
	try_flags("frags-tun", RAW | IFF_NAPI | IFF_NAPI_FRAGS);
	try_flags("frags-alone", IFF_TAP | IFF_NO_PI | IFF_NAPI_FRAGS);
	try_flags("frags-no-type", IFF_NAPI | IFF_NAPI_FRAGS);
	try_flags("frags-tap", IFF_TAP | IFF_NO_PI | IFF_NAPI | IFF_NAPI_FRAGS);
}

static void flags_vnet(void)
{
	try_flags("tun", RAW | IFF_VNET_HDR);
	try_flags("tap", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
}

static void flags_multi_queue(void)
{
	int fd = tun_open(O_RDWR);
	int ret = tun_attach(fd, "mq0", RAW | IFF_MULTI_QUEUE, NULL);

	say_rc("first", ret);
	if (ret == 0)
		say("flags", "%#x", (unsigned int)tun_flags(fd));
	ret = tun_attach(tun_open(O_RDWR), "mq0", RAW | IFF_MULTI_QUEUE, NULL);
	say_rc("second", ret);
	try_flags("no-type", IFF_MULTI_QUEUE);
}

static void second(void)
{
	int fd = tun_new("one0", RAW, O_RDWR);

	say_rc("other", tun_attach(fd, "two0", RAW, NULL));
	say_rc("same", tun_attach(fd, "one0", RAW, NULL));
	say_rc("empty", tun_attach(fd, "", RAW, NULL));
	say_rc("no-type", tun_attach(fd, "two0", 0, NULL));
	say_rc("excl", tun_attach(fd, "one0", RAW | IFF_TUN_EXCL, NULL));
	say_rc("null", rc(ioctl(fd, TUNSETIFF, NULL)));
	say("one0", "%s", if_nametoindex("one0") ? "exists" : "gone");
	say("two0", "%s", if_nametoindex("two0") ? "exists" : "none");
	say("flags", "%#x", (unsigned int)tun_flags(fd));
}

/* Two pages of which the second cannot be touched. */
static uint8_t *map_edge(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		give_up("mmap", -errno);
	munmap(p + page, (size_t)page);
	return p + page;
}

static void pointers(void)
{
	uint8_t *edge = map_edge();
	struct ifreq ifr = {0};
	int fd = tun_open(O_RDWR);

	ifr.ifr_flags = RAW;
	memcpy(ifr.ifr_name, "edge0", 6);
	say_rc("null", rc(ioctl(fd, TUNSETIFF, NULL)));
	say_rc("unmapped", rc(ioctl(fd, TUNSETIFF, edge)));
	say_rc("kernel", rc(ioctl(fd, TUNSETIFF, (void *)-4096L)));
	memcpy(edge - 4, &ifr, 4);
	say_rc("four-bytes", rc(ioctl(fd, TUNSETIFF, edge - 4)));
	memcpy(edge - 18, &ifr, 18);
	say_rc("name-and-flags", rc(ioctl(fd, TUNSETIFF, edge - 18)));
	memcpy(edge - sizeof(ifr) + 1, &ifr, sizeof(ifr) - 1);
	say_rc("one-short", rc(ioctl(fd, TUNSETIFF, edge - sizeof(ifr) + 1)));
	say("edge0", "%s", if_nametoindex("edge0") ? "exists" : "none");
	memcpy(edge - sizeof(ifr), &ifr, sizeof(ifr));
	say_rc("exact", rc(ioctl(fd, TUNSETIFF, edge - sizeof(ifr))));
	memcpy(edge - sizeof(ifr) + 1, &ifr, sizeof(ifr) - 1);
	say_rc("getiff-null", rc(ioctl(fd, TUNGETIFF, NULL)));
	say_rc("getiff-four", rc(ioctl(fd, TUNGETIFF, edge - 4)));
	say_rc("getiff-short",
	       rc(ioctl(fd, TUNGETIFF, edge - sizeof(ifr) + 1)));
	say_rc("getiff-exact", rc(ioctl(fd, TUNGETIFF, edge - sizeof(ifr))));
	say_rc("features-null", rc(ioctl(fd, TUNGETFEATURES, NULL)));
	say("attached", "%#x", (unsigned int)tun_flags(fd));
}

/* The interface exists although the caller is told that it failed. */
static void read_only(void)
{
	long page = sysconf(_SC_PAGESIZE);
	struct ifreq *p = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = tun_open(O_RDWR);

	memcpy(p->ifr_name, "ro%d", 5);
	p->ifr_flags = RAW;
	mprotect(p, (size_t)page, PROT_READ);
	say_rc("attach", rc(ioctl(fd, TUNSETIFF, p)));
	say("name", "%s", p->ifr_name);
	say("ro0", "%s", if_nametoindex("ro0") ? "exists" : "none");
	say("flags", "%#x", (unsigned int)tun_flags(fd));
	say_rc("again", rc(ioctl(fd, TUNSETIFF, p)));
	say_rc("getiff", rc(ioctl(fd, TUNGETIFF, p)));
}

static bool all_are(const void *p, size_t len, uint8_t value)
{
	const uint8_t *b = p;

	while (len > 0 && b[len - 1] == value)
		len--;
	return len == 0;
}

static void write_back(void)
{
	struct ifreq ifr;
	const uint8_t *name = (const uint8_t *)ifr.ifr_name;
	int fd = tun_open(O_RDWR);

	memset(&ifr, 0x5a, sizeof(ifr));
	memcpy(ifr.ifr_name, "wb%d", 5);
	ifr.ifr_flags = RAW | 0x0004;
	say_rc("attach", rc(ioctl(fd, TUNSETIFF, &ifr)));
	say("name", "%s", ifr.ifr_name);
	say("name-bytes", "%02x %02x %02x %02x %02x %02x .. %02x", name[2],
	    name[3], name[4], name[5], name[6], name[14], name[15]);
	say("flags", "%#x", (unsigned int)(unsigned short)ifr.ifr_flags);
	say("rest", "%s",
	    all_are((uint8_t *)&ifr + 18, sizeof(ifr) - 18, 0x5a) ? "untouched"
								  : "changed");
	memset(&ifr, 0x5a, sizeof(ifr));
	say_rc("getiff", rc(ioctl(fd, TUNGETIFF, &ifr)));
	say("getiff-name", "%s", ifr.ifr_name);
	say("getiff-flags", "%#x", (unsigned int)(unsigned short)ifr.ifr_flags);
	say("getiff-rest", "%s",
	    all_are((uint8_t *)&ifr + 18, sizeof(ifr) - 18, 0) ? "zero"
							       : "not zero");
}

static void failed_write_back(void)
{
	struct ifreq ifr;
	int fd = tun_open(O_RDWR);

	memset(&ifr, 0x5a, sizeof(ifr));
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_flags = RAW;
	say_rc("attach", rc(ioctl(fd, TUNSETIFF, &ifr)));
	say("name", "%s", ifr.ifr_name);
	say("last-name-byte", "%#x", (unsigned int)(uint8_t)ifr.ifr_name[15]);
	say("flags", "%#x", (unsigned int)(unsigned short)ifr.ifr_flags);
}

static void modes(void)
{
	static const struct {
		const char *name;
		int oflags;
	} all[] = {{"rdonly", O_RDONLY}, {"wronly", O_WRONLY}};
	uint8_t buf[64] = {0x45};
	size_t i;

	for (i = 0; i < 2; i++) {
		int fd = tun_open(all[i].oflags | O_NONBLOCK);

		say_rc2(all[i].name, "attach",
			tun_attach(fd, "mode0", RAW, NULL));
		say_rc2(all[i].name, "features", tun_flags(fd));
		say_rc2(all[i].name, "write", rc(write(fd, buf, 40)));
		say_rc2(all[i].name, "read", rc(read(fd, buf, 64)));
		if_up("mode0");
		say_rc2(all[i].name, "poll", wait_revents(fd, 0x104));
		say_rc2(all[i].name, "up-write", rc(write(fd, buf, 40)));
		close(fd);
		wait_gone("mode0");
	}
}

static void getiff(void)
{
	struct ifreq ifr = {0};
	int fd = tun_open(O_RDWR);

	say_rc("unattached", rc(ioctl(fd, TUNGETIFF, &ifr)));
	say_rc("unattached-null", rc(ioctl(fd, TUNGETIFF, NULL)));
	tun_attach(fd, "get0", RAW, NULL);
	say_rc("rc", rc(ioctl(fd, TUNGETIFF, &ifr)));
	say("name", "%s", ifr.ifr_name);
	if_up("get0");
	say("up-flags", "%#x", (unsigned int)tun_flags(fd));
}

static void features(void)
{
	unsigned int value = 0;
	int fd = tun_open(O_RDWR);

	say_rc("rc", rc(ioctl(fd, TUNGETFEATURES, &value)));
	say("value", "%#x", value);
	say("basic", "%#x",
	    value & (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE |
		     IFF_NO_CARRIER));
	say_rc("null", rc(ioctl(fd, TUNGETFEATURES, NULL)));
	tun_attach(fd, "", RAW, NULL);
	value = 0;
	say_rc("attached", rc(ioctl(fd, TUNGETFEATURES, &value)));
	say("attached-value", "%#x", value);
}

const struct trace_case attach_cases[] = {
	{"flags-type", flags_type},
	{"flags-more", flags_more},
	{"flags-napi", flags_napi},
	{"flags-vnet", flags_vnet},
	{"flags-multi-queue", flags_multi_queue},
	{"attach-second", second},
	{"attach-pointers", pointers},
	{"attach-read-only", read_only},
	{"attach-write-back", write_back},
	{"attach-failed", failed_write_back},
	{"attach-modes", modes},
	{"getiff", getiff},
	{"features", features},
	{NULL, NULL},
};
