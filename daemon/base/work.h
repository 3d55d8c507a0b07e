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
};

struct work_queue;

/* Starts the threads, named `name` for ps(1). Negative errno on failure. */
int work_queue_new(const char *name, unsigned int n_threads,
		   struct work_queue **ret_queue);

/* Runs everything that was put, then ends the threads. */
void work_queue_free(struct work_queue *queue);

/* Does not block. */
void work_put(struct work_queue *queue, struct work *work);

#endif
