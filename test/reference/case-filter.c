/* SPDX-License-Identifier: MIT */
/* Cases about the classic filter of TUNATTACHFILTER: what is taken, what a TAP
 * then delivers, and how long it lasts. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TAP    (IFF_TAP | IFF_NO_PI)
#define TAP_PI IFF_TAP

static uint8_t buf[2048];

/* Static, because the kernel may look at a program's memory again. */
static struct sock_filter program[8];

static long attach(int fd, unsigned int len, struct sock_filter *filter)
{
	struct sock_fprog prog = {.len = (unsigned short)len, .filter = filter};

	return rc(ioctl(fd, TUNATTACHFILTER, &prog));
}

/* Takes LENGTH bytes of every packet. */
static long attach_length(int fd, uint32_t length)
{
	program[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, length);
	return attach(fd, 1, program);
}

/* Takes the Ethernet type TYPE only. */
static long attach_type(int fd, uint32_t type)
{
	program[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12);
	program[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						  type, 0, 1);
	program[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	program[3] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return attach(fd, 4, program);
}

static long detach(int fd)
{
	return rc(ioctl(fd, TUNDETACHFILTER, 0));
}

static void say_getfilter(const char *step, int fd)
{
	struct sock_fprog prog = {.len = 77, .filter = (void *)buf};
	long ret = rc(ioctl(fd, TUNGETFILTER, &prog));

	if (ret < 0)
		say_rc(step, ret);
	else
		say(step, "%ld length %u pointer %s", ret, prog.len,
		    !prog.filter		 ? "0"
		    : prog.filter == program	 ? "as given"
		    : prog.filter == (void *)buf ? "untouched"
						 : "other");
}

static void arguments(void)
{
	static struct sock_filter many[5000];
	struct sock_fprog prog = {.len = 1, .filter = program};
	int fd = tun_new("flt0", TAP, O_RDWR);
	int i;

	program[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 100);
	for (i = 0; i < 5000; i++)
		many[i] = program[0];
	say_getfilter("get-fresh", fd);
	say_rc("detach-fresh", detach(fd));
	say_rc("length-0", attach(fd, 0, program));
	say_rc("length-0-null", attach(fd, 0, NULL));
	say_rc("null", attach(fd, 1, NULL));
	say_rc("unmapped", attach(fd, 1, nowhere()));
	say_rc("struct-null", rc(ioctl(fd, TUNATTACHFILTER, NULL)));
	say_rc("struct-unmapped", rc(ioctl(fd, TUNATTACHFILTER, nowhere())));
	say_getfilter("get-refused", fd);
	say_tun_flags("flags-refused", fd);
	say_rc("length-4096", attach(fd, 4096, many));
	say_rc("length-4097", attach(fd, 4097, many));
	say_rc("good", rc(ioctl(fd, TUNATTACHFILTER, &prog)));
	say_getfilter("get", fd);
	say_rc("get-null", rc(ioctl(fd, TUNGETFILTER, NULL)));
	say_rc("again", attach_length(fd, 50));
	say_rc("detach", detach(fd));
	say_getfilter("get-detached", fd);
	say_rc("detach-again", detach(fd));
	say_rc("detach-argument",
	       rc(ioctl(fd, TUNDETACHFILTER, (unsigned long)&prog)));
	say_rc("detach-pointer-bad",
	       rc(ioctl(fd, TUNDETACHFILTER, (unsigned long)nowhere())));
}

/* Programs that the checker of the kernel refuses. */
static void programs(void)
{
	int fd = tun_new("flt0", TAP, O_RDWR);

	program[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 1);
	say_rc("no-return", attach(fd, 1, program));
	program[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0);
	program[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 1);
	say_rc("jump-out", attach(fd, 2, program));
	program[0] = (struct sock_filter){.code = 0xffff};
	say_rc("bad-code", attach(fd, 2, program));
	program[0] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0);
	say_rc("divide", attach(fd, 2, program));
	program[0] = (struct sock_filter)BPF_STMT(BPF_ST, 16);
	say_rc("memory-16", attach(fd, 2, program));
	program[0] = (struct sock_filter)BPF_STMT(BPF_ST, 15);
	say_rc("memory-15", attach(fd, 2, program));
	program[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, 3);
	say_rc("memory-unset", attach(fd, 2, program));
	program[0] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_CPU));
	say_rc("ancillary", attach(fd, 2, program));
	program[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  (uint32_t)(SKF_AD_OFF + 200));
	say_rc("ancillary-bad", attach(fd, 2, program));
	say_rc("then", attach_length(fd, 100));
}

