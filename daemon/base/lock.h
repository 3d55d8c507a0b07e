/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a mutex with a rank and its condition variable, both known to
 * clang's -Wthread-safety. It is not a reader-writer lock.
 *
 * A thread takes locks in rising order of rank only. With TUND_LOCK_CHECKS
 * each acquisition is checked and a breach aborts, naming both locks.
 */
#ifndef TUND_BASE_LOCK_H
#define TUND_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define TUND_TSA(x) __attribute__((x))
#else
#define TUND_TSA(x)
#endif

/*
 * A mark for the reader: clang cannot name a member beside the lock in C before
 * it parses attributes late (version 20). What REQUIRES() says is checked.
 */
#define GUARDED_BY(x)

#define CAPABILITY(x) TUND_TSA(capability(x))
#define ACQUIRE(...)  TUND_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...)  TUND_TSA(release_capability(__VA_ARGS__))
#define REQUIRES(...) TUND_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TUND_TSA(locks_excluded(__VA_ARGS__))

/* The order, outermost first; doc/architecture/threads-and-locks.md says why.
 */
enum lock_rank {
	LOCK_RANK_RELOAD = 1,	  /* the configuration, while it is read */
	LOCK_RANK_DIRECT = 5,	  /* one link, while it is handed over */
	LOCK_RANK_WATCH = 10,	  /* one link's conversation over netlink */
	LOCK_RANK_TABLE = 20,	  /* the devices */
	LOCK_RANK_DEVICE = 30,	  /* one device */
	LOCK_RANK_FILE = 40,	  /* one open file */
	LOCK_RANK_QUEUE = 50,	  /* one packet queue */
	LOCK_RANK_CONTROL = 55,	  /* what waits for the control socket */
	LOCK_RANK_WORK = 60,	  /* the work queue */
	LOCK_RANK_AGENT = 65,	  /* the memory agent's socket */
	LOCK_RANK_PLACEMENT = 67, /* which workers wait for requests */
	LOCK_RANK_HANDLE = 70,	  /* a table of handles */
	LOCK_RANK_CAPTURE = 72,	  /* which links are looked at */
	LOCK_RANK_QUOTA = 75,	  /* what users have */
};

struct CAPABILITY("mutex") lock {
	pthread_mutex_t mutex;
	enum lock_rank rank;
	const char *name;
};

/* `name` must outlive the lock; it is what an error message calls it. */
void lock_init(struct lock *lock, enum lock_rank rank, const char *name);
void lock_destroy(struct lock *lock);
void lock_acquire(struct lock *lock) ACQUIRE(*lock);
void lock_release(struct lock *lock) RELEASE(*lock);

struct cond {
	pthread_cond_t cond;
};

/* Its deadlines are those of now_ms(). */
void cond_init(struct cond *cond);
void cond_destroy(struct cond *cond);
void cond_broadcast(struct cond *cond);
void cond_wait(struct cond *cond, struct lock *lock) REQUIRES(*lock);

/* Returns false once the deadline is past. */
bool cond_wait_until(struct cond *cond, struct lock *lock, uint64_t deadline_ms)
	REQUIRES(*lock);

#endif
