/* SPDX-License-Identifier: MIT */
/* quota.c - users who have something, by a hash of their number. */
#include "dev/quota.h"

#include <errno.h>
#include <stdlib.h>

struct user {
	struct list node;
	uid_t uid;
	uint64_t n[N_QUOTAS];
};

void quota_init(struct quota *quota)
{
	lock_init(&quota->lock, LOCK_RANK_QUOTA, "quota");
	for (int i = 0; i < QUOTA_BUCKETS; i++)
		list_init(&quota->buckets[i]);
}

void quota_destroy(struct quota *quota)
{
	for (int i = 0; i < QUOTA_BUCKETS; i++)
		list_for_each_safe (it, tmp, &quota->buckets[i])
			free(list_entry(it, struct user, node));
	lock_destroy(&quota->lock);
}

static struct user *find_locked(struct quota *quota, uid_t uid)
{
	list_for_each (it, &quota->buckets[uid % QUOTA_BUCKETS]) {
		struct user *user = list_entry(it, struct user, node);

		if (user->uid == uid)
			return user;
	}
	return NULL;
}

static int take_locked(struct quota *quota, struct user *spare, uid_t uid,
		       enum quota_what what, uint64_t limit, bool *ret_used)
{
	struct user *user = find_locked(quota, uid);

	if ((user ? user->n[what] : 0) >= limit)
		return what == QUOTA_FILES ? -EMFILE : -ENOSPC;
	if (!user) {
		if (!spare)
			return -ENOMEM;
		user = spare;
		user->uid = uid;
		list_add_tail(&quota->buckets[uid % QUOTA_BUCKETS],
			      &user->node);
		*ret_used = true;
	}
	user->n[what]++;
	return 0;
}

int quota_take(struct quota *quota, uid_t uid, enum quota_what what,
	       uint64_t limit)
{
	struct user *spare = calloc(1, sizeof(*spare));
	bool used = false;
	int r;

	lock_acquire(&quota->lock);
	r = take_locked(quota, spare, uid, what, limit, &used);
	lock_release(&quota->lock);
	if (!used)
		free(spare);
	return r;
}

void quota_give(struct quota *quota, uid_t uid, enum quota_what what)
{
	struct user *user;
	bool nothing = true;

	lock_acquire(&quota->lock);
	user = find_locked(quota, uid);
	user->n[what]--;
	for (int i = 0; i < N_QUOTAS; i++)
		nothing &= user->n[i] == 0;
	if (nothing)
		list_del(&user->node);
	lock_release(&quota->lock);
	if (nothing)
		free(user);
}

uint64_t quota_count(struct quota *quota, uid_t uid, enum quota_what what)
{
	const struct user *user;
	uint64_t n;

	lock_acquire(&quota->lock);
	user = find_locked(quota, uid);
	n = user ? user->n[what] : 0;
	lock_release(&quota->lock);
	return n;
}
