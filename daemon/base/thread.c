/* SPDX-License-Identifier: MIT */
/* thread.c - one call of pthread_create with what every thread of ours needs.
 */
#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		 void *arg)
{
	sigset_t all, old;
	int error;

	/* The new thread inherits the mask: there is no window. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(ret_thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error)
		return -error;
	pthread_setname_np(*ret_thread, name);
	return 0;
}