/* The bit has the value of IFF_NO_PI, and goes only where that is not set. */
static void flags(void)
{
	static const struct {
		const char *name;
		int flags;
	} all[] = {
		{"tap", TAP},
		{"tap-pi", TAP_PI},
		{"multi-queue-pi", TAP_PI | IFF_MULTI_QUEUE},
		{"nofilter", IFF_TAP | IFF_NOFILTER},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = tun_open(O_RDWR);

		if (tun_attach(fd, "flt0", all[i].flags, NULL) < 0)
			continue;
		say_tun_flags2(all[i].name, "before", fd);
		say_rc2(all[i].name, "attach", attach_length(fd, 100));
		say_tun_flags2(all[i].name, "after", fd);
		say_rc2(all[i].name, "detach", detach(fd));
		say_tun_flags2(all[i].name, "detached", fd);
		close(fd);
		wait_gone("flt0");
	}
}

static void lengths(int tap_flags)
{
	static const uint32_t all[] = {0xffffffff, 142, 141, 60, 30,
				       15,	   14,	13,  1,	 0};
	size_t pi = tap_flags & IFF_NO_PI ? 0 : 4;
	struct rig rig;
	char step[32];
	size_t i;

	rig_new(&rig, tap_flags, O_RDWR | O_NONBLOCK);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		long n;

		snprintf(step, sizeof(step), "accept-%u", all[i]);
		if (attach_length(rig.fd, all[i]) < 0)
			give_up("attach", attach_length(rig.fd, all[i]));
		host_send(rig.sock, 100);
		wait_revents(rig.fd, all[i] ? 0x145 : 0x104);
		n = rc(read(rig.fd, buf, sizeof(buf)));
		if (pi && n > 0)
			say(step, "%ld flags %u", n, buf[0]);
		else
			say_rc(step, n);
	}
	say_rc("dropped", wait_stat(rig.name, TX_DROPPED, 1));
	say_rc("packets", if_stat(rig.name, TX_PACKETS));
	say_rc("bytes", if_stat(rig.name, TX_BYTES));
	say_rc("detach", detach(rig.fd));
	host_send(rig.sock, 100);
	say_rc("detached", app_read(rig.fd, buf, sizeof(buf)));
}

static void lengths_raw(void)
{
	lengths(TAP);
}

static void lengths_pi(void)
{
	lengths(TAP_PI);
}

static void lengths_vnet(void)
{
	lengths(TAP | IFF_VNET_HDR);
}

