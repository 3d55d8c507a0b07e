/* SPDX-License-Identifier: MIT */
/*
 * placement.c - see placement.h. Workers count; the thread here decides. What
 * it changes are the workers' scheduling attributes and who is put aside.
 */
#include "fuse/placement.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/thread.h"
#include "base/util.h"
#include "fuse/task_group.h"

/* Load: so many requests of one worker within so many milliseconds. */
#define SAMPLE	  32
#define SAMPLE_MS 12

/* How often it looks, and how little is too little since the last time. */
#define TICK_MS	 5
#define MIN_TICK 25

/* How long it looks what is served before it changes anything. */
#define TRIAL_MS 2

/* A program that comes back to a processor finds its worker for so long. */
#define KEEP_TICKS 8

/* Milliseconds until it tries again after it was no good. */
#define FIRST_HOLD_OFF 50
#define LAST_HOLD_OFF  3200
/* So long it must have been good to be trusted again. */
#define TRUSTED 1000

/* The latest programs of a worker that are remembered. */
#define N_CLIENTS 4

struct worker {
	/* Written by the worker alone. */
	atomic_int tid; /* 0: not yet there */
	_Atomic uint64_t served;
	atomic_int clients[N_CLIENTS];
	atomic_bool busy;
	uint64_t sample_ms; /* when its sample began */

	atomic_bool aside; /* changed with the lock */
	/* The thread's. */
	bool idle;
	int cpu;	     /* -1: all */
	uint64_t seen;	     /* requests that were looked at */
	uint64_t last;	     /* requests until the last look */
	unsigned int unused; /* ticks since a program was at its processor */
};

struct placement {
	int fd;
	cpu_set_t cpus; /* those that we may use */
	pthread_t thread;
	bool started;
	atomic_bool loaded;
	_Atomic uint64_t not_before;

	struct lock lock;
	struct cond changed;
	bool stopping GUARDED_BY(lock);

	unsigned int hold_off;
	unsigned int n_workers;
	struct worker workers[];
};

/* ---- the workers ---- */

void placement_join(struct placement *p, unsigned int worker)
{
	p->workers[worker].sample_ms = now_ms();
	atomic_store(&p->workers[worker].tid, gettid());
}

void placement_wait(struct placement *p, unsigned int worker)
{
	struct worker *w = &p->workers[worker];

	if (!atomic_load_explicit(&w->aside, memory_order_relaxed))
		return;
	lock_acquire(&p->lock);
	while (w->aside && !p->stopping)
		cond_wait(&p->changed, &p->lock);
	lock_release(&p->lock);
}

static void sample(struct placement *p, struct worker *w)
{
	uint64_t now = now_ms();
	bool load = now - w->sample_ms < SAMPLE_MS;

	w->sample_ms = now;
	if (!load || atomic_load(&p->loaded) ||
	    now < atomic_load(&p->not_before))
		return;
	lock_acquire(&p->lock);
	atomic_store(&p->loaded, true);
	cond_broadcast(&p->changed);
	lock_release(&p->lock);
}

void placement_begin(struct placement *p, unsigned int worker, pid_t client)
{
	struct worker *w = &p->workers[worker];
	uint64_t n = atomic_load_explicit(&w->served, memory_order_relaxed);

	atomic_store_explicit(&w->clients[n % N_CLIENTS], client,
			      memory_order_relaxed);
	atomic_store_explicit(&w->served, n + 1, memory_order_relaxed);
	atomic_store_explicit(&w->busy, true, memory_order_relaxed);
	if (n % SAMPLE == 0)
		sample(p, w);
}

void placement_end(struct placement *p, unsigned int worker)
{
	atomic_store_explicit(&p->workers[worker].busy, false,
			      memory_order_relaxed);
}

/* ---- what the thread does to them ---- */

static void set_worker(struct placement *p, struct worker *w, bool idle,
		       int cpu)
{
	struct sched_param param = {0};
	pid_t tid = atomic_load(&w->tid);
	cpu_set_t set = p->cpus;

	if (tid == 0)
		return;
	if (w->cpu != cpu) {
		if (cpu >= 0) {
			CPU_ZERO(&set);
			CPU_SET(cpu, &set);
		}
		if (sched_setaffinity(tid, sizeof(set), &set) == 0)
			w->cpu = cpu;
	}
	if (w->idle != idle &&
	    sched_setscheduler(tid, idle ? SCHED_IDLE : SCHED_OTHER, &param) ==
		    0)
		w->idle = idle;
}

/* Everything as the scheduler wants it. */
static void let_go(struct placement *p)
{
	for (unsigned int i = 0; i < p->n_workers; i++) {
		p->workers[i].unused = KEEP_TICKS;
		set_worker(p, &p->workers[i], false, -1);
	}
	lock_acquire(&p->lock);
	for (unsigned int i = 0; i < p->n_workers; i++)
		p->workers[i].aside = false;
	cond_broadcast(&p->changed);
	lock_release(&p->lock);
}

