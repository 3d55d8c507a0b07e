/* SPDX-License-Identifier: MIT */
/*
 * workers.h - the threads that take requests from a FUSE session and have them
 * processed. It does not know what is served.
 */
#ifndef TUND_FUSE_WORKERS_H
#define TUND_FUSE_WORKERS_H

struct fuse_session;
struct workers;

/*
 * `ended` is called in one of the threads, perhaps in several, when there is
 * nothing more to come: the mount is gone.
 */
int workers_start(struct fuse_session *session, void (*ended)(void *arg),
		  void *arg, struct workers **ret_workers);

/* Takes no more requests; returns when those in hand are done with. */
void workers_stop(struct workers *workers);

#endif
