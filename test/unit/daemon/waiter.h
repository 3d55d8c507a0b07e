/* SPDX-License-Identifier: MIT */
/*
 * waiter.h - the one queue that the tests of packet/pktq.h work on, with
 * numbered packets and waiters that remember their end.
 */
#ifndef TUND_TEST_WAITER_H
#define TUND_TEST_WAITER_H

#include "packet/pktq.h"
#include "unit.h"

/* What became of a waiter. */
struct end {
	unsigned int n;
	struct pkt *pkt;
	int error;
	unsigned int order;
};

/* Made anew for each test, for 3 packets that cost 1000 bytes together. */
extern struct pktq q;

int pktq_set_up(void **state);
int pktq_tear_down(void **state);

struct pktq_waiter *new_waiter(struct end *end);
/* One that was not parked. */
void drop_waiter(struct pktq_waiter *w);
bool is_this(const struct pktq_waiter *w, const void *key);

/* One that costs so much, with what is kept beside its bytes. */
struct pkt *new_pkt(size_t cost);
/* Ten bytes; the proto serves as the packet's number. */
struct pkt *numbered(uint16_t number);

void push(uint16_t number);
void push_size(size_t cost);
void assert_pops(uint16_t number);
void assert_empty(void);

/* Parked, not armed. */
struct pktq_waiter *park_reader(struct end *end);
struct pktq_waiter *park_writer(struct end *end, struct pkt *pkt);

void assert_ended(const struct end *end, int error);
/* The reader was given that packet. */
void assert_got(const struct end *end, uint16_t number);

#endif
