/* SPDX-License-Identifier: MIT */
/* Cases about threads that wait in read(2) on a device while something else
 * happens to it; signals have a file of their own. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[2048];

static void packet(void)
{
	struct reader r;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
	say("is", "%s", check_ip(r.buf, 30 + UDP4_HDR));
}

/* Neither waits for the other on one descriptor. */
static void write_beside(void)
{
	struct reader r;
	struct rig rig;
	int i, good = 0;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	for (i = 0; i < 20; i++) {
		size_t len = make_udp4(buf, (size_t)i);

		good += write(rig.fd, buf, len) == (ssize_t)len;
		good += host_recv(rig.sock) == i;
	}
	say("writes", "%d of 40", good);
	say("poll", "%#x", revents_now(rig.fd));
	say("flags", "%#x", (unsigned int)tun_flags(rig.fd));
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
}

static void two_readers(void)
{
	struct reader a, b;
	struct rig rig;
	long x, y;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&a, rig.fd, sizeof(a.buf));
	reader_block(&b, rig.fd, sizeof(b.buf));
	host_send(rig.sock, 30);
	host_send(rig.sock, 40);
	x = reader_join(&a);
	y = reader_join(&b);
	say("smaller", "%ld", x < y ? x : y);
	say("larger", "%ld", x < y ? y : x);
}

static void small_buffer(void)
{
	struct reader r;
	struct rig rig;

	rig_new(&rig, IFF_TUN, O_RDWR);
	reader_block(&r, rig.fd, 3);
	host_send(rig.sock, 30);
	say_rc("pi-three", reader_join(&r));
	reader_block(&r, rig.fd, 20);
	host_send(rig.sock, 30);
	say_rc("pi-twenty", reader_join(&r));
	say("strip", "%u", r.buf[0]);
}

static void deleted(void)
{
	struct reader r, s;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	reader_block(&s, rig.fd, sizeof(s.buf));
	say_rc("delete", if_delete(rig.name));
	say_rc("first", reader_join(&r));
	say_rc("second", reader_join(&s));
	say_rc("read-again", read_in_time(rig.fd, 100));
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 10))));
	say("flags", "%d", tun_flags(rig.fd) == -EBADFD);
}

static void deleted_down(void)
{
	struct reader r;
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	say_rc("delete", if_delete(rig.name));
	say_rc("read", reader_join(&r));
}

static void down_and_up(void)
{
	struct reader r;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	if_down(rig.name);
	wait_revents(rig.fd, 0);
	say("down", "%s", wait_blocked(r.tid, SYS_read) ? "waits" : "came");
	if_up(rig.name);
	wait_revents(rig.fd, 0x104);
	say("up", "%s", wait_blocked(r.tid, SYS_read) ? "waits" : "came");
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
}

/* Blocked since before the interface came up. */
static void before_up(void)
{
	struct reader r;
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	rig_up(&rig);
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
}

/* The read holds the file, so that close() alone ends nothing. */
static void closed_beneath(void)
{
	struct reader r;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	say_rc("close", rc(close(rig.fd)));
	say("interface", "%s", if_nametoindex(rig.name) ? "exists" : "gone");
	say_rc("send", host_send(rig.sock, 30));
	say_rc("read", reader_join(&r));
	say("then", "%s", wait_gone(rig.name) ? "gone" : "exists");
}

/* What is set while one waits counts for the next call only. */
static void nonblock_beneath(void)
{
	struct reader r;
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	fcntl(rig.fd, F_SETFL, O_NONBLOCK);
	say("set", "%s", wait_blocked(r.tid, SYS_read) ? "waits" : "came");
	say_rc("second", rc(read(rig.fd, buf, 100)));
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
}

static void renamed_beneath(void)
{
	struct reader r;
	struct rig rig;

	rig_make(&rig, RAW, O_RDWR);
	reader_block(&r, rig.fd, sizeof(r.buf));
	say_rc("rename", if_rename(rig.name, "new0"));
	memcpy(rig.name, "new0", 5);
	rig_up(&rig);
	host_send(rig.sock, 30);
	say_rc("read", reader_join(&r));
}

static void many_readers(void)
{
	static struct reader r[16];
	struct rig rig;
	int i, good = 0;

	rig_new(&rig, RAW, O_RDWR);
	for (i = 0; i < 16; i++)
		reader_block(&r[i], rig.fd, sizeof(r[i].buf));
	for (i = 0; i < 16; i++)
		host_send(rig.sock, 30);
	for (i = 0; i < 16; i++)
		good += reader_join(&r[i]) == 30 + UDP4_HDR;
	say("got", "%d of 16", good);
}

/* Others wait, and a new client is served all the same. */
static void many_devices(void)
{
	static struct reader r[24];
	uint8_t data[100];
	int fds[24];
	struct rig rig;
	int i, ended = 0;

	for (i = 0; i < 24; i++) {
		fds[i] = tun_new("many%d", RAW, O_RDWR);
		reader_block(&r[i], fds[i], sizeof(r[i].buf));
	}
	rig_new(&rig, RAW, O_RDWR);
	host_send(rig.sock, 30);
	say_rc("read", app_read(rig.fd, data, sizeof(data)));
	say_rc("write", rc(write(rig.fd, data, make_udp4(data, 20))));
	say_rc("received", host_recv(rig.sock));
	for (i = 0; i < 24; i++) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "many%d", i);
		if_delete(name);
		ended += reader_join(&r[i]) == -EFAULT;
	}
	say("ended", "%d of 24", ended);
}

const struct trace_case block_cases[] = {
	{"block-packet", packet},
	{"block-write-beside", write_beside},
	{"block-two-readers", two_readers},
	{"block-small-buffer", small_buffer},
	{"block-deleted", deleted},
	{"block-deleted-down", deleted_down},
	{"block-down-up", down_and_up},
	{"block-before-up", before_up},
	{"block-closed", closed_beneath},
	{"block-nonblock", nonblock_beneath},
	{"block-renamed", renamed_beneath},
	{"block-many-readers", many_readers},
	{"block-many-devices", many_devices},
	{NULL, NULL},
};
