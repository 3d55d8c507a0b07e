/* SPDX-License-Identifier: MIT */
/*
 * test-placement.c - which workers wait for requests, and as what, while there
 * is load; the scheduler is the real one. fuse/placement.h says what is meant.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/util.h"
#include "fuse/placement.h"
#include "fuse/task_group.h"
#include "unit.h"

#define N_WORKERS 3

static struct placement *p;
static int fd;
static pid_t program; /* in a session of its own */
static atomic_bool ending, stuck, serving;
static atomic_int n_waiting;

static struct thread {
	pthread_t thread;
	unsigned int number;
	atomic_int tid;
	atomic_uint stuck; /* how often it found itself so */
} threads[N_WORKERS];

/* A worker with a request after the other, until it is stuck in one. */
static void *worker_run(void *arg)
{
	struct thread *t = arg;

	placement_join(p, t->number);
	atomic_store(&t->tid, (int)syscall(SYS_gettid));
	while (!atomic_load(&ending)) {
		atomic_fetch_add(&n_waiting, 1);
		placement_wait(p, t->number);
		atomic_fetch_sub(&n_waiting, 1);
		if (!atomic_load(&serving)) {
			usleep(100);
			continue;
		}
		placement_begin(p, t->number, program);
		while (atomic_load(&stuck) && !atomic_load(&ending)) {
			atomic_fetch_add(&t->stuck, 1);
			usleep(100);
		}
		placement_end(p, t->number);
		sched_yield();
	}
	return NULL;
}

/* Whether it can be taken back is the privilege that this needs. */
static bool privileged(void)
{
	struct sched_param param = {0};
	pid_t tid = fork();
	int status = 0;

	if (tid == 0)
		_exit(sched_setscheduler(0, SCHED_IDLE, &param) < 0 ||
		      sched_setscheduler(0, SCHED_OTHER, &param) < 0);
	return tid > 0 && waitpid(tid, &status, 0) == tid && status == 0 &&
	       sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

/* What asks the workers: it does nothing but be somewhere. */
static void begin_program(void)
{
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	program = fork();
	if (program == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setsid() < 0 || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			usleep(500);
	}
	assert_true(program > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
}

static void end_program(void)
{
	kill(program, SIGKILL);
	waitpid(program, NULL, 0);
}

static bool possible(void)
{
	struct process_stat stat;

	return privileged() && process_read_stat(program, &stat) == 0 &&
	       !task_group_is_ours(program, &stat);
}

static int set_up(void **state)
{
	begin_program();
	atomic_store(&ending, false);
	atomic_store(&stuck, false);
	atomic_store(&serving, false);
	atomic_store(&n_waiting, 0);
	fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(placement_new(fd, N_WORKERS, &p), 0);
	for (unsigned int i = 0; i < N_WORKERS; i++) {
		threads[i].number = i;
		atomic_store(&threads[i].tid, 0);
		atomic_store(&threads[i].stuck, 0);
		pthread_create(&threads[i].thread, NULL, worker_run,
			       &threads[i]);
	}
	return 0;
}

static int tear_down(void **state)
{
	atomic_store(&ending, true);
	placement_stop(p);
	for (unsigned int i = 0; i < N_WORKERS; i++)
		pthread_join(threads[i].thread, NULL);
	placement_free(p);
	close(fd);
	end_program();
	return 0;
}

static unsigned int n_idle(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < N_WORKERS; i++) {
		int tid = atomic_load(&threads[i].tid);

		n += tid && sched_getscheduler(tid) == SCHED_IDLE;
	}
	return n;
}

static unsigned int n_bound(void)
{
	unsigned int n = 0;
	cpu_set_t set;

	for (unsigned int i = 0; i < N_WORKERS; i++) {
		int tid = atomic_load(&threads[i].tid);

		n += tid && sched_getaffinity(tid, sizeof(set), &set) == 0 &&
		     CPU_COUNT(&set) == 1;
	}
	return n;
}

static unsigned int n_aside(void)
{
	return (unsigned int)atomic_load(&n_waiting);
}

static bool becomes(unsigned int (*what)(void), unsigned int value)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (now_ms() < end) {
		if (what() == value)
			return true;
		usleep(50);
	}
	return false;
}

