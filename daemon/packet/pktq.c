/* SPDX-License-Identifier: MIT */
/*
 * pktq.c - the monitor. Every call changes the queue under its lock, then
 * settles: settle_locked() is the one place where waiters are matched with
 * packets, room or the end, and where threads are woken.
 */
#include "packet/pktq.h"

#include <errno.h>

void pktq_init(struct pktq *q, const char *name, unsigned int max_packets,
	       size_t max_bytes)
{
	lock_init(&q->lock, LOCK_RANK_QUEUE, name);
	cond_init(&q->changed);
	list_init(&q->packets);
	list_init(&q->readers);
	list_init(&q->writers);
	q->n_packets = 0;
	q->n_bytes = 0;
	q->most_packets = 0;
	q->max_packets = max_packets;
	q->max_bytes = max_bytes;
	q->closed = 0;
	q->taken = false;
	q->full = false;
}

/* An empty packet costs memory, too. */
static size_t pkt_cost(const struct pkt *pkt)
{
	return sizeof(*pkt) + pkt->len;
}

static struct pkt *take_locked(struct pktq *q, struct list *node)
	REQUIRES(q->lock)
{
	struct pkt *pkt = list_entry(node, struct pkt, node);

	list_del(&pkt->node);
	q->full = false;
	q->n_packets--;
	q->n_bytes -= pkt_cost(pkt);
	return pkt;
}

static struct pkt *take_head_locked(struct pktq *q) REQUIRES(q->lock)
{
	return take_locked(q, q->packets.next);
}

/* The queue is not empty. */
static void take_run_locked(struct pktq *q, const struct pktq_room *room,
			    struct list *ret_run) REQUIRES(q->lock)
{
	size_t used = 0;

	for (unsigned int n = 0; n < room->packets; n++) {
		size_t begin = (used + room->align - 1) & ~(room->align - 1);
		struct pkt *pkt;

		if (list_empty(&q->packets))
			break;
		pkt = list_entry(q->packets.next, struct pkt, node);
		used = begin + room->head + pkt->len;
		if (n > 0 && used > room->bytes)
			break;
		take_head_locked(q);
		list_add_tail(ret_run, &pkt->node);
	}
}

static void put_tail_locked(struct pktq *q, struct pkt *pkt) REQUIRES(q->lock)
{
	list_add_tail(&q->packets, &pkt->node);
	q->n_packets++;
	q->n_bytes += pkt_cost(pkt);
	if (q->n_packets > q->most_packets)
		q->most_packets = q->n_packets;
}

void pktq_destroy(struct pktq *q)
{
	lock_acquire(&q->lock);
	while (!list_empty(&q->packets))
		pkt_free(take_head_locked(q));
	lock_release(&q->lock);
	cond_destroy(&q->changed);
	lock_destroy(&q->lock);
}

static bool room_locked(struct pktq *q, const struct pkt *pkt) REQUIRES(q->lock)
{
	return q->n_packets < q->max_packets &&
	       q->n_bytes + pkt_cost(pkt) <= q->max_bytes;
}

static struct pktq_waiter *first_armed(struct list *waiters)
{
	list_for_each (it, waiters) {
		struct pktq_waiter *w =
			list_entry(it, struct pktq_waiter, node);

		if (w->armed)
			return w;
	}
	return NULL;
}

static void end_wait(struct pktq_waiter *w, struct pkt *pkt, int error,
		     struct list *done)
{
	list_del(&w->node);
	w->pkt = pkt;
	w->error = error;
	list_add_tail(done, &w->node);
}

static void serve_readers_locked(struct pktq *q, struct list *done)
	REQUIRES(q->lock)
{
	struct pktq_waiter *w;

	while (!list_empty(&q->packets) && (w = first_armed(&q->readers))) {
		struct pkt *pkt = NULL;

		if (w->room.packets > 0)
			take_run_locked(q, &w->room, &w->run);
		else
			pkt = take_head_locked(q);
		end_wait(w, pkt, 0, done);
	}
}

