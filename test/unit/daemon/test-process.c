/* SPDX-License-Identifier: MIT */
/*
 * test-process.c - base/process.h: a process's own command is found whatever
 * it is, and what is behind it.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/process.h"
#include "unit.h"

static void any_command(void **state)
{
	static const char *const commands[] = {
		"plain", "x\ny", "\n",	    "a) S 1 2 3", "(",
		")",	 "",	 "((a b))", "\xff",
	};
	struct process_stat first, stat;

	assert_int_equal(process_read_stat(getpid(), &first), 0);
	assert_true(first.started > 0);
	for (size_t i = 0; i < LENGTH(commands); i++) {
		assert_int_equal(prctl(PR_SET_NAME, commands[i]), 0);
		assert_int_equal(process_read_stat(getpid(), &stat), 0);
		assert_string_equal(stat.command, commands[i]);
		assert_int_equal(stat.state, 'R');
		assert_int_equal(stat.started, first.started);
	}
}

static void where_and_how_long(void **state)
{
	struct process_stat stat;
	cpu_set_t set, old;
	int cpu = sched_getcpu();

	assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	do
		assert_int_equal(process_read_stat(getpid(), &stat), 0);
	while (stat.user + stat.system < 2);
	assert_int_equal(stat.cpu, cpu);
	assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
}

static void none(void **state)
{
	struct process_stat stat;

	assert_int_equal(process_read_stat(0x7fffffff, &stat), -ENOENT);
	assert_int_equal(process_read_stat(-1, &stat), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_command),
		cmocka_unit_test(where_and_how_long),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
