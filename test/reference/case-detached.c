/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETQUEUE: the states in which it is refused, and what a
 * descriptor does whose queue is detached. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAW    (IFF_TUN | IFF_NO_PI)
#define MQ     (RAW | IFF_MULTI_QUEUE)
#define MQ_TAP (IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE)
#define BOTH   (IFF_ATTACH_QUEUE | IFF_DETACH_QUEUE)

static uint8_t buf[2048];

static long set_queue(int fd, int flags)
{
	struct ifreq ifr = {.ifr_flags = (short)flags};

	return rc(ioctl(fd, TUNSETQUEUE, &ifr));
}

static void try_states(const char *group, int fd)
{
	say_rc2(group, "none", set_queue(fd, 0));
	say_rc2(group, "other-bits", set_queue(fd, IFF_TUN | IFF_MULTI_QUEUE));
	say_rc2(group, "attach", set_queue(fd, IFF_ATTACH_QUEUE));
	say_rc2(group, "both", set_queue(fd, BOTH));
	say_rc2(group, "null", rc(ioctl(fd, TUNSETQUEUE, NULL)));
	say_rc2(group, "fault", rc(ioctl(fd, TUNSETQUEUE, nowhere())));
}

static void states(void)
{
	int none = tun_open(O_RDWR);
	int one = tun_new("one0", RAW, O_RDWR);
	int mq = tun_new("mq0", MQ, O_RDWR);

	try_states("unattached", none);
	say_rc("unattached-detach", set_queue(none, IFF_DETACH_QUEUE));
	try_states("single", one);
	say_rc("single-detach", set_queue(one, IFF_DETACH_QUEUE));
	say_tun_flags("single-flags", one);
	try_states("enabled", mq);
	say_rc("enabled-detach", set_queue(mq, IFF_DETACH_QUEUE));
	say_tun_flags("detached-flags", mq);
	say_rc("detached-detach", set_queue(mq, IFF_DETACH_QUEUE));
	say_rc("detached-none", set_queue(mq, 0));
	say_rc("detached-both", set_queue(mq, BOTH));
	say_tun_flags("attached-flags", mq);
	say_rc("detach-more-bits",
	       set_queue(mq, IFF_DETACH_QUEUE | IFF_TUN | IFF_NO_PI));
	say_rc("attach-again", set_queue(mq, IFF_ATTACH_QUEUE));
	say_rc("attach-twice", set_queue(mq, IFF_ATTACH_QUEUE));
}

/* Only the first 18 bytes of the argument mean anything; 40 are read. */
static void argument(void)
{
	struct ifreq ifr;
	int fd = tun_new("mq0", MQ, O_RDWR);

	memset(&ifr, 0x5a, sizeof(ifr));
	ifr.ifr_flags = IFF_DETACH_QUEUE;
	say_rc("detach", rc(ioctl(fd, TUNSETQUEUE, &ifr)));
	say("name", "%#x", (unsigned int)ifr.ifr_name[0]);
	say("flags", "%#x", (unsigned int)(unsigned short)ifr.ifr_flags);
	say("last", "%#x", ((uint8_t *)&ifr)[sizeof(ifr) - 1]);
}

static void getiff(void)
{
	struct ifreq ifr = {0};
	int fd = tun_new("mq%d", MQ_TAP, O_RDWR);

	say_tun_flags("before", fd);
	say_rc("detach", set_queue(fd, IFF_DETACH_QUEUE));
	say_rc("rc", rc(ioctl(fd, TUNGETIFF, &ifr)));
	say("name", "%s", ifr.ifr_name);
	say("flags", "%#x", (unsigned int)(unsigned short)ifr.ifr_flags);
	if_rename("mq0", "named0");
	ioctl(fd, TUNGETIFF, &ifr);
	say("renamed", "%s", ifr.ifr_name);
}

/* The ioctls that a detached queue is asked while another one works. */
static void ioctls(int flags)
{
	int value = 0, size = 12, sndbuf = 100000, on = 1;
	int a = tun_new("mq0", flags, O_RDWR);
	int b = tun_new("mq0", flags, O_RDWR);
	struct ifreq ifr = {0};

	say_rc("detach", set_queue(b, IFF_DETACH_QUEUE));
	say_rc("setiff", tun_attach(b, "mq0", flags, NULL));
	say_rc("setiff-other", tun_attach(b, "mq1", flags, NULL));
	say_rc("setifindex", rc(ioctl(b, TUNSETIFINDEX, &size)));
	say_rc("features", rc(ioctl(b, TUNGETFEATURES, &value)));
	say_rc("offload", rc(ioctl(b, TUNSETOFFLOAD, 1UL)));
	say("offload-csum", "%d", if_feature("mq0", "tx-checksum-ip-generic"));
	say_rc("sndbuf-set", rc(ioctl(b, TUNSETSNDBUF, &sndbuf)));
	say_rc("sndbuf-get", rc(ioctl(b, TUNGETSNDBUF, &value)));
	say("sndbuf", "%d", value);
	ioctl(a, TUNGETSNDBUF, &value);
	say("sndbuf-other", "%d", value);
	say_rc("vnethdrsz-set", rc(ioctl(b, TUNSETVNETHDRSZ, &size)));
	ioctl(a, TUNGETVNETHDRSZ, &value);
	say("vnethdrsz-other", "%d", value);
	say_rc("vnetle-set", rc(ioctl(b, TUNSETVNETLE, &on)));
	ioctl(a, TUNGETVNETLE, &value);
	say("vnetle-other", "%d", value);
	say_rc("carrier", rc(ioctl(b, TUNSETCARRIER, &on)));
	say_rc("persist", rc(ioctl(b, TUNSETPERSIST, 0UL)));
	say_rc("owner", rc(ioctl(b, TUNSETOWNER, 0UL)));
	say_rc("hwaddr", rc(ioctl(b, SIOCGIFHWADDR, &ifr)));
	say("family", "%u", ifr.ifr_hwaddr.sa_family);
	say_rc("unknown", rc(ioctl(b, _IO('Q', 99))));
	close(a);
	value = 1;
	say_rc("alone-carrier-on", rc(ioctl(b, TUNSETCARRIER, &value)));
	value = 0;
	say_rc("alone-carrier-off", rc(ioctl(b, TUNSETCARRIER, &value)));
	say_rc("alone-offload", rc(ioctl(b, TUNSETOFFLOAD, 0UL)));
	say("alone-features", "%d",
	    if_feature("mq0", "tx-checksum-ip-generic"));
}