struct found {
	bool ours; /* one of them is in our task group */
	unsigned int n_clients, n_cpus;
	pid_t clients[PLACEMENT_MAX_WORKERS * N_CLIENTS];
	int cpus[PLACEMENT_MAX_WORKERS];
};

static void find_one(const struct placement *p, struct found *found, pid_t tid)
{
	struct process_stat stat;
	int cpu;

	for (unsigned int i = 0; i < found->n_clients; i++)
		if (found->clients[i] == tid)
			return;
	found->clients[found->n_clients++] = tid;
	cpu = tid && process_read_stat(tid, &stat) == 0 ? stat.cpu : -1;
	found->ours |= cpu >= 0 && task_group_is_ours(tid, &stat);
	if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &p->cpus))
		return;
	for (unsigned int i = 0; i < found->n_cpus; i++)
		if (found->cpus[i] == cpu)
			return;
	if (found->n_cpus < p->n_workers)
		found->cpus[found->n_cpus++] = cpu;
}

/* The processors of those who have called since the last time. */
static void find_cpus(struct placement *p, struct found *ret_found)
{
	ret_found->ours = false;
	ret_found->n_clients = 0;
	ret_found->n_cpus = 0;
	for (unsigned int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];
		uint64_t n =
			atomic_load_explicit(&w->served, memory_order_relaxed);

		if (n - w->seen > N_CLIENTS)
			w->seen = n - N_CLIENTS;
		for (; w->seen < n; w->seen++)
			find_one(p, ret_found,
				 atomic_load_explicit(
					 &w->clients[w->seen % N_CLIENTS],
					 memory_order_relaxed));
	}
}

/* Whose processor this is, or else whoever needs his least. */
static struct worker *worker_for(struct placement *p, int cpu)
{
	struct worker *best = &p->workers[0];

	for (unsigned int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];

		if (w->unused < KEEP_TICKS && w->cpu == cpu)
			return w;
		if (w->unused > best->unused)
			best = w;
	}
	return best;
}

/*
 * Returns false if it is not known where, or a program is in our task group.
 * With one that takes turns with a SCHED_IDLE task of its own group, Linux 6.18
 * lets the kernel's threads of that processor, which are in no group, wait for
 * seconds: softirqs, work queues, and all who wait for these.
 */
static bool place(struct placement *p)
{
	struct found found;

	find_cpus(p, &found);
	if (found.n_cpus == 0 || found.ours)
		return false;
	for (unsigned int i = 0; i < p->n_workers; i++)
		if (p->workers[i].unused < KEEP_TICKS)
			p->workers[i].unused++;
	for (unsigned int i = 0; i < found.n_cpus; i++) {
		struct worker *w = worker_for(p, found.cpus[i]);

		w->unused = 0;
		set_worker(p, w, true, found.cpus[i]);
	}
	/*
	 * Who stands aside takes the lock when he is woken: on a busy processor
	 * he would keep it, and us from seeing that.
	 */
	for (unsigned int i = 0; i < p->n_workers; i++)
		if (p->workers[i].unused == KEEP_TICKS)
			set_worker(p, &p->workers[i], false, -1);
	lock_acquire(&p->lock);
	for (unsigned int i = 0; i < p->n_workers; i++)
		p->workers[i].aside = p->workers[i].unused == KEEP_TICKS;
	cond_broadcast(&p->changed);
	lock_release(&p->lock);
	return true;
}

/* ---- the thread ---- */

static uint64_t served(const struct placement *p)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < p->n_workers; i++)
		n += atomic_load_explicit(&p->workers[i].served,
					  memory_order_relaxed);
	return n;
}

/*
 * Whether somebody waits for the worker. It is busy also when it has answered,
 * but does not get to run because of whom it has answered.
 */
static bool owes(struct worker *w)
{
	uint64_t n = atomic_load(&w->served);
	struct process_stat stat;
	pid_t client;

	if (n == 0 || !atomic_load(&w->busy))
		return false;
	client = atomic_load(&w->clients[(n - 1) % N_CLIENTS]);
	return process_read_stat(client, &stat) < 0 || stat.state != 'R';
}

/* Somebody waits for us. */
static bool owing(struct placement *p)
{
	struct pollfd pfd = {.fd = p->fd, .events = POLLIN};

	for (unsigned int i = 0; i < p->n_workers; i++)
		if (owes(&p->workers[i]))
			return true;
	return poll(&pfd, 1, 0) > 0;
}

