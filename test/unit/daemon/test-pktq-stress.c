/* SPDX-License-Identifier: MIT */
/*
 * test-pktq-stress.c - threads that race on one packet queue: producers,
 * consumers, interrupts and an end at any moment. Every packet must be
 * delivered once or accounted for, and every waiter completed once.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/util.h"
#include "packet/pktq.h"
#include "unit.h"

#define ROUNDS	     60
#define MAX_THREADS  3
#define PACKETS	     400 /* of each producer */
#define PACKET_BYTES 16

/* A thread, and the one waiter that it parks. */
struct party {
	unsigned int number;
	uint32_t random;
	pthread_t thread;

	struct pktq_waiter waiter;
	struct counter completed;
	struct pkt *pkt;
	int error;
	unsigned int parked;

	/* A producer's account. */
	unsigned int sent, refused;
	/* A consumer's: the last number seen of each producer. */
	int last[MAX_THREADS];
	unsigned int taken, disorder;
};

/* One packet's content. */
struct content {
	unsigned int producer, number;
};

static struct pktq q;
static struct party producers[MAX_THREADS], consumers[MAX_THREADS];
static unsigned int n_producers, n_consumers;
static atomic_uint closed_out; /* put back after the end */
static atomic_uint deliveries[MAX_THREADS][PACKETS];
static struct counter progress;
static atomic_bool stop_interrupts;
static atomic_uint n_interrupts;

static void complete(struct pktq_waiter *w, struct pkt *pkt, int error)
{
	struct party *party = container_of(w, struct party, waiter);

	party->pkt = pkt;
	party->error = error;
	counter_add(&party->completed, 1);
}

/* Arms the party's waiter and waits for its one end. */
static void wait_parked(struct party *party)
{
	party->parked++;
	/* Widens the window between the two steps now and then. */
	if (random_next(&party->random) % 4 == 0)
		sched_yield();
	pktq_arm(&q, &party->waiter);
	if (!counter_wait(&party->completed, party->parked))
		abort();
}

/* ---- producers ---- */

static struct pkt *new_packet(const struct party *party, unsigned int number)
{
	struct content content = {party->number, number};
	struct pkt *pkt = pkt_new(PACKET_BYTES);

	if (!pkt)
		abort();
	memcpy(pkt->data, &content, sizeof(content));
	return pkt;
}

/* Returns what became of it: 0, PKTQ_FULL or a negative errno. */
static int send_one(struct party *party, struct pkt *pkt)
{
	int r;

	if (random_next(&party->random) % 4 == 0)
		return pktq_push(&q, pkt, NULL);
	r = pktq_push_or_park(&q, pkt, &party->waiter);
	if (r != PKTQ_PARKED)
		return r;
	wait_parked(party);
	/* An error gives the packet back, success does not. */
	if (party->pkt != (party->error ? pkt : NULL))
		abort();
	return party->error;
}

static void *produce(void *arg)
{
	struct party *party = arg;

	for (unsigned int i = 0; i < PACKETS; i++) {
		struct pkt *pkt = new_packet(party, i);
		int r = send_one(party, pkt);

		if (r == 0) {
			party->sent++;
		} else {
			party->refused++;
			pkt_free(pkt);
		}
		counter_add(&progress, 1);
	}
	return NULL;
}

/* ---- consumers ---- */

static void take(struct party *party, struct pkt *pkt)
{
	struct content content;

	memcpy(&content, pkt->data, sizeof(content));
	pkt_free(pkt);
	atomic_fetch_add(&deliveries[content.producer][content.number], 1);
	if ((int)content.number <= party->last[content.producer])
		party->disorder++;
	party->last[content.producer] = (int)content.number;
	party->taken++;
}

/* The queue may have been closed since the packet was taken. */
static void put_back(struct pkt *pkt)
{
	if (!pktq_unpop(&q, pkt))
		atomic_fetch_add(&closed_out, 1);
}

