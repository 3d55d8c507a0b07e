/* SPDX-License-Identifier: MIT */
/* Cases about where else a device is told of: rtnetlink's details, sysfs,
 * ethtool, the kernel's events, the file's own entry in /proc. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)
#define TAP (IFF_TAP | IFF_NO_PI)

static char buf[32768];

static void say_info(const char *group, const char *name)
{
	static const struct {
		const char *name;
		unsigned short type;
	} all[] = {
		{"owner", IFLA_TUN_OWNER},
		{"group", IFLA_TUN_GROUP},
		{"type", IFLA_TUN_TYPE},
		{"pi", IFLA_TUN_PI},
		{"vnet-hdr", IFLA_TUN_VNET_HDR},
		{"persist", IFLA_TUN_PERSIST},
		{"multi-queue", IFLA_TUN_MULTI_QUEUE},
		{"queues", IFLA_TUN_NUM_QUEUES},
		{"disabled-queues", IFLA_TUN_NUM_DISABLED_QUEUES},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		say_rc2(group, all[i].name, if_info(name, all[i].type));
}

static void info(void)
{
	static const struct {
		const char *name;
		int flags;
	} all[] = {
		{"tun", RAW},
		{"tun-pi", IFF_TUN},
		{"tap", TAP},
		{"vnet", TAP | IFF_VNET_HDR},
		{"multi-queue", RAW | IFF_MULTI_QUEUE},
	};
	char kind[32];
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = tun_open(O_RDWR);

		if (tun_attach(fd, "rep0", all[i].flags, NULL) == 0) {
			if_kind("rep0", kind, sizeof(kind));
			say2(all[i].name, "kind", "%s", kind);
			say_info(all[i].name, "rep0");
		}
		close(fd);
		wait_gone("rep0");
	}
}

static void info_changed(void)
{
	int fd = tun_new("rep0", RAW, O_RDWR);

	ioctl(fd, TUNSETPERSIST, 1UL);
	ioctl(fd, TUNSETOWNER, 1000UL);
	ioctl(fd, TUNSETGROUP, 2000UL);
	say_info("changed", "rep0");
	ioctl(fd, TUNSETPERSIST, 0UL);
}

static void creation(void)
{
	say_rc("tun", if_create("rep0", "tun"));
	say("exists", "%s", if_nametoindex("rep0") ? "yes" : "no");
}

/* A file of /sys/class/net/NAME, which shows the namespace of the mount. */
static void say_sys(const char *step, const char *name, const char *file)
{
	char path[128], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	f = fopen(path, "re");
	if (!f) {
		say_rc(step, -errno);
		return;
	}
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fclose(f);
	say(step, "%s", text);
}

static void sysfs(void)
{
	int tun, tap;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) < 0)
		give_up("sysfs", -errno);
	tun = tun_new("rep0", RAW, O_RDWR);
	tap = tun_new("rep1", TAP, O_RDWR);
	say_sys("tun-flags", "rep0", "tun_flags");
	say_sys("tap-flags", "rep1", "tun_flags");
	say_sys("owner", "rep0", "owner");
	say_sys("group", "rep0", "group");
	say_sys("type", "rep0", "type");
	say_sys("tap-type", "rep1", "type");
	say_sys("queue-length", "rep0", "tx_queue_len");
	ioctl(tun, TUNSETPERSIST, 1UL);
	ioctl(tun, TUNSETOWNER, 1000UL);
	ioctl(tun, TUNSETGROUP, 2000UL);
	say_sys("flags-then", "rep0", "tun_flags");
	say_sys("owner-then", "rep0", "owner");
	say_sys("group-then", "rep0", "group");
	ioctl(tun, TUNSETPERSIST, 0UL);
	close(tap);
}

static int ethtool(const char *name, void *data)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};
	int ret;

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	ifr.ifr_data = data;
	ret = (int)rc(ioctl(sock, SIOCETHTOOL, &ifr));
	close(sock);
	return ret;
}

static void say_ethtool(const char *group, const char *name)
{
	struct ethtool_drvinfo drv = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_cmd link = {.cmd = ETHTOOL_GSET};
	struct ethtool_coalesce co = {.cmd = ETHTOOL_GCOALESCE};
	struct ethtool_value value = {.cmd = ETHTOOL_GMSGLVL};
	int ret;

	say_rc2(group, "driver-rc", ethtool(name, &drv));
	say2(group, "driver", "%s", drv.driver);
	say2(group, "version", "%s",
	     drv.version[0] == '1' ? drv.version : "a kernel's");
	say2(group, "bus", "%s", drv.bus_info);
	ret = ethtool(name, &link);
	say2(group, "link", "%d speed %u duplex %u port %u autoneg %u", ret,
	     ethtool_cmd_speed(&link), link.duplex, link.port, link.autoneg);
	ret = ethtool(name, &co);
	say2(group, "coalesce", "%d rx frames %u", ret,
	     co.rx_max_coalesced_frames);
	co.cmd = ETHTOOL_SCOALESCE;
	co.rx_max_coalesced_frames = 64;
	say_rc2(group, "coalesce-64", ethtool(name, &co));
	co.rx_max_coalesced_frames = 100;
	say_rc2(group, "coalesce-100", ethtool(name, &co));
	co.cmd = ETHTOOL_GCOALESCE;
	ethtool(name, &co);
	say2(group, "coalesce-then", "%u", co.rx_max_coalesced_frames);
	ret = ethtool(name, &value);
	say2(group, "message-level", "%d %#x", ret, value.data);
	value.cmd = ETHTOOL_GLINK;
	ret = ethtool(name, &value);
	say2(group, "link-detected", "%d %u", ret, value.data);
}

