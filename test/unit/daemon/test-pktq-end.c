/* SPDX-License-Identifier: MIT */
/*
 * test-pktq-end.c - the packet queue of packet/pktq.h: interrupts, the end,
 * the consumer's turn and draining.
 */
#include <errno.h>

#include "base/util.h"
#include "waiter.h"

/* ---- interrupts ---- */

static void interrupt_ends_an_armed_reader(void **state)
{
	struct pktq_waiter *w, *other;
	struct end a, b;

	w = park_reader(&a);
	pktq_arm(&q, w);
	other = park_reader(&b);
	pktq_arm(&q, other);
	assert_true(pktq_interrupt(&q, is_this, w));
	assert_ended(&a, -EINTR);
	assert_null(a.pkt);
	assert_int_equal(b.n, 0);
	/* It is gone. */
	assert_false(pktq_interrupt(&q, is_this, w));
	push(1);
	assert_int_equal(a.n, 1);
	assert_got(&b, 1);
}

static void interrupt_before_arming_waits_for_it(void **state)
{
	struct pktq_waiter *w;
	struct end a;

	w = park_reader(&a);
	assert_true(pktq_interrupt(&q, is_this, w));
	assert_true(pktq_interrupt(&q, is_this, w));
	push(1);
	assert_int_equal(a.n, 0);
	pktq_arm(&q, w);
	assert_ended(&a, -EINTR);
	/* The packet is not the interrupted one's. */
	assert_null(a.pkt);
	assert_pops(1);
}

static void interrupted_writer_gets_its_packet_back(void **state)
{
	struct pktq_waiter *w;
	struct pkt *pkt = numbered(4);
	struct end a;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	w = park_writer(&a, pkt);
	pktq_arm(&q, w);
	assert_true(pktq_interrupt(&q, is_this, w));
	assert_ended(&a, -EINTR);
	assert_ptr_equal(a.pkt, pkt);
	pkt_free(pkt);
	for (uint16_t i = 1; i <= 3; i++)
		assert_pops(i);
	assert_empty();
}

static void writer_interrupted_before_arming(void **state)
{
	struct pktq_waiter *w;
	struct pkt *pkt = numbered(4);
	struct end a;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	w = park_writer(&a, pkt);
	assert_true(pktq_interrupt(&q, is_this, w));
	assert_pops(1);
	assert_int_equal(a.n, 0);
	pktq_arm(&q, w);
	assert_ended(&a, -EINTR);
	assert_ptr_equal(a.pkt, pkt);
	pkt_free(pkt);
	assert_int_equal(pktq_length(&q), 2);
}

static void interrupt_of_nobody(void **state)
{
	struct pktq_waiter *w;
	struct end a = {0};

	assert_false(pktq_interrupt(&q, is_this, &a));
	w = park_reader(&a);
	pktq_arm(&q, w);
	assert_false(pktq_interrupt(&q, is_this, &a));
	assert_int_equal(a.n, 0);
	pktq_interrupt(&q, is_this, w);
}

/* ---- the end ---- */

static void close_answers_every_later_call(void **state)
{
	struct pkt *pkt = numbered(1), *got;
	struct pktq_waiter *w;
	bool queued = true;
	struct end a;

	assert_int_equal(pktq_close(&q, -EFAULT), 0);
	assert_int_equal(pktq_push(&q, pkt, &queued), -EFAULT);
	assert_false(queued);
	assert_int_equal(pktq_pop(&q, &got), -EFAULT);
	w = new_waiter(&a);
	assert_int_equal(pktq_push_or_park(&q, pkt, w), -EFAULT);
	assert_int_equal(pktq_pop_or_park(&q, w, &got), -EFAULT);
	pkt_free(pkt);
	drop_waiter(w);
	assert_int_equal(a.n, 0);
}

static void first_error_stays(void **state)
{
	struct pkt *pkt;

	pktq_close(&q, -EFAULT);
	pktq_close(&q, -EBADFD);
	assert_int_equal(pktq_pop(&q, &pkt), -EFAULT);
}

static void close_counts_what_it_throws_away(void **state)
{
	push(1);
	push(2);
	assert_int_equal(pktq_close(&q, -EFAULT), 2);
	assert_int_equal(pktq_length(&q), 0);
	assert_int_equal(pktq_close(&q, -EFAULT), 0);
}

