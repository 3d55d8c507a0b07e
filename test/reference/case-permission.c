/* SPDX-License-Identifier: MIT */
/* Cases about who may attach: capabilities and user namespaces, judged at
 * TUNSETIFF against the namespace of the opener. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

/* The capability out of, or back into, what this process may use. */
static void net_admin(bool effective, bool permitted)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {0};
	uint32_t bit = 1u << CAP_NET_ADMIN;

	if (syscall(SYS_capget, &head, data) < 0)
		give_up("capget", -errno);
	data[0].effective &= ~bit;
	data[0].effective |= effective ? bit : 0;
	data[0].permitted &= permitted ? ~0u : ~bit;
	if (syscall(SYS_capset, &head, data) < 0)
		give_up("capset", -errno);
}

/* One's own user namespace, in which one is root. */
static void own_userns(int more)
{
	char map[64];
	unsigned int uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | more) < 0)
		give_up("userns", -errno);
	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put_file("/proc/self/gid_map", map);
	if (more & CLONE_NEWNET)
		no_ipv6();
}

/* The order of the checks shows in what an unprivileged caller is told. */
static void try_all(int fd)
{
	unsigned int value = 0;

	say_rc("type", tun_attach(fd, "", 0, NULL));
	say_rc("bad-name", tun_attach(fd, "a/b", RAW, NULL));
	say_rc("lo", tun_attach(fd, "lo", RAW, NULL));
	say_rc("lo-excl", tun_attach(fd, "lo", RAW | IFF_TUN_EXCL, NULL));
	say_rc("null", rc(ioctl(fd, TUNSETIFF, NULL)));
	say_rc("napi-frags",
	       tun_attach(fd, "", IFF_TAP | IFF_NAPI | IFF_NAPI_FRAGS, NULL));
	say_rc("napi-frags-alone", tun_attach(fd, "", IFF_NAPI_FRAGS, NULL));
	say_rc("features", rc(ioctl(fd, TUNGETFEATURES, &value)));
	say_rc("tap", tun_attach(fd, "", IFF_TAP, NULL));
	say_rc("tun", tun_attach(fd, "perm0", RAW, NULL));
	say("perm0", "%s", if_nametoindex("perm0") ? "exists" : "none");
}

static void no_capability(void)
{
	int fd = tun_open(O_RDWR);

	net_admin(false, false);
	try_all(fd);
}

static void nobody(void)
{
	int fd = tun_open(O_RDWR);

	be_nobody();
	try_all(fd);
}

/* Permitted is not effective. */
static void not_effective(void)
{
	int fd = tun_open(O_RDWR);

	net_admin(false, true);
	say_rc("dropped", tun_attach(fd, "perm0", RAW, NULL));
	net_admin(true, true);
	say_rc("raised", tun_attach(fd, "perm0", RAW, NULL));
}

static void capability_alone(void)
{
	int fd = tun_open(O_RDWR);

	prctl(PR_SET_KEEPCAPS, 1);
	be_nobody();
	net_admin(true, true);
	say_rc("attach", tun_attach(fd, "perm0", RAW, NULL));
}

static void not_dumpable(void)
{
	char name[IFNAMSIZ];
	int fd = tun_open(O_RDWR);

	prctl(PR_SET_DUMPABLE, 0);
	say_rc("attach", tun_attach(fd, "perm%d", RAW, name));
	say("name", "%s", name);
	say("flags", "%#x", (unsigned int)tun_flags(fd));
}

/* Attached is attached, whatever one becomes. */
static void setuid_after(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	host_send(rig.sock, 20);
	wait_revents(rig.fd, 0x145);
	be_nobody();
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("received", host_recv(rig.sock));
	say("flags", "%#x", (unsigned int)tun_flags(rig.fd));
	say("poll", "%#x", revents_now(rig.fd));
	say_rc("again", tun_attach(rig.fd, "perm0", RAW, NULL));
	close(rig.fd);
	say("closed", "%s", wait_gone(rig.name) ? "gone" : "exists");
}

