/* SPDX-License-Identifier: MIT */
/*
 * workers.c - a fixed number of threads of our own, because libfuse's loop
 * grows and shrinks with the load. Where they run is placement.c's.
 */
#include "fuse/workers.h"

#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdlib.h>

#include "base/thread.h"
#include "fuse/placement.h"

/* Enough that one may be slow: none ever waits for a packet. */
#define N_WORKERS 4

struct worker {
	pthread_t thread;
	struct workers *set;
	unsigned int number;
	struct fuse_buf buf;
};

struct workers {
	struct fuse_session *session;
	void (*ended)(void *arg);
	void *arg;
	struct placement *placement;
	unsigned int n;
	struct worker workers[N_WORKERS];
};

/* Whose request it is: libfuse leaves it as the kernel wrote it. */
static pid_t client_of(const struct fuse_buf *buf)
{
	return (pid_t)((const struct fuse_in_header *)buf->mem)->pid;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct workers *set = w->set;
	int ignored, r;

	/* Stopping cancels the wait for a request, and nothing else. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
	placement_join(set->placement, w->number);
	while (!fuse_session_exited(set->session)) {
		placement_wait(set->placement, w->number);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &ignored);
		r = fuse_session_receive_buf(set->session, &w->buf);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			break;
		placement_begin(set->placement, w->number, client_of(&w->buf));
		fuse_session_process_buf(set->session, &w->buf);
		placement_end(set->placement, w->number);
	}
	set->ended(set->arg);
	return NULL;
}

void workers_stop(struct workers *set)
{
	if (!set)
		return;
	/* Who is put aside has to see that he is cancelled. */
	if (set->placement)
		placement_stop(set->placement);
	for (unsigned int i = 0; i < set->n; i++)
		pthread_cancel(set->workers[i].thread);
	for (unsigned int i = 0; i < set->n; i++) {
		pthread_join(set->workers[i].thread, NULL);
		free(set->workers[i].buf.mem);
	}
	placement_free(set->placement);
	free(set);
}

int workers_start(struct fuse_session *session, void (*ended)(void *arg),
		  void *arg, struct workers **ret_workers)
{
	struct workers *set = calloc(1, sizeof(*set));
	int r;

	if (!set)
		return -ENOMEM;
	set->session = session;
	set->ended = ended;
	set->arg = arg;
	r = placement_new(fuse_session_fd(session), N_WORKERS, &set->placement);
	for (unsigned int i = 0; r == 0 && i < N_WORKERS; i++) {
		struct worker *w = &set->workers[i];

		w->set = set;
		w->number = i;
		r = thread_start(&w->thread, "tund-fuse", worker_run, w);
		if (r == 0)
			set->n++;
	}
	if (r < 0) {
		workers_stop(set);
		return r;
	}
	*ret_workers = set;
	return 0;
}
