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
	bool stopping GUARDED_BY(lock);
	unsigned int n_threads;
	pthread_t threads[];
};

static void *work_thread(void *arg)
{
	struct work_queue *queue = arg;
	struct work *work;

	lock_acquire(&queue->lock);
	for (;;) {
		while (list_empty(&queue->items) && !queue->stopping)
			cond_wait(&queue->changed, &queue->lock);
		if (list_empty(&queue->items))
			break;
		work = list_entry(queue->items.next, struct work, node);
		list_del(&work->node);
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

void work_queue_free(struct work_queue *queue)
{
	if (!queue)
		return;
	lock_acquire(&queue->lock);
	queue->stopping = true;
	cond_broadcast(&queue->changed);
	lock_release(&queue->lock);
	for (unsigned int i = 0; i < queue->n_threads; i++)
		pthread_join(queue->threads[i], NULL);
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
