/* SPDX-License-Identifier: MIT */
/*
 * spent.h - what accounts have used up of a rate on devices that are gone: the
 * next one begins with what is left, or making it anew would fill the bucket.
 * Private to dev/.
 */
#ifndef TUND_DEV_SPENT_H
#define TUND_DEV_SPENT_H

#include <stdint.h>

#include "base/list.h"
#include "base/lock.h"
#include "packet/rate.h"

struct spent {
	struct lock lock;
	struct list records GUARDED_BY(lock);
};

void spent_init(struct spent *spent);
void spent_destroy(struct spent *spent);

/*
 * A device has gone whose bucket of that rate was used up to `spent_ns`, as of
 * struct rate_bucket. It is kept until a new bucket would have no more in it;
 * of several devices the one with the least left counts. Without memory it is
 * forgotten.
 */
void spent_note(struct spent *spent, uint64_t account, const struct rate *rate,
		uint64_t spent_ns, uint64_t now_ns);
/* With what the bucket of a new device begins; 0: it is as good as any. */
uint64_t spent_get(struct spent *spent, uint64_t account,
		   const struct rate *rate, uint64_t now_ns);

#endif