static void test_load(void **state)
{
	if (!possible())
		skip();
	assert_int_equal(n_idle(), 0);
	atomic_store(&serving, true);
	/* One program, one processor, one worker: the others stand aside. */
	assert_true(becomes(n_idle, 1));
	assert_true(becomes(n_bound, 1));
	assert_true(becomes(n_aside, N_WORKERS - 1));
}

static void test_end_of_load(void **state)
{
	if (!possible())
		skip();
	atomic_store(&serving, true);
	assert_true(becomes(n_idle, 1));
	atomic_store(&serving, false);
	assert_true(becomes(n_idle, 0));
	assert_true(becomes(n_bound, 0));
}

static int bound_to;

/* The only one of that class is where the program is. */
static unsigned int one_is_idle_there(void)
{
	unsigned int n = 0;
	cpu_set_t set;

	for (unsigned int i = 0; i < N_WORKERS; i++) {
		int tid = atomic_load(&threads[i].tid);

		n += sched_getscheduler(tid) == SCHED_IDLE &&
		     sched_getaffinity(tid, sizeof(set), &set) == 0 &&
		     CPU_COUNT(&set) == 1 && CPU_ISSET(bound_to, &set);
	}
	return n == 1 && n_idle() == 1;
}

/* The program goes to the set's Nth processor. */
static void go_to(const cpu_set_t *cpus, unsigned int nth)
{
	cpu_set_t one;
	int cpu = -1;

	for (unsigned int i = 0; i <= nth; i++)
		do
			cpu++;
		while (!CPU_ISSET(cpu, cpus));
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(program, sizeof(one), &one), 0);
	bound_to = cpu;
}

/* Whoever is not needed any more has the ordinary class while he waits. */
static void test_move(void **state)
{
	cpu_set_t cpus;

	if (!possible())
		skip();
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	go_to(&cpus, 0);
	atomic_store(&serving, true);
	assert_true(becomes(one_is_idle_there, 1));
	go_to(&cpus, 1);
	assert_true(becomes(one_is_idle_there, 1));
}

static unsigned int others_serve(void)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < N_WORKERS; i++)
		n += atomic_load(&threads[i].stuck) > 0;
	return n;
}

/* Who is stuck in a request is worker 0, the first that is chosen. */
static void test_step_in(void **state)
{
	if (!possible())
		skip();
	atomic_store(&serving, true);
	assert_true(becomes(n_aside, N_WORKERS - 1));
	atomic_store(&stuck, true);
	assert_true(becomes(others_serve, N_WORKERS - 1));
	assert_true(becomes(n_idle, 0));
}

/* A program of our own session is of our task group, or it may be. */
static void test_task_group(void **state)
{
	struct process_stat stat;

	assert_int_equal(process_read_stat(getpid(), &stat), 0);
	assert_int_equal(stat.session, getsid(0));
	assert_true(task_group_is_ours(getpid(), &stat));
	if (!possible())
		skip();
	/* Whoever was served comes to be one of us: all is as before. */
	atomic_store(&serving, true);
	assert_true(becomes(n_idle, 1));
	end_program();
	program = getpid();
	assert_true(becomes(n_idle, 0));
	assert_true(becomes(n_bound, 0));
	begin_program();
}

/* The end comes for those who stand aside, too: tear_down() joins them. */
static void test_stop(void **state)
{
	if (!possible())
		skip();
	atomic_store(&serving, true);
	assert_true(becomes(n_aside, N_WORKERS - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end_of_load, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_move, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_step_in, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_task_group, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
