/* SPDX-License-Identifier: MIT */
/*
 * actor.h - an ioctl on tund's file on behalf of the program. The daemon judges
 * whoever makes the call, so that must have the rights of the thread.
 */
#ifndef TUNDCTL_ACTOR_H
#define TUNDCTL_ACTOR_H

#include "call.h"

/*
 * The result of the ioctl, below 0 a negative errno, goes to *ret_result.
 * `shared`, the argument, is of limb_memory(). Returns 0, or -1 if the thread's
 * rights cannot be taken over: then nothing has been done.
 */
int actor_ioctl(const struct call *c, unsigned int cmd, void *shared,
		int *ret_result);

/* The same for an ioctl that takes a number as its argument. */
int actor_value(const struct call *c, unsigned int cmd, uint64_t value,
		int *ret_result);

/*
 * TUND_IOC_FD: on success the result is a descriptor. `as_thread`: with its
 * rights; else with our own, where the daemon does not ask for any.
 */
int actor_fd(const struct call *c, unsigned int what, unsigned int flags,
	     bool as_thread, int *ret_result);

#endif
