/* SPDX-License-Identifier: MIT */
/* Cases about the queues of one device: who may add one, how many there are,
 * how each leaves; which packet takes which queue is in case-flow.c. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define RAW    (IFF_TUN | IFF_NO_PI)
#define MQ     (RAW | IFF_MULTI_QUEUE)
#define MQ_TAP (IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE)

static uint8_t buf[2048];

static void say_if(const char *step, const char *name)
{
	say(step, "%s", if_nametoindex(name) ? "exists" : "none");
}

static int add(const char *name, int flags)
{
	int fd = tun_open(O_RDWR | O_NONBLOCK);
	int ret = tun_attach(fd, name, flags, NULL);

	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

static void try_add(const char *step, const char *name, int flags)
{
	int fd = add(name, flags);

	if (fd < 0)
		say_rc(step, fd);
	else
		say(step, "%#x", (unsigned int)tun_flags(fd));
	if (fd >= 0)
		close(fd);
}

/* What the request for a further queue must have in common with the device. */
static void mismatch(void)
{
	tun_new("one0", RAW, O_RDWR);
	tun_new("mq0", MQ, O_RDWR);
	tun_new("tap0", MQ_TAP, O_RDWR);
	try_add("mq-on-single", "one0", MQ);
	try_add("single-on-mq", "mq0", RAW);
	try_add("tap-on-tun", "mq0", MQ_TAP);
	try_add("tun-on-tap", "tap0", MQ);
	try_add("no-type", "mq0", IFF_MULTI_QUEUE);
	try_add("excl", "mq0", MQ | IFF_TUN_EXCL);
	try_add("both-types", "mq0", MQ | IFF_TAP);
	try_add("same", "mq0", MQ);
	try_add("same-tap", "tap0", MQ_TAP);
}

/* The first queue's format is the device's, whatever the next asks for. */
static void formats(void)
{
	struct rig rig;
	int fd;

	rig_new(&rig, MQ, O_RDWR | O_NONBLOCK);
	fd = add(rig.name, IFF_TUN | IFF_MULTI_QUEUE);
	say_tun_flags("pi", fd);
	say_rc("pi-write", rc(write(fd, buf, make_udp4(buf, 10))));
	say_rc("pi-received", host_recv(rig.sock));
	close(fd);
	fd = add(rig.name, MQ | IFF_ONE_QUEUE);
	say_tun_flags("one-queue", fd);
	close(fd);
	fd = add(rig.name, MQ | IFF_VNET_HDR);
	say_tun_flags("vnet", fd);
	close(fd);
	fd = add(rig.name, MQ | IFF_NO_CARRIER);
	say("no-carrier", "%s", wait_running(rig.name, true));
	close(fd);
	say("no-carrier-closed", "%s", wait_running(rig.name, true));
}

/* The limit counts what is detached as well. */
static void limit(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int fds[260];
	int i, good = 0;
	long last = 0;
	time_t begin = time(NULL);

	for (i = 0; i < 260; i++) {
		fds[i] = add("mq0", MQ_TAP);
		if (fds[i] < 0)
			last = fds[i];
		else
			good++;
		/* Nobody needs to see how long all of it would take. */
		if (time(NULL) - begin > 60)
			give_up("time", -ETIMEDOUT);
	}
	say("attached", "%d of 260", good);
	say_rc("last", last);
	say_rc("detach", rc(ioctl(fds[7], TUNSETQUEUE, &ifr)));
	try_add("one-detached", "mq0", MQ_TAP);
	say_rc("queues", if_info("mq0", IFLA_TUN_NUM_QUEUES));
	close(fds[7]);
	try_add("one-closed", "mq0", MQ_TAP);
	close(fds[200]);
	try_add("another-closed", "mq0", MQ_TAP);
	say_rc("queues-then", if_info("mq0", IFLA_TUN_NUM_QUEUES));
}

static void say_counts(const char *group, const char *name)
{
	say_rc2(group, "enabled", if_info(name, IFLA_TUN_NUM_QUEUES));
	say_rc2(group, "disabled", if_info(name, IFLA_TUN_NUM_DISABLED_QUEUES));
}

static void numbers(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int a = add("mq0", MQ);
	int b;

	tun_new("one0", RAW, O_RDWR);
	say_rc("tx", if_attr("mq0", IFLA_NUM_TX_QUEUES));
	say_rc("rx", if_attr("mq0", IFLA_NUM_RX_QUEUES));
	say_rc("single-tx", if_attr("one0", IFLA_NUM_TX_QUEUES));
	say_rc("single-rx", if_attr("one0", IFLA_NUM_RX_QUEUES));
	say_counts("single", "one0");
	say_counts("first", "mq0");
	b = add("mq0", MQ);
	say_counts("second", "mq0");
	say_rc("detach", rc(ioctl(b, TUNSETQUEUE, &ifr)));
	say_counts("detached", "mq0");
	say_rc("detach-other", rc(ioctl(a, TUNSETQUEUE, &ifr)));
	say_counts("both", "mq0");
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	say_rc("attach", rc(ioctl(b, TUNSETQUEUE, &ifr)));
	say_counts("attached", "mq0");
	close(b);
	say_counts("closed", "mq0");
}

