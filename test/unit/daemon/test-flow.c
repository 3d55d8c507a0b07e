/* SPDX-License-Identifier: MIT */
/* test-flow.c - the memory of flows, packet/flow.h. The time is the test's. */
#include <stdatomic.h>

#include "packet/flow.h"
#include "unit.h"

#define NOW 1000000

/* Hashes that share their low bits share a set, whatever its size. */
#define SAME_SET(i) (((uint32_t)(i) << 16) + 77)

static uint32_t seed = 0xf10e5eed;

static struct flow_table *new_table(void)
{
	struct flow_table *table = flow_table_new();

	assert_non_null(table);
	return table;
}

static void nothing_is_known_at_first(void **state)
{
	struct flow_table *table = new_table();

	for (int i = 0; i < 100; i++)
		assert_int_equal(flow_find(table, random_next(&seed), NOW), -1);
	assert_int_equal(flow_find(table, 0, 0), -1);
	flow_table_free(table);
	flow_table_free(NULL);
}

static void last_writer_is_found(void **state)
{
	static const uint32_t hashes[] = {0, 1, 0x7fffffff, 0xffffffff};
	struct flow_table *table = new_table();

	for (size_t i = 0; i < LENGTH(hashes); i++) {
		for (unsigned int q = 0; q < FLOW_QUEUES_MAX; q++) {
			flow_learn(table, hashes[i], q, NOW);
			assert_int_equal(flow_find(table, hashes[i], NOW), q);
		}
		flow_learn(table, hashes[i], 3, NOW);
	}
	/* Each bit of the hash counts. */
	for (int bit = 1; bit < 31; bit++)
		assert_int_equal(flow_find(table, 1U << bit, NOW), -1);
	flow_table_free(table);
}

static void queues_beyond_the_last_are_not_learned(void **state)
{
	struct flow_table *table = new_table();

	flow_learn(table, 5, FLOW_QUEUES_MAX, NOW);
	assert_int_equal(flow_find(table, 5, NOW), -1);
	flow_learn(table, 5, 1, NOW);
	flow_move_queue(table, 1, FLOW_QUEUES_MAX);
	assert_int_equal(flow_find(table, 5, NOW), 1);
	flow_table_free(table);
}

static void disuse_is_forgotten(void **state)
{
	struct flow_table *table = new_table();

	flow_learn(table, 5, 2, NOW);
	assert_int_equal(flow_find(table, 5, NOW + FLOW_AGE_MS - 1), 2);
	assert_int_equal(flow_find(table, 5, NOW + FLOW_AGE_MS), -1);
	/* Writing keeps it, reading does not. */
	flow_learn(table, 5, 2, NOW + FLOW_AGE_MS - 1);
	assert_int_equal(flow_find(table, 5, NOW + FLOW_AGE_MS), 2);
	assert_int_equal(flow_find(table, 5, NOW + 2 * FLOW_AGE_MS - 2), 2);
	assert_int_equal(flow_find(table, 5, NOW + 2 * FLOW_AGE_MS - 1), -1);
	flow_table_free(table);
}

/* Another thread may have looked at the clock a moment before. */
static void clock_of_another_thread(void **state)
{
	struct flow_table *table = new_table();

	flow_learn(table, 5, 2, NOW);
	assert_int_equal(flow_find(table, 5, NOW - 100), 2);
	for (uint64_t base = 1; base; base <<= 1) {
		flow_learn(table, 5, 7, base);
		assert_int_equal(flow_find(table, 5, base - 1), 7);
		assert_int_equal(flow_find(table, 5, base + 2999), 7);
		assert_int_equal(flow_find(table, 5, base + 3000), -1);
		assert_int_equal(flow_find(table, 5, base + 100000000), -1);
	}
	flow_table_free(table);
}

static void oldest_makes_room(void **state)
{
	struct flow_table *table = new_table();
	unsigned int n = 0;

	/* Until one is lost, which is how large a set is. */
	do {
		n++;
		flow_learn(table, SAME_SET(n), n, NOW + n);
	} while (flow_find(table, SAME_SET(1), NOW + n) == 1 && n < 100);
	assert_in_range(n, 3, 99);
	for (unsigned int i = 2; i <= n; i++)
		assert_int_equal(flow_find(table, SAME_SET(i), NOW + n), i);
	/* Number 2 was written again, so 3 is the oldest. */
	flow_learn(table, SAME_SET(2), 2, NOW + n + 1);
	flow_learn(table, SAME_SET(101), 101, NOW + n + 1);
	assert_int_equal(flow_find(table, SAME_SET(2), NOW + n + 1), 2);
	assert_int_equal(flow_find(table, SAME_SET(3), NOW + n + 1), -1);
	flow_table_free(table);
}