/* Moves every waiter whose wait is over to `done`, for finish(). */
static void settle_locked(struct pktq *q, struct list *done) REQUIRES(q->lock)
{
	struct pktq_waiter *w;

	if (q->closed) {
		while ((w = first_armed(&q->readers)))
			end_wait(w, NULL, q->closed, done);
		while ((w = first_armed(&q->writers)))
			end_wait(w, w->pkt, q->closed, done);
	}
	serve_readers_locked(q, done);
	while ((w = first_armed(&q->writers)) && room_locked(q, w->pkt)) {
		put_tail_locked(q, w->pkt);
		end_wait(w, NULL, 0, done);
	}
	cond_broadcast(&q->changed);
}

/* Runs the completions, after the queue's lock was released. */
static void finish(struct list *done)
{
	list_for_each_safe (it, tmp, done) {
		struct pktq_waiter *w =
			list_entry(it, struct pktq_waiter, node);

		list_del(&w->node);
		w->complete(w, w->pkt, w->error);
	}
}

unsigned int pktq_set_limit(struct pktq *q, unsigned int max_packets)
{
	unsigned int lost = 0;
	struct list done;

	list_init(&done);
	lock_acquire(&q->lock);
	q->max_packets = max_packets;
	q->full = false;
	while (q->n_packets > max_packets) {
		pkt_free(take_locked(q, q->packets.prev));
		lost++;
	}
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
	return lost;
}

unsigned int pktq_length(struct pktq *q)
{
	unsigned int n;

	lock_acquire(&q->lock);
	n = q->n_packets;
	lock_release(&q->lock);
	return n;
}

void pktq_lengths(struct pktq *q, unsigned int *ret_now, unsigned int *ret_most)
{
	lock_acquire(&q->lock);
	*ret_now = q->n_packets;
	*ret_most = q->most_packets;
	lock_release(&q->lock);
}

bool pktq_has_room(struct pktq *q)
{
	bool room;

	lock_acquire(&q->lock);
	room = q->n_packets < q->max_packets && q->n_bytes < q->max_bytes;
	lock_release(&q->lock);
	return room;
}

bool pktq_is_full(struct pktq *q)
{
	bool full;

	lock_acquire(&q->lock);
	full = q->full;
	lock_release(&q->lock);
	return full;
}

bool pktq_is_half_empty(struct pktq *q)
{
	bool half;

	lock_acquire(&q->lock);
	half = q->n_packets <= q->max_packets / 2 &&
	       q->n_bytes <= q->max_bytes / 2;
	lock_release(&q->lock);
	return half;
}

static void park_locked(struct list *waiters, struct pktq_waiter *w,
			struct pkt *pkt)
{
	w->armed = false;
	w->interrupted = false;
	w->pkt = pkt;
	w->error = 0;
	w->room = (struct pktq_room){0};
	list_init(&w->run);
	list_add_tail(waiters, &w->node);
}

static bool can_take_locked(struct pktq *q, const struct pkt *pkt)
	REQUIRES(q->lock)
{
	return room_locked(q, pkt) || first_armed(&q->readers);
}

/* `waiter` is NULL for a caller that does not want to be parked. */
static int push(struct pktq *q, struct pkt *pkt, struct pktq_waiter *waiter,
		bool *ret_queued)
{
	struct list done;
	int r = PKTQ_DONE;

	list_init(&done);
	lock_acquire(&q->lock);
	if (q->closed) {
		r = q->closed;
	} else if (can_take_locked(q, pkt)) {
		put_tail_locked(q, pkt);
	} else if (waiter) {
		park_locked(&q->writers, waiter, pkt);
		r = PKTQ_PARKED;
	} else {
		q->full = true;
		r = PKTQ_FULL;
	}
	settle_locked(q, &done);
	if (ret_queued)
		*ret_queued = r == PKTQ_DONE && q->n_packets > 0;
	lock_release(&q->lock);
	finish(&done);
	return r;
}

