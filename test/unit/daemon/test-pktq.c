/* SPDX-License-Identifier: MIT */
/*
 * test-pktq.c - the packet queue of packet/pktq.h: packets, bounds and parked
 * waiters. How waiting ends otherwise is test-pktq-end.c's.
 */
#include <errno.h>

#include "waiter.h"

/* ---- packets ---- */

static void first_in_first_out(void **state)
{
	push(1);
	push(2);
	assert_int_equal(pktq_length(&q), 2);
	assert_pops(1);
	push(3);
	assert_pops(2);
	assert_pops(3);
	assert_empty();
}

static void bound_of_packets(void **state)
{
	struct pkt *fourth = numbered(4);
	bool queued = true;

	push(1);
	push(2);
	push(3);
	assert_int_equal(pktq_push(&q, fourth, &queued), PKTQ_FULL);
	assert_false(queued);
	assert_int_equal(pktq_length(&q), 3);
	assert_pops(1);
	assert_int_equal(pktq_push(&q, fourth, &queued), PKTQ_DONE);
	assert_true(queued);
}

static void bound_of_bytes(void **state)
{
	struct pkt *large = new_pkt(501), *fits = new_pkt(500), *empty, *pkt;

	push_size(500);
	assert_int_equal(pktq_push(&q, large, NULL), PKTQ_FULL);
	assert_int_equal(pktq_push(&q, fits, NULL), PKTQ_DONE);
	/* An empty packet is not for nothing. */
	empty = new_pkt(sizeof(*empty));
	assert_int_equal(empty->len, 0);
	assert_int_equal(pktq_push(&q, empty, NULL), PKTQ_FULL);
	pkt_free(empty);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pktq_pop(&q, &pkt), PKTQ_DONE);
		pkt_free(pkt);
	}
	/* The bytes that left count no more. */
	assert_int_equal(pktq_push(&q, large, NULL), PKTQ_DONE);
	push_size(499);
}

static void smaller_limit_loses_the_latest(void **state)
{
	struct pkt *pkt = numbered(4);

	push(1);
	push(2);
	push(3);
	assert_int_equal(pktq_set_limit(&q, 2), 1);
	assert_int_equal(pktq_length(&q), 2);
	assert_int_equal(pktq_push(&q, pkt, NULL), PKTQ_FULL);
	assert_pops(1);
	assert_pops(2);
	assert_int_equal(pktq_push(&q, pkt, NULL), PKTQ_DONE);
}

static void limit_of_nothing(void **state)
{
	struct pkt *pkt = numbered(1);

	pktq_set_limit(&q, 0);
	assert_int_equal(pktq_push(&q, pkt, NULL), PKTQ_FULL);
	pktq_set_limit(&q, 1);
	assert_int_equal(pktq_push(&q, pkt, NULL), PKTQ_DONE);
}

static void larger_limit_lets_writers_in(void **state)
{
	struct end a, b;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	pktq_arm(&q, park_writer(&a, numbered(4)));
	pktq_arm(&q, park_writer(&b, numbered(5)));
	pktq_set_limit(&q, 4);
	assert_ended(&a, 0);
	assert_null(a.pkt);
	assert_int_equal(b.n, 0);
	pktq_set_limit(&q, 5);
	assert_ended(&b, 0);
	for (uint16_t i = 1; i <= 5; i++)
		assert_pops(i);
}

static void unpop_goes_to_the_front(void **state)
{
	struct pkt *one, *two;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	pktq_pop(&q, &one);
	pktq_pop(&q, &two);
	pktq_unpop(&q, two);
	pktq_unpop(&q, one);
	assert_int_equal(pktq_length(&q), 3);
	for (uint16_t i = 1; i <= 3; i++)
		assert_pops(i);
	assert_empty();
}

/* It was in the queue already: a full queue takes it back. */
static void unpop_into_a_full_queue(void **state)
{
	struct pkt *one, *five = numbered(5);

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	pktq_pop(&q, &one);
	push(4);
	pktq_unpop(&q, one);
	assert_int_equal(pktq_length(&q), 4);
	assert_int_equal(pktq_push(&q, five, NULL), PKTQ_FULL);
	for (uint16_t i = 1; i <= 4; i++)
		assert_pops(i);
	assert_int_equal(pktq_push(&q, five, NULL), PKTQ_DONE);
}

