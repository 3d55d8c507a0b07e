/* SPDX-License-Identifier: MIT */
/*
 * work.c - the threads wait on one condition variable; stopping is its
 * shutdown predicate, and is looked at only when the queue is empty.
 */
#include "base/work.h"

#include <errno.h>
#include <stdlib.h>

#include "base/thread.h"

struct work_queue {
	struct lock lock;
	struct cond changed;
	struct list items GUARDED_BY(lock);
	struct list later GUARDED_BY(lock);
	uint64_t wakes GUARDED_BY(lock);
	bool stopping GUARDED_BY(lock);
	unsigned int n_threads;
	pthread_t threads[];
};

/* Moves what is due to the items; returns when the next one will be, or 0. */
static uint64_t take_due_locked(struct work_queue *queue) REQUIRES(queue->lock)
{
	uint64_t next = 0, now;

	if (list_empty(&queue->later))
		return 0;
	now = now_ms();
	list_for_each_safe (it, tmp, &queue->later) {
		struct work *work = list_entry(it, struct work, node);

		if (queue->stopping || work->due_ms <= now) {
			list_del(&work->node);
			list_add_tail(&queue->items, &work->node);
		} else if (next == 0 || work->due_ms < next) {
			next = work->due_ms;
		}
	}
	return next;
}

/* The next work, or NULL when the queue is stopped and empty. */
static struct work *wait_locked(struct work_queue *queue) REQUIRES(queue->lock)
{
	struct work *work;

	for (;;) {
		uint64_t next = take_due_locked(queue);

		if (!list_empty(&queue->items))
			break;
		if (queue->stopping)
			return NULL;
		if (next)
			cond_wait_until(&queue->changed, &queue->lock, next);
		else
			cond_wait(&queue->changed, &queue->lock);
	}
	work = list_entry(queue->items.next, struct work, node);
	list_del(&work->node);
	return work;
}

static void *work_thread(void *arg)
{
	struct work_queue *queue = arg;
	struct work *work;

	lock_acquire(&queue->lock);
	while ((work = wait_locked(queue))) {
		lock_release(&queue->lock);
		work->run(work);
		lock_acquire(&queue->lock);
	}
	lock_release(&queue->lock);
	return NULL;
}

int work_queue_new(const char *name, unsigned int n_threads,
		   struct work_queue **ret_queue)
{
	struct work_queue *queue;
	int r;

	queue = calloc(1, sizeof(*queue) + n_threads * sizeof(pthread_t));
	if (!queue)
		return -ENOMEM;
	lock_init(&queue->lock, LOCK_RANK_WORK, name);
	cond_init(&queue->changed);
	list_init(&queue->items);
	list_init(&queue->later);
	for (unsigned int i = 0; i < n_threads; i++) {
		r = thread_start(&queue->threads[i], name, work_thread, queue);
		if (r < 0) {
			work_queue_free(queue);
			return r;
		}
		queue->n_threads++;
	}
	*ret_queue = queue;
	return 0;
}

void work_queue_stop(struct work_queue *queue)
{
	lock_acquire(&queue->lock);
	queue->stopping = true;
	cond_broadcast(&queue->changed);
	lock_release(&queue->lock);
	for (unsigned int i = 0; i < queue->n_threads; i++)
		pthread_join(queue->threads[i], NULL);
	queue->n_threads = 0;
}

void work_queue_free(struct work_queue *queue)
{
	if (!queue)
		return;
	work_queue_stop(queue);
	cond_destroy(&queue->changed);
	lock_destroy(&queue->lock);
	free(queue);
}

void work_put(struct work_queue *queue, struct work *work)
{
	lock_acquire(&queue->lock);
	list_add_tail(&queue->items, &work->node);
	cond_broadcast(&queue->changed);
	lock_release(&queue->lock);
}

uint64_t work_wakes(struct work_queue *queue)
{
	uint64_t wakes;

	lock_acquire(&queue->lock);
	wakes = queue->wakes;
	lock_release(&queue->lock);
	return wakes;
}

void work_put_later(struct work_queue *queue, struct work *work, uint64_t wakes,
		    uint64_t due_ms)
{
	lock_acquire(&queue->lock);
	work->due_ms = due_ms;
	/* What it was to wait for may have come already. */
	list_add_tail(queue->wakes == wakes ? &queue->later : &queue->items,
		      &work->node);
	/* Who waits without an end must wait with one. */
	cond_broadcast(&queue->changed);
	lock_release(&queue->lock);
}

void work_wake(struct work_queue *queue)
{
	lock_acquire(&queue->lock);
	queue->wakes++;
	list_splice_tail(&queue->items, &queue->later);
	cond_broadcast(&queue->changed);
	lock_release(&queue->lock);
}