int pktq_push(struct pktq *q, struct pkt *pkt, bool *ret_queued)
{
	return push(q, pkt, NULL, ret_queued);
}

int pktq_push_or_park(struct pktq *q, struct pkt *pkt,
		      struct pktq_waiter *waiter)
{
	return push(q, pkt, waiter, NULL);
}

/* Readers are served early only if there would be no room otherwise. */
static bool put_locked(struct pktq *q, struct pkt *pkt, struct list *done)
	REQUIRES(q->lock)
{
	if (!room_locked(q, pkt))
		serve_readers_locked(q, done);
	if (!can_take_locked(q, pkt))
		return false;
	put_tail_locked(q, pkt);
	return true;
}

int pktq_push_run(struct pktq *q, struct pkt *const *pkts, unsigned int n,
		  bool *ret_queued)
{
	unsigned int taken = 0;
	struct list done;
	int closed;

	list_init(&done);
	lock_acquire(&q->lock);
	closed = q->closed;
	while (!closed && taken < n && put_locked(q, pkts[taken], &done))
		taken++;
	q->full = !closed && taken < n;
	settle_locked(q, &done);
	if (ret_queued)
		*ret_queued = taken > 0 && q->n_packets > 0;
	lock_release(&q->lock);
	finish(&done);
	return closed ? closed : (int)taken;
}

/* One packet to `ret_pkt`, or several to `ret_run` if there is a `room`. */
static int pop(struct pktq *q, const struct pktq_room *room,
	       struct pktq_waiter *waiter, struct pkt **ret_pkt,
	       struct list *ret_run)
{
	struct list done;
	int r = PKTQ_DONE;

	list_init(&done);
	lock_acquire(&q->lock);
	if (q->closed) {
		r = q->closed;
	} else if (!list_empty(&q->packets)) {
		if (room)
			take_run_locked(q, room, ret_run);
		else
			*ret_pkt = take_head_locked(q);
	} else if (waiter) {
		park_locked(&q->readers, waiter, NULL);
		if (room)
			waiter->room = *room;
		r = PKTQ_PARKED;
	} else {
		r = PKTQ_EMPTY;
	}
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
	return r;
}

int pktq_pop(struct pktq *q, struct pkt **ret_pkt)
{
	return pop(q, NULL, NULL, ret_pkt, NULL);
}

int pktq_pop_or_park(struct pktq *q, struct pktq_waiter *waiter,
		     struct pkt **ret_pkt)
{
	return pop(q, NULL, waiter, ret_pkt, NULL);
}

int pktq_pop_run(struct pktq *q, const struct pktq_room *room,
		 struct list *ret_run)
{
	return pop(q, room, NULL, NULL, ret_run);
}

int pktq_pop_run_or_park(struct pktq *q, const struct pktq_room *room,
			 struct pktq_waiter *waiter, struct list *ret_run)
{
	return pop(q, room, waiter, NULL, ret_run);
}

static void put_head_locked(struct pktq *q, struct list *run) REQUIRES(q->lock)
{
	list_for_each (it, run) {
		q->n_packets++;
		q->n_bytes += pkt_cost(list_entry(it, struct pkt, node));
	}
	/* The head's predecessor is the tail: before it is the front. */
	list_splice_tail(q->packets.next, run);
}

static void free_run(struct list *run)
{
	list_for_each_safe (it, tmp, run)
		pkt_free(list_entry(it, struct pkt, node));
	list_init(run);
}

bool pktq_unpop_run(struct pktq *q, struct list *run)
{
	struct list done;
	bool closed;

	list_init(&done);
	lock_acquire(&q->lock);
	closed = q->closed != 0;
	if (!closed) {
		put_head_locked(q, run);
		settle_locked(q, &done);
	}
	lock_release(&q->lock);
	finish(&done);
	free_run(run);
	return !closed;
}

