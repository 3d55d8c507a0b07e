/* SPDX-License-Identifier: MIT */
/* Cases about io_uring on the device; without liburing the table is empty and
 * nothing else changes. */
#include "tun-trace.h"

#ifdef HAVE_LIBURING

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static struct io_uring ring;
static uint8_t buf[2048];
static uint8_t out[2048];

static void ring_start(void)
{
	int ret = io_uring_queue_init(16, &ring, 0);

	if (ret < 0)
		give_up("io_uring", ret);
}

/* The result of the completion with TAG, which must be the next. */
static long completion(uint64_t tag, int ms)
{
	struct __kernel_timespec ts = {.tv_sec = ms / 1000,
				       .tv_nsec = ms % 1000 * 1000000L};
	struct io_uring_cqe *cqe;
	int ret = io_uring_wait_cqe_timeout(&ring, &cqe, &ts);
	long res;

	if (ret < 0)
		return ret;
	res = cqe->user_data == tag ? cqe->res : -EBADMSG;
	io_uring_cqe_seen(&ring, cqe);
	return res;
}

static struct io_uring_sqe *request(uint64_t tag)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		give_up("sqe", -ENOSPC);
	sqe->user_data = tag;
	return sqe;
}

static void submit_read(int fd)
{
	struct io_uring_sqe *sqe = request(1);

	io_uring_prep_read(sqe, fd, buf, sizeof(buf), 0);
	sqe->user_data = 1;
	io_uring_submit(&ring);
}

static void submit_write(int fd, size_t payload)
{
	struct io_uring_sqe *sqe = request(2);
	size_t len = make_udp4(out, payload);

	io_uring_prep_write(sqe, fd, out, (unsigned int)len, 0);
	sqe->user_data = 2;
	io_uring_submit(&ring);
}

static void submit_poll(int fd, unsigned int events)
{
	struct io_uring_sqe *sqe = request(3);

	io_uring_prep_poll_add(sqe, fd, events);
	sqe->user_data = 3;
	io_uring_submit(&ring);
}

static void read_ready(void)
{
	struct rig rig;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	host_send(rig.sock, 30);
	wait_revents(rig.fd, 0x145);
	submit_read(rig.fd);
	say_rc("read", completion(1, DEADLINE_MS));
	say("is", "%s", check_ip(buf, 30 + UDP4_HDR));
}

static void read_pending(void)
{
	struct rig rig;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	submit_read(rig.fd);
	say_rc("before", completion(1, 50));
	host_send(rig.sock, 30);
	say_rc("after", completion(1, DEADLINE_MS));
	say("is", "%s", check_ip(buf, 30 + UDP4_HDR));
}

static void write_one(void)
{
	struct rig rig;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	submit_write(rig.fd, 30);
	say_rc("write", completion(2, DEADLINE_MS));
	say_rc("received", host_recv(rig.sock));
}

static void write_beside(void)
{
	struct rig rig;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	submit_read(rig.fd);
	submit_write(rig.fd, 30);
	say_rc("write", completion(2, DEADLINE_MS));
	say_rc("received", host_recv(rig.sock));
	host_send(rig.sock, 31);
	say_rc("read", completion(1, DEADLINE_MS));
}

static void poll_one(void)
{
	struct rig rig;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	submit_poll(rig.fd, POLLOUT);
	say("out", "%#lx", (unsigned long)completion(3, DEADLINE_MS));
	submit_poll(rig.fd, POLLIN);
	say_rc("before", completion(3, 50));
	host_send(rig.sock, 30);
	say("in", "%#lx", (unsigned long)completion(3, DEADLINE_MS));
}

static void unattached(void)
{
	int fd = tun_open(O_RDWR);

	ring_start();
	submit_read(fd);
	say_rc("read", completion(1, DEADLINE_MS));
	submit_write(fd, 30);
	say_rc("write", completion(2, DEADLINE_MS));
}

static void down(void)
{
	int fd = tun_new("ring0", RAW, O_RDWR);

	ring_start();
	submit_write(fd, 30);
	say_rc("write", completion(2, DEADLINE_MS));
}

static void cancelled(void)
{
	struct io_uring_sqe *sqe;
	long a, b;
	struct rig rig;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	submit_read(rig.fd);
	say_rc("before", completion(1, 50));
	sqe = request(4);
	io_uring_prep_cancel64(sqe, 1, 0);
	sqe->user_data = 1;
	io_uring_submit(&ring);
	/* Both carry one tag, since their order is not promised. */
	a = completion(1, DEADLINE_MS);
	b = completion(1, DEADLINE_MS);
	say_rc("smaller", a < b ? a : b);
	say_rc("larger", a < b ? b : a);
	host_send(rig.sock, 30);
	say_rc("packet-kept", app_read(rig.fd, buf, sizeof(buf)));
}

static void nonblock(void)
{
	struct rig rig;
	long ret;

	ring_start();
	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	submit_read(rig.fd);
	ret = completion(1, 50);
	say_rc("empty", ret);
	if (ret == -ETIME) {
		host_send(rig.sock, 30);
		say_rc("packet", completion(1, DEADLINE_MS));
	}
}

static void deleted(void)
{
	struct rig rig;
	long ret;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	submit_read(rig.fd);
	say_rc("before", completion(1, 50));
	say_rc("delete", if_delete(rig.name));
	ret = completion(1, DEADLINE_MS);
	say("read", "%s", ret == -ETIME ? "waits" : ret < 0 ? "failed" : "?");
	say_rc("errno", ret);
}

static void linked(void)
{
	struct io_uring_sqe *sqe;
	struct rig rig;
	size_t len;
	int i;

	ring_start();
	rig_new(&rig, RAW, O_RDWR);
	len = make_udp4(out, 9);
	for (i = 0; i < 3; i++) {
		sqe = request(0);
		io_uring_prep_write(sqe, rig.fd, out, (unsigned int)len, 0);
		sqe->user_data = (uint64_t)i;
		sqe->flags |= IOSQE_IO_LINK;
	}
	sqe = request(0);
	io_uring_prep_nop(sqe);
	sqe->user_data = 3;
	io_uring_submit(&ring);
	for (i = 0; i < 3; i++)
		say_rc(i == 0	? "first"
		       : i == 1 ? "second"
				: "third",
		       completion((uint64_t)i, DEADLINE_MS));
	say_rc("end", completion(3, DEADLINE_MS));
	say_rc("received", host_recv(rig.sock));
}

const struct trace_case uring_cases[] = {
	{"uring-read", read_ready},   {"uring-read-pending", read_pending},
	{"uring-write", write_one},   {"uring-write-beside", write_beside},
	{"uring-poll", poll_one},     {"uring-unattached", unattached},
	{"uring-down", down},	      {"uring-cancelled", cancelled},
	{"uring-nonblock", nonblock}, {"uring-deleted", deleted},
	{"uring-linked", linked},     {NULL, NULL},
};

#else

const struct trace_case uring_cases[] = {
	{NULL, NULL},
};

#endif
