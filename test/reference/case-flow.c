/* SPDX-License-Identifier: MIT */
/* Cases about which of a device's queues a packet of the host comes out of:
 * the one that last wrote a packet of the same flow, if there is one. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MQ     (IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE)
#define MQ_TAP (IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE)
#define QUEUES 4
/* Of flows that no step is about. */
#define PROBE_PORT 5900
#define PROBES	   8

static uint8_t buf[2048];

struct queues {
	struct rig rig;
	int fd[QUEUES]; /* the first is the rig's */
	size_t eth;
};

static void make_queues(struct queues *q, int flags)
{
	int i;

	rig_make(&q->rig, flags, O_RDWR | O_NONBLOCK);
	q->eth = flags & IFF_TAP ? 14 : 0;
	q->fd[0] = q->rig.fd;
	for (i = 1; i < QUEUES; i++)
		q->fd[i] = tun_new(q->rig.name, flags, O_RDWR | O_NONBLOCK);
	rig_up(&q->rig);
}

/* Queue I writes a packet of the flow with this port of the application. */
static long write_flow(struct queues *q, int i, unsigned int port)
{
	size_t len =
		q->eth ? make_frame4(buf, q->rig.mac, 20) : make_udp4(buf, 20);

	put16(buf + q->eth + 20, port);
	finish4(buf + q->eth, len - q->eth);
	return rc(write(q->fd[i], buf, len));
}

static long send_flow(struct queues *q, unsigned int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	sin.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, APP_ADDR, &sin.sin_addr);
	return rc(
		sendto(q->rig.sock, "hello", 5, 0, (void *)&sin, sizeof(sin)));
}

/* A queue that has a packet, which is read; -1 if none gets any. */
static int read_any(struct queues *q, int ms)
{
	struct pollfd p[QUEUES];
	int i;

	for (i = 0; i < QUEUES; i++)
		p[i] = (struct pollfd){.fd = q->fd[i], .events = POLLIN};
	if (poll(p, QUEUES, ms) < 1)
		return -1;
	for (i = 0; i < QUEUES; i++) {
		if (p[i].fd >= 0 && p[i].revents & POLLIN &&
		    read(p[i].fd, buf, sizeof(buf)) > 0)
			return i;
	}
	return -1;
}

/* The queue out of which a packet of the flow comes; -1 if it comes nowhere. */
static int comes_out_in(struct queues *q, unsigned int port, int ms)
{
	int i;

	do {
		i = read_any(q, ms);
	} while (i >= 0 && get16(buf + q->eth + 22) != port);
	return i;
}

static int comes_out(struct queues *q, unsigned int port)
{
	return comes_out_in(q, port, DEADLINE_MS);
}

static bool probes_come_out(void *arg)
{
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		send_flow(arg, PROBE_PORT + i);
		if (comes_out_in(arg, PROBE_PORT + i, 50) < 0)
			return false;
	}
	return true;
}

/* Closes the queues, which take packets until their end is known. */
static void close_queues(struct queues *q, int first, int last)
{
	int i;

	write_flow(q, last, PROBE_PORT);
	for (i = first; i <= last; i++) {
		close(q->fd[i]);
		q->fd[i] = -1;
	}
	wait_until(probes_come_out, q, PATIENCE_MS);
}

static void try_flow(struct queues *q, const char *step, unsigned int port)
{
	long ret = send_flow(q, port);

	if (ret < 0)
		say_rc(step, ret);
	else
		say(step, "queue %d", comes_out(q, port));
}

static void follows(int flags)
{
	struct queues q;
	char step[32];
	unsigned int i;

	make_queues(&q, flags);
	for (i = 0; i < 3 * QUEUES; i++)
		write_flow(&q, (int)i % QUEUES, 5100 + i);
	for (i = 0; i < 3 * QUEUES; i++) {
		snprintf(step, sizeof(step), "flow-%u", i);
		try_flow(&q, step, 5100 + i);
	}
	/* Who writes last has it. */
	write_flow(&q, 3, 5100);
	try_flow(&q, "taken-over", 5100);
	write_flow(&q, 0, 5100);
	try_flow(&q, "taken-back", 5100);
}