/* A packet, or NULL after an interrupt, or the end: false. */
static bool receive_one(struct party *party, struct pkt **ret_pkt)
{
	int r = pktq_pop_or_park(&q, &party->waiter, ret_pkt);

	if (r == PKTQ_PARKED) {
		wait_parked(party);
		*ret_pkt = party->pkt;
		r = party->error;
		if ((r == 0) != (party->pkt != NULL))
			abort();
	}
	if (r == -EINTR)
		*ret_pkt = NULL;
	return r == 0 || r == -EINTR;
}

static void *consume(void *arg)
{
	struct party *party = arg;
	struct pkt *pkt;

	while (receive_one(party, &pkt)) {
		if (!pkt)
			continue;
		/* Alone it may change its mind without any disorder. */
		if (n_consumers == 1 && random_next(&party->random) % 8 == 0)
			put_back(pkt);
		else
			take(party, pkt);
	}
	return NULL;
}

/*
 * The turn in place of waiting: whoever has put a packet sends all there are,
 * unless another thread is at it. One account for all: only the turn guards it.
 */
static void *produce_and_send(void *arg)
{
	struct party *party = arg;

	for (unsigned int i = 0; i < PACKETS; i++) {
		struct pkt *pkt = new_packet(party, i);
		bool mine = false;

		if (pktq_push(&q, pkt, NULL) == PKTQ_DONE) {
			party->sent++;
		} else {
			party->refused++;
			pkt_free(pkt);
		}
		while (pktq_pop_turn(&q, mine, &pkt) == PKTQ_DONE) {
			mine = true;
			if (random_next(&consumers[0].random) % 8 == 0)
				put_back(pkt);
			else
				take(&consumers[0], pkt);
		}
		counter_add(&progress, 1);
	}
	return NULL;
}

/* ---- interrupts ---- */

static bool is_party(const struct pktq_waiter *w, const void *key)
{
	return container_of(w, const struct party, waiter) == key;
}

static void *interrupt(void *arg)
{
	uint32_t random = *(uint32_t *)arg;

	while (!stop_interrupts) {
		unsigned int i = random_next(&random);
		struct party *party = i % 2 ? &producers[i / 2 % n_producers]
					    : &consumers[i / 2 % n_consumers];

		if (pktq_interrupt(&q, is_party, party))
			n_interrupts++;
		sched_yield();
	}
	return NULL;
}

/* ---- a round ---- */

static void init_party(struct party *party, unsigned int number,
		       uint32_t *random)
{
	memset(party, 0, sizeof(*party));
	party->number = number;
	party->random = random_next(random);
	party->waiter.complete = complete;
	counter_init(&party->completed);
	memset(party->last, 0xff, sizeof(party->last));
}

static void init_round(uint32_t *random)
{
	n_producers = 1 + random_next(random) % MAX_THREADS;
	n_consumers = 1 + random_next(random) % MAX_THREADS;
	pktq_init(&q, "stress", 1 + random_next(random) % 16,
		  (sizeof(struct pkt) + PACKET_BYTES) *
			  (1 + random_next(random) % 16));
	counter_init(&progress);
	memset(deliveries, 0, sizeof(deliveries));
	closed_out = 0;
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		init_party(&producers[i], i, random);
		init_party(&consumers[i], i, random);
	}
	stop_interrupts = false;
}

static void start(struct party *party, void *(*run)(void *))
{
	assert_int_equal(pthread_create(&party->thread, NULL, run, party), 0);
}