static void many_flows_fit(void **state)
{
	struct flow_table *table = new_table();
	uint32_t hashes[1000];
	unsigned int found = 0, all = 0;

	for (size_t i = 0; i < LENGTH(hashes); i++) {
		hashes[i] = random_next(&seed);
		flow_learn(table, hashes[i], i % 256, NOW);
	}
	for (size_t i = 0; i < LENGTH(hashes); i++)
		if (flow_find(table, hashes[i], NOW) == (int)(i % 256))
			found++;
	assert_in_range(found, 950, 1000);
	for (uint32_t i = 0; i < 100000; i++)
		flow_learn(table, i * 40503, 1, NOW);
	for (uint32_t i = 0; i < 100000; i++)
		all += flow_find(table, i * 40503, NOW) == 1;
	assert_in_range(all, 1, 4096);
	flow_table_free(table);
}

static void closed_queue_is_forgotten(void **state)
{
	struct flow_table *table = new_table();

	for (uint32_t i = 0; i < 1000; i++)
		flow_learn(table, i, i % 4, NOW);
	flow_forget_queue(table, 1);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(flow_find(table, i, NOW),
				 i % 4 == 1 ? -1 : (int)(i % 4));
	flow_table_free(table);
}

static void forgotten_flows_make_room(void **state)
{
	struct flow_table *table = new_table();

	flow_learn(table, SAME_SET(0), 0, NOW);
	for (unsigned int i = 0; i < 100; i++) {
		/* The newest, so that it would be the last to go. */
		flow_learn(table, SAME_SET(i + 1), 1, NOW + 1);
		flow_forget_queue(table, 1);
	}
	assert_int_equal(flow_find(table, SAME_SET(0), NOW), 0);
	flow_table_free(table);
}

static void last_queue_takes_its_place(void **state)
{
	static const int expected[] = {0, -1, 2, 1};
	struct flow_table *table = new_table();

	for (uint32_t i = 0; i < 1000; i++)
		flow_learn(table, i, i % 4, NOW);
	flow_forget_queue(table, 1);
	flow_move_queue(table, 3, 1);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(flow_find(table, i, NOW), expected[i % 4]);
	/* A move is no use. */
	assert_int_equal(flow_find(table, 3, NOW + FLOW_AGE_MS), -1);
	flow_table_free(table);
}

static void spread_is_even(void **state)
{
	for (unsigned int n = 1; n <= 256; n++) {
		assert_int_equal(flow_spread(0, n), 0);
		assert_int_equal(flow_spread(UINT32_MAX, n), n - 1);
	}
	assert_int_equal(flow_spread(0x80000000, 4), 2);
	assert_int_equal(flow_spread(0x7fffffff, 4), 1);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS	20000

struct worker {
	pthread_t thread;
	struct flow_table *table;
	uint32_t number;
	unsigned int wrong;
};

static atomic_bool stop;

/* Its own sets, its own queues: nobody takes its flows away. */
static void *write_flows(void *arg)
{
	struct worker *w = arg;
	uint32_t state = w->number + 1;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t hash = (random_next(&state) << 10 | (i & 0xff)) * 4;
		unsigned int queue = w->number * 10 + i % 10;

		hash += w->number;
		flow_learn(w->table, hash, queue, NOW + i / 100);
		if (flow_find(w->table, hash, NOW + i / 100) != (int)queue)
			w->wrong++;
	}
	return NULL;
}

static void *close_queues(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		flow_learn(w->table, random_next(&w->number), 201, NOW);
		flow_forget_queue(w->table, 200);
		flow_move_queue(w->table, 201, 200);
	}
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct worker w[THREADS + 1] = {0};
	struct flow_table *table = new_table();

	stop = false;
	for (unsigned int i = 0; i <= THREADS; i++) {
		w[i].table = table;
		w[i].number = i;
		assert_int_equal(
			pthread_create(&w[i].thread, NULL,
				       i < THREADS ? write_flows : close_queues,
				       &w[i]),
			0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	stop = true;
	pthread_join(w[THREADS].thread, NULL);
	/* Where the one who closes queues learns, a flow may be pushed out. */
	for (unsigned int i = 0; i < THREADS; i++)
		assert_in_range(w[i].wrong, 0, ROUNDS / 100);
	flow_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(last_writer_is_found),
		cmocka_unit_test(queues_beyond_the_last_are_not_learned),
		cmocka_unit_test(disuse_is_forgotten),
		cmocka_unit_test(clock_of_another_thread),
		cmocka_unit_test(oldest_makes_room),
		cmocka_unit_test(many_flows_fit),
		cmocka_unit_test(closed_queue_is_forgotten),
		cmocka_unit_test(forgotten_flows_make_room),
		cmocka_unit_test(last_queue_takes_its_place),
		cmocka_unit_test(spread_is_even),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