static void ethtool_tun(void)
{
	int fd = tun_new("rep0", RAW, O_RDWR);

	say_ethtool("tun", "rep0");
	ioctl(fd, TUNSETDEBUG, 0x55UL);
	say_ethtool("debug", "rep0");
}

static void ethtool_tap(void)
{
	tun_new("rep0", TAP, O_RDWR);
	say_ethtool("tap", "rep0");
}

static int netlink(int protocol, unsigned int groups)
{
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (sock < 0 || bind(sock, (void *)&nl, sizeof(nl)) < 0)
		give_up("netlink", -errno);
	return sock;
}

/* The events of the interface itself; a veth's other end is not told of. */
static void uevents(void)
{
	int sock = netlink(NETLINK_KOBJECT_UEVENT, 1);
	struct pollfd p = {.fd = sock, .events = POLLIN};
	bool net = false, rx = false, tx = false, removed = false;
	int fd = tun_new("rep0", RAW, O_RDWR);

	close(fd);
	while (!removed && poll(&p, 1, DEADLINE_MS) == 1) {
		ssize_t n = recv(sock, buf, sizeof(buf) - 1, 0);

		if (n <= 0)
			break;
		buf[n] = '\0';
		net |= !strcmp(buf, "add@/devices/virtual/net/rep0");
		rx |= !strcmp(buf, "add@/devices/virtual/net/rep0/queues/rx-0");
		tx |= !strcmp(buf, "add@/devices/virtual/net/rep0/queues/tx-0");
		removed |= !strcmp(buf, "remove@/devices/virtual/net/rep0");
	}
	say("add", "%s", net ? "seen" : "not seen");
	say("rx-queue", "%s", rx ? "seen" : "not seen");
	say("tx-queue", "%s", tx ? "seen" : "not seen");
	say("remove", "%s", removed ? "seen" : "not seen");
}

/* Whether rtnetlink told of the link since the last time. */
static bool notified(int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	bool seen = false;

	while (poll(&p, 1, 100) == 1) {
		struct nlmsghdr *nlh = (void *)buf;

		if (recv(sock, buf, sizeof(buf), 0) <= 0)
			break;
		seen |= nlh->nlmsg_type == RTM_NEWLINK;
	}
	return seen;
}

static void say_notified(const char *step, int sock)
{
	say(step, "%s", notified(sock) ? "notified" : "not notified");
}

static void notify_all(int sock, int fd, int flags)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int value = 100000, other;

	ioctl(fd, TUNSETPERSIST, 1UL);
	say_notified("persist", sock);
	ioctl(fd, TUNSETPERSIST, 1UL);
	say_notified("persist-again", sock);
	ioctl(fd, TUNSETPERSIST, 0UL);
	say_notified("persist-off", sock);
	ioctl(fd, TUNSETOWNER, 1000UL);
	say_notified("owner", sock);
	ioctl(fd, TUNSETOWNER, 1000UL);
	say_notified("owner-again", sock);
	ioctl(fd, TUNSETGROUP, 1000UL);
	say_notified("group", sock);
	other = tun_new("rep0", flags, O_RDWR);
	say_notified("second-queue", sock);
	ioctl(other, TUNSETQUEUE, &ifr);
	say_notified("detach", sock);
	close(other);
	say_notified("close", sock);
	ioctl(fd, TUNSETOFFLOAD, 1UL);
	say_notified("offload", sock);
	ioctl(fd, TUNSETSNDBUF, &value);
	say_notified("sndbuf", sock);
}

static void notified_down(void)
{
	int flags = RAW | IFF_MULTI_QUEUE;
	int sock = netlink(NETLINK_ROUTE, RTMGRP_LINK);
	int fd = tun_new("rep0", flags, O_RDWR);

	say_notified("made", sock);
	ioctl(fd, TUNSETLINK, 512UL);
	say_notified("link-type", sock);
	notify_all(sock, fd, flags);
}

static void notified_up(void)
{
	int flags = RAW | IFF_MULTI_QUEUE;
	int sock = netlink(NETLINK_ROUTE, RTMGRP_LINK);
	int fd = tun_new("rep0", flags, O_RDWR);

	if_up("rep0");
	say_notified("up", sock);
	wait_running("rep0", true);
	notified(sock);
	notify_all(sock, fd, flags);
}

static void say_fdinfo(const char *step, int fd)
{
	char path[64], text[160] = "none", line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		give_up("fdinfo", -errno);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "iff:", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(text, sizeof(text), "'%s'", line);
	}
	fclose(f);
	say(step, "%s", text);
}

static void fdinfo(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int fd = tun_open(O_RDWR);

	say_fdinfo("unattached", fd);
	tun_attach(fd, "rep0", RAW | IFF_MULTI_QUEUE, NULL);
	say_fdinfo("attached", fd);
	if_rename("rep0", "named0");
	say_fdinfo("renamed", fd);
	ioctl(fd, TUNSETQUEUE, &ifr);
	say_fdinfo("detached", fd);
	if_delete("named0");
	say_fdinfo("deleted", fd);
}

const struct trace_case report_cases[] = {
	{"report-info", info},
	{"report-info-changed", info_changed},
	{"report-creation", creation},
	{"report-sysfs", sysfs},
	{"report-ethtool-tun", ethtool_tun},
	{"report-ethtool-tap", ethtool_tap},
	{"report-uevents", uevents},
	{"report-notified-down", notified_down},
	{"report-notified-up", notified_up},
	{"report-fdinfo", fdinfo},
	{NULL, NULL},
};
