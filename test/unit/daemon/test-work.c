/* SPDX-License-Identifier: MIT */
/* test-work.c - the queue of slow calls of base/work.h, and its threads. */
#include <signal.h>
#include <string.h>

#include "base/util.h"
#include "base/work.h"
#include "unit.h"

#define MANY 500

struct job {
	struct work work;
	unsigned int producer, number;
};

/* What ran, in the order in which it began. */
static struct {
	pthread_mutex_t mutex;
	unsigned int producer[8 * MANY], number[8 * MANY];
	unsigned int n;
} ran = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct counter started, gate, finished;
static struct work_queue *queue;

static int set_up(void **state)
{
	ran.n = 0;
	counter_init(&started);
	counter_init(&gate);
	counter_init(&finished);
	return 0;
}

static int tear_down(void **state)
{
	counter_destroy(&finished);
	counter_destroy(&gate);
	counter_destroy(&started);
	return 0;
}

/* The object may be freed by its own call. */
static void run_job(struct work *work)
{
	struct job *job = container_of(work, struct job, work);

	pthread_mutex_lock(&ran.mutex);
	ran.producer[ran.n] = job->producer;
	ran.number[ran.n++] = job->number;
	pthread_mutex_unlock(&ran.mutex);
	free(job);
	counter_add(&finished, 1);
}

static void run_gated(struct work *work)
{
	counter_add(&started, 1);
	if (!counter_wait(&gate, 1))
		abort();
}

static void put_job(unsigned int producer, unsigned int number)
{
	struct job *job = must_alloc(sizeof(*job));

	job->work.run = run_job;
	job->producer = producer;
	job->number = number;
	work_put(queue, &job->work);
}

static void calls_are_made_in_order(void **state)
{
	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	for (unsigned int i = 0; i < MANY; i++)
		put_job(0, i);
	assert_true(counter_wait(&finished, MANY));
	work_queue_free(queue);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(ran.number[i], i);
}

static void *open_gate(void *arg)
{
	counter_add(&gate, 1);
	return NULL;
}

/* Nothing has run when the end begins: the one thread stands at the gate. */
static void free_runs_what_was_put(void **state)
{
	struct work first = {.run = run_gated};
	pthread_t thread;

	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	work_put(queue, &first);
	assert_true(counter_wait(&started, 1));
	for (unsigned int i = 0; i < MANY; i++)
		put_job(0, i);
	assert_int_equal(counter_value(&finished), 0);
	assert_int_equal(pthread_create(&thread, NULL, open_gate, NULL), 0);
	work_queue_free(queue);
	assert_int_equal(counter_value(&finished), MANY);
	pthread_join(thread, NULL);
}

static void one_slow_call_holds_nobody_up(void **state)
{
	struct work slow = {.run = run_gated};

	assert_int_equal(work_queue_new("test", 2, &queue), 0);
	work_put(queue, &slow);
	assert_true(counter_wait(&started, 1));
	put_job(0, 0);
	assert_true(counter_wait(&finished, 1));
	counter_add(&gate, 1);
	work_queue_free(queue);
}

static void *produce(void *arg)
{
	for (unsigned int i = 0; i < MANY; i++)
		put_job((unsigned int)(uintptr_t)arg, i);
	return NULL;
}

static void many_producers(unsigned int n_workers)
{
	enum { PRODUCERS = 8 };
	pthread_t threads[PRODUCERS];
	static bool seen[PRODUCERS][MANY];
	unsigned int next[PRODUCERS] = {0};

	memset(seen, 0, sizeof(seen));
	assert_int_equal(work_queue_new("test", n_workers, &queue), 0);
	for (uintptr_t i = 0; i < PRODUCERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, produce, (void *)i),
			0);
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	work_queue_free(queue);

	assert_int_equal(ran.n, PRODUCERS * MANY);
	for (unsigned int i = 0; i < ran.n; i++) {
		unsigned int p = ran.producer[i];

		assert_false(seen[p][ran.number[i]]);
		seen[p][ran.number[i]] = true;
		if (n_workers == 1)
			assert_int_equal(ran.number[i], next[p]++);
	}
}

static void many_producers_one_worker(void **state)
{
	many_producers(1);
}

static void many_producers_many_workers(void **state)
{
	many_producers(3);
}

/* A call may put another one, also while the queue is being freed. */
static void run_chain(struct work *work)
{
	struct job *job = container_of(work, struct job, work);

	counter_add(&finished, 1);
	if (job->number-- > 0)
		work_put(queue, work);
}

static void call_may_put_itself_again(void **state)
{
	struct job job = {.work.run = run_chain, .number = 99};

	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	work_put(queue, &job.work);
	work_queue_free(queue);
	assert_int_equal(counter_value(&finished), 100);
}

static char thread_name[16];
static sigset_t thread_mask;

