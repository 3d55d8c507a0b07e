/* SPDX-License-Identifier: MIT */
/* test-spent.c - dev/spent.h: whose it is, of which rate, and how long. */
#include "dev/spent.h"
#include "unit.h"

#define SECOND 1000000000ull

enum { ALICE = 1000, BOB };

static void who_and_what_rate(void **state)
{
	struct spent spent;
	struct rate one, ten;

	rate_init(&one, 1);
	rate_init(&ten, 10);
	spent_init(&spent);
	spent_note(&spent, ALICE, &one, 9 * SECOND, 5 * SECOND);
	assert_int_equal(spent_get(&spent, ALICE, &one, 5 * SECOND),
			 9 * SECOND);
	assert_int_equal(spent_get(&spent, BOB, &one, 5 * SECOND), 0);
	assert_int_equal(spent_get(&spent, ALICE, &ten, 5 * SECOND), 0);
	/* The one with the least left counts, whenever it has gone. */
	spent_note(&spent, ALICE, &one, 8 * SECOND, 5 * SECOND);
	assert_int_equal(spent_get(&spent, ALICE, &one, 5 * SECOND),
			 9 * SECOND);
	spent_note(&spent, ALICE, &one, 10 * SECOND, 5 * SECOND);
	assert_int_equal(spent_get(&spent, ALICE, &one, 5 * SECOND),
			 10 * SECOND);
	spent_destroy(&spent);
}

static unsigned int count(struct spent *spent)
{
	unsigned int n = 0;

	list_for_each (it, &spent->records)
		n++;
	return n;
}

/* It is kept while a new bucket has more in it, and no longer. */
static void no_longer_than_needed(void **state)
{
	struct spent spent;
	struct rate rate;
	uint64_t spent_ns;

	rate_init(&rate, 1000);
	/* So far ahead of the time is a new one. */
	assert_true(rate.start_ns > 0);
	spent_ns = SECOND + rate.start_ns;
	spent_init(&spent);
	spent_note(&spent, ALICE, &rate, spent_ns, SECOND);
	assert_int_equal(count(&spent), 0);
	spent_note(&spent, ALICE, &rate, spent_ns + 2, SECOND);
	assert_int_equal(spent_get(&spent, ALICE, &rate, SECOND + 1),
			 spent_ns + 2);
	assert_int_equal(spent_get(&spent, ALICE, &rate, SECOND + 2), 0);
	/* The next one that comes takes it away. */
	spent_note(&spent, BOB, &rate, 9 * SECOND, SECOND + 2);
	assert_int_equal(count(&spent), 1);
	spent_destroy(&spent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_and_what_rate),
		cmocka_unit_test(no_longer_than_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
