/* SPDX-License-Identifier: MIT */
/*
 * lock.c - ranked mutexes over pthreads. A failure of a pthread call here is
 * a defect of ours and aborts: there is no caller that could go on.
 */
#include "base/lock.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"

static void must(int error, const char *what, const struct lock *lock)
{
	if (error == 0)
		return;
	log_error("%s on lock \"%s\" failed with error %d: a defect of tund",
		  what, lock ? lock->name : "?", error);
	abort();
}

#ifdef TUND_LOCK_CHECKS
#define MAX_HELD 8

static __thread const struct lock *held[MAX_HELD];
static __thread unsigned int n_held;

static void check_acquire(const struct lock *lock)
{
	if (n_held > 0 && held[n_held - 1]->rank >= lock->rank) {
		log_error("lock order: \"%s\" (%d) taken under \"%s\" (%d)",
			  lock->name, lock->rank, held[n_held - 1]->name,
			  held[n_held - 1]->rank);
		abort();
	}
	if (n_held == MAX_HELD) {
		log_error("more than %d locks held at once", MAX_HELD);
		abort();
	}
	held[n_held++] = lock;
}

static void check_release(const struct lock *lock)
{
	if (n_held == 0 || held[n_held - 1] != lock) {
		log_error("lock \"%s\" released out of order", lock->name);
		abort();
	}
	n_held--;
}
#else
static inline void check_acquire(const struct lock *lock)
{
}

static inline void check_release(const struct lock *lock)
{
}
#endif

void lock_init(struct lock *lock, enum lock_rank rank, const char *name)
{
	lock->rank = rank;
	lock->name = name;
	must(pthread_mutex_init(&lock->mutex, NULL), "init", lock);
}

void lock_destroy(struct lock *lock)
{
	must(pthread_mutex_destroy(&lock->mutex), "destroy", lock);
}

void lock_acquire(struct lock *lock) TUND_TSA(no_thread_safety_analysis)
{
	check_acquire(lock);
	must(pthread_mutex_lock(&lock->mutex), "acquire", lock);
}

void lock_release(struct lock *lock) TUND_TSA(no_thread_safety_analysis)
{
	check_release(lock);
	must(pthread_mutex_unlock(&lock->mutex), "release", lock);
}

void cond_init(struct cond *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	must(pthread_cond_init(&cond->cond, &attr), "condition init", NULL);
	pthread_condattr_destroy(&attr);
}

void cond_destroy(struct cond *cond)
{
	must(pthread_cond_destroy(&cond->cond), "condition destroy", NULL);
}

void cond_broadcast(struct cond *cond)
{
	must(pthread_cond_broadcast(&cond->cond), "broadcast", NULL);
}

void cond_wait(struct cond *cond, struct lock *lock)
{
	must(pthread_cond_wait(&cond->cond, &lock->mutex), "wait", lock);
}

bool cond_wait_until(struct cond *cond, struct lock *lock, uint64_t deadline_ms)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline_ms / 1000),
		.tv_nsec = (long)(deadline_ms % 1000) * 1000000,
	};
	int error = pthread_cond_timedwait(&cond->cond, &lock->mutex, &ts);

	if (error == ETIMEDOUT)
		return false;
	must(error, "timed wait", lock);
	return true;
}
