/* SPDX-License-Identifier: MIT */
/* test-subuid.c - whose a subordinate number is, subuid.h. */
#include "subuid.h"

#include <stdio.h>
#include <unistd.h>

#include "dev/file.h"
#include "dev/policy.h"
#include "unit.h"

static char path[] = "/tmp/tund-subuid-XXXXXX";

static struct policy_set *read_text(const char *text)
{
	struct policy_set *set;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(policy_set_new(1, &set), 0);
	assert_int_equal(subuid_read(path, set), 0);
	return set;
}

static void numbers_of_users(void **state)
{
	struct policy_set *set = read_text("1000:100000:65536\n"
					   "root:300000:10\n"
					   "1001:200000:1\n"
					   "1000:4294967290:5\n");
	static const struct {
		uint64_t account, is;
	} cases[] = {
		{99999, 99999},
		{100000, 1000},
		{165535, 1000},
		{165536, 165536},
		{300009, 0},
		{200000, 1001},
		{200001, 200001},
		{1000, 1000},
		{4294967294, 1000},
		{4294967295, 4294967295},
		{DEV_ACCOUNT_NS | 100000, DEV_ACCOUNT_NS | 100000},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		if (policy_account(set, cases[i].account) != cases[i].is)
			fail_msg("case %zu", i);
	policy_set_unref(set);
}

static void what_is_no_such_line(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"# 1000:1:5\n",
		"1000\n",
		"1000:1\n",
		"1000:1:5:6\n",
		"1000:x:5\n",
		"1000:1:5 x\n",
		"1000:1:5",
		"nobody-has-this-name:1:5\n",
		":1:5\n",
		"-1:1:5\n",
		"4294967295:1:5\n",
		"1000:4294967295:1\n",
		"1000:4294967290:6\n",
		"1000:0:4294967296\n",
	};

	for (size_t i = 0; i < LENGTH(lines); i++) {
		struct policy_set *set = read_text(lines[i]);

		if (set->n_subuids > 0)
			fail_msg("taken: %s", lines[i]);
		policy_set_unref(set);
	}
}

static void a_file_that_is_not_there(void **state)
{
	struct policy_set *set;

	assert_int_equal(policy_set_new(1, &set), 0);
	assert_int_equal(subuid_read("/nowhere/subuid", set), 0);
	assert_int_equal(set->n_subuids, 0);
	policy_set_unref(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_users),
		cmocka_unit_test(what_is_no_such_line),
		cmocka_unit_test(a_file_that_is_not_there),
	};
	int fd = mkstemp(path), r;

	if (fd < 0)
		return 1;
	close(fd);
	r = cmocka_run_group_tests_name("subuid", tests, NULL, NULL);
	unlink(path);
	return r;
}
