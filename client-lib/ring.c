/* SPDX-License-Identifier: MIT */
/*
 * client-lib/ring.c - receiving by ring: the order of the calls. Where the
 * packets lie is the plane's matter.
 */
#include "ring.h"

#include <errno.h>
#include <poll.h>

#include "packet.h"
#include "plane.h"

int tunclient_ring_begin_(struct tunclient *client)
{
	struct tunclient_receive_ring *ring;
	int r;

	if (client->receive_ring)
		return 0;
	if (!client->plane->ring_begin)
		return -EOPNOTSUPP;
	r = client->plane->ring_begin(client, &ring);
	if (r == 0)
		client->receive_ring = ring;
	return r;
}

static bool would_wait(const struct tunclient *client)
{
	struct pollfd p = {.fd = client->fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

PUBLIC int tunclient_ring_receive(struct tunclient *client,
				  struct tunclient_packet *ret_packets,
				  unsigned int n)
{
	struct tunclient_receive_ring *ring;
	int r;

	if (!ret_packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	/*
	 * The kernel has the direct plane's queues in an order, in which one
	 * that gets its ring moves to the end; and so it must be the last.
	 */
	if (!client->receive_ring && client->multi_queue)
		return tunclient_fail_(client, -EOPNOTSUPP,
				       "with several queues a ring must begin "
				       "at the attach: open the handle with "
				       "TUNCLIENT_RING");
	r = tunclient_ring_begin_(client);
	if (r < 0)
		return tunclient_receive_failed_(client, r);
	ring = client->receive_ring;
	/* Whoever waits for himself waits for ever. */
	if (ring->held > 0 && would_wait(client))
		return -EAGAIN;
	r = client->plane->ring_receive(client, ring, ret_packets, n);
	if (r < 0)
		return tunclient_receive_failed_(client, r);
	ring->held += (unsigned int)r;
	return r;
}

PUBLIC int tunclient_ring_release(struct tunclient *client, unsigned int n)
{
	int r = tunclient_check_(client);

	if (r < 0)
		return r;
	if (!client->receive_ring || n > client->receive_ring->held)
		return tunclient_fail_(client, -EINVAL,
				       "more packets were released than were "
				       "received");
	client->plane->ring_release(client->receive_ring, n);
	client->receive_ring->held -= n;
	return 0;
}