static void run_look(struct work *work)
{
	pthread_getname_np(pthread_self(), thread_name, sizeof(thread_name));
	pthread_sigmask(SIG_BLOCK, NULL, &thread_mask);
}

static void threads_are_named_and_take_no_signal(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT,	SIGHUP,
				      SIGCHLD, SIGUSR1, SIGPIPE};
	struct work look = {.run = run_look};
	sigset_t mine;

	assert_int_equal(work_queue_new("tund-test", 1, &queue), 0);
	work_put(queue, &look);
	work_queue_free(queue);
	assert_string_equal(thread_name, "tund-test");
	pthread_sigmask(SIG_BLOCK, NULL, &mine);
	for (size_t i = 0; i < LENGTH(signals); i++) {
		assert_true(sigismember(&thread_mask, signals[i]));
		/* The caller's own mask is as it was. */
		assert_false(sigismember(&mine, signals[i]));
	}
}

/* ---- later ---- */

#define FAR (now_ms() + 1000 * PATIENCE_S * 1000)

static void put_since(unsigned int number, uint64_t wakes, uint64_t due_ms)
{
	struct job *job = must_alloc(sizeof(*job));

	job->work.run = run_job;
	job->number = number;
	work_put_later(queue, &job->work, wakes, due_ms);
}

static void put_later(unsigned int number, uint64_t due_ms)
{
	put_since(number, work_wakes(queue), due_ms);
}

static void later_is_not_before_it_is_due(void **state)
{
	uint64_t due;

	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	due = now_ms() + 50;
	put_later(7, due);
	assert_true(counter_wait(&finished, 1));
	assert_true(now_ms() >= due);
	work_queue_free(queue);
}

/* Who sleeps until the first one is due must hear of an earlier one. */
static void nearer_one_wakes_who_sleeps(void **state)
{
	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	put_later(9, FAR);
	put_later(1, now_ms() + 30);
	assert_true(counter_wait(&finished, 1));
	assert_int_equal(ran.number[0], 1);
	put_later(2, now_ms());
	assert_true(counter_wait(&finished, 2));
	assert_int_equal(ran.number[1], 2);
	work_queue_free(queue);
	assert_int_equal(counter_value(&finished), 3);
}

static void wake_runs_what_waits(void **state)
{
	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	for (unsigned int i = 0; i < 3; i++)
		put_later(i, FAR);
	work_wake(queue);
	assert_true(counter_wait(&finished, 3));
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(ran.number[i], i);
	/* Nothing is left of the wake. */
	put_later(3, FAR);
	put_job(0, 4);
	assert_true(counter_wait(&finished, 4));
	assert_int_equal(ran.number[3], 4);
	work_queue_free(queue);
	assert_int_equal(ran.number[4], 3);
}

/* Whoever decides to wait may have been overtaken by the wake. */
static void wake_that_came_before_is_not_lost(void **state)
{
	uint64_t wakes;

	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	wakes = work_wakes(queue);
	work_wake(queue);
	put_since(5, wakes, FAR);
	assert_true(counter_wait(&finished, 1));
	assert_int_equal(ran.number[0], 5);
	work_queue_free(queue);
}

static void what_is_due_later_holds_nobody_up(void **state)
{
	assert_int_equal(work_queue_new("test", 1, &queue), 0);
	put_later(1, FAR);
	put_job(0, 0);
	assert_true(counter_wait(&finished, 1));
	assert_int_equal(ran.number[0], 0);
	work_queue_free(queue);
}

static void stop_runs_what_waits(void **state)
{
	assert_int_equal(work_queue_new("test", 2, &queue), 0);
	for (unsigned int i = 0; i < 10; i++)
		put_later(i, FAR);
	put_job(0, 10);
	work_queue_stop(queue);
	assert_int_equal(counter_value(&finished), 11);
	work_queue_stop(queue);
	/* A queue that is stopped is still told of things. */
	work_wake(queue);
	work_queue_free(queue);
}

static void idle_queue_ends(void **state)
{
	assert_int_equal(work_queue_new("test", 3, &queue), 0);
	work_queue_free(queue);
	work_queue_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_are_made_in_order),
		TEST(free_runs_what_was_put),
		TEST(one_slow_call_holds_nobody_up),
		TEST(many_producers_one_worker),
		TEST(many_producers_many_workers),
		TEST(call_may_put_itself_again),
		TEST(threads_are_named_and_take_no_signal),
		TEST(later_is_not_before_it_is_due),
		TEST(nearer_one_wakes_who_sleeps),
		TEST(wake_runs_what_waits),
		TEST(wake_that_came_before_is_not_lost),
		TEST(what_is_due_later_holds_nobody_up),
		TEST(stop_runs_what_waits),
		TEST(idle_queue_ends),
	};

	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
