/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - TUND_IOC_FD: a descriptor from the daemon. Of libtunclient and of
 * the two carriers.
 */
#ifndef TUNCLIENT_FETCH_H
#define TUNCLIENT_FETCH_H

#include <tund/abi.h>

/*
 * `ask` makes the ioctl and returns its result, below 0 a negative errno.
 * Returns the descriptor, close-on-exec, or a negative errno; -EIO if one was
 * sent and did not come.
 */
int tunclient_fetch_fd_(unsigned int what, unsigned int flags,
			int (*ask)(void *context, struct tund_fd *request),
			void *context);

#endif
