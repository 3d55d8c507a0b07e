/* SPDX-License-Identifier: MIT */
/*
 * flow.h - remembers which queue of a device last wrote a flow, for what is
 * received of that flow is read there. It does not know packets: flows are
 * numbers of frame_flow_hash(). It keeps no timer.
 *
 * Every call may be made by several threads at once. An entry is one atomic
 * word and there is no lock, so who learns while a queue is forgotten may bring
 * it back: who asks must be ready for a queue that is there no more.
 */
#ifndef TUND_PACKET_FLOW_H
#define TUND_PACKET_FLOW_H

#include <stdint.h>

/* Queues are numbered from 0. */
#define FLOW_QUEUES_MAX 256
/* A flow that was not written for so long is forgotten. */
#define FLOW_AGE_MS 3000

struct flow_table;

/* NULL when there is no memory. flow_table_free() takes NULL. */
struct flow_table *flow_table_new(void);
void flow_table_free(struct flow_table *table);

/* The flow was written to `queue`. May push out a flow that is older. */
void flow_learn(struct flow_table *table, uint32_t hash, unsigned int queue,
		uint64_t now_ms);

/* Returns the queue, or -1. Being looked for does not keep a flow alive. */
int flow_find(const struct flow_table *table, uint32_t hash, uint64_t now_ms);

void flow_forget_queue(struct flow_table *table, unsigned int queue);

/*
 * The queue `from` is called `to` from now on. When the last queue moves into
 * the place of one that was closed, forget that one first.
 */
void flow_move_queue(struct flow_table *table, unsigned int from,
		     unsigned int to);

/* The queue of `n` for a flow that is not known. */
static inline unsigned int flow_spread(uint32_t hash, unsigned int n)
{
	return (unsigned int)((uint64_t)hash * n >> 32);
}

#endif