/* Another's device that is in use: found before it is forbidden. */
static void foreign(void)
{
	int other = tun_open(O_RDWR);

	tun_new("perm0", RAW, O_RDWR);
	be_nobody();
	say_rc("taken", tun_attach(other, "perm0", RAW, NULL));
	say_rc("taken-excl",
	       tun_attach(other, "perm0", RAW | IFF_TUN_EXCL, NULL));
	say_rc("taken-type", tun_attach(other, "perm0", IFF_TAP, NULL));
}

static void reattach(void)
{
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR);
	if_delete(rig.name);
	wait_revents(rig.fd, 0x8);
	be_nobody();
	say_rc("attach", tun_attach(rig.fd, rig.name, RAW, NULL));
}

static void user_namespace(void)
{
	struct rig rig;

	own_userns(CLONE_NEWNET);
	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("send", host_send(rig.sock, 20));
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("received", host_recv(rig.sock));
	say_rc("napi-frags",
	       tun_attach(tun_open(O_RDWR), "",
			  IFF_TAP | IFF_NAPI | IFF_NAPI_FRAGS, NULL));
	close(rig.fd);
	say("closed", "%s", wait_gone(rig.name) ? "gone" : "exists");
}

/* Root of a namespace that does not own the network is nobody here. */
static void user_namespace_only(void)
{
	int before = tun_open(O_RDWR);
	int after;

	own_userns(0);
	after = tun_open(O_RDWR);
	say_rc("opened-before", tun_attach(before, "perm0", RAW, NULL));
	say_rc("opened-after", tun_attach(after, "perm0", RAW, NULL));
}

static void opened_outside(void)
{
	int before = tun_open(O_RDWR);
	int after;

	own_userns(CLONE_NEWNET);
	after = tun_open(O_RDWR);
	say_rc("opened-before", tun_attach(before, "perm0", RAW, NULL));
	say_rc("opened-after", tun_attach(after, "perm0", RAW, NULL));
}

/* Two levels down is as good as one. */
static void nested(void)
{
	own_userns(CLONE_NEWNET);
	own_userns(CLONE_NEWNET);
	say_rc("attach", tun_attach(tun_open(O_RDWR), "perm0", RAW, NULL));
	say("perm0", "%s", if_nametoindex("perm0") ? "exists" : "none");
}

static void capability_in_userns(void)
{
	own_userns(CLONE_NEWNET);
	net_admin(false, false);
	say_rc("attach", tun_attach(tun_open(O_RDWR), "perm0", RAW, NULL));
}

struct inside {
	int sock;
	int go;
};

/* Opens in its own namespaces, lets another attach, and looks. */
static int opens_inside(void *arg)
{
	struct inside *in = arg;
	char c;

	own_userns(CLONE_NEWNET);
	send_fd(in->sock, tun_open(O_RDWR));
	if (read(in->go, &c, 1) != 1)
		return 2;
	return if_nametoindex("perm0") ? 0 : 1;
}

/* The parent of a user namespace has every capability in it. */
static void from_parent(void)
{
	struct inside in;
	int s[2], p[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) < 0 || pipe(p) < 0)
		give_up("socketpair", -errno);
	in = (struct inside){s[1], p[0]};
	pid = spawn(opens_inside, &in);
	fd = recv_fd(s[0]);
	say_rc("attach", tun_attach(fd, "perm0", RAW, NULL));
	say("here", "%s", if_nametoindex("perm0") ? "exists" : "none");
	say_rc("go", rc(write(p[1], "x", 1)));
	say_rc("there", reap(pid));
}

const struct trace_case permission_cases[] = {
	{"perm-no-capability", no_capability},
	{"perm-nobody", nobody},
	{"perm-not-effective", not_effective},
	{"perm-capability-alone", capability_alone},
	{"perm-not-dumpable", not_dumpable},
	{"perm-setuid-after", setuid_after},
	{"perm-foreign", foreign},
	{"perm-reattach", reattach},
	{"perm-userns", user_namespace},
	{"perm-userns-only", user_namespace_only},
	{"perm-userns-outside", opened_outside},
	{"perm-userns-nested", nested},
	{"perm-userns-no-capability", capability_in_userns},
	{"perm-userns-parent", from_parent},
	{NULL, NULL},
};