/* The device is there as long as one queue is, enabled or not. */
static void closing(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	struct rig rig;
	int b, c;

	rig_new(&rig, MQ, O_RDWR | O_NONBLOCK);
	b = add(rig.name, MQ);
	c = add(rig.name, MQ);
	close(rig.fd);
	say_if("first", rig.name);
	say_rc("write", rc(write(b, buf, make_udp4(buf, 10))));
	say_rc("received", host_recv(rig.sock));
	say_rc("detach", rc(ioctl(c, TUNSETQUEUE, &ifr)));
	close(b);
	say_if("second", rig.name);
	say("carrier", "%s", wait_running(rig.name, false));
	say_rc("send", host_send(rig.sock, 20));
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	say_rc("attach", rc(ioctl(c, TUNSETQUEUE, &ifr)));
	say("carrier-attached", "%s", wait_running(rig.name, true));
	host_send(rig.sock, 21);
	say_rc("read", app_read(c, buf, sizeof(buf)));
	close(c);
	say("third", "%s", wait_gone(rig.name) ? "gone" : "exists");
}

static void persistent(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int a = add("mq0", MQ);
	int b = add("mq0", MQ);
	int ret = (int)rc(ioctl(a, TUNSETPERSIST, 1UL));

	say_rc("set", ret);
	say_tun_flags("other", b);
	say_rc("detach", rc(ioctl(b, TUNSETQUEUE, &ifr)));
	close(a);
	say_rc("clear-detached", rc(ioctl(b, TUNSETPERSIST, 0UL)));
	say_tun_flags("cleared", b);
	ret = (int)rc(ioctl(b, TUNSETPERSIST, 1UL));
	say_rc("set-detached", ret);
	close(b);
	if (ret < 0)
		wait_gone("mq0");
	say_if("closed", "mq0");
	say_rc("single", add("mq0", RAW) < 0 ? -EINVAL : 0);
	a = add("mq0", MQ);
	say_rc("again", a < 0 ? a : 0);
	b = add("mq0", MQ);
	say_rc("again-second", b < 0 ? b : 0);
	ioctl(a, TUNSETPERSIST, 0UL);
	close(a);
	close(b);
	say("end", "%s", wait_gone("mq0") ? "gone" : "exists");
}

/* Each loses its queue, and any may make the next device. */
static void deleted(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int a = add("mq0", MQ);
	int b = add("mq0", MQ);
	int c = add("mq0", MQ);

	say_rc("detach", rc(ioctl(c, TUNSETQUEUE, &ifr)));
	say_rc("delete", if_delete("mq0"));
	say("poll-a", "%#x", wait_revents(a, 0x8));
	say("poll-b", "%#x", wait_revents(b, 0x8));
	say("poll-detached", "%#x", wait_revents(c, 0x8));
	say_rc("read-a", rc(read(a, buf, 100)));
	say_rc("read-detached", rc(read(c, buf, 100)));
	say_rc("write-b", rc(write(b, buf, 40)));
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	say_rc("attach-queue", rc(ioctl(c, TUNSETQUEUE, &ifr)));
	say_rc("attach-b", tun_attach(b, "mq0", MQ, NULL));
	say_rc("attach-c", tun_attach(c, "mq0", MQ, NULL));
	say_tun_flags("flags", c);
}

/* Queues of one device in two processes and over a move. */
static int uses_queue(void *arg)
{
	uint8_t data[100];
	int fd = add("tst0", MQ);

	(void)arg;
	if (fd < 0)
		return -fd;
	return write(fd, data, make_udp4(data, 12)) == 40 ? 0 : 1;
}

static void processes(void)
{
	struct rig rig;

	rig_new(&rig, MQ, O_RDWR | O_NONBLOCK);
	say_rc("child", reap(spawn(uses_queue, NULL)));
	say_rc("received", host_recv(rig.sock));
	say_if("after", rig.name);
	say_tun_flags("flags", rig.fd);
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 13))));
	say_rc("received-own", host_recv(rig.sock));
}

/* The name is looked up where the file was opened, not where it is. */
static void moved(void)
{
	int there = netns_new();
	int a = add("mq0", MQ);
	int b;

	say_rc("move", if_move("mq0", there));
	b = add("mq0", MQ);
	say_rc("here", b < 0 ? b : 0);
	say_if("new", "mq0");
	netns_enter(there);
	b = add("mq0", MQ);
	say_rc("there", b < 0 ? b : 0);
	say_counts("there", "mq0");
	close(a);
	say_counts("left", "mq0");
}

const struct trace_case queue_cases[] = {
	{"queue-mismatch", mismatch}, {"queue-formats", formats},
	{"queue-limit", limit},	      {"queue-numbers", numbers},
	{"queue-closing", closing},   {"queue-persistent", persistent},
	{"queue-deleted", deleted},   {"queue-processes", processes},
	{"queue-moved", moved},	      {NULL, NULL},
};
