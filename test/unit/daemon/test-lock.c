/* SPDX-License-Identifier: MIT */
/*
 * test-lock.c - the ranked lock and the condition variable of base/lock.h. A
 * breach of the order is made in a child process, which it ends.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/util.h"
#include "unit.h"

/* The breaches below are on purpose. */
#define UNCHECKED TUND_TSA(no_thread_safety_analysis)

/* ---- order ---- */

/* Runs it in a child. Returns the wait status and what it said. */
static int run_child(void (*breach)(void), char *ret_said, size_t size)
{
	const struct rlimit no_core = {0, 0};
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		dup2(fds[1], STDERR_FILENO);
		breach();
		_exit(0);
	}
	close(fds[1]);
	while (used < size - 1 &&
	       (n = read(fds[0], ret_said + used, size - 1 - used)) > 0)
		used += (size_t)n;
	ret_said[used] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_aborts(void (*breach)(void), const char *one,
			  const char *other)
{
#ifdef TUND_LOCK_CHECKS
	char said[4096];
	int status = run_child(breach, said, sizeof(said));

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		fail_msg("no abort (status %d): %s", status, said);
	assert_non_null(strstr(said, one));
	assert_non_null(strstr(said, other));
#else
	print_message("SKIP: built without -Dlock_checks=true\n");
	skip();
#endif
}

static void take_two(enum lock_rank first, enum lock_rank second) UNCHECKED
{
	struct lock a, b;

	lock_init(&a, first, "lock-one");
	lock_init(&b, second, "lock-two");
	lock_acquire(&a);
	lock_acquire(&b);
}

static void take_falling(void)
{
	take_two(LOCK_RANK_QUEUE, LOCK_RANK_DEVICE);
}

static void take_equal(void)
{
	take_two(LOCK_RANK_QUEUE, LOCK_RANK_QUEUE);
}

static void take_twice(void) UNCHECKED
{
	struct lock a;

	lock_init(&a, LOCK_RANK_FILE, "lock-one");
	lock_acquire(&a);
	lock_acquire(&a);
}

static void release_out_of_order(void) UNCHECKED
{
	struct lock a, b;

	lock_init(&a, LOCK_RANK_DEVICE, "lock-one");
	lock_init(&b, LOCK_RANK_FILE, "lock-two");
	lock_acquire(&a);
	lock_acquire(&b);
	lock_release(&a);
}

static void release_not_held(void) UNCHECKED
{
	struct lock a;

	lock_init(&a, LOCK_RANK_DEVICE, "lock-one");
	lock_release(&a);
}

static void falling_rank_aborts(void **state)
{
	assert_aborts(take_falling, "lock-one", "lock-two");
}

static void equal_rank_aborts(void **state)
{
	assert_aborts(take_equal, "lock-one", "lock-two");
}

static void taking_twice_aborts(void **state)
{
	assert_aborts(take_twice, "lock-one", "order");
}

static void release_out_of_order_aborts(void **state)
{
	assert_aborts(release_out_of_order, "lock-one", "order");
}

static void release_of_what_is_not_held_aborts(void **state)
{
	assert_aborts(release_not_held, "lock-one", "order");
}

static void take_all(void) UNCHECKED
{
	static const enum lock_rank ranks[] = {
		LOCK_RANK_WATCH, LOCK_RANK_TABLE, LOCK_RANK_DEVICE,
		LOCK_RANK_FILE,	 LOCK_RANK_QUEUE, LOCK_RANK_WORK,
		LOCK_RANK_HANDLE};
	struct lock locks[LENGTH(ranks)];

	for (size_t i = 0; i < LENGTH(ranks); i++)
		lock_init(&locks[i], ranks[i], "lock");
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < LENGTH(ranks); i++)
			lock_acquire(&locks[i]);
		for (size_t i = LENGTH(ranks); i > 0; i--)
			lock_release(&locks[i - 1]);
	}
	for (size_t i = 0; i < LENGTH(ranks); i++)
		lock_destroy(&locks[i]);
}

/* With the checks on, a false alarm would end the child. */
static void rising_ranks_pass(void **state)
{
	char said[4096];

	assert_int_equal(run_child(take_all, said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

/* ---- exclusion and waiting ---- */

#define THREADS 4
#define ROUNDS	20000

static struct lock lock;
static struct cond cond;
static unsigned int number;

static int set_up(void **state)
{
	lock_init(&lock, LOCK_RANK_QUEUE, "test");
	cond_init(&cond);
	number = 0;
	return 0;
}

static int tear_down(void **state)
{
	cond_destroy(&cond);
	lock_destroy(&lock);
	return 0;
}

static void *add_many(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		lock_acquire(&lock);
		number++;
		lock_release(&lock);
	}
	return NULL;
}

static void one_thread_at_a_time(void **state)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(number, THREADS * ROUNDS);
}

/* Every thread waits for its turn: each broadcast has to wake them all. */
static void *take_turn(void *arg)
{
	unsigned int mine = (unsigned int)(uintptr_t)arg;

	lock_acquire(&lock);
	while (number != mine)
		cond_wait(&cond, &lock);
	number++;
	cond_broadcast(&cond);
	lock_release(&lock);
	return NULL;
}

static void broadcast_wakes_all(void **state)
{
	pthread_t threads[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_turn,
						(void *)(THREADS - i)),
				 0);
	lock_acquire(&lock);
	number = 1;
	cond_broadcast(&cond);
	lock_release(&lock);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(number, THREADS + 1);
}

/* On another clock the wait would end at once, or in years. */
static void deadline_is_of_the_monotonic_clock(void **state)
{
	uint64_t deadline;
	bool in_time = true;

	lock_acquire(&lock);
	deadline = now_ms() + 50;
	while (in_time)
		in_time = cond_wait_until(&cond, &lock, deadline);
	lock_release(&lock);
	assert_true(now_ms() >= deadline);
	assert_true(now_ms() < deadline + PATIENCE_S * 1000);
}

static void past_deadline_does_not_wait(void **state)
{
	bool in_time;

	lock_acquire(&lock);
	in_time = cond_wait_until(&cond, &lock, now_ms() - 1);
	if (!in_time)
		in_time = cond_wait_until(&cond, &lock, 0);
	lock_release(&lock);
	assert_false(in_time);
}

static void waiting_in_time_sees_the_change(void **state)
{
	uint64_t deadline = now_ms() + PATIENCE_S * 1000;
	bool in_time = true;
	pthread_t thread;

	number = 1;
	lock_acquire(&lock);
	assert_int_equal(pthread_create(&thread, NULL, take_turn, (void *)1),
			 0);
	while (number == 1 && in_time)
		in_time = cond_wait_until(&cond, &lock, deadline);
	lock_release(&lock);
	pthread_join(thread, NULL);
	assert_true(in_time);
	assert_int_equal(number, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(falling_rank_aborts),
		cmocka_unit_test(equal_rank_aborts),
		cmocka_unit_test(taking_twice_aborts),
		cmocka_unit_test(release_out_of_order_aborts),
		cmocka_unit_test(release_of_what_is_not_held_aborts),
		cmocka_unit_test(rising_ranks_pass),
		TEST(one_thread_at_a_time),
		TEST(broadcast_wakes_all),
		TEST(deadline_is_of_the_monotonic_clock),
		TEST(past_deadline_does_not_wait),
		TEST(waiting_in_time_sees_the_change),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
