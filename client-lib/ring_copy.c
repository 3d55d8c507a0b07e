/* SPDX-License-Identifier: MIT */
/*
 * client-lib/ring_copy.c - a ring to receive from in memory of the library's
 * own, which the plane reads into. It knows no format.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "plane.h"
#include "ring.h"

struct block {
	unsigned int held; /* packets in it that were not released */
	size_t used;	   /* bytes that are not to be read into */
};

struct copy_ring {
	struct tunclient_receive_ring ring;
	unsigned char *memory;
	unsigned int n_blocks;
	unsigned int fill;   /* the block that is read into */
	unsigned int oldest; /* the one that is released from */
	struct block blocks[];
};

unsigned int tunclient_ring_blocks_(const struct tunclient *client,
				    unsigned int size)
{
	const unsigned int bytes = client->options.ring_bytes;

	if (bytes == 0)
		return (4u << 20) / size;
	if (bytes <= 2 * size)
		return 2;
	return (bytes - 1) / size + 1;
}

int tunclient_copy_begin_(struct tunclient *client,
			  struct tunclient_receive_ring **ret_ring)
{
	unsigned int n = tunclient_ring_blocks_(client, TUNCLIENT_BLOCK_);
	struct copy_ring *c = calloc(1, sizeof(*c) + n * sizeof(c->blocks[0]));
	void *memory;

	if (!c)
		return -ENOMEM;
	memory =
		mmap(NULL, (size_t)n * TUNCLIENT_BLOCK_, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		free(c);
		return -ENOMEM;
	}
	c->memory = memory;
	c->n_blocks = n;
	*ret_ring = &c->ring;
	return 0;
}

void tunclient_copy_end_(struct tunclient_receive_ring *ring)
{
	struct copy_ring *c = (struct copy_ring *)ring;

	munmap(c->memory, (size_t)c->n_blocks * TUNCLIENT_BLOCK_);
	free(c);
}

/* A block with room for the largest packet; NULL: the program has them all. */
static struct block *find_room(struct copy_ring *c)
{
	struct block *block = &c->blocks[c->fill];
	unsigned int next = (c->fill + 1) % c->n_blocks;

	/* The same memory again is still in the processor's cache. */
	if (block->held == 0)
		block->used = 0;
	if (TUNCLIENT_BLOCK_ - block->used >= TUNCLIENT_BLOCK_ / 2)
		return block;
	if (c->blocks[next].held > 0)
		return NULL;
	c->fill = next;
	c->blocks[next].used = 0;
	return &c->blocks[next];
}

int tunclient_copy_receive_(struct tunclient *client,
			    struct tunclient_receive_ring *ring,
			    struct tunclient_packet *ret_packets,
			    unsigned int n)
{
	struct copy_ring *c = (struct copy_ring *)ring;
	struct block *block = find_room(c);
	size_t used = 0;
	int r;

	if (!block)
		return -EAGAIN;
	r = client->plane->recv_into(
		client,
		c->memory + (size_t)c->fill * TUNCLIENT_BLOCK_ + block->used,
		TUNCLIENT_BLOCK_ - block->used, ret_packets, n, &used);
	if (r < 0)
		return r;
	block->used += used;
	block->held += (unsigned int)r;
	return r;
}

void tunclient_copy_release_(struct tunclient_receive_ring *ring,
			     unsigned int n)
{
	struct copy_ring *c = (struct copy_ring *)ring;

	while (n > 0) {
		struct block *block = &c->blocks[c->oldest];
		unsigned int now = n < block->held ? n : block->held;

		block->held -= now;
		n -= now;
		if (block->held == 0 && c->oldest != c->fill)
			c->oldest = (c->oldest + 1) % c->n_blocks;
	}
}