/* A queue that stays open goes on as if nothing had been in it. */
static void purge_keeps_the_queue_open(void **state)
{
	struct end reader, writers[2];

	assert_int_equal(pktq_purge(&q), 0);
	pktq_arm(&q, park_reader(&reader));
	assert_int_equal(pktq_purge(&q), 0);
	assert_int_equal(reader.n, 0);
	push(1);
	assert_got(&reader, 1);
	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	for (size_t i = 0; i < 2; i++)
		pktq_arm(&q, park_writer(&writers[i], numbered(7)));
	assert_int_equal(pktq_purge(&q), 3);
	/* Those who waited for room have it. */
	assert_ended(&writers[0], 0);
	assert_ended(&writers[1], 0);
	assert_pops(7);
	assert_pops(7);
	assert_empty();
}

static void close_ends_every_reader(void **state)
{
	struct end ends[3];

	for (size_t i = 0; i < 3; i++)
		pktq_arm(&q, park_reader(&ends[i]));
	pktq_close(&q, -EFAULT);
	for (size_t i = 0; i < 3; i++) {
		assert_ended(&ends[i], -EFAULT);
		assert_null(ends[i].pkt);
		assert_int_equal(ends[i].order, i);
	}
}

static void close_gives_writers_their_packets(void **state)
{
	struct pkt *pkts[2];
	struct end ends[2];

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	for (size_t i = 0; i < 2; i++) {
		pkts[i] = numbered(9);
		pktq_arm(&q, park_writer(&ends[i], pkts[i]));
	}
	assert_int_equal(pktq_close(&q, -EBADFD), 3);
	for (size_t i = 0; i < 2; i++) {
		assert_ended(&ends[i], -EBADFD);
		assert_ptr_equal(ends[i].pkt, pkts[i]);
		pkt_free(pkts[i]);
	}
}

static void close_before_arming(void **state)
{
	struct pktq_waiter *reader, *writer;
	struct pkt *pkt = numbered(4);
	struct end a, b;

	reader = park_reader(&a);
	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	writer = park_writer(&b, pkt);
	pktq_close(&q, -EFAULT);
	assert_int_equal(a.n, 0);
	assert_int_equal(b.n, 0);
	pktq_arm(&q, reader);
	assert_ended(&a, -EFAULT);
	pktq_arm(&q, writer);
	assert_ended(&b, -EFAULT);
	assert_ptr_equal(b.pkt, pkt);
	pkt_free(pkt);
}

/* The signal came first. */
static void interrupted_then_closed_then_armed(void **state)
{
	struct pktq_waiter *w;
	struct end a;

	w = park_reader(&a);
	pktq_interrupt(&q, is_this, w);
	pktq_close(&q, -EFAULT);
	pktq_arm(&q, w);
	assert_ended(&a, -EINTR);
}

/* ---- the consumer's turn ---- */

static void take_turn(bool mine, uint16_t number)
{
	struct pkt *pkt;

	assert_int_equal(pktq_pop_turn(&q, mine, &pkt), PKTQ_DONE);
	assert_int_equal(pkt->proto, number);
	pkt_free(pkt);
}

static void one_consumer_has_the_turn(void **state)
{
	struct pkt *pkt;

	push(1);
	push(2);
	take_turn(false, 1);
	assert_int_equal(pktq_pop_turn(&q, false, &pkt), PKTQ_EMPTY);
	assert_int_equal(pktq_length(&q), 1);
	take_turn(true, 2);
	/* It ends with the queue found empty, not with the last packet. */
	push(3);
	assert_int_equal(pktq_pop_turn(&q, false, &pkt), PKTQ_EMPTY);
	take_turn(true, 3);
	assert_int_equal(pktq_pop_turn(&q, true, &pkt), PKTQ_EMPTY);
	push(4);
	take_turn(false, 4);
	assert_int_equal(pktq_pop_turn(&q, true, &pkt), PKTQ_EMPTY);
}

static void empty_queue_gives_no_turn(void **state)
{
	struct pkt *pkt;

	assert_int_equal(pktq_pop_turn(&q, false, &pkt), PKTQ_EMPTY);
	push(1);
	take_turn(false, 1);
}

/* Nobody would ever take it: the caller has to count it. */
static void unpop_after_the_end_is_told(void **state)
{
	struct pkt *pkt;

	push(1);
	assert_int_equal(pktq_pop(&q, &pkt), PKTQ_DONE);
	assert_int_equal(pktq_close(&q, -EBADFD), 0);
	assert_false(pktq_unpop(&q, pkt));
	assert_int_equal(pktq_length(&q), 0);
}

static void unpop_keeps_the_turn(void **state)
{
	struct pkt *pkt;

	push(1);
	assert_int_equal(pktq_pop_turn(&q, false, &pkt), PKTQ_DONE);
	pktq_unpop(&q, pkt);
	assert_int_equal(pktq_pop_turn(&q, false, &pkt), PKTQ_EMPTY);
	take_turn(true, 1);
}

