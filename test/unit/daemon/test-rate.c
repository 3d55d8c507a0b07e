/* SPDX-License-Identifier: MIT */
/* test-rate.c - packet/rate.h, with a clock of the test's own. */
#include "packet/rate.h"

#include <pthread.h>

#include "unit.h"

#define SECOND 1000000000ull

/* Any time at which a machine may be. */
#define BEGIN (5 * SECOND)

static unsigned int take_all(struct rate_bucket *bucket,
			     const struct rate *rate, uint64_t now)
{
	unsigned int n = 0;

	while (rate_take(bucket, rate, 1, now))
		n++;
	return n;
}

static void at_once_and_in_a_time(void **state)
{
	static const struct {
		uint64_t per_second;
		unsigned int burst;
	} cases[] = {
		{1, 16},	 {10, 16},
		{160, 16},	 {161, 16},
		{1000, 100},	 {3000, 300},
		{999999, 99999}, {RATE_MAX, RATE_MAX / 10},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint64_t per_second = cases[i].per_second, now = BEGIN, n;
		struct rate_bucket bucket = {0};
		struct rate rate;

		rate_init(&rate, per_second);
		/* Whoever attaches anew has not much more than before. */
		assert_int_equal(take_all(&bucket, &rate, now), RATE_MIN_BURST);
		/* It is never more than full. */
		now += 100 * SECOND;
		assert_int_equal(take_all(&bucket, &rate, now), cases[i].burst);
		/* Emptied again and again, for as long as 1600 take. */
		n = 0;
		for (int j = 0; j < 200; j++) {
			now += 8 * SECOND / per_second;
			n += take_all(&bucket, &rate, now);
		}
		assert_true(n <= 200 * 8);
		assert_true(n >= 200 * 8 * 99 / 100);
	}
}

static void large_ones_take_from_the_time_to_come(void **state)
{
	struct rate_bucket bucket = {0};
	struct rate rate;

	rate_init(&rate, 100);
	assert_true(rate_take(&bucket, &rate, 15, BEGIN));
	assert_true(rate_take(&bucket, &rate, 45, BEGIN));
	/* 60 were taken where 16 were there: 44 hundredths, and one more. */
	assert_false(rate_take(&bucket, &rate, 1, BEGIN + SECOND * 44 / 100));
	assert_true(rate_take(&bucket, &rate, 1, BEGIN + SECOND * 45 / 100));
	assert_false(rate_take(&bucket, &rate, 1, BEGIN + SECOND * 45 / 100));
	rate_give_back(&bucket, &rate, 1);
	assert_true(rate_take(&bucket, &rate, 1, BEGIN + SECOND * 45 / 100));
	assert_false(rate_take(&bucket, &rate, 1, BEGIN + SECOND * 45 / 100));
}

/* ---- several threads ---- */

static struct rate_bucket shared;
static struct rate shared_rate;

static void *take_some(void *arg)
{
	unsigned int *n = arg;

	*n = take_all(&shared, &shared_rate, BEGIN);
	return NULL;
}

static void several_take_no_more_than_one(void **state)
{
	pthread_t threads[4];
	unsigned int n[LENGTH(threads)], total = 0;

	rate_init(&shared_rate, RATE_MAX);
	assert_int_equal(take_all(&shared, &shared_rate, SECOND),
			 RATE_MIN_BURST);
	for (size_t i = 0; i < LENGTH(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, take_some, &n[i]), 0);
	for (size_t i = 0; i < LENGTH(threads); i++) {
		pthread_join(threads[i], NULL);
		total += n[i];
	}
	assert_int_equal(total, RATE_MAX / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once_and_in_a_time),
		cmocka_unit_test(large_ones_take_from_the_time_to_come),
		cmocka_unit_test(several_take_no_more_than_one),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
