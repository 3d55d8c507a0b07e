/* SPDX-License-Identifier: MIT */
/* waiter.c - a waiter is freed in its completion, as a request is. */
#include "waiter.h"

#include <errno.h>

#include "base/util.h"

struct waiter {
	struct pktq_waiter waiter;
	struct end *end;
};

struct pktq q;
static unsigned int n_ends;

static void complete(struct pktq_waiter *w, struct pkt *pkt, int error)
{
	struct waiter *waiter = container_of(w, struct waiter, waiter);

	waiter->end->n++;
	waiter->end->pkt = pkt;
	waiter->end->error = error;
	waiter->end->order = n_ends++;
	free(waiter);
	/* Never under the queue's lock: this would not return. */
	pktq_length(&q);
}

struct pktq_waiter *new_waiter(struct end *end)
{
	struct waiter *waiter = must_alloc(sizeof(*waiter));

	*end = (struct end){0};
	waiter->end = end;
	waiter->waiter.complete = complete;
	return &waiter->waiter;
}

struct pkt *new_pkt(size_t cost)
{
	struct pkt *pkt = pkt_new(cost - sizeof(*pkt));

	assert_non_null(pkt);
	return pkt;
}

/* The proto serves as the packet's number. */
struct pkt *numbered(uint16_t number)
{
	struct pkt *pkt = new_pkt(100);

	pkt->proto = number;
	return pkt;
}

void push(uint16_t number)
{
	assert_int_equal(pktq_push(&q, numbered(number), NULL), PKTQ_DONE);
}

void push_size(size_t cost)
{
	assert_int_equal(pktq_push(&q, new_pkt(cost), NULL), PKTQ_DONE);
}

void assert_pops(uint16_t number)
{
	struct pkt *pkt = NULL;

	assert_int_equal(pktq_pop(&q, &pkt), PKTQ_DONE);
	assert_int_equal(pkt->proto, number);
	pkt_free(pkt);
}

void assert_empty(void)
{
	struct pkt *pkt;

	assert_int_equal(pktq_pop(&q, &pkt), PKTQ_EMPTY);
	assert_int_equal(pktq_length(&q), 0);
}

struct pktq_waiter *park_reader(struct end *end)
{
	struct pktq_waiter *w = new_waiter(end);
	struct pkt *pkt;

	assert_int_equal(pktq_pop_or_park(&q, w, &pkt), PKTQ_PARKED);
	assert_int_equal(end->n, 0);
	return w;
}

struct pktq_waiter *park_writer(struct end *end, struct pkt *pkt)
{
	struct pktq_waiter *w = new_waiter(end);

	assert_int_equal(pktq_push_or_park(&q, pkt, w), PKTQ_PARKED);
	assert_int_equal(end->n, 0);
	return w;
}

void assert_ended(const struct end *end, int error)
{
	assert_int_equal(end->n, 1);
	assert_int_equal(end->error, error);
}

/* The reader was given that packet. */
void assert_got(const struct end *end, uint16_t number)
{
	assert_ended(end, 0);
	assert_non_null(end->pkt);
	assert_int_equal(end->pkt->proto, number);
	pkt_free(end->pkt);
}

bool is_this(const struct pktq_waiter *w, const void *key)
{
	return w == key;
}

int pktq_set_up(void **state)
{
	n_ends = 0;
	pktq_init(&q, "test", 3, 1000);
	return 0;
}

int pktq_tear_down(void **state)
{
	pktq_close(&q, -EBADFD);
	pktq_destroy(&q);
	return 0;
}

void drop_waiter(struct pktq_waiter *w)
{
	free(container_of(w, struct waiter, waiter));
}