static void ioctls_tun(void)
{
	ioctls(MQ);
}

static void ioctls_tap(void)
{
	ioctls(MQ_TAP);
}

static void io(int flags)
{
	uint8_t *packet = buf + (flags & IFF_NO_PI ? 0 : 4);
	size_t pi = (size_t)(packet - buf);
	struct rig rig;

	rig_new(&rig, flags, O_RDWR | O_NONBLOCK);
	host_send(rig.sock, 10);
	say("queued", "%#x", wait_revents(rig.fd, 0x145));
	say_rc("detach", set_queue(rig.fd, IFF_DETACH_QUEUE));
	say("poll", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("read", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("read-zero", rc(read(rig.fd, buf, 0)));
	say("carrier", "%s", wait_running(rig.name, false));
	say_rc("send", host_send(rig.sock, 11));
	memset(buf, 0, 4);
	buf[2] = 0x08;
	say_rc("write", rc(write(rig.fd, buf, pi + make_udp4(packet, 12))));
	say_rc("received", host_recv(rig.sock));
	say_rc("write-empty", rc(write(rig.fd, buf, 0)));
	packet[0] = 0x50;
	say_rc("write-bad", rc(write(rig.fd, buf, pi + 40)));
	if_down(rig.name);
	say("poll-down", "%#x", wait_revents(rig.fd, 0));
	say_rc("write-down",
	       rc(write(rig.fd, buf, pi + make_udp4(packet, 12))));
	if_up(rig.name);
	say_rc("attach", set_queue(rig.fd, IFF_ATTACH_QUEUE));
	say("carrier-attached", "%s", wait_running(rig.name, true));
	say("poll-attached", "%#x", wait_revents(rig.fd, 0x104));
	say_rc("read-attached", rc(read(rig.fd, buf, sizeof(buf))));
	host_send(rig.sock, 13);
	say_rc("read-next", app_read(rig.fd, buf, sizeof(buf)));
}

static void io_raw(void)
{
	io(MQ);
}

static void io_pi(void)
{
	io(IFF_TUN | IFF_MULTI_QUEUE);
}

/* A reader that sleeps when its queue is detached, and attached again. */
static void blocked(void)
{
	struct reader r;
	struct rig rig;

	rig_new(&rig, MQ, O_RDWR);
	reader_block(&r, rig.fd, 500);
	say_rc("detach", set_queue(rig.fd, IFF_DETACH_QUEUE));
	host_send(rig.sock, 20);
	say("detached", "%s",
	    wait_blocked(r.tid, SYS_read) ? "waits" : "does not wait");
	say_rc("attach", set_queue(rig.fd, IFF_ATTACH_QUEUE));
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
	set_queue(rig.fd, IFF_DETACH_QUEUE);
	reader_block(&r, rig.fd, 500);
	say_rc("delete", if_delete(rig.name));
	say_rc("deleted", reader_join(&r));
}

/* Nobody's permission is asked once more. */
static int toggles(void *arg)
{
	int fd = *(int *)arg;

	be_nobody();
	if (set_queue(fd, IFF_DETACH_QUEUE) < 0)
		return 1;
	return set_queue(fd, IFF_ATTACH_QUEUE) < 0 ? 2 : 0;
}

static void permission(void)
{
	int fd = tun_new("mq0", MQ, O_RDWR);

	say_rc("nobody", reap(spawn(toggles, &fd)));
	say_tun_flags("flags", fd);
}

const struct trace_case detached_cases[] = {
	{"detached-states", states},
	{"detached-argument", argument},
	{"detached-getiff", getiff},
	{"detached-ioctls-tun", ioctls_tun},
	{"detached-ioctls-tap", ioctls_tap},
	{"detached-io-raw", io_raw},
	{"detached-io-pi", io_pi},
	{"detached-blocked", blocked},
	{"detached-permission", permission},
	{NULL, NULL},
};
