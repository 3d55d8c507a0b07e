/* SPDX-License-Identifier: MIT */
/* Cases about every other ioctl of a TUN, and about numbers that are none of
 * its own: what they answer unattached, on a TUN and on a TAP. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Younger than the headers of Debian 12, or hidden by the C library's. */
#define TRACE_TUNGETDEVNETNS _IO('T', 227)
#define TRACE_SIOCGSKNS	     0x894cUL

enum arg_kind {
	BY_VALUE,   /* the argument itself is the number */
	INT_IN,	    /* pointer to the number */
	INT_OUT,    /* pointer to an int, printed afterwards */
	IFREQ,	    /* pointer to a zeroed ifreq */
	FILTER,	    /* pointer to a tun_filter of no address */
	FPROG,	    /* pointer to a program that accepts everything */
	RETURNS_FD, /* nothing in, a descriptor out */
};

struct ioctl_row {
	const char *name;
	unsigned long cmd;
	enum arg_kind kind;
	long value;
};

static const struct ioctl_row rows[] = {
	{"nocsum", TUNSETNOCSUM, BY_VALUE, 1},
	{"debug", TUNSETDEBUG, BY_VALUE, 1},
	{"persist", TUNSETPERSIST, BY_VALUE, 0},
	{"owner", TUNSETOWNER, BY_VALUE, 1000},
	{"owner-none", TUNSETOWNER, BY_VALUE, -1},
	{"group", TUNSETGROUP, BY_VALUE, 1000},
	{"link", TUNSETLINK, BY_VALUE, ARPHRD_ETHER},
	{"offload", TUNSETOFFLOAD, BY_VALUE, 0},
	{"offload-csum", TUNSETOFFLOAD, BY_VALUE, 1},
	{"offload-bad", TUNSETOFFLOAD, BY_VALUE, 2},
	{"txfilter", TUNSETTXFILTER, FILTER, 0},
	{"getsndbuf", TUNGETSNDBUF, INT_OUT, 0},
	{"setsndbuf", TUNSETSNDBUF, INT_IN, 1000000},
	{"setsndbuf-zero", TUNSETSNDBUF, INT_IN, 0},
	{"attachfilter", TUNATTACHFILTER, FPROG, 0},
	{"getfilter", TUNGETFILTER, FPROG, 0},
	{"detachfilter", TUNDETACHFILTER, BY_VALUE, 0},
	{"getvnethdrsz", TUNGETVNETHDRSZ, INT_OUT, 0},
	{"setvnethdrsz", TUNSETVNETHDRSZ, INT_IN, 12},
	{"setvnethdrsz-small", TUNSETVNETHDRSZ, INT_IN, 9},
	{"setqueue", TUNSETQUEUE, IFREQ, 0},
	{"setqueue-attach", TUNSETQUEUE, IFREQ, IFF_ATTACH_QUEUE},
	{"setqueue-detach", TUNSETQUEUE, IFREQ, IFF_DETACH_QUEUE},
	{"setvnetle", TUNSETVNETLE, INT_IN, 1},
	{"getvnetle", TUNGETVNETLE, INT_OUT, 0},
	{"setvnetbe", TUNSETVNETBE, INT_IN, 1},
	{"getvnetbe", TUNGETVNETBE, INT_OUT, 0},
	{"steeringebpf-none", TUNSETSTEERINGEBPF, INT_IN, -1},
	{"steeringebpf-bad", TUNSETSTEERINGEBPF, INT_IN, 9999},
	{"filterebpf-none", TUNSETFILTEREBPF, INT_IN, -1},
	{"carrier-off", TUNSETCARRIER, INT_IN, 0},
	{"carrier-on", TUNSETCARRIER, INT_IN, 1},
	{"getdevnetns", TRACE_TUNGETDEVNETNS, RETURNS_FD, 0},
	{"gskns", TRACE_SIOCGSKNS, RETURNS_FD, 0},
	{"gifhwaddr", SIOCGIFHWADDR, IFREQ, 0},
	{"sifhwaddr-zero", SIOCSIFHWADDR, IFREQ, 0},
	{"gifflags", SIOCGIFFLAGS, IFREQ, 0},
	{"gifmtu", SIOCGIFMTU, IFREQ, 0},
	{"old-200", 'T' << 8 | 200, BY_VALUE, 0},
	{"old-201", 'T' << 8 | 201, BY_VALUE, 0},
	{"old-202", 'T' << 8 | 202, IFREQ, IFF_TUN},
	{"old-203", 'T' << 8 | 203, BY_VALUE, 0},
	{"old-204", 'T' << 8 | 204, BY_VALUE, 0},
	{"tcgets", TCGETS, IFREQ, 0},
	{"tiocgwinsz", TIOCGWINSZ, IFREQ, 0},
	{"fionread", FIONREAD, INT_OUT, 0},
	{"random-none", _IO('Q', 99), BY_VALUE, 0},
	{"random-write", _IOW('Q', 99, int), INT_IN, 7},
	{"random-read", _IOR('Q', 99, int), INT_OUT, 0},
	{"zero", 0, BY_VALUE, 0},
};

/* RET_OUT is what stands behind the pointer of an INT_OUT afterwards. */
static long run_row(int fd, const struct ioctl_row *row, int *ret_out)
{
	struct sock_filter accept_all = {.code = BPF_RET | BPF_K,
					 .k = 0xffffffff};
	struct sock_fprog fprog = {.len = 1, .filter = &accept_all};
	struct tun_filter filter = {0};
	struct ifreq ifr = {0};

	switch (row->kind) {
	case BY_VALUE:
	case RETURNS_FD:
		break;
	case INT_IN:
	case INT_OUT:
		*ret_out = (int)row->value;
		return rc(ioctl(fd, row->cmd, ret_out));
	case IFREQ:
		ifr.ifr_flags = (short)row->value;
		return rc(ioctl(fd, row->cmd, &ifr));
	case FILTER:
		return rc(ioctl(fd, row->cmd, &filter));
	case FPROG:
		return rc(ioctl(fd, row->cmd, &fprog));
	}
	return rc(ioctl(fd, row->cmd, row->value));
}

