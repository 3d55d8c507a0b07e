/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/load.c - the host's side of the benchmark, over UDP sockets:
 * sends as much as it can or at a rate, takes what comes, or sends pings one
 * after the other and says how long they took. It knows no device.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define BATCH	    64
#define GSO_MAX	    65000u
#define ROOM	    2048
#define NAP	    500000     /* nanoseconds */
#define TURN	    200000     /* nanoseconds between what is sent at a rate */
#define PINGS	    (1u << 20) /* that are remembered */
#define SOCKET_ROOM (64 << 20)

static struct {
	const char *netns;
	int cpu;
	unsigned int size;
	double rate; /* packets per second; 0: as many as it can */
	bool gso;    /* the kernel divides what is sent */
	struct sockaddr_in from, to;
} opt = {
	.cpu = -1,
	.size = 64,
};

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const int room = SOCKET_ROOM;

	if (fd < 0)
		die("no socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (opt.from.sin_port &&
	    bind(fd, (struct sockaddr *)&opt.from, sizeof(opt.from)) < 0)
		die("cannot bind port %u", ntohs(opt.from.sin_port));
	if (opt.to.sin_port &&
	    connect(fd, (struct sockaddr *)&opt.to, sizeof(opt.to)) < 0)
		die("cannot connect to port %u", ntohs(opt.to.sin_port));
	return fd;
}

static void sleep_for(long nanoseconds)
{
	const struct timespec t = {0, nanoseconds};

	nanosleep(&t, NULL);
}

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	unsigned char buffers[BATCH][ROOM];
};

static struct batch batch;

static void set_up_batch(size_t size)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		batch.iov[i].iov_base = batch.buffers[i];
		batch.iov[i].iov_len = size;
		batch.messages[i].msg_hdr.msg_iov = &batch.iov[i];
		batch.messages[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Several packets by one call; the number of them, or a negative errno. */
static int send_some(int fd, unsigned int n)
{
	static unsigned char big[GSO_MAX];
	ssize_t r;

	if (!opt.gso) {
		r = sendmmsg(fd, batch.messages, n < BATCH ? n : BATCH, 0);
		return r < 0 ? -errno : (int)r;
	}
	if (n > GSO_MAX / opt.size)
		n = GSO_MAX / opt.size;
	if (n > BATCH)
		n = BATCH;
	r = send(fd, big, (size_t)n * opt.size, 0);
	return r < 0 ? -errno : (int)n;
}

/* How many are due by now, at a rate. */
static unsigned int due(uint64_t begin, uint64_t sent)
{
	double all = opt.rate * (double)(now() - begin) / 1e9;

	if (opt.rate == 0)
		return BATCH;
	return all > (double)sent ? (unsigned int)(all - (double)sent) : 0;
}

static int command_send(void)
{
	struct window window;
	uint64_t count = 0, failures = 0, begin;
	const int segment = (int)opt.size;
	int fd = open_socket();

	if (opt.gso &&
	    setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		not_here("no UDP_SEGMENT");
	set_up_batch(opt.size);
	window_wait(&window, "send");
	begin = now();
	while (window_goes_on(&window, count, failures)) {
		unsigned int n = due(begin, count);
		int r;

		if (n == 0) {
			sleep_for(TURN);
			continue;
		}
		r = send_some(fd, n);
		if (r > 0)
			count += (unsigned int)r;
		else
			failures++;
	}
	window_print(&window);
	puts("}");
	return 0;
}

/* It sleeps by the clock: nobody has to wake it, whoever is measured. */
static int command_sink(void)
{
	struct window window;
	uint64_t count = 0, bytes = 0;
	int fd = open_socket();

	set_up_batch(ROOM);
	window_wait(&window, "sink");
	while (window_goes_on(&window, count, bytes)) {
		int n = recvmmsg(fd, batch.messages, BATCH, MSG_DONTWAIT, NULL);

		for (int i = 0; i < n; i++)
			bytes += batch.messages[i].msg_len;
		if (n > 0)
			count += (unsigned int)n;
		if (n < BATCH)
			sleep_for(NAP);
	}
	window_print(&window);
	puts("}");
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double microseconds(const uint32_t *times, unsigned int n, double part)
{
	unsigned int at = (unsigned int)((double)n * part);

	return n == 0 ? -1 : (double)times[at < n ? at : n - 1] / 1e3;
}

static int command_ping(void)
{
	static uint32_t times[PINGS];
	struct window window;
	struct timeval patience = {0, 100000};
	uint64_t count = 0, lost = 0, number = 0;
	unsigned char buffer[ROOM];
	unsigned int n = 0;
	int fd = open_socket();

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	memset(buffer, 'p', sizeof(buffer));
	window_wait(&window, "ping");
	while (window_goes_on(&window, count, lost)) {
		uint64_t begin = now(), answer = 0;

		number++;
		memcpy(buffer, &number, sizeof(number));
		if (send(fd, buffer, opt.size, 0) < 0) {
			lost++;
			continue;
		}
		do {
			if (recv(fd, &answer, sizeof(answer), 0) < 0)
				break;
		} while (answer != number);
		if (answer != number)
			lost++;
		else if (window.begun && n < PINGS)
			times[n++] = (uint32_t)(now() - begin);
		count += answer == number;
	}
	qsort(times, n, sizeof(times[0]), compare);
	window_print(&window);
	printf(", \"p50\": %.2f, \"p99\": %.2f, \"max\": %.2f}\n",
	       microseconds(times, n, 0.5), microseconds(times, n, 0.99),
	       microseconds(times, n, 1));
	return 0;
}

static const struct option options[] = {
	{"netns", required_argument, NULL, 'N'},
	{"cpu", required_argument, NULL, 'c'},
	{"size", required_argument, NULL, 's'},
	{"rate", required_argument, NULL, 'r'},
	{"gso", no_argument, NULL, 'g'},
	{"from", required_argument, NULL, 'f'},
	{"to", required_argument, NULL, 't'},
	{NULL, 0, NULL, 0},
};

/* ADDRESS:PORT */
static void parse_address(const char *text, struct sockaddr_in *ret)
{
	char address[32];
	unsigned int port;

	errno = 0;
	ret->sin_family = AF_INET;
	if (sscanf(text, "%31[^:]:%u", address, &port) != 2 ||
	    !inet_aton(address, &ret->sin_addr))
		die("%s is no ADDRESS:PORT", text);
	ret->sin_port = htons((uint16_t)port);
}

static int usage(void)
{
	fputs("usage: bench-load [--netns PATH] [--cpu N] [--size BYTES] "
	      "[--rate N] [--gso] [--from A:P] [--to A:P] send|sink|ping\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'N':
			opt.netns = optarg;
			break;
		case 'c':
			opt.cpu = atoi(optarg);
			break;
		case 's':
			opt.size = (unsigned int)atoi(optarg);
			break;
		case 'r':
			opt.rate = atof(optarg);
			break;
		case 'g':
			opt.gso = true;
			break;
		case 'f':
			parse_address(optarg, &opt.from);
			break;
		case 't':
			parse_address(optarg, &opt.to);
			break;
		default:
			return usage();
		}
	}
	if (optind != argc - 1 || opt.size < 8 || opt.size > ROOM)
		return usage();
	run_on_cpu(opt.cpu);
	enter_netns(opt.netns);
	if (!strcmp(argv[optind], "send"))
		return command_send();
	if (!strcmp(argv[optind], "sink"))
		return command_sink();
	if (!strcmp(argv[optind], "ping"))
		return command_ping();
	return usage();
}
