/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETOFFLOAD: which sets of flags are taken, what the interface
 * shows afterwards and how long it lasts; packets are in case-gso.c. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VNET	 (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)
#define VNET_TAP (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

/* Younger than the headers of Debian 12. */
#define TRACE_UDP_TUNNEL      0x80
#define TRACE_UDP_TUNNEL_CSUM 0x100

static const struct {
	const char *name;
	const char *feature;
} features[] = {
	{"csum", "tx-checksum-ip-generic"},
	{"tso", "tx-tcp-segmentation"},
	{"tso6", "tx-tcp6-segmentation"},
	{"ecn", "tx-tcp-ecn-segmentation"},
	{"uso", "tx-udp-segmentation"},
	{"tnl", "tx-udp_tnl-segmentation"},
	{"tnl-csum", "tx-udp_tnl-csum-segmentation"},
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

/* The names of those that are on, "-" for none. */
static const char *shown(const char *name)
{
	static char text[128];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < FEATURES; i++) {
		if (if_feature(name, features[i].feature) != 1)
			continue;
		if (text[0])
			strcat(text, " ");
		strcat(text, features[i].name);
	}
	return text[0] ? text : "-";
}

static long offload(int fd, unsigned long flags)
{
	return rc(ioctl(fd, TUNSETOFFLOAD, flags));
}

static void say_offload(const char *step, int fd, const char *name,
			unsigned long flags)
{
	long ret = offload(fd, flags);

	if (ret < 0)
		say(step, "%s, %s", strerrorname_np((int)-ret), shown(name));
	else
		say(step, "%ld, %s", ret, shown(name));
}

/* Every set of the flags that exist, on a device with none. */
static void matrix(int flags)
{
	static const unsigned long more[] = {
		0x200, 0x201, 0x400, 0x1000, 0x10001, 0x80000001, 0xffffffff,
	};
	int fd = tun_new("off0", flags, O_RDWR);
	char step[32];
	size_t i;

	for (i = 0; i < 0x200 + sizeof(more) / sizeof(more[0]); i++) {
		unsigned long value = i < 0x200 ? i : more[i - 0x200];

		offload(fd, 0);
		snprintf(step, sizeof(step), "0x%03lx", value);
		say_offload(step, fd, "off0", value);
	}
}

static void matrix_tun(void)
{
	matrix(VNET);
}

static void fresh(void)
{
	static const struct {
		const char *name;
		int flags;
	} all[] = {
		{"tun", IFF_TUN | IFF_NO_PI},
		{"tun-pi", IFF_TUN},
		{"tap", IFF_TAP | IFF_NO_PI},
		{"tun-vnet", VNET},
		{"tap-vnet", VNET_TAP},
		{"tun-multi-queue", VNET | IFF_MULTI_QUEUE},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = tun_open(O_RDWR);
		long ret = tun_attach(fd, "off0", all[i].flags, NULL);

		say_rc2(all[i].name, "attach", ret);
		if (ret == 0) {
			say2(all[i].name, "features", "%s", shown("off0"));
			say2(all[i].name, "scatter", "%d",
			     if_feature("off0", "tx-scatter-gather"));
			say2(all[i].name, "gso", "%d",
			     if_feature("off0", "tx-generic-segmentation"));
			say2(all[i].name, "gro", "%d",
			     if_feature("off0", "rx-gro"));
			say_offload(all[i].name, fd, "off0", 0x67);
		}
		close(fd);
		wait_gone("off0");
	}
}

/* A set that is refused: what of it stays. */
static void refused(void)
{
	int fd = tun_new("off0", VNET, O_RDWR);

	say_offload("some", fd, "off0", 0x07);
	say_offload("bad", fd, "off0", 0x201);
	say_offload("bad-combination", fd, "off0", 0x06);
	say_offload("one-uso", fd, "off0", 0x21);
	say_offload("some-again", fd, "off0", 0x67);
	say_offload("less", fd, "off0", 0x01);
	say_offload("none", fd, "off0", 0);
}

/* What the administrator has switched off stays off. */
static void administrator(void)
{
	int fd = tun_new("off0", VNET, O_RDWR);

	say_offload("all", fd, "off0", 0x6f);
	say_rc("tso-off",
	       if_set_feature("off0", "tx-tcp-segmentation", false) < 0);
	say("without", "%s", shown("off0"));
	say_offload("asked-again", fd, "off0", 0x6f);
	if_set_feature("off0", "tx-tcp-segmentation", true);
	say("on", "%s", shown("off0"));
	say_offload("none", fd, "off0", 0);
	if_set_feature("off0", "tx-checksum-ip-generic", true);
	say("not-offered", "%s", shown("off0"));
}

static int asks(void *arg)
{
	be_nobody();
	return offload(*(int *)arg, 0x07) == 0 ? 0 : 1;
}

/* Of the device, not of the descriptor, and nobody's privilege. */
static void lasting(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int flags = VNET | IFF_MULTI_QUEUE;
	int a = tun_new("off0", flags, O_RDWR);
	int b = tun_new("off0", flags, O_RDWR);
	long ret;

	say_rc("nobody", reap(spawn(asks, &a)));
	say("nobody-set", "%s", shown("off0"));
	say_offload("other-queue", b, "off0", 0x01);
	say_rc("detach", rc(ioctl(b, TUNSETQUEUE, &ifr)));
	say_offload("detached-queue", b, "off0", 0x03);
	ret = rc(ioctl(a, TUNSETPERSIST, 1UL));
	say_rc("persist", ret);
	close(b);
	close(a);
	if (ret < 0)
		wait_gone("off0");
	say("closed", "%s", shown("off0"));
	a = tun_new("off0", flags, O_RDWR);
	say("attached", "%s", shown("off0"));
	ioctl(a, TUNSETPERSIST, 0UL);
}

const struct trace_case offload_cases[] = {
	{"offload-matrix", matrix_tun},
	{"offload-fresh", fresh},
	{"offload-refused", refused},
	{"offload-administrator", administrator},
	{"offload-lasting", lasting},
	{NULL, NULL},
};
