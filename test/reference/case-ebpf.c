/* SPDX-License-Identifier: MIT */
/* Cases about TUNSETSTEERINGEBPF and TUNSETFILTEREBPF, with programs of two
 * instructions that return a number. */
#include "tun-trace.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MQ  (IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE)
#define TAP (IFF_TAP | IFF_NO_PI)

static uint8_t buf[2048];

/* A program of TYPE that returns VALUE, as a descriptor. */
static int load(unsigned int type, int value)
{
	struct bpf_insn insns[2] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {0};
	int fd;

	attr.prog_type = type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		give_up("load", -errno);
	return fd;
}

static long set(int fd, unsigned long cmd, int prog)
{
	return rc(ioctl(fd, cmd, &prog));
}

static void try_arguments(const char *group, int fd, unsigned long cmd)
{
	int p[2];

	if (pipe(p) < 0)
		give_up("pipe", -errno);
	say_rc2(group, "none", set(fd, cmd, -1));
	say_rc2(group, "minus-two", set(fd, cmd, -2));
	say_rc2(group, "not-open", set(fd, cmd, 999));
	say_rc2(group, "pipe", set(fd, cmd, p[0]));
	say_rc2(group, "own", set(fd, cmd, fd));
	say_rc2(group, "null", rc(ioctl(fd, cmd, NULL)));
	say_rc2(group, "unmapped", rc(ioctl(fd, cmd, nowhere())));
	say_rc2(group, "other-type",
		set(fd, cmd, load(BPF_PROG_TYPE_KPROBE, 0)));
	say_rc2(group, "program",
		set(fd, cmd, load(BPF_PROG_TYPE_SOCKET_FILTER, 0)));
	say_rc2(group, "again",
		set(fd, cmd, load(BPF_PROG_TYPE_SOCKET_FILTER, 0)));
	say_rc2(group, "detach", set(fd, cmd, -1));
	say_rc2(group, "detach-again", set(fd, cmd, -1));
	close(p[0]);
	close(p[1]);
}

static void arguments(void)
{
	int tun = tun_new("bpf0", IFF_TUN | IFF_NO_PI, O_RDWR);
	int tap = tun_new("bpf1", TAP, O_RDWR);
	int none = tun_open(O_RDWR);

	try_arguments("steering-tun", tun, TUNSETSTEERINGEBPF);
	try_arguments("filter-tun", tun, TUNSETFILTEREBPF);
	try_arguments("steering-tap", tap, TUNSETSTEERINGEBPF);
	try_arguments("filter-tap", tap, TUNSETFILTEREBPF);
	say_rc("unattached-steering", set(none, TUNSETSTEERINGEBPF, -1));
	say_rc("unattached-filter", set(none, TUNSETFILTEREBPF, -1));
	say_rc("unattached-null", rc(ioctl(none, TUNSETFILTEREBPF, NULL)));
}

/* The program's number modulo the number of queues is the queue. */
static void steering(void)
{
	static const int values[] = {0, 1, 2, 3, 4, 255};
	struct rig rig;
	struct pollfd p[3];
	char step[32];
	size_t i, k;

	rig_make(&rig, MQ, O_RDWR | O_NONBLOCK);
	p[0].fd = rig.fd;
	p[1].fd = tun_new(rig.name, MQ, O_RDWR | O_NONBLOCK);
	p[2].fd = tun_new(rig.name, MQ, O_RDWR | O_NONBLOCK);
	rig_up(&rig);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int prog = load(BPF_PROG_TYPE_SOCKET_FILTER, values[i]);

		snprintf(step, sizeof(step), "value-%d", values[i]);
		say_rc(step, set(p[1].fd, TUNSETSTEERINGEBPF, prog));
		close(prog);
		host_send(rig.sock, 20);
		for (k = 0; k < 3; k++)
			p[k].events = POLLIN;
		if (poll(p, 3, DEADLINE_MS) < 1)
			say2(step, "queue", "none");
		for (k = 0; k < 3; k++) {
			if (read(p[k].fd, buf, sizeof(buf)) > 0)
				say2(step, "queue", "%zu", k);
		}
	}
}

/* 0 drops; another number is a length, as that of the classic filter. */
static void filter_of(int flags)
{
	static const int values[] = {-1, 1000, 40, 20, 1, 0};
	struct rig rig;
	char step[32];
	size_t i;

	rig_new(&rig, flags, O_RDWR | O_NONBLOCK);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int prog = load(BPF_PROG_TYPE_SOCKET_FILTER, values[i]);

		snprintf(step, sizeof(step), "value-%d", values[i]);
		say_rc(step, set(rig.fd, TUNSETFILTEREBPF, prog));
		close(prog);
		host_send(rig.sock, 100);
		wait_revents(rig.fd, values[i] ? 0x145 : 0x104);
		say_rc2(step, "read", rc(read(rig.fd, buf, sizeof(buf))));
	}
	say_rc("dropped", wait_stat(rig.name, TX_DROPPED, 1));
	say_tun_flags("flags", rig.fd);
	say_rc("detach", set(rig.fd, TUNSETFILTEREBPF, -1));
	host_send(rig.sock, 100);
	say_rc("detached-read", app_read(rig.fd, buf, sizeof(buf)));
}

static void filter_tun(void)
{
	filter_of(IFF_TUN | IFF_NO_PI);
}

static void filter_tap(void)
{
	filter_of(TAP);
}

const struct trace_case ebpf_cases[] = {
	{"ebpf-arguments", arguments},
	{"ebpf-steering", steering},
	{"ebpf-filter-tun", filter_tun},
	{"ebpf-filter-tap", filter_tap},
	{NULL, NULL},
};
