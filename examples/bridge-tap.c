/* SPDX-License-Identifier: MIT */
/*
 * examples/bridge-tap.c - a switch for Ethernet: joins TAP interfaces, learns
 * which address is behind which, and sends each frame where it belongs. It is
 * an example of several handles in one loop, not a bridge for production: no
 * spanning tree, no VLANs, and an address is forgotten only for another.
 *
 *	cc bridge-tap.c $(pkg-config --cflags --libs tunclient)
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tunclient.h>

#define MAX_PORTS 16
#define BATCH	  32
#define ADDRESSES 1024 /* a power of 2 */
#define ETHERNET  14   /* bytes of the header */
#define MAC	  TUNCLIENT_MAC_SIZE

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Where an address was last seen; two that share a place push each other out.
 */
struct entry {
	unsigned char mac[MAC];
	int port; /* from 1; 0: free */
};

struct bridge {
	struct tunclient *ports[MAX_PORTS];
	int n_ports;
	struct entry addresses[ADDRESSES];
	unsigned char buffers[BATCH][TUNCLIENT_PACKET_MAX];
	struct tunclient_packet packets[BATCH];
};

static struct entry *place_of(struct bridge *bridge, const unsigned char *mac)
{
	uint32_t hash = 0;

	for (int i = 0; i < MAC; i++)
		hash = hash * 31 + mac[i];
	return &bridge->addresses[hash % ADDRESSES];
}

static void learn(struct bridge *bridge, const unsigned char *mac, int port)
{
	struct entry *entry = place_of(bridge, mac);

	if (mac[0] & 1) /* of a group: nobody sends from that */
		return;
	memcpy(entry->mac, mac, MAC);
	entry->port = port + 1;
}

/* The port that the address is behind, or -1: all but where it came from. */
static int find(struct bridge *bridge, const unsigned char *mac)
{
	const struct entry *entry = place_of(bridge, mac);

	return entry->port && memcmp(entry->mac, mac, MAC) == 0
		       ? entry->port - 1
		       : -1;
}

static void forward(struct bridge *bridge, int from,
		    const struct tunclient_packet *packet)
{
	const unsigned char *frame = packet->data;
	int to;

	if (packet->length < ETHERNET)
		return;
	learn(bridge, frame + MAC, from);
	to = find(bridge, frame);
	/* A port that is down, or full, loses the frame, as a switch does. */
	for (int i = 0; i < bridge->n_ports; i++)
		if (i != from && (to < 0 || i == to))
			tunclient_write(bridge->ports[i], frame,
					packet->length);
}

static int serve_port(struct bridge *bridge, int port)
{
	int n = tunclient_recv_batch(bridge->ports[port], bridge->packets,
				     BATCH);

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	for (int i = 0; i < n; i++)
		forward(bridge, port, &bridge->packets[i]);
	return n < 0 ? n : 0;
}

static int add_port(struct bridge *bridge, const char *device, const char *name)
{
	struct tunclient_options options = {
		.size = sizeof(options),
		.device = device,
		.flags = TUNCLIENT_NONBLOCK,
	};
	struct tunclient **port = &bridge->ports[bridge->n_ports++];
	int r;

	r = tunclient_open(&options, port);
	if (r == 0)
		r = tunclient_attach(*port, name, TUNCLIENT_TAP);
	if (r < 0)
		fprintf(stderr, "bridge-tap: %s: %s (%s)\n", name,
			tunclient_error(*port), strerror(-r));
	return r;
}

static int serve(struct bridge *bridge)
{
	struct pollfd pfds[MAX_PORTS];
	int r = 0;

	for (int i = 0; i < BATCH; i++) {
		bridge->packets[i].data = bridge->buffers[i];
		bridge->packets[i].size = sizeof(bridge->buffers[i]);
	}
	for (int i = 0; i < bridge->n_ports; i++)
		pfds[i] = (struct pollfd){
			.fd = tunclient_fd(bridge->ports[i]),
			.events = POLLIN,
		};
	while (!stop && r == 0) {
		/* See examples/ring.c about the second. */
		if (poll(pfds, (nfds_t)bridge->n_ports, 1000) <= 0)
			continue;
		for (int i = 0; i < bridge->n_ports && r == 0; i++)
			if (pfds[i].revents) {
				r = serve_port(bridge, i);
				if (r < 0)
					fprintf(stderr, "bridge-tap: %s (%s)\n",
						tunclient_error(
							bridge->ports[i]),
						strerror(-r));
			}
	}
	return r;
}

static int usage(void)
{
	fprintf(stderr, "usage: bridge-tap [-d DEVICE] NAME NAME...\n"
			"Joins new TAP interfaces as a switch does, until "
			"Ctrl-C; at most 16.\n"
			"  -d DEVICE  the TUN device (default: the one that "
			"libtunclient(3) finds)\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct bridge bridge;
	const char *device = NULL;
	struct sigaction action;
	int option, r = 0;

	opterr = 0;
	while ((option = getopt(argc, argv, "d:")) != -1) {
		if (option != 'd')
			return usage();
		device = optarg;
	}
	if (argc - optind < 2 || argc - optind > MAX_PORTS)
		return usage();
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (int i = optind; i < argc && r == 0; i++)
		r = add_port(&bridge, device, argv[i]);
	if (r == 0) {
		printf("%d ports\n", bridge.n_ports);
		fflush(stdout);
		r = serve(&bridge);
	}
	for (int i = 0; i < bridge.n_ports; i++)
		tunclient_close(bridge.ports[i]);
	return r < 0 ? 1 : 0;
}
