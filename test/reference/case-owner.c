/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETOWNER and TUNSETGROUP: who may attach to a persistent
 * device, and what needs no privilege once attached. */
#include "tun-trace.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAW   (IFF_TUN | IFF_NO_PI)
#define OWNER 1234
#define GROUP 2345
#define NONE  (-1)

/* Made, owned, left: as `ip tuntap add` does it. */
static void make(long owner, long group)
{
	int fd = tun_new("own0", RAW, O_RDWR);
	long ret = rc(ioctl(fd, TUNSETPERSIST, 1UL));

	if (ret < 0)
		give_up("persist", ret);
	if (owner != NONE)
		ioctl(fd, TUNSETOWNER, owner);
	if (group != NONE)
		ioctl(fd, TUNSETGROUP, group);
	close(fd);
}

struct who {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t more; /* a supplementary group, or that of gid */
};

static int attaches(void *arg)
{
	/* Opened before: the node's own mode is not what this is about. */
	int fd = tun_open(O_RDWR);
	const struct who *w = arg;
	long ret;

	if (setgroups(1, &w->more) < 0 ||
	    setresgid(w->gid, w->gid, w->gid) < 0 ||
	    setresuid(w->uid, w->uid, w->uid) < 0)
		give_up("setuid", -errno);
	ret = tun_attach(fd, "own0", RAW, NULL);
	close(fd);
	return (int)-ret;
}

static void try_all(const char *group)
{
	static const struct who all[] = {
		{"root", 0, 0, 0},
		{"neither", 1, 1, 1},
		{"owner", OWNER, 1, 1},
		{"group", 1, GROUP, GROUP},
		{"supplementary", 1, 1, GROUP},
		{"both", OWNER, GROUP, GROUP},
		{"both-supplementary", OWNER, 1, GROUP},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		say_rc2(group, all[i].name,
			-reap(spawn(attaches, (void *)&all[i])));
	say_rc2(group, "owner-shown", if_info("own0", IFLA_TUN_OWNER));
	say_rc2(group, "group-shown", if_info("own0", IFLA_TUN_GROUP));
	if_delete("own0");
	wait_gone("own0");
}

static void matrix(void)
{
	make(NONE, NONE);
	try_all("unowned");
	make(OWNER, NONE);
	try_all("owned");
	make(NONE, GROUP);
	try_all("grouped");
	make(OWNER, GROUP);
	try_all("both");
}

/* The owner is asked for his effective number. */
static int attaches_effective(void *arg)
{
	int fd = tun_open(O_RDWR);
	const uid_t *ids = arg;

	if (setresuid(ids[0], ids[1], 0) < 0)
		return 200;
	return -tun_attach(fd, "own0", RAW, NULL);
}

static void effective(void)
{
	static uid_t real[2] = {OWNER, 1}, effective_id[2] = {1, OWNER};

	make(OWNER, NONE);
	say_rc("real", -reap(spawn(attaches_effective, real)));
	say_rc("effective", -reap(spawn(attaches_effective, effective_id)));
}

static void values(void)
{
	static const struct {
		const char *name;
		unsigned long value;
	} all[] = {
		{"zero", 0},	       {"one", 1},
		{"large", 4294967294}, {"minus-one", 4294967295},
		{"long", 0x1000003e8}, {"page", 65536},
	};
	int fd = tun_new("own0", RAW, O_RDWR);
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		say_rc2(all[i].name, "owner",
			rc(ioctl(fd, TUNSETOWNER, all[i].value)));
		say_rc2(all[i].name, "owner-shown",
			if_info("own0", IFLA_TUN_OWNER));
		say_rc2(all[i].name, "group",
			rc(ioctl(fd, TUNSETGROUP, all[i].value)));
		say_rc2(all[i].name, "group-shown",
			if_info("own0", IFLA_TUN_GROUP));
	}
}

/* One who may do nothing asks an attached descriptor for everything. */
static int asks_all(void *arg)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x77};
	int value = 100000, fd = *(int *)arg, zero = 0;
	struct ifreq ifr = {0};

	be_nobody();
	say_rc("persist", rc(ioctl(fd, TUNSETPERSIST, 1UL)));
	say_rc("persist-off", rc(ioctl(fd, TUNSETPERSIST, 0UL)));
	say_rc("owner", rc(ioctl(fd, TUNSETOWNER, 1UL)));
	say_rc("group", rc(ioctl(fd, TUNSETGROUP, 1UL)));
	say_rc("link", rc(ioctl(fd, TUNSETLINK, 1UL)));
	say_rc("offload", rc(ioctl(fd, TUNSETOFFLOAD, 1UL)));
	say_rc("sndbuf", rc(ioctl(fd, TUNSETSNDBUF, &value)));
	say_rc("carrier", rc(ioctl(fd, TUNSETCARRIER, &zero)));
	say_rc("detachfilter", rc(ioctl(fd, TUNDETACHFILTER, 0UL)));
	ifr.ifr_hwaddr.sa_family = 1;
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	say_rc("hwaddr", rc(ioctl(fd, SIOCSIFHWADDR, &ifr)));
	ifr.ifr_hwaddr.sa_data[5] = 0;
	ioctl(fd, SIOCGIFHWADDR, &ifr);
	say("hwaddr-then", "%02x", (unsigned int)ifr.ifr_hwaddr.sa_data[5]);
	return 0;
}

static void attached(void)
{
	int fd = tun_new("own0", IFF_TAP | IFF_NO_PI, O_RDWR);

	say_rc("status", reap(spawn(asks_all, &fd)));
	say_tun_flags("flags", fd);
	say_rc("owner-shown", if_info("own0", IFLA_TUN_OWNER));
}

const struct trace_case owner_cases[] = {
	{"owner-matrix", matrix},
	{"owner-effective", effective},
	{"owner-values", values},
	{"owner-attached", attached},
	{NULL, NULL},
};
