/* SPDX-License-Identifier: MIT */
/* Cases about how long an attachment lives: close, dup, fork, descriptors on
 * their way, deletion, rename and persistence. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

static void say_if(const char *step, const char *name)
{
	say(step, "%s", if_nametoindex(name) ? "exists" : "gone");
}

static void say_gone(const char *step, const char *name)
{
	say(step, "%s", wait_gone(name) ? "gone" : "exists");
}

static void closed(void)
{
	int fd = tun_new("life0", RAW, O_RDWR);

	say_if("before", "life0");
	say_rc("close", rc(close(fd)));
	say_if("immediately", "life0");
	say_gone("soon", "life0");
}

static void closed_up(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	host_send(rig.sock, 10);
	say_rc("close", rc(close(rig.fd)));
	say_gone("soon", rig.name);
	say_rc("send", host_send(rig.sock, 10));
}

static int exits_attached(void *arg)
{
	(void)arg;
	tun_new("life0", RAW, O_RDWR);
	return 3;
}

static void exited(void)
{
	say_rc("status", reap(spawn(exits_attached, NULL)));
	say_gone("soon", "life0");
}

static void reopened(void)
{
	int i, good = 0;

	for (i = 0; i < 50; i++) {
		int fd = tun_open(O_RDWR);

		good += tun_attach(fd, "again0", RAW, NULL) == 0;
		close(fd);
	}
	say("attached", "%d of 50", good);
	say_gone("soon", "again0");
}

static void reopened_other_type(void)
{
	int i, good = 0;

	for (i = 0; i < 20; i++) {
		int fd = tun_open(O_RDWR);
		int type = i & 1 ? IFF_TAP : IFF_TUN;

		good += tun_attach(fd, "again0", type | IFF_NO_PI, NULL) == 0;
		close(fd);
	}
	say("attached", "%d of 20", good);
}

static void reopened_exclusive(void)
{
	int i, good = 0;

	for (i = 0; i < 20; i++) {
		int fd = tun_open(O_RDWR);

		good += tun_attach(fd, "again0", RAW | IFF_TUN_EXCL, NULL) == 0;
		close(fd);
	}
	say("attached", "%d of 20", good);
}

static void empty_name_again(void)
{
	char name[IFNAMSIZ];
	int i, same = 0;

	for (i = 0; i < 20; i++) {
		int fd = tun_open(O_RDWR);

		tun_attach(fd, "", RAW, name);
		same += !strcmp(name, "tun0");
		close(fd);
	}
	say("tun0", "%d of 20", same);
}

static void duplicated(void)
{
	struct rig rig;
	int copy;

	rig_new(&rig, RAW, O_RDWR);
	copy = dup(rig.fd);
	say_rc("close", rc(close(rig.fd)));
	say_if("after-first", rig.name);
	say_rc("write", rc(write(copy, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
	host_send(rig.sock, 11);
	say_rc("read", app_read(copy, buf, sizeof(buf)));
	say("flags", "%#x", (unsigned int)tun_flags(copy));
	say_rc("close-copy", rc(close(copy)));
	say_gone("after-second", rig.name);
}

/* The child's copy outlives the parent's. */
static int holds(void *arg)
{
	int *pipe_fds = arg;
	char c;

	close(pipe_fds[1]);
	return read(pipe_fds[0], &c, 1) == 0 ? 0 : 1;
}

static void forked(void)
{
	struct rig rig;
	int p[2];
	pid_t pid;

	rig_new(&rig, RAW, O_RDWR);
	if (pipe(p) < 0)
		give_up("pipe", -errno);
	pid = spawn(holds, p);
	say_rc("close", rc(close(rig.fd)));
	say_if("child-has-it", rig.name);
	close(p[1]);
	say_rc("status", reap(pid));
	say_gone("child-ended", rig.name);
}

static int writes(void *arg)
{
	struct rig *rig = arg;
	uint8_t data[100];

	return write(rig->fd, data, make_udp4(data, 12)) == 40 ? 0 : 1;
}

static void forked_writer(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	say_rc("status", reap(spawn(writes, &rig)));
	say_rc("received", host_recv(rig.sock));
	say_if("still", rig.name);
}

static void passed(void)
{
	struct rig rig;
	int s[2], got;

	rig_new(&rig, RAW, O_RDWR);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) < 0)
		give_up("socketpair", -errno);
	send_fd(s[0], rig.fd);
	close(rig.fd);
	say_if("on-its-way", rig.name);
	got = recv_fd(s[1]);
	say_rc("write", rc(write(got, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
	close(got);
	say_gone("closed", rig.name);
}

static void passed_and_lost(void)
{
	struct rig rig;
	int s[2];

	rig_make(&rig, RAW, O_RDWR);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) < 0)
		give_up("socketpair", -errno);
	send_fd(s[0], rig.fd);
	close(rig.fd);
	say_if("on-its-way", rig.name);
	close(s[0]);
	close(s[1]);
	say_gone("lost", rig.name);
}

