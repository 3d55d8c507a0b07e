/* SPDX-License-Identifier: MIT */
/*
 * examples/forwarder.c - connects two TUN interfaces as if by a wire: what the
 * host sends to the one comes out of the other, in both directions. It is an
 * example of libtunclient's three ways to move packets, and of packets that are
 * passed on with their offloads; it configures nothing.
 *
 *	cc forwarder.c $(pkg-config --cflags --libs tunclient) -lpthread
 *	forwarder [--mode single|batch|ring] [--offloads] [--device PATH]
 *	          [--plane direct|file|kernel] NAME[@NETNS] NAME[@NETNS]
 *
 * NETNS is a network namespace's file, as in /run/netns/.
 */
#define _GNU_SOURCE 1 /* setns() */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tunclient.h>

#define BATCH 64
#define OFFLOADS                                                               \
	(TUNCLIENT_OFFLOAD_CSUM | TUNCLIENT_OFFLOAD_TSO4 |                     \
	 TUNCLIENT_OFFLOAD_TSO6)

enum mode { SINGLE, BATCHES, RING };

/* One direction; each has a thread. */
struct wire {
	enum mode mode;
	struct tunclient *from, *to;
	struct tunclient_packet packets[BATCH];
};

static void fail(const char *what, struct tunclient *client, int error)
{
	const char *sentence = client ? tunclient_error(client) : "";

	fprintf(stderr, "forwarder: %s: %s\n", what,
		*sentence ? sentence : strerror(-error));
	exit(1);
}

static int receive(struct wire *wire)
{
	struct tunclient_packet *packet = wire->packets;
	ssize_t n;

	switch (wire->mode) {
	case RING: /* the packets stay where the kernel has put them */
		return tunclient_ring_receive(wire->from, packet, BATCH);
	case BATCHES:
		return tunclient_recv_batch(wire->from, packet, BATCH);
	default:
		n = tunclient_read(wire->from, packet->data, packet->size);
		packet->length = n > 0 ? (uint32_t)n : 0;
		return n > 0 ? 1 : (int)n;
	}
}

static int send_some(struct wire *wire, struct tunclient_packet *packets,
		     unsigned int n)
{
	ssize_t r;

	if (wire->mode != SINGLE)
		return tunclient_send_batch(wire->to, packets, n);
	r = tunclient_write(wire->to, packets->data, packets->length);
	return r < 0 ? (int)r : 1;
}

static void *forward(void *context)
{
	struct wire *wire = context;

	for (;;) {
		int n = receive(wire);
		int done = 0;

		if (n < 0 && n != -EINTR)
			fail("receive", wire->from, n);
		/*
		 * A packet that is not taken is lost, as on any wire, and those
		 * behind it are not: the interface may be down or full.
		 */
		while (done < n) {
			int r = send_some(wire, wire->packets + done,
					  (unsigned int)(n - done));

			done += r > 0 ? r : 1;
		}
		if (n > 0 && wire->mode == RING)
			tunclient_ring_release(wire->from, (unsigned int)n);
	}
	return NULL;
}

/* A packet with offloads can have 64 KiB. */
static void make_buffers(struct wire *wire)
{
	int i;

	if (wire->mode == RING)
		return;
	for (i = 0; i < BATCH; i++) {
		wire->packets[i].size = TUNCLIENT_PACKET_MAX;
		wire->packets[i].data = malloc(TUNCLIENT_PACKET_MAX);
		if (!wire->packets[i].data)
			fail("malloc", NULL, -ENOMEM);
	}
}

/* An interface belongs to the namespace in which its device was opened. */
static void enter(int fd, const char *netns)
{
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(netns, NULL, -errno);
	close(fd);
}

static struct tunclient *open_end(const struct tunclient_options *options,
				  char *name)
{
	char *netns = strchr(name, '@');
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct tunclient *client;
	int r;

	if (netns) {
		*netns++ = '\0';
		enter(open(netns, O_RDONLY | O_CLOEXEC), netns);
	}
	r = tunclient_open(options, &client);
	if (r == 0)
		r = tunclient_attach(client, name, TUNCLIENT_TUN);
	if (r < 0)
		fail(name, client, r);
	if (netns)
		enter(home, "back");
	else
		close(home);
	return client;
}

static unsigned int word(const char *given, const char *const *words)
{
	unsigned int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], given))
			return i;
	fprintf(stderr, "forwarder: what is %s?\n", given);
	exit(2);
}

static void usage(void)
{
	fputs("usage: forwarder [--mode single|batch|ring] [--offloads]\n"
	      "                 [--device PATH] [--plane direct|file|kernel]\n"
	      "                 NAME[@NETNS] NAME[@NETNS]\n",
	      stderr);
	exit(2);
}

static enum mode parse(int argc, char **argv, struct tunclient_options *options)
{
	static const char *const planes[] = {"auto", "direct", "file", "kernel",
					     NULL};
	static const char *const modes[] = {"single", "batch", "ring", NULL};
	static const struct option names[] = {
		{"mode", required_argument, NULL, 'm'},
		{"offloads", no_argument, NULL, 'o'},
		{"device", required_argument, NULL, 'd'},
		{"plane", required_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	enum mode mode = BATCHES;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'm')
			mode = (enum mode)word(optarg, modes);
		else if (c == 'o')
			options->offloads = OFFLOADS;
		else if (c == 'd')
			options->device = optarg;
		else if (c == 'p')
			options->plane = word(optarg, planes);
		else
			usage();
	}
	if (optind != argc - 2)
		usage();
	return mode;
}

int main(int argc, char **argv)
{
	struct tunclient_options options = {.size = sizeof(options)};
	static struct wire wires[2];
	enum mode mode = parse(argc, argv, &options);
	struct tunclient *a, *b;
	pthread_t thread;
	int r;

	a = open_end(&options, argv[optind]);
	b = open_end(&options, argv[optind + 1]);
	wires[0] = (struct wire){.mode = mode, .from = a, .to = b};
	wires[1] = (struct wire){.mode = mode, .from = b, .to = a};
	make_buffers(&wires[0]);
	make_buffers(&wires[1]);
	puts("ready");
	fflush(stdout);
	r = pthread_create(&thread, NULL, forward, &wires[1]);
	if (r != 0)
		fail("pthread_create", NULL, -r);
	/* Until a signal ends it; the interfaces end with the program. */
	forward(&wires[0]);
	return 0;
}