static void unpop_serves_a_parked_reader(void **state)
{
	struct pkt *one;
	struct end a;

	push(1);
	pktq_pop(&q, &one);
	pktq_arm(&q, park_reader(&a));
	pktq_unpop(&q, one);
	assert_got(&a, 1);
	assert_empty();
}

/* ---- parked readers ---- */

static void reader_is_given_the_packet(void **state)
{
	bool queued = true;
	struct end a;

	pktq_arm(&q, park_reader(&a));
	assert_int_equal(a.n, 0);
	assert_int_equal(pktq_push(&q, numbered(1), &queued), PKTQ_DONE);
	assert_false(queued);
	assert_got(&a, 1);
	assert_empty();
}

static void reader_waits_until_it_is_armed(void **state)
{
	struct pktq_waiter *w;
	bool queued = false;
	struct end a;

	w = park_reader(&a);
	assert_int_equal(pktq_push(&q, numbered(1), &queued), PKTQ_DONE);
	assert_true(queued);
	assert_int_equal(a.n, 0);
	pktq_arm(&q, w);
	assert_got(&a, 1);
}

/* What came first goes to whoever can take it first. */
static void unarmed_reader_is_passed_over(void **state)
{
	struct pktq_waiter *w;
	struct end a, b;

	w = park_reader(&a);
	pktq_arm(&q, park_reader(&b));
	push(1);
	assert_got(&b, 1);
	assert_int_equal(a.n, 0);
	push(2);
	pktq_arm(&q, w);
	assert_got(&a, 2);
}

static void readers_are_served_in_order(void **state)
{
	struct end ends[3];

	for (size_t i = 0; i < 3; i++)
		pktq_arm(&q, park_reader(&ends[i]));
	for (uint16_t i = 0; i < 3; i++) {
		push(i);
		assert_got(&ends[i], i);
		assert_int_equal(ends[i].order, i);
	}
}

/* A reader that waits is room enough. */
static void reader_is_served_with_a_limit_of_nothing(void **state)
{
	struct end a;

	pktq_set_limit(&q, 0);
	pktq_arm(&q, park_reader(&a));
	push(1);
	assert_got(&a, 1);
}

static void full_queue_does_not_park_a_reader(void **state)
{
	struct pktq_waiter *w;
	struct pkt *pkt;
	struct end a;

	push(1);
	w = new_waiter(&a);
	assert_int_equal(pktq_pop_or_park(&q, w, &pkt), PKTQ_DONE);
	assert_int_equal(pkt->proto, 1);
	pkt_free(pkt);
	drop_waiter(w);
	assert_int_equal(a.n, 0);
}

/* ---- parked writers ---- */

static void writer_waits_for_room(void **state)
{
	struct end a;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	pktq_arm(&q, park_writer(&a, numbered(4)));
	assert_int_equal(a.n, 0);
	assert_int_equal(pktq_length(&q), 3);
	assert_pops(1);
	assert_ended(&a, 0);
	assert_null(a.pkt);
	for (uint16_t i = 2; i <= 4; i++)
		assert_pops(i);
}

static void writer_waits_until_it_is_armed(void **state)
{
	struct pktq_waiter *w;
	struct end a;

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	w = park_writer(&a, numbered(4));
	assert_pops(1);
	assert_int_equal(a.n, 0);
	assert_int_equal(pktq_length(&q), 2);
	pktq_arm(&q, w);
	assert_ended(&a, 0);
	assert_int_equal(pktq_length(&q), 3);
}

static void writers_are_let_in_in_order(void **state)
{
	struct end ends[3];

	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	for (uint16_t i = 0; i < 3; i++)
		pktq_arm(&q,
			 park_writer(&ends[i], numbered((uint16_t)(4 + i))));
	for (uint16_t i = 0; i < 3; i++) {
		assert_pops((uint16_t)(1 + i));
		assert_ended(&ends[i], 0);
		if (i < 2)
			assert_int_equal(ends[i + 1].n, 0);
	}
	for (uint16_t i = 4; i <= 6; i++)
		assert_pops(i);
}