static void deleted(void)
{
	struct ifreq ifr = {0};
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	host_send(rig.sock, 10);
	wait_revents(rig.fd, 0x145);
	say_rc("delete", if_delete(rig.name));
	say("poll", "%#x", wait_revents(rig.fd, 0x8));
	say_if("interface", rig.name);
	say_rc("read", rc(read(rig.fd, buf, 100)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say_rc("getiff", rc(ioctl(rig.fd, TUNGETIFF, &ifr)));
	say_rc("hwaddr", rc(ioctl(rig.fd, SIOCGIFHWADDR, &ifr)));
	say_rc("attach-other", tun_attach(rig.fd, "new0", IFF_TAP, NULL));
	say("flags", "%#x", (unsigned int)tun_flags(rig.fd));
	say("poll-attached", "%#x", wait_revents(rig.fd, 0));
	say_if("new-interface", "new0");
	close(rig.fd);
	say_gone("closed", "new0");
}

static void deleted_again(void)
{
	struct rig rig;
	int i, good = 0;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	for (i = 0; i < 5; i++) {
		if_delete(rig.name);
		wait_revents(rig.fd, 0x8);
		if (tun_attach(rig.fd, rig.name, RAW, NULL) < 0)
			break;
		good++;
	}
	say("attached", "%d of 5", good);
	rig_up(&rig);
	host_send(rig.sock, 10);
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
}

/* The first owner's close must not take the second owner's interface. */
static void deleted_and_taken(void)
{
	int first = tun_new("swap0", RAW, O_RDWR | O_NONBLOCK);
	int second;

	if_delete("swap0");
	wait_revents(first, 0x8);
	second = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("attach", tun_attach(second, "swap0", RAW, NULL));
	say_rc("first-attach", tun_attach(first, "swap0", RAW, NULL));
	close(first);
	say("second", "%#x", (unsigned int)tun_flags(second));
	say_if("interface", "swap0");
	if_up("swap0");
	say("poll", "%#x", wait_revents(second, 0x104));
}

struct name_arg {
	int fd;
	const char *want;
	char got[IFNAMSIZ];
};

static bool has_name(void *arg)
{
	struct name_arg *n = arg;
	struct ifreq ifr = {0};

	if (ioctl(n->fd, TUNGETIFF, &ifr) < 0)
		return false;
	memcpy(n->got, ifr.ifr_name, IFNAMSIZ);
	return !strcmp(n->got, n->want);
}

static void renamed(void)
{
	struct name_arg n = {.want = "renamed0"};
	struct rig rig;
	int other;

	rig_make(&rig, RAW, O_RDWR | O_NONBLOCK);
	n.fd = rig.fd;
	say_rc("rename", if_rename(rig.name, "renamed0"));
	wait_until(has_name, &n, DEADLINE_MS);
	say("name", "%s", n.got);
	other = tun_open(O_RDWR);
	say_rc("old-name", tun_attach(other, rig.name, RAW, NULL));
	say_rc("new-name", tun_attach(tun_open(O_RDWR), "renamed0", RAW, NULL));
	memcpy(rig.name, "renamed0", 9);
	rig_up(&rig);
	host_send(rig.sock, 10);
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
	close(rig.fd);
	say_gone("closed", "renamed0");
}

static void persistent(void)
{
	int fd = tun_new("per0", RAW, O_RDWR);
	long ret = rc(ioctl(fd, TUNSETPERSIST, 1UL));

	say_rc("set", ret);
	say("flags", "%#x", (unsigned int)tun_flags(fd));
	close(fd);
	if (ret < 0)
		wait_gone("per0");
	say_if("closed", "per0");
	fd = tun_open(O_RDWR);
	say_rc("attach", tun_attach(fd, "per0", RAW, NULL));
	say_rc("clear", rc(ioctl(fd, TUNSETPERSIST, 0UL)));
	close(fd);
	say_gone("closed-again", "per0");
}

const struct trace_case lifetime_cases[] = {
	{"life-closed", closed},
	{"life-closed-up", closed_up},
	{"life-exited", exited},
	{"life-reopened", reopened},
	{"life-reopened-type", reopened_other_type},
	{"life-reopened-exclusive", reopened_exclusive},
	{"life-empty-name", empty_name_again},
	{"life-dup", duplicated},
	{"life-fork", forked},
	{"life-fork-writer", forked_writer},
	{"life-passed", passed},
	{"life-passed-lost", passed_and_lost},
	{"life-deleted", deleted},
	{"life-deleted-again", deleted_again},
	{"life-deleted-taken", deleted_and_taken},
	{"life-renamed", renamed},
	{"life-persistent", persistent},
	{NULL, NULL},
};