static void follows_tun(void)
{
	follows(MQ);
}

static void follows_tap(void)
{
	follows(MQ_TAP);
}

/* All packets of an unknown flow take one queue, whichever it is. */
static void unknown(void)
{
	int i, first = -1, same = 0, used[QUEUES] = {0}, count = 0;
	struct queues q;

	make_queues(&q, MQ);
	for (i = 0; i < 20; i++) {
		int now;

		send_flow(&q, 7000);
		now = comes_out(&q, 7000);
		first = i ? first : now;
		same += now == first && now >= 0;
	}
	say("same", "%d of 20", same);
	for (i = 0; i < 200; i++) {
		int now;

		send_flow(&q, 8000 + (unsigned int)i);
		now = comes_out(&q, 8000 + (unsigned int)i);
		if (now >= 0)
			used[now] = 1;
	}
	for (i = 0; i < QUEUES; i++)
		count += used[i];
	say("used", "%d of %d", count, QUEUES);
}

/* A detached queue gets nothing, and its flows find another. */
static void detached(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_DETACH_QUEUE};
	struct queues q;
	int lost = 0, i;

	make_queues(&q, MQ);
	for (i = 0; i < QUEUES; i++)
		write_flow(&q, i, 5100 + (unsigned int)i);
	say_rc("detach-last", rc(ioctl(q.fd[3], TUNSETQUEUE, &ifr)));
	try_flow(&q, "kept-0", 5100);
	try_flow(&q, "kept-1", 5101);
	try_flow(&q, "kept-2", 5102);
	send_flow(&q, 5103);
	i = comes_out(&q, 5103);
	say("moved-3", "%s", i >= 0 && i < 3 ? "another" : "none");
	say_rc("write", write_flow(&q, 3, 5200));
	for (i = 0; i < 100; i++) {
		send_flow(&q, 8000 + (unsigned int)i);
		lost += comes_out(&q, 8000 + (unsigned int)i) == 3;
	}
	say("to-detached", "%d of 100", lost);
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	say_rc("attach", rc(ioctl(q.fd[3], TUNSETQUEUE, &ifr)));
	write_flow(&q, 3, 5103);
	try_flow(&q, "again-3", 5103);
}

/* The last queue takes the place, and with it the flows, of one that leaves. */
static void closed(void)
{
	struct queues q;
	unsigned int i;

	make_queues(&q, MQ);
	for (i = 0; i < QUEUES; i++)
		write_flow(&q, (int)i, 5100 + i);
	close_queues(&q, 0, 0);
	try_flow(&q, "first", 5100);
	try_flow(&q, "second", 5101);
	try_flow(&q, "third", 5102);
	try_flow(&q, "last", 5103);
	write_flow(&q, 3, 5102);
	try_flow(&q, "third-written", 5102);
}

/* Closed while packets wait in it: they are gone. */
static void closed_full(void)
{
	struct queues q;

	make_queues(&q, MQ);
	write_flow(&q, 1, 5100);
	send_flow(&q, 5100);
	say("queued", "%#x", wait_revents(q.fd[1], 0x145));
	close(q.fd[1]);
	q.fd[1] = -1;
	say("then", "queue %d", comes_out(&q, 5100));
}

/* With one queue there is nothing to learn. */
static void alone(void)
{
	struct queues q;
	int i;

	make_queues(&q, MQ);
	write_flow(&q, 2, 5100);
	close_queues(&q, 1, QUEUES - 1);
	for (i = 0; i < 4; i++) {
		char step[32];

		snprintf(step, sizeof(step), "port-%d", i);
		try_flow(&q, step, 5100 + (unsigned int)i);
	}
}

const struct trace_case flow_cases[] = {
	{"flow-follows-tun", follows_tun},
	{"flow-follows-tap", follows_tap},
	{"flow-unknown", unknown},
	{"flow-detached", detached},
	{"flow-closed", closed},
	{"flow-closed-full", closed_full},
	{"flow-alone", alone},
	{NULL, NULL},
};
