/* SPDX-License-Identifier: MIT */
/*
 * quota.h - how many open files and devices there are on each account. It knows
 * no limits: they come with the question. Private to dev/.
 */
#ifndef TUND_DEV_QUOTA_H
#define TUND_DEV_QUOTA_H

#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/lock.h"

enum quota_what {
	QUOTA_FILES,
	QUOTA_DEVICES,
	N_QUOTAS,
};

#define QUOTA_BUCKETS 64

struct quota {
	struct lock lock;
	struct list buckets[QUOTA_BUCKETS] GUARDED_BY(lock); /* of accounts */
};

void quota_init(struct quota *quota);
void quota_destroy(struct quota *quota);

/*
 * One more, if there are less on the account than `limit`; else what the kernel
 * says in such a case: -EMFILE for a file, -ENOSPC for a device. Or -ENOMEM.
 */
int quota_take(struct quota *quota, uint64_t account, enum quota_what what,
	       uint64_t limit);
void quota_give(struct quota *quota, uint64_t account, enum quota_what what);
uint64_t quota_count(struct quota *quota, uint64_t account,
		     enum quota_what what);

#endif
