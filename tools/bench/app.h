/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/app.h - what the application has in its hand on each path: an
 * interface that gives and takes packets. The paths are in path_*.c.
 */
#ifndef BENCH_APP_H
#define BENCH_APP_H

#include <stddef.h>

#include "measure.h"

#define PACKET_ROOM 2048
#define HEADROOM    16 /* before each packet, for a path's own header */
#define BATCH_MAX   256

struct packet {
	unsigned char *data; /* an IP packet; HEADROOM before it */
	unsigned int length;
};

struct path;

struct port {
	const struct path *path;
	const char *device;	   /* its device file */
	char name[16];		   /* of the interface */
	unsigned char address[16]; /* where frames go, on a bare veth */
	unsigned int batch; /* packets at once, where there is a choice */
	int fd;
	void *own;
};

struct path {
	const char *name;
	unsigned int plane, offloads; /* of the library */
	/* Ends the process if there is no such path. */
	void (*attach)(struct port *port);
	/*
	 * Waits for a packet and returns their number, or a negative errno.
	 * They are the caller's until he releases all of them. It is not to
	 * write into them.
	 */
	int (*receive)(struct port *port, struct packet *ret_packets);
	void (*release)(struct port *port, unsigned int n);
	/* Returns how many were taken, or a negative errno. */
	int (*send)(struct port *port, const struct packet *packets,
		    unsigned int n);
};

/* Any TUN by plain system calls; with a virtio-net header, and TSO. */
extern const struct path path_tun, path_tun_vnet;

/* libtunclient: by plane and by way of moving packets. */
extern const struct path paths_library[];
extern const unsigned int n_paths_library;

/* A packet socket on one end of a veth pair, without tund. */
extern const struct path path_veth_batch, path_veth_ring, path_veth_tx_ring;

/*
 * Moves packets between two ports of one path, a thread for each direction,
 * for ever.
 */
noreturn void forward_packets(struct port *a, struct port *b);

#endif