static void turn_lets_writers_in(void **state)
{
	struct end a;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	pktq_arm(&q, park_writer(&a, numbered(4)));
	take_turn(false, 1);
	assert_ended(&a, 0);
	for (uint16_t i = 2; i <= 4; i++)
		take_turn(true, i);
}

/* ---- waiting until it is drained ---- */

static void drained_at_once(void **state)
{
	assert_true(pktq_wait_drained(&q, 0));
	push(1);
	assert_false(pktq_wait_drained(&q, 0));
	assert_pops(1);
	assert_true(pktq_wait_drained(&q, 0));
}

static void drained_means_the_turn_is_free(void **state)
{
	struct pkt *pkt;

	push(1);
	take_turn(false, 1);
	assert_int_equal(pktq_length(&q), 0);
	assert_false(pktq_wait_drained(&q, 0));
	pktq_pop_turn(&q, true, &pkt);
	assert_true(pktq_wait_drained(&q, 0));
}

static void drain_has_a_deadline(void **state)
{
	uint64_t deadline = now_ms() + 30;

	push(1);
	assert_false(pktq_wait_drained(&q, deadline));
	assert_true(now_ms() >= deadline);
	/* It waits for the turn, too. */
	take_turn(false, 1);
	deadline = now_ms() + 30;
	assert_false(pktq_wait_drained(&q, deadline));
	assert_true(now_ms() >= deadline);
}

struct drain {
	struct counter begun;
	bool drained;
	uint64_t took;
};

static void *wait_drained(void *arg)
{
	struct drain *drain = arg;
	uint64_t begin = now_ms();

	counter_add(&drain->begun, 1);
	drain->drained = pktq_wait_drained(&q, begin + 2 * PATIENCE_S * 1000);
	drain->took = now_ms() - begin;
	return NULL;
}

static pthread_t start_drain(struct drain *drain)
{
	pthread_t thread;

	counter_init(&drain->begun);
	assert_int_equal(pthread_create(&thread, NULL, wait_drained, drain), 0);
	assert_true(counter_wait(&drain->begun, 1));
	return thread;
}

static void end_drain(struct drain *drain, pthread_t thread)
{
	pthread_join(thread, NULL);
	counter_destroy(&drain->begun);
	/* Long before its deadline. */
	assert_true(drain->took < PATIENCE_S * 1000);
}

static void last_turn_wakes_who_waits(void **state)
{
	struct drain drain;
	struct pkt *pkt;
	pthread_t thread;

	push(1);
	push(2);
	thread = start_drain(&drain);
	take_turn(false, 1);
	take_turn(true, 2);
	assert_int_equal(pktq_pop_turn(&q, true, &pkt), PKTQ_EMPTY);
	end_drain(&drain, thread);
	assert_true(drain.drained);
}

static void close_wakes_who_waits(void **state)
{
	struct drain drain;
	pthread_t thread;
	struct pkt *pkt;

	push(1);
	assert_int_equal(pktq_pop_turn(&q, false, &pkt), PKTQ_DONE);
	pkt_free(pkt);
	push(2);
	thread = start_drain(&drain);
	pktq_close(&q, -EBADFD);
	end_drain(&drain, thread);
	/* Somebody still has the turn. */
	assert_false(drain.drained);
	assert_int_equal(pktq_pop_turn(&q, true, &pkt), PKTQ_EMPTY);
	assert_true(pktq_wait_drained(&q, 0));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pktq_set_up, pktq_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interrupt_ends_an_armed_reader),
		TEST(interrupt_before_arming_waits_for_it),
		TEST(interrupted_writer_gets_its_packet_back),
		TEST(writer_interrupted_before_arming),
		TEST(interrupt_of_nobody),
		TEST(close_answers_every_later_call),
		TEST(first_error_stays),
		TEST(close_counts_what_it_throws_away),
		TEST(purge_keeps_the_queue_open),
		TEST(close_ends_every_reader),
		TEST(close_gives_writers_their_packets),
		TEST(close_before_arming),
		TEST(interrupted_then_closed_then_armed),
		TEST(one_consumer_has_the_turn),
		TEST(empty_queue_gives_no_turn),
		TEST(unpop_after_the_end_is_told),
		TEST(unpop_keeps_the_turn),
		TEST(turn_lets_writers_in),
		TEST(drained_at_once),
		TEST(drained_means_the_turn_is_free),
		TEST(drain_has_a_deadline),
		TEST(last_turn_wakes_who_waits),
		TEST(close_wakes_who_waits),
	};

	return cmocka_run_group_tests_name("pktq-end", tests, NULL, NULL);
}
