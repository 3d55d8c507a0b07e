/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/path_library.c - libtunclient on each plane and in each of its
 * three ways to move packets, as a program would use it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tunclient.h>

#include "app.h"

#define OFFLOADS                                                               \
	(TUNCLIENT_OFFLOAD_CSUM | TUNCLIENT_OFFLOAD_TSO4 |                     \
	 TUNCLIENT_OFFLOAD_TSO6)

/* With which the library joins what is sent. */
#define OFFLOAD_UDP (TUNCLIENT_OFFLOAD_CSUM | TUNCLIENT_OFFLOAD_USO)

struct library {
	struct tunclient *client;
	struct tunclient_packet in[BATCH_MAX], out[BATCH_MAX];
	unsigned char buffers[BATCH_MAX][PACKET_ROOM];
};

static struct tunclient *client_of(struct port *port)
{
	return ((struct library *)port->own)->client;
}

static noreturn void refuse(struct library *own, const char *what)
{
	errno = 0;
	not_here("%s: %s", what, tunclient_error(own->client));
}

static void attach(struct port *port)
{
	const struct tunclient_options options = {
		.size = sizeof(options),
		.device = port->device,
		.plane = port->path->plane,
		.offloads = port->path->offloads,
	};
	struct library *own = calloc(1, sizeof(*own));

	if (!own)
		die("no memory");
	port->own = own;
	if (tunclient_open(&options, &own->client) < 0)
		refuse(own, "open");
	if (tunclient_attach(own->client, port->name, TUNCLIENT_TUN) < 0)
		refuse(own, "attach");
	for (unsigned int i = 0; i < BATCH_MAX; i++) {
		own->in[i].data = own->buffers[i];
		own->in[i].size = PACKET_ROOM;
	}
}

static int receive_single(struct port *port, struct packet *ret_packets)
{
	struct library *own = port->own;
	ssize_t n = tunclient_read(own->client, own->buffers[0], PACKET_ROOM);

	ret_packets->data = own->buffers[0];
	ret_packets->length = n > 0 ? (unsigned int)n : 0;
	return n > 0 ? 1 : (int)n;
}

static int give(struct library *own, int n, struct packet *ret_packets)
{
	for (int i = 0; i < n; i++) {
		ret_packets[i].data = own->in[i].data;
		ret_packets[i].length = own->in[i].length;
	}
	return n;
}

static int receive_batch(struct port *port, struct packet *ret_packets)
{
	struct library *own = port->own;
	int n = tunclient_recv_batch(own->client, own->in, port->batch);

	return give(own, n, ret_packets);
}

static int receive_ring(struct port *port, struct packet *ret_packets)
{
	struct library *own = port->own;
	int n = tunclient_ring_receive(own->client, own->in, port->batch);

	return give(own, n, ret_packets);
}

static void release_nothing(struct port *port, unsigned int n)
{
}

static void release_ring(struct port *port, unsigned int n)
{
	tunclient_ring_release(client_of(port), n);
}

static int send_single(struct port *port, const struct packet *packets,
		       unsigned int n)
{
	ssize_t r = tunclient_write(client_of(port), packets->data,
				    packets->length);

	return r > 0 ? 1 : (int)r;
}

static int send_batch(struct port *port, const struct packet *packets,
		      unsigned int n)
{
	struct library *own = port->own;

	for (unsigned int i = 0; i < n; i++) {
		own->out[i].data = packets[i].data;
		own->out[i].length = packets[i].length;
	}
	return tunclient_send_batch(own->client, own->out, n);
}

/* A program would write its packets there in place of copying them. */
static int send_ring(struct port *port, const struct packet *packets,
		     unsigned int n)
{
	struct library *own = port->own;
	int there = tunclient_ring_allocate(own->client, own->out, n);

	for (int i = 0; i < there; i++) {
		memcpy(own->out[i].data, packets[i].data, packets[i].length);
		own->out[i].length = packets[i].length;
	}
	if (there < 0)
		return there;
	return tunclient_ring_commit(own->client, own->out,
				     (unsigned int)there);
}

#define PATHS(name, plane, offloads)                                           \
	{name "-single", plane,		  offloads,   attach,                  \
	 receive_single, release_nothing, send_single},                        \
		{name "-batch", plane,		 offloads,  attach,            \
		 receive_batch, release_nothing, send_batch},                  \
	{                                                                      \
		name "-ring", plane, offloads, attach, receive_ring,           \
			release_ring, send_ring                                \
	}

const struct path paths_library[] = {
	PATHS("direct", TUNCLIENT_PLANE_DIRECT, 0),
	PATHS("file", TUNCLIENT_PLANE_FILE, 0),
	PATHS("kernel", TUNCLIENT_PLANE_KERNEL, 0),
	PATHS("direct-offloads", TUNCLIENT_PLANE_DIRECT, OFFLOADS),
	PATHS("file-offloads", TUNCLIENT_PLANE_FILE, OFFLOADS),
	PATHS("kernel-offloads", TUNCLIENT_PLANE_KERNEL, OFFLOADS),
	PATHS("direct-udp", TUNCLIENT_PLANE_DIRECT, OFFLOAD_UDP),
	PATHS("file-udp", TUNCLIENT_PLANE_FILE, OFFLOAD_UDP),
};
const unsigned int n_paths_library =
	sizeof(paths_library) / sizeof(paths_library[0]);
