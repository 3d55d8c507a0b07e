/* SPDX-License-Identifier: MIT */
/*
 * placement.h - where the workers run, and which of them wait for requests,
 * while there are many of these. It does not know what a request is.
 *
 * A request that is served on another processor than its program's costs two
 * wake-ups of sleeping processors. Without much to do all workers wait, and the
 * scheduler places them. Under load there are as many as there are processors
 * with programs that call, each bound to one of these and of SCHED_IDLE: the
 * scheduler takes a processor with nothing else to run for an idle one, so it
 * leaves the program there and lets it go on at once.
 *
 * Such a worker has what others leave of its processor. A thread looks every
 * few milliseconds, only while there is load, whether that is enough; if not,
 * the workers are as they were before, and for longer at each time.
 */
#ifndef TUND_FUSE_PLACEMENT_H
#define TUND_FUSE_PLACEMENT_H

#include <sys/types.h>

struct placement;

#define PLACEMENT_MAX_WORKERS 8

/* `fd` is readable while a request waits. */
int placement_new(int fd, unsigned int n_workers, struct placement **ret_p);
/* Lets go who is put aside; placement_wait() does not wait any more. */
void placement_stop(struct placement *p);
void placement_free(struct placement *p);

/* The worker's own calls: at its start, ... */
void placement_join(struct placement *p, unsigned int worker);
/* ... before it waits for a request, ... */
void placement_wait(struct placement *p, unsigned int worker);
/* ... and when it has one, of this thread (0: nobody knows). */
void placement_begin(struct placement *p, unsigned int worker, pid_t client);
void placement_end(struct placement *p, unsigned int worker);

#endif