static void say_row(int fd, const struct ioctl_row *row)
{
	int out = 0;
	long ret = run_row(fd, row, &out);

	if (ret >= 0 && row->kind == RETURNS_FD) {
		say(row->name, "descriptor");
		close((int)ret);
	} else if (ret >= 0 && row->kind == INT_OUT) {
		say(row->name, "%ld value %d", ret, out);
	} else {
		say_rc(row->name, ret);
	}
}

/* A device for each, because some leave their mark on it. */
static void every_row(int flags)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = flags ? tun_new("", flags, O_RDWR) : tun_open(O_RDWR);

		say_row(fd, &rows[i]);
		close(fd);
	}
}

static void unattached(void)
{
	every_row(0);
}

static void on_tun(void)
{
	every_row(IFF_TUN | IFF_NO_PI);
}

static void on_tap(void)
{
	every_row(IFF_TAP | IFF_NO_PI);
}

static void null_pointers(void)
{
	static const struct {
		const char *name;
		unsigned long cmd;
	} all[] = {
		{"gifhwaddr", SIOCGIFHWADDR},
		{"sifhwaddr", SIOCSIFHWADDR},
		{"gifflags", SIOCGIFFLAGS},
		{"random-89", 0x89ff},
		{"setiff", TUNSETIFF},
		{"setqueue", TUNSETQUEUE},
		{"getiff", TUNGETIFF},
		{"features", TUNGETFEATURES},
		{"getsndbuf", TUNGETSNDBUF},
		{"setsndbuf", TUNSETSNDBUF},
		{"getvnethdrsz", TUNGETVNETHDRSZ},
		{"setifindex", TUNSETIFINDEX},
		{"carrier", TUNSETCARRIER},
		{"txfilter", TUNSETTXFILTER},
		{"attachfilter", TUNATTACHFILTER},
		{"tcgets", TCGETS},
		{"random-none", _IO('Q', 99)},
		{"random-write", _IOW('Q', 99, int)},
		{"random-read", _IOR('Q', 99, int)},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = tun_open(O_RDWR);

		say_rc2("unattached", all[i].name,
			rc(ioctl(fd, all[i].cmd, 0)));
		if (tun_attach(fd, "", IFF_TAP | IFF_NO_PI, NULL) == 0)
			say_rc2("attached", all[i].name,
				rc(ioctl(fd, all[i].cmd, 0)));
		close(fd);
	}
}

static void say_hwaddr(const char *group, int fd, const char *name)
{
	struct ifreq ifr = {0};
	uint8_t mac[6] = {0};
	uint16_t family = 0;
	char step[64];
	int ret;

	snprintf(ifr.ifr_name, IFNAMSIZ, "nonsense");
	ret = (int)rc(ioctl(fd, SIOCGIFHWADDR, &ifr));
	say_rc2(group, "rc", ret);
	if (ret < 0)
		return;
	snprintf(step, sizeof(step), "%s-name", group);
	say(step, "%s", ifr.ifr_name);
	snprintf(step, sizeof(step), "%s-family", group);
	say(step, "%u", ifr.ifr_hwaddr.sa_family);
	if_hwaddr(name, &family, mac);
	snprintf(step, sizeof(step), "%s-same", group);
	say(step, "%s",
	    memcmp(mac, ifr.ifr_hwaddr.sa_data, 6) ? "differs" : "equal");
}

static void hwaddr(void)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x77};
	struct ifreq ifr = {0};
	int tap = tun_new("hwtap", IFF_TAP | IFF_NO_PI, O_RDWR);
	int tun = tun_new("hwtun", IFF_TUN | IFF_NO_PI, O_RDWR);

	say_hwaddr("tap", tap, "hwtap");
	say_hwaddr("tun", tun, "hwtun");
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	say_rc("set-tap", rc(ioctl(tap, SIOCSIFHWADDR, &ifr)));
	say_rc("set-tun", rc(ioctl(tun, SIOCSIFHWADDR, &ifr)));
	say_hwaddr("tap-set", tap, "hwtap");
	ifr.ifr_hwaddr.sa_data[0] = 1;
	say_rc("set-multicast", rc(ioctl(tap, SIOCSIFHWADDR, &ifr)));
	ifr.ifr_hwaddr.sa_data[0] = 2;
	ifr.ifr_hwaddr.sa_family = ARPHRD_NONE;
	say_rc("set-family", rc(ioctl(tap, SIOCSIFHWADDR, &ifr)));
}

static void ifindex(void)
{
	unsigned int index = 77;
	int negative = -1;
	int fd = tun_open(O_RDWR);

	say_rc("negative", rc(ioctl(fd, TUNSETIFINDEX, &negative)));
	say_rc("set", rc(ioctl(fd, TUNSETIFINDEX, &index)));
	say_rc("attach", tun_attach(fd, "idx0", IFF_TUN | IFF_NO_PI, NULL));
	say("index", "%s", if_nametoindex("idx0") == 77 ? "as set" : "other");
	say_rc("attached", rc(ioctl(fd, TUNSETIFINDEX, &index)));
}

const struct trace_case ioctl_cases[] = {
	{"ioctl-unattached", unattached},
	{"ioctl-tun", on_tun},
	{"ioctl-tap", on_tap},
	{"ioctl-null", null_pointers},
	{"ioctl-hwaddr", hwaddr},
	{"ioctl-ifindex", ifindex},
	{NULL, NULL},
};
