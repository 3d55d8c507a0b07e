/* SPDX-License-Identifier: MIT */
/*
 * limb.h - a child for one thing that may never end: a page fault in a file
 * whose server does not answer, a call to such a file. Who forked it goes on
 * without it when its time is over.
 */
#ifndef TUNDCTL_LIMB_H
#define TUNDCTL_LIMB_H

#include <stddef.h>

/* Memory that the child and its parent share, zeroed; NULL if there is none. */
void *limb_memory(size_t size);

/*
 * Runs function(context) in a child and waits for it, so many seconds at most.
 * What it finds out it leaves in shared memory. Returns 0, or a negative errno,
 * -ETIMEDOUT for one that was too late, -EIO for one that died.
 */
int limb_run(void (*function)(void *context), void *context, int seconds);

/* In the limb: closes all descriptors that it does not need. */
void limb_keep_nothing(void);

#endif
