/* SPDX-License-Identifier: MIT */
/*
 * examples/event-loop.c - says who sends to whom through a TUN interface, from
 * within libevent's loop: one descriptor to wait on, batches, no thread. It is
 * an example of tunclient_fd() in somebody's loop, not a capture program.
 *
 *	cc event-loop.c $(pkg-config --cflags --libs tunclient libevent_core)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <tunclient.h>

#define BATCH 32

struct program {
	struct event_base *base;
	struct tunclient *tun;
	unsigned char buffers[BATCH][2048];
	struct tunclient_packet packets[BATCH];
	unsigned long n_packets, n_bytes;
	int error; /* of the library: why it ended */
};

static void show(const struct tunclient_packet *packet)
{
	const unsigned char *ip = packet->data;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	int family = ip[0] >> 4 == 4 ? AF_INET : AF_INET6;
	size_t at = family == AF_INET ? 12 : 8, size = at == 12 ? 4 : 16;

	if (packet->length < at + 2 * size)
		return;
	inet_ntop(family, ip + at, from, sizeof(from));
	inet_ntop(family, ip + at + size, to, sizeof(to));
	printf("%s > %s, %u bytes%s\n", from, to, packet->length,
	       packet->status & TUNCLIENT_PACKET_CUT ? " or more" : "");
}

/* One batch: the loop calls again as long as there are packets. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	int n;

	(void)fd;
	(void)what;
	n = tunclient_recv_batch(p->tun, p->packets, BATCH);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		p->error = n;
		event_base_loopbreak(p->base);
		return;
	}
	for (int i = 0; i < n; i++) {
		show(&p->packets[i]);
		p->n_bytes += p->packets[i].length;
	}
	p->n_packets += (unsigned long)n;
	fflush(stdout);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct program *p = arg;

	(void)number;
	(void)what;
	event_base_loopbreak(p->base);
}

static int attach(struct program *p, const char *device, const char *name)
{
	struct tunclient_options options = {
		.size = sizeof(options),
		.device = device,
		.flags = TUNCLIENT_NONBLOCK,
	};
	char real_name[TUNCLIENT_NAME_SIZE];
	int r;

	r = tunclient_open(&options, &p->tun);
	if (r == 0)
		r = tunclient_attach(p->tun, name, TUNCLIENT_TUN);
	if (r == 0)
		r = tunclient_name(p->tun, real_name, sizeof(real_name));
	if (r < 0)
		return r;
	for (int i = 0; i < BATCH; i++) {
		p->packets[i].data = p->buffers[i];
		p->packets[i].size = sizeof(p->buffers[i]);
	}
	printf("interface: %s\n", real_name);
	fflush(stdout);
	return 0;
}

static int loop(struct program *p)
{
	struct event *readable, *interrupt, *terminate;

	p->base = event_base_new();
	if (!p->base)
		return -ENOMEM;
	/* After the attach: it may have put another file behind it. */
	readable = event_new(p->base, tunclient_fd(p->tun),
			     EV_READ | EV_PERSIST, on_readable, p);
	interrupt = evsignal_new(p->base, SIGINT, on_signal, p);
	terminate = evsignal_new(p->base, SIGTERM, on_signal, p);
	if (!readable || !interrupt || !terminate ||
	    event_add(readable, NULL) < 0 || event_add(interrupt, NULL) < 0 ||
	    event_add(terminate, NULL) < 0)
		p->error = -ENOMEM;
	else
		event_base_dispatch(p->base);
	if (readable)
		event_free(readable);
	if (interrupt)
		event_free(interrupt);
	if (terminate)
		event_free(terminate);
	event_base_free(p->base);
	printf("%lu packets, %lu bytes\n", p->n_packets, p->n_bytes);
	return p->error;
}

static int usage(void)
{
	fprintf(stderr, "usage: event-loop [-d DEVICE] [NAME]\n"
			"Says who sends to whom through a new TUN interface.\n"
			"  -d DEVICE  the TUN device (default: the one that "
			"libtunclient(3) finds)\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct program program;
	const char *device = NULL;
	int option, r;

	opterr = 0;
	while ((option = getopt(argc, argv, "d:")) != -1) {
		if (option != 'd')
			return usage();
		device = optarg;
	}
	if (argc - optind > 1)
		return usage();
	r = attach(&program, device, argv[optind]);
	if (r == 0)
		r = loop(&program);
	if (r < 0)
		fprintf(stderr, "event-loop: %s (%s)\n",
			tunclient_error(program.tun), strerror(-r));
	tunclient_close(program.tun);
	return r < 0 ? 1 : 0;
}
