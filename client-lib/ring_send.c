/* SPDX-License-Identifier: MIT */
/*
 * client-lib/ring_send.c - the ring to send from: places for packets, which the
 * plane sends as a batch. It is no PACKET_TX_RING, which costs the same and
 * does not tell which packet failed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "batch.h"
#include "packet.h"
#include "plane.h"
#include "ring.h"

/*
 * Whole pages, so that what is not used is not there. Each place begins a line
 * of the cache further in its page than the one before: else all beginnings
 * would push each other out of the few lines that they can be in.
 */
#define PLACE_SIZE (68u << 10)
#define CACHE_LINE 64u

_Static_assert(PLACE_SIZE >= TUNCLIENT_PACKET_MAX +
				     (TUNCLIENT_SEND_SLOTS_ - 1) * CACHE_LINE,
	       "the largest fits into the last");

struct tunclient_send_ring {
	unsigned char *memory;
	unsigned int first; /* the place that was allocated first */
	unsigned int held;  /* places with the program */
};

static int begin(struct tunclient *client)
{
	struct tunclient_send_ring *ring;
	void *memory;

	if (client->send_ring)
		return 0;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	memory = mmap(NULL, TUNCLIENT_SEND_SLOTS_ * PLACE_SIZE,
		      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED) {
		free(ring);
		return -ENOMEM;
	}
	ring->memory = memory;
	client->send_ring = ring;
	return 0;
}

void tunclient_send_ring_free_(struct tunclient_send_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->memory, TUNCLIENT_SEND_SLOTS_ * PLACE_SIZE);
	free(ring);
}

static void *place(const struct tunclient_send_ring *ring, unsigned int after)
{
	unsigned int i = (ring->first + after) % TUNCLIENT_SEND_SLOTS_;

	return ring->memory + (size_t)i * (PLACE_SIZE + CACHE_LINE);
}

PUBLIC int tunclient_ring_allocate(struct tunclient *client,
				   struct tunclient_packet *ret_packets,
				   unsigned int n)
{
	struct tunclient_send_ring *ring;
	int r;

	if (!ret_packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	r = begin(client);
	if (r < 0)
		return tunclient_send_failed_(client, r);
	ring = client->send_ring;
	if (n > TUNCLIENT_SEND_SLOTS_ - ring->held)
		n = TUNCLIENT_SEND_SLOTS_ - ring->held;
	if (n == 0)
		return -EAGAIN;
	for (unsigned int i = 0; i < n; i++) {
		memset(&ret_packets[i], 0, sizeof(ret_packets[i]));
		ret_packets[i].data = place(ring, ring->held + i);
		ret_packets[i].size = TUNCLIENT_PACKET_MAX;
	}
	ring->held += n;
	return (int)n;
}

static bool are_first(const struct tunclient_send_ring *ring,
		      const struct tunclient_packet *packets, unsigned int n)
{
	if (!ring || n > ring->held)
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (packets[i].data != place(ring, i))
			return false;
	return true;
}

/* Packets before the first that is empty, or is not. */
static unsigned int run_length(const struct tunclient_packet *packets,
			       unsigned int n, bool empty)
{
	unsigned int i = 0;

	while (i < n && (packets[i].length == 0) == empty)
		i++;
	return i;
}

PUBLIC int tunclient_ring_commit(struct tunclient *client,
				 const struct tunclient_packet *packets,
				 unsigned int n)
{
	struct tunclient_send_ring *ring;
	unsigned int done = 0, run;
	int r;

	if (!packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	ring = client->send_ring;
	if (!are_first(ring, packets, n))
		return tunclient_fail_(client, -EINVAL,
				       "these are not the packets that were "
				       "allocated first");
	while (done < n) {
		done += run_length(packets + done, n - done, true);
		run = run_length(packets + done, n - done, false);
		if (run == 0)
			break;
		r = tunclient_send_packets_(client, packets + done, run);
		if (r > 0)
			done += (unsigned int)r;
		if (r < (int)run)
			break;
	}
	ring->first = (ring->first + done) % TUNCLIENT_SEND_SLOTS_;
	ring->held -= done;
	/* The same memory again is still in the processor's cache. */
	if (ring->held == 0)
		ring->first = 0;
	return done > 0 ? (int)done : tunclient_send_failed_(client, r);
}