/* Packets that come in while it is there; not those that wait already. */
static void types(void)
{
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	host_send(rig.sock, 10);
	wait_revents(rig.fd, 0x145);
	say_rc("ours", attach_type(rig.fd, 0x88b5));
	say_rc("queued-before", app_read(rig.fd, buf, sizeof(buf)));
	host_send(rig.sock, 11);
	host_frame(rig.name, rig.mac, 70);
	say_rc("frame", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("nothing-else", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("ip", attach_type(rig.fd, 0x0800));
	host_frame(rig.name, rig.mac, 70);
	host_send(rig.sock, 12);
	say_rc("packet", app_read(rig.fd, buf, sizeof(buf)));
	say_rc("nothing-else-ip", rc(read(rig.fd, buf, sizeof(buf))));
	say_rc("dropped", wait_stat(rig.name, TX_DROPPED, 2));
	/* What the program writes is nobody's business. */
	say_rc("none", attach_length(rig.fd, 0));
	say_rc("write", rc(write(rig.fd, buf, make_frame4(buf, rig.mac, 20))));
	say_rc("received", host_recv(rig.sock));
	say("poll", "%#x", revents_now(rig.fd));
}

static int filters(void *arg)
{
	be_nobody();
	return attach_length(*(int *)arg, 40) == 0 ? 0 : 1;
}

static void shared(void)
{
	struct rig rig;

	rig_new(&rig, TAP, O_RDWR | O_NONBLOCK);
	say_rc("nobody", reap(spawn(filters, &rig.fd)));
	host_send(rig.sock, 100);
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	say_getfilter("get", rig.fd);
}

/* One filter for all queues, those that come later among them. */
static void queues(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	int mq = TAP_PI | IFF_MULTI_QUEUE;
	int a = tun_new("flt0", mq, O_RDWR | O_NONBLOCK);
	int b = tun_new("flt0", mq, O_RDWR | O_NONBLOCK);
	int c;

	say_rc("attach", attach_length(a, 40));
	say_tun_flags("first", a);
	say_tun_flags("second", b);
	c = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("add", tun_attach(c, "flt0", mq, NULL));
	say_tun_flags("third", c);
	c = tun_new("flt0", mq | IFF_NOFILTER, O_RDWR | O_NONBLOCK);
	say_tun_flags("nofilter", c);
	say_getfilter("get-second", b);
	say_rc("detach-queue", rc(ioctl(b, TUNSETQUEUE, &ifr)));
	say_tun_flags("detached", b);
	say_rc("detach-filter", detach(a));
	say_tun_flags("first-then", a);
	say_tun_flags("detached-then", b);
	say_rc("attach-on-detached", attach_length(b, 50));
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	say_rc("attach-queue", rc(ioctl(b, TUNSETQUEUE, &ifr)));
	say_tun_flags("attached-then", b);
}

/* It is the device's, and its program is looked for again at attaching. */
static void persistent(void)
{
	struct rig rig;
	long ret;

	rig_make(&rig, TAP_PI, O_RDWR | O_NONBLOCK);
	say_rc("attach", attach_length(rig.fd, 40));
	ret = rc(ioctl(rig.fd, TUNSETPERSIST, 1UL));
	say_rc("persist", ret);
	close(rig.fd);
	if (ret < 0)
		give_up("persist", ret);
	program[0].k = 50;
	rig.fd = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("attach-again", tun_attach(rig.fd, rig.name, TAP_PI, NULL));
	say_tun_flags("again", rig.fd);
	say_getfilter("again-get", rig.fd);
	rig_up(&rig);
	host_send(rig.sock, 100);
	say_rc("read", app_read(rig.fd, buf, sizeof(buf)));
	close(rig.fd);
	program[0].code = 0xffff;
	rig.fd = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("bad-program", tun_attach(rig.fd, rig.name, TAP_PI, NULL));
	say_tun_flags("bad-program-flags", rig.fd);
	host_send(rig.sock, 100);
	say_rc("bad-program-read", app_read(rig.fd, buf, sizeof(buf)));
	close(rig.fd);
	program[0].code = BPF_RET | BPF_K;
	rig.fd = tun_open(O_RDWR | O_NONBLOCK);
	say_rc("nofilter", tun_attach(rig.fd, rig.name, TAP, NULL));
	say_tun_flags("nofilter-flags", rig.fd);
	host_send(rig.sock, 100);
	say_rc("nofilter-read", app_read(rig.fd, buf, sizeof(buf)));
	say_getfilter("nofilter-get", rig.fd);
	say_rc("nofilter-attach", attach_length(rig.fd, 40));
	host_send(rig.sock, 100);
	say_rc("nofilter-attach-read", app_read(rig.fd, buf, sizeof(buf)));
	ioctl(rig.fd, TUNSETPERSIST, 0UL);
}

const struct trace_case filter_cases[] = {
	{"filter-arguments", arguments},
	{"filter-programs", programs},
	{"filter-flags", flags},
	{"filter-lengths", lengths_raw},
	{"filter-lengths-pi", lengths_pi},
	{"filter-lengths-vnet", lengths_vnet},
	{"filter-types", types},
	{"filter-shared", shared},
	{"filter-queues", queues},
	{"filter-persistent", persistent},
	{NULL, NULL},
};