/* Requests until the next look; false if we are to end. */
static bool tick(struct placement *p, unsigned int ms, uint64_t *ret_served)
{
	uint64_t end = now_ms() + ms;
	uint64_t before = served(p);
	bool stopping;

	lock_acquire(&p->lock);
	while (!p->stopping && cond_wait_until(&p->changed, &p->lock, end))
		;
	stopping = p->stopping;
	lock_release(&p->lock);
	*ret_served = served(p) - before;
	return !stopping;
}

/*
 * Somebody has had the same request since the last look: the others serve, but
 * nobody can for him who made it.
 */
static bool stuck(struct placement *p)
{
	bool any = false;

	for (unsigned int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];
		uint64_t n = atomic_load(&w->served);

		any |= n == w->last && owes(w);
		w->last = n;
	}
	return any;
}

/* Returns whether it was good as long as there was load. */
static bool oversee(struct placement *p)
{
	uint64_t enough, n;

	if (!tick(p, TRIAL_MS, &n))
		return true;
	enough = n * TICK_MS / TRIAL_MS / 2;
	if (enough < MIN_TICK)
		enough = MIN_TICK;
	stuck(p);
	while (place(p)) {
		if (!tick(p, TICK_MS, &n))
			return true;
		if (stuck(p))
			return false;
		if (n < enough)
			return !owing(p);
	}
	return false;
}

static void hold_off(struct placement *p)
{
	p->hold_off = p->hold_off ? p->hold_off * 2 : FIRST_HOLD_OFF;
	if (p->hold_off > LAST_HOLD_OFF)
		p->hold_off = LAST_HOLD_OFF;
	atomic_store(&p->not_before, now_ms() + p->hold_off);
}

/* Load that comes and goes is never good for long at once. */
static void trust_again(struct placement *p)
{
	p->hold_off /= 2;
	if (p->hold_off < FIRST_HOLD_OFF)
		p->hold_off = 0;
}

/* Whether workers could come back: tried on the thread that matters least. */
static bool can_return(const struct placement *p)
{
	struct sched_param param = {0};

	return sched_setaffinity(0, sizeof(p->cpus), &p->cpus) == 0 &&
	       sched_setscheduler(0, SCHED_IDLE, &param) == 0 &&
	       sched_setscheduler(0, SCHED_OTHER, &param) == 0;
}

static bool wait_load(struct placement *p)
{
	bool stopping;

	lock_acquire(&p->lock);
	while (!p->stopping && !atomic_load(&p->loaded))
		cond_wait(&p->changed, &p->lock);
	stopping = p->stopping;
	lock_release(&p->lock);
	return !stopping;
}

static void *placement_run(void *arg)
{
	struct placement *p = arg;

	if (!can_return(p)) {
		log_info("requests are served wherever the scheduler wants: "
			 "there is neither CAP_SYS_NICE nor LimitNICE=+0");
		atomic_store(&p->not_before, UINT64_MAX);
		return NULL;
	}
	while (wait_load(p)) {
		uint64_t began = now_ms();
		bool good = oversee(p);

		let_go(p);
		if (now_ms() - began > TRUSTED)
			p->hold_off = 0;
		if (good)
			trust_again(p);
		else
			hold_off(p);
		atomic_store(&p->loaded, false);
	}
	return NULL;
}

int placement_new(int fd, unsigned int n_workers, struct placement **ret_p)
{
	struct placement *p =
		calloc(1, sizeof(*p) + n_workers * sizeof(struct worker));
	int r = 0;

	if (!p)
		return -ENOMEM;
	p->fd = fd;
	p->n_workers = n_workers;
	lock_init(&p->lock, LOCK_RANK_PLACEMENT, "placement");
	cond_init(&p->changed);
	for (unsigned int i = 0; i < n_workers; i++) {
		p->workers[i].cpu = -1;
		p->workers[i].unused = KEEP_TICKS;
	}
	/* On one processor everybody is where he should be. */
	if (sched_getaffinity(0, sizeof(p->cpus), &p->cpus) == 0 &&
	    CPU_COUNT(&p->cpus) > 1) {
		r = thread_start(&p->thread, "tund-place", placement_run, p);
		p->started = r == 0;
	} else {
		p->not_before = UINT64_MAX;
	}
	if (r < 0) {
		placement_free(p);
		return r;
	}
	*ret_p = p;
	return 0;
}

void placement_stop(struct placement *p)
{
	lock_acquire(&p->lock);
	p->stopping = true;
	cond_broadcast(&p->changed);
	lock_release(&p->lock);
	if (p->started)
		pthread_join(p->thread, NULL);
	p->started = false;
}

void placement_free(struct placement *p)
{
	if (!p)
		return;
	cond_destroy(&p->changed);
	lock_destroy(&p->lock);
	free(p);
}