bool pktq_unpop(struct pktq *q, struct pkt *pkt)
{
	struct list run;

	list_init(&run);
	list_add_tail(&run, &pkt->node);
	return pktq_unpop_run(q, &run);
}

void pktq_forget(struct pktq *q, uint64_t tag)
{
	struct list done;

	list_init(&done);
	lock_acquire(&q->lock);
	list_for_each_safe (it, tmp, &q->packets)
		if (list_entry(it, struct pkt, node)->tag == tag)
			pkt_free(take_locked(q, it));
	/* There may be room. */
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
}

void pktq_arm(struct pktq *q, struct pktq_waiter *waiter)
{
	struct list done;

	list_init(&done);
	lock_acquire(&q->lock);
	if (waiter->interrupted)
		end_wait(waiter, waiter->pkt, -EINTR, &done);
	else
		waiter->armed = true;
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
}

static struct pktq_waiter *
find_waiter(struct list *waiters,
	    bool (*match)(const struct pktq_waiter *waiter, const void *key),
	    const void *key)
{
	list_for_each (it, waiters) {
		struct pktq_waiter *w =
			list_entry(it, struct pktq_waiter, node);

		if (match(w, key))
			return w;
	}
	return NULL;
}

bool pktq_interrupt(struct pktq *q,
		    bool (*match)(const struct pktq_waiter *waiter,
				  const void *key),
		    const void *key)
{
	struct pktq_waiter *w;
	struct list done;

	list_init(&done);
	lock_acquire(&q->lock);
	w = find_waiter(&q->readers, match, key);
	if (!w)
		w = find_waiter(&q->writers, match, key);
	if (w && w->armed)
		end_wait(w, w->pkt, -EINTR, &done);
	else if (w)
		w->interrupted = true;
	/* Who waits behind it may have room. */
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
	return w != NULL;
}

/* `error` is 0 for a queue that stays open. */
static unsigned int purge(struct pktq *q, int error)
{
	unsigned int lost = 0;
	struct list done;

	list_init(&done);
	lock_acquire(&q->lock);
	if (!q->closed)
		q->closed = error;
	while (!list_empty(&q->packets)) {
		pkt_free(take_head_locked(q));
		lost++;
	}
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
	return lost;
}

unsigned int pktq_purge(struct pktq *q)
{
	return purge(q, 0);
}

unsigned int pktq_close(struct pktq *q, int error)
{
	return purge(q, error);
}

int pktq_pop_turn_run(struct pktq *q, bool mine, unsigned int max,
		      struct list *ret_run)
{
	struct list done;
	int r = PKTQ_EMPTY;

	list_init(&done);
	lock_acquire(&q->lock);
	if (mine || !q->taken) {
		q->taken = !list_empty(&q->packets);
		if (q->taken)
			r = PKTQ_DONE;
		for (; max > 0 && !list_empty(&q->packets); max--)
			list_add_tail(ret_run, &take_head_locked(q)->node);
	}
	settle_locked(q, &done);
	lock_release(&q->lock);
	finish(&done);
	return r;
}

int pktq_pop_turn(struct pktq *q, bool mine, struct pkt **ret_pkt)
{
	struct list run;
	int r;

	list_init(&run);
	r = pktq_pop_turn_run(q, mine, 1, &run);
	if (r == PKTQ_DONE)
		*ret_pkt = list_entry(run.next, struct pkt, node);
	return r;
}

bool pktq_wait_drained(struct pktq *q, uint64_t deadline_ms)
{
	bool in_time = true;
	bool drained;

	lock_acquire(&q->lock);
	while ((q->taken || !list_empty(&q->packets)) && !q->closed && in_time)
		in_time = cond_wait_until(&q->changed, &q->lock, deadline_ms);
	drained = !q->taken && list_empty(&q->packets);
	lock_release(&q->lock);
	return drained;
}
