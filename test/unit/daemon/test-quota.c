/* SPDX-License-Identifier: MIT */
/* test-quota.c - what there is on each account, dev/quota.h. */
#include <errno.h>

#include "dev/file.h"
#include "dev/quota.h"
#include "unit.h"

static struct quota quota;

static int set_up(void **state)
{
	quota_init(&quota);
	return 0;
}

static int tear_down(void **state)
{
	quota_destroy(&quota);
	return 0;
}

static void as_many_as_allowed(void **state)
{
	assert_int_equal(quota_take(&quota, 1000, QUOTA_FILES, 2), 0);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_FILES, 2), 0);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_FILES, 2), -EMFILE);
	/* Another limit, another thing, others in the same bucket. */
	assert_int_equal(quota_take(&quota, 1000, QUOTA_FILES, 3), 0);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_DEVICES, 1), 0);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_DEVICES, 1), -ENOSPC);
	assert_int_equal(
		quota_take(&quota, 1000 + QUOTA_BUCKETS, QUOTA_FILES, 1), 0);
	assert_int_equal(
		quota_take(&quota, DEV_ACCOUNT_NS | 1000, QUOTA_FILES, 1), 0);
	assert_int_equal(quota_count(&quota, 1000, QUOTA_FILES), 3);
	assert_int_equal(quota_count(&quota, 1000, QUOTA_DEVICES), 1);
	assert_int_equal(quota_count(&quota, 1000 + QUOTA_BUCKETS, QUOTA_FILES),
			 1);
	quota_give(&quota, 1000, QUOTA_FILES);
	quota_give(&quota, 1000, QUOTA_FILES);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_FILES, 2), 0);
}

static void who_has_nothing_is_forgotten(void **state)
{
	assert_int_equal(quota_take(&quota, 7, QUOTA_FILES, 0), -EMFILE);
	assert_true(list_empty(&quota.buckets[7]));
	assert_int_equal(quota_take(&quota, 7, QUOTA_FILES, 1), 0);
	assert_int_equal(quota_take(&quota, 7, QUOTA_DEVICES, 1), 0);
	quota_give(&quota, 7, QUOTA_FILES);
	assert_false(list_empty(&quota.buckets[7]));
	quota_give(&quota, 7, QUOTA_DEVICES);
	assert_true(list_empty(&quota.buckets[7]));
	assert_int_equal(quota_count(&quota, 7, QUOTA_FILES), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(as_many_as_allowed),
		TEST(who_has_nothing_is_forgotten),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