/* Every packet that was taken by the queue has one fate. */
static void check_accounts(unsigned int thrown_away)
{
	unsigned int sent = 0, taken = 0, delivered = 0;

	for (unsigned int i = 0; i < n_producers; i++) {
		assert_int_equal(producers[i].sent + producers[i].refused,
				 PACKETS);
		sent += producers[i].sent;
		for (unsigned int k = 0; k < PACKETS; k++) {
			assert_true(deliveries[i][k] <= 1);
			delivered += deliveries[i][k];
		}
	}
	for (unsigned int i = 0; i < n_consumers; i++) {
		assert_int_equal(consumers[i].disorder, 0);
		taken += consumers[i].taken;
	}
	assert_int_equal(delivered, taken);
	assert_int_equal(sent, taken + thrown_away + closed_out);
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		assert_int_equal(counter_value(&producers[i].completed),
				 producers[i].parked);
		assert_int_equal(counter_value(&consumers[i].completed),
				 consumers[i].parked);
	}
}

static void end_round(void)
{
	pktq_destroy(&q);
	counter_destroy(&progress);
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		counter_destroy(&producers[i].completed);
		counter_destroy(&consumers[i].completed);
	}
}

/* With `early` the queue is closed in the middle of it. */
static void run_round(uint32_t *random, bool early)
{
	uint32_t interrupt_seed = random_next(random);
	unsigned int lost, all, parked;
	pthread_t interrupter;

	init_round(random);
	all = n_producers * PACKETS;
	for (unsigned int i = 0; i < n_consumers; i++)
		start(&consumers[i], consume);
	for (unsigned int i = 0; i < n_producers; i++)
		start(&producers[i], produce);
	assert_int_equal(
		pthread_create(&interrupter, NULL, interrupt, &interrupt_seed),
		0);

	if (early) {
		assert_true(counter_wait(&progress, random_next(random) % all));
		lost = pktq_close(&q, -EBADFD);
	} else {
		assert_true(counter_wait(&progress, all));
		assert_true(
			pktq_wait_drained(&q, now_ms() + PATIENCE_S * 1000));
		lost = pktq_close(&q, -EBADFD);
	}
	for (unsigned int i = 0; i < n_producers; i++)
		pthread_join(producers[i].thread, NULL);
	for (unsigned int i = 0; i < n_consumers; i++)
		pthread_join(consumers[i].thread, NULL);
	stop_interrupts = true;
	pthread_join(interrupter, NULL);
	/* One that changed its mind after the end. */
	lost += pktq_length(&q);
	if (!early && n_consumers > 1)
		assert_int_equal(lost, 0);

	check_accounts(lost);
	parked = 0;
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		parked += producers[i].parked + consumers[i].parked;
	/* Otherwise it was no test. */
	if (!early)
		assert_true(parked > 0);
	end_round();
}

/* ---- the tests ---- */

static uint32_t start_seed(uint32_t seed)
{
	print_message("seed 0x%x, %d rounds\n", seed, ROUNDS);
	return seed;
}

static void all_is_delivered_until_the_end(void **state)
{
	uint32_t random = start_seed(0x5eed0002);

	n_interrupts = 0;
	for (int i = 0; i < ROUNDS; i++)
		run_round(&random, false);
	assert_true(n_interrupts > 0);
}

static void end_at_any_moment(void **state)
{
	uint32_t random = start_seed(0x5eed0003);

	for (int i = 0; i < ROUNDS; i++)
		run_round(&random, true);
}

static void one_turn_keeps_the_order(void **state)
{
	uint32_t random = start_seed(0x5eed0004);

	for (int i = 0; i < ROUNDS; i++) {
		init_round(&random);
		n_consumers = 1;
		for (unsigned int k = 0; k < n_producers; k++)
			start(&producers[k], produce_and_send);
		for (unsigned int k = 0; k < n_producers; k++)
			pthread_join(producers[k].thread, NULL);
		/* Nothing is left behind, and nobody has the turn. */
		assert_true(pktq_wait_drained(&q, 0));
		check_accounts(pktq_close(&q, -EBADFD));
		end_round();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_delivered_until_the_end),
		cmocka_unit_test(end_at_any_moment),
		cmocka_unit_test(one_turn_keeps_the_order),
	};

	return cmocka_run_group_tests_name("pktq-stress", tests, NULL, NULL);
}
