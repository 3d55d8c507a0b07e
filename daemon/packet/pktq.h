/* SPDX-License-Identifier: MIT */
/*
 * pktq.h - the packet queue: a monitor with a bounded number of packets,
 * condition variables for threads and a list of parked waiters for requests
 * that no thread may wait for. It does not know where packets come from.
 *
 * A waiter is parked in two steps, because a request must be known here before
 * it can be interrupted, and must be interruptible before it can be answered:
 * pktq_pop_or_park() or pktq_push_or_park() parks it unarmed, pktq_arm() lets
 * it be completed. In between only pktq_interrupt() touches it, and merely
 * marks it. Taking a waiter off the list is the right to complete it, so each
 * is completed exactly once, always after the queue's lock was released.
 */
#ifndef TUND_PACKET_PKTQ_H
#define TUND_PACKET_PKTQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/lock.h"
#include "packet/pkt.h"

/* Expected outcomes; a negative errno is the one the queue was closed with. */
enum {
	PKTQ_DONE = 0,
	PKTQ_PARKED = 1,
	PKTQ_EMPTY = 2,
	PKTQ_FULL = 3,
};

/*
 * What a reader of several packets has room for. It is given the oldest packet,
 * whatever its size, and those behind it that fit.
 */
struct pktq_room {
	unsigned int packets; /* at most, and at least 1 */
	size_t bytes;
	size_t head;  /* of these, before each packet */
	size_t align; /* each head begins at a multiple of it */
};

struct pktq_waiter {
	struct list node;
	bool armed;
	bool interrupted;
	/* A writer's packet while it waits for room; else NULL. */
	struct pkt *pkt;
	int error;
	/* A reader's of several packets; else `packets` is 0. */
	struct pktq_room room;
	struct list run;
	/*
	 * Ends the wait; the waiter may be freed in it. `error` is 0 or a
	 * negative errno. A reader is given the packet with error 0, and owns
	 * it; if it cannot be delivered the reader puts it back with
	 * pktq_unpop(). A reader of several has them in `run` instead. A
	 * writer is given its packet back when error is not 0.
	 */
	void (*complete)(struct pktq_waiter *waiter, struct pkt *pkt,
			 int error);
};

struct pktq {
	struct lock lock;
	struct cond changed;
	struct list packets GUARDED_BY(lock);
	struct list readers GUARDED_BY(lock);
	struct list writers GUARDED_BY(lock);
	unsigned int n_packets GUARDED_BY(lock);
	size_t n_bytes GUARDED_BY(lock);
	unsigned int most_packets GUARDED_BY(lock); /* there ever were */
	unsigned int max_packets GUARDED_BY(lock);
	size_t max_bytes GUARDED_BY(lock);
	int closed GUARDED_BY(lock); /* 0 or the negative errno */
	bool taken GUARDED_BY(lock); /* somebody has the consumer's turn */
	bool full GUARDED_BY(lock);  /* see pktq_is_full() */
};

void pktq_init(struct pktq *q, const char *name, unsigned int max_packets,
	       size_t max_bytes);

/* The queue must be closed. Frees what is still queued. */
void pktq_destroy(struct pktq *q);

/*
 * What is beyond the new bound is thrown away, the latest first: so many
 * packets.
 */
unsigned int pktq_set_limit(struct pktq *q, unsigned int max_packets);

unsigned int pktq_length(struct pktq *q);

/* The same now, and the most that there ever were at once. */
void pktq_lengths(struct pktq *q, unsigned int *ret_now,
		  unsigned int *ret_most);

/* Whether the last packet found no room, and none was made since. */
bool pktq_is_full(struct pktq *q);

/* Whether half of what it has room for, or less, is taken. */
bool pktq_is_half_empty(struct pktq *q);

/* Whether one more packet, if it is not large, would find room. */
bool pktq_has_room(struct pktq *q);

/*
 * Queues the packet, or hands it to the first armed reader. Returns PKTQ_DONE
 * and owns the packet, or PKTQ_FULL or a negative errno and does not.
 * `ret_queued`, if not NULL, is set to whether the packet stayed in the queue.
 */
int pktq_push(struct pktq *q, struct pkt *pkt, bool *ret_queued);

/*
 * The same with several, all of which are queued before the first reader is
 * told of them. Returns how many were taken, from the first on: 0 when it is
 * full.
 */
int pktq_push_run(struct pktq *q, struct pkt *const *pkts, unsigned int n,
		  bool *ret_queued);

/*
 * As pktq_push(), but a full queue parks the writer, unarmed, with its packet:
 * PKTQ_PARKED, and the waiter owns the packet.
 */
int pktq_push_or_park(struct pktq *q, struct pkt *pkt,
		      struct pktq_waiter *waiter);

/* Returns PKTQ_DONE and the oldest packet, PKTQ_EMPTY, or a negative errno. */
int pktq_pop(struct pktq *q, struct pkt **ret_pkt);

/* As pktq_pop(), but an empty queue parks the reader, unarmed: PKTQ_PARKED. */
int pktq_pop_or_park(struct pktq *q, struct pktq_waiter *waiter,
		     struct pkt **ret_pkt);

/* The same with as many as there is room for, in a list, which is empty. */
int pktq_pop_run(struct pktq *q, const struct pktq_room *room,
		 struct list *ret_run);
int pktq_pop_run_or_park(struct pktq *q, const struct pktq_room *room,
			 struct pktq_waiter *waiter, struct list *ret_run);

/*
 * Puts back at the head what pktq_pop() gave and could not be delivered.
 * Returns false, and frees it, if the queue was closed meanwhile.
 */
bool pktq_unpop(struct pktq *q, struct pkt *pkt);
/* The same with several: the list is empty afterwards. */
bool pktq_unpop_run(struct pktq *q, struct list *run);

/* Throws away what is queued with that tag. */
void pktq_forget(struct pktq *q, uint64_t tag);

/* The second step of parking. May complete the waiter before it returns. */
void pktq_arm(struct pktq *q, struct pktq_waiter *waiter);

/*
 * Ends the wait of the parked waiter for which `match` is true, with -EINTR:
 * at once if it is armed, else when it is armed. Returns whether there was one.
 */
bool pktq_interrupt(struct pktq *q,
		    bool (*match)(const struct pktq_waiter *waiter,
				  const void *key),
		    const void *key);

/* Throws away what is queued, and returns how many packets that were. */
unsigned int pktq_purge(struct pktq *q);

/*
 * Closes the queue: everything that waits, and every later call, gets
 * `error`, a negative errno. Returns how many packets were thrown away.
 */
unsigned int pktq_close(struct pktq *q, int error);

/*
 * The consumer's turn, for queues with many possible consumers of whom only
 * one may work at a time, or packets would overtake each other. pktq_pop_turn()
 * takes the turn or keeps it, and gives it up in the same breath in which it
 * finds the queue empty; `mine` says whether the caller has it already.
 * PKTQ_EMPTY means: not yours, or not any more.
 */
int pktq_pop_turn(struct pktq *q, bool mine, struct pkt **ret_pkt);
/* The same with up to `max` packets, which are added to the list. */
int pktq_pop_turn_run(struct pktq *q, bool mine, unsigned int max,
		      struct list *ret_run);

/*
 * Waits until the queue is empty and no one has the turn, or it is closed, or
 * `deadline_ms` of now_ms() is past. Returns whether it is drained. For
 * threads of ours only.
 */
bool pktq_wait_drained(struct pktq *q, uint64_t deadline_ms);

#endif