static void one_large_packet_makes_room_for_many(void **state)
{
	struct end ends[2];
	struct pkt *pkt;

	push_size(1000);
	for (size_t i = 0; i < 2; i++)
		pktq_arm(&q, park_writer(&ends[i], new_pkt(400)));
	pktq_pop(&q, &pkt);
	pkt_free(pkt);
	assert_ended(&ends[0], 0);
	assert_ended(&ends[1], 0);
	assert_int_equal(ends[0].order, 0);
	assert_int_equal(pktq_length(&q), 2);
}

static void writer_with_room_is_not_parked(void **state)
{
	struct pktq_waiter *w;
	struct end a;

	w = new_waiter(&a);
	assert_int_equal(pktq_push_or_park(&q, numbered(1), w), PKTQ_DONE);
	drop_waiter(w);
	assert_pops(1);
	assert_int_equal(a.n, 0);
}

/* ---- several at once ---- */

/* Readers are served early where there would be no room otherwise. */
static void run_into_a_small_queue(void **state)
{
	struct pkt *pkts[6];
	bool queued = false;
	struct end ends[2];

	for (size_t i = 0; i < LENGTH(ends); i++)
		pktq_arm(&q, park_reader(&ends[i]));
	for (uint16_t i = 0; i < LENGTH(pkts); i++)
		pkts[i] = numbered((uint16_t)(1 + i));
	assert_int_equal(pktq_push_run(&q, pkts, LENGTH(pkts), &queued), 5);
	assert_true(queued);
	pkt_free(pkts[5]);
	assert_got(&ends[0], 1);
	assert_got(&ends[1], 2);
	pkts[0] = numbered(9);
	assert_int_equal(pktq_push_run(&q, pkts, 1, &queued), 0);
	assert_false(queued);
	for (uint16_t i = 3; i <= 5; i++)
		assert_pops(i);
	assert_int_equal(pktq_close(&q, -EBUSY), 0);
	assert_int_equal(pktq_push_run(&q, pkts, 1, &queued), -EBUSY);
	pkt_free(pkts[0]);
}

static void run_comes_back_in_order(void **state)
{
	const struct pktq_room two = {.packets = 2, .bytes = 1000, .align = 1};
	struct list run;

	list_init(&run);
	for (uint16_t i = 1; i <= 3; i++)
		push(i);
	assert_int_equal(pktq_pop_run(&q, &two, &run), PKTQ_DONE);
	assert_int_equal(pktq_length(&q), 1);
	push(4);
	assert_true(pktq_unpop_run(&q, &run));
	assert_true(list_empty(&run));
	for (uint16_t i = 1; i <= 4; i++)
		assert_pops(i);
}

static void forgotten_tag_makes_room(void **state)
{
	struct pkt *pkts[3];
	struct end a;

	for (uint16_t i = 0; i < 3; i++) {
		pkts[i] = numbered((uint16_t)(1 + i));
		pkts[i]->tag = i == 1 ? 8 : 7;
	}
	assert_int_equal(pktq_push_run(&q, pkts, 3, NULL), 3);
	pktq_arm(&q, park_writer(&a, numbered(4)));
	pktq_forget(&q, 7);
	assert_ended(&a, 0);
	assert_pops(2);
	assert_pops(4);
	assert_empty();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pktq_set_up, pktq_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_in_first_out),
		TEST(bound_of_packets),
		TEST(bound_of_bytes),
		TEST(smaller_limit_loses_the_latest),
		TEST(limit_of_nothing),
		TEST(larger_limit_lets_writers_in),
		TEST(unpop_goes_to_the_front),
		TEST(unpop_into_a_full_queue),
		TEST(unpop_serves_a_parked_reader),
		TEST(reader_is_given_the_packet),
		TEST(reader_waits_until_it_is_armed),
		TEST(unarmed_reader_is_passed_over),
		TEST(readers_are_served_in_order),
		TEST(reader_is_served_with_a_limit_of_nothing),
		TEST(full_queue_does_not_park_a_reader),
		TEST(writer_waits_for_room),
		TEST(writer_waits_until_it_is_armed),
		TEST(writers_are_let_in_in_order),
		TEST(one_large_packet_makes_room_for_many),
		TEST(writer_with_room_is_not_parked),
		TEST(run_into_a_small_queue),
		TEST(run_comes_back_in_order),
		TEST(forgotten_tag_makes_room),
	};

	return cmocka_run_group_tests_name("pktq", tests, NULL, NULL);
}
