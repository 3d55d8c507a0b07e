/* SPDX-License-Identifier: MIT */
/*
 * work.h - a first-in first-out queue of slow calls and the fixed number of
 * threads that make them. It is not for packets.
 */
#ifndef TUND_BASE_WORK_H
#define TUND_BASE_WORK_H

#include "base/list.h"
#include "base/lock.h"

/* Embedded in the object that the call is about. */
struct work {
	struct list node;
	void (*run)(struct work *work);
	uint64_t due_ms; /* the queue's own */
};

struct work_queue;

/* Starts the threads, named `name` for ps(1). Negative errno on failure. */
int work_queue_new(const char *name, unsigned int n_threads,
		   struct work_queue **ret_queue);

/* Runs everything that was put, what was put for later at once; then ends the
 * threads. What is put afterwards is never run. */
void work_queue_stop(struct work_queue *queue);

/* Stops it first, if need be. */
void work_queue_free(struct work_queue *queue);

/* None of these blocks. */
void work_put(struct work_queue *queue, struct work *work);

/*
 * Runs it after the next work_wake() from when `wakes` was asked for, or when
 * now_ms() is `due_ms`.
 */
uint64_t work_wakes(struct work_queue *queue);
void work_put_later(struct work_queue *queue, struct work *work, uint64_t wakes,
		    uint64_t due_ms);
void work_wake(struct work_queue *queue);

#endif
