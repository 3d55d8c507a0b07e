/* SPDX-License-Identifier: MIT */
/* test-slow-queue.c - whose slow calls wait for whose. */
#include "fuse/private.h"
#include "unit.h"

static void nobody_makes_root_wait(void **state)
{
	(void)state;
	for (uid_t uid = 1; uid < 100000; uid++)
		assert_int_not_equal(slow_queue_of(uid), slow_queue_of(0));
	assert_int_not_equal(slow_queue_of(UINT32_MAX), slow_queue_of(0));
}

static void users_have_all_other_queues(void **state)
{
	unsigned int seen[N_SLOW_QUEUES] = {0};

	(void)state;
	for (uid_t uid = 0; uid < 1000; uid++) {
		assert_in_range(slow_queue_of(uid), 0, N_SLOW_QUEUES - 1);
		seen[slow_queue_of(uid)]++;
	}
	for (unsigned int i = 0; i < N_SLOW_QUEUES; i++)
		assert_true(seen[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_makes_root_wait),
		cmocka_unit_test(users_have_all_other_queues),
	};

	return cmocka_run_group_tests_name("slow-queue", tests, NULL, NULL);
}
