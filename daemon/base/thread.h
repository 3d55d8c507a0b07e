/* SPDX-License-Identifier: MIT */
/*
 * thread.h - starts a named thread that takes no signals. It is not a pool:
 * see work.h.
 */
#ifndef TUND_BASE_THREAD_H
#define TUND_BASE_THREAD_H

#include <pthread.h>

/* Signals belong to the main thread's event loop. Negative errno on failure. */
int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		 void *arg);

#endif
