/* SPDX-License-Identifier: MIT */
/*
 * client-lib/plane.h - the way that packets go, as a table of calls: nobody
 * but the planes themselves asks which one it is.
 *
 * Arguments are checked and the handle is attached when one is called. Results
 * are the API's; a call that is NULL is -EOPNOTSUPP. What tund's ABI has words
 * for is said in them on all planes.
 */
#ifndef TUNCLIENT_PLANE_H
#define TUNCLIENT_PLANE_H

#include "client.h"

struct tunclient_plane {
	unsigned int number; /* TUNCLIENT_PLANE_* */

	/* On this device, before anything is attached. */
	bool (*is_possible)(const struct tunclient *client);

	/* With client->file, if the plane is possible on it; or NULL. */
	void (*opened)(struct tunclient *client);
	void (*closed)(struct tunclient *client);

	/* IFF_* that TUNSETIFF needs beyond the kind. */
	unsigned int (*attach_flags)(const struct tunclient *client);

	/*
	 * After TUNSETIFF: makes client->fd what packets come from, and says
	 * whether they have room for offloads. -EOPNOTSUPP: the file is as
	 * before, and another plane may be tried.
	 */
	int (*begin)(struct tunclient *client);
	void (*end)(struct tunclient *client);

	/* TUNCLIENT_ABILITY_*, after begin. */
	unsigned int (*abilities)(const struct tunclient *client);

	/* One packet without offloads. */
	ssize_t (*read)(struct tunclient *client, void *ret_packet,
			size_t size);
	ssize_t (*write)(struct tunclient *client, const void *packet,
			 size_t size);

	/* n is at most TUNCLIENT_BATCH_. */
	int (*recv_batch)(struct tunclient *client,
			  struct tunclient_packet *packets, unsigned int n);
	int (*send_batch)(struct tunclient *client,
			  const struct tunclient_packet *packets,
			  unsigned int n);
	/* Packets as the one that they were joined to: 0, or an error. */
	int (*send_run)(struct tunclient *client,
			const struct tunclient_packet *packets,
			const struct tunclient_run *run);

	/*
	 * The ring to receive from. begin comes first; end frees it, also what
	 * begin left half made. receive waits unless somebody knows that there
	 * is something; data points into the ring, all else is set, too.
	 */
	int (*ring_begin)(struct tunclient *client,
			  struct tunclient_receive_ring **ret_ring);
	void (*ring_end)(struct tunclient_receive_ring *ring);
	int (*ring_receive)(struct tunclient *client,
			    struct tunclient_receive_ring *ring,
			    struct tunclient_packet *ret_packets,
			    unsigned int n);
	void (*ring_release)(struct tunclient_receive_ring *ring,
			     unsigned int n);

	/*
	 * For ring_copy.c: up to n packets into memory, which has room for one
	 * at least; the bytes that are in use then.
	 */
	int (*recv_into)(struct tunclient *client, unsigned char *memory,
			 size_t size, struct tunclient_packet *ret_packets,
			 unsigned int n, size_t *ret_used);

	/* The queue is out of use now: loses what waits in it. Or NULL. */
	void (*drain)(struct tunclient *client);

	/* An ioctl of TUN that takes a number: tund_is_by_value(). */
	int (*set_value)(struct tunclient *client, unsigned int cmd,
			 unsigned long value);

	int (*configure)(struct tunclient *client,
			 const struct tund_config *config);
	int (*link)(struct tunclient *client, struct tund_link *ret_link);
	int (*stats)(struct tunclient *client,
		     struct tunclient_stats *ret_stats);
};

/* Packets of one system call, and so of the arrays on the stack. */
#define TUNCLIENT_BATCH_ 64u

/* Packets of tunclient_ring_allocate(). */
#define TUNCLIENT_SEND_SLOTS_ 64u

extern const struct tunclient_plane tunclient_plane_direct_;
extern const struct tunclient_plane tunclient_plane_file_;
extern const struct tunclient_plane tunclient_plane_kernel_;

/* In the order in which they are tried; NULL ends them. */
extern const struct tunclient_plane *const tunclient_planes_[];

/* client->file is another one now; or is to be closed. */
void tunclient_planes_opened_(struct tunclient *client);
void tunclient_planes_closed_(struct tunclient *client);

/* Possible on this device, and not against the options. */
bool tunclient_plane_is_allowed_(const struct tunclient *client,
				 const struct tunclient_plane *plane);

#endif
