/* SPDX-License-Identifier: MIT */
/* quota.c - accounts on which there is something, by a hash of their number. */
#include "dev/quota.h"

#include <errno.h>
#include <stdlib.h>

struct account {
	struct list node;
	uint64_t number;
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
			free(list_entry(it, struct account, node));
	lock_destroy(&quota->lock);
}

static struct account *find_locked(struct quota *quota, uint64_t number)
{
	list_for_each (it, &quota->buckets[number % QUOTA_BUCKETS]) {
		struct account *account = list_entry(it, struct account, node);

		if (account->number == number)
			return account;
	}
	return NULL;
}

static int take_locked(struct quota *quota, struct account *spare,
		       uint64_t number, enum quota_what what, uint64_t limit,
		       bool *ret_used)
{
	struct account *account = find_locked(quota, number);

	if ((account ? account->n[what] : 0) >= limit)
		return what == QUOTA_FILES ? -EMFILE : -ENOSPC;
	if (!account) {
		if (!spare)
			return -ENOMEM;
		account = spare;
		account->number = number;
		list_add_tail(&quota->buckets[number % QUOTA_BUCKETS],
			      &account->node);
		*ret_used = true;
	}
	account->n[what]++;
	return 0;
}

int quota_take(struct quota *quota, uint64_t number, enum quota_what what,
	       uint64_t limit)
{
	struct account *spare = calloc(1, sizeof(*spare));
	bool used = false;
	int r;

	lock_acquire(&quota->lock);
	r = take_locked(quota, spare, number, what, limit, &used);
	lock_release(&quota->lock);
	if (!used)
		free(spare);
	return r;
}

void quota_give(struct quota *quota, uint64_t number, enum quota_what what)
{
	struct account *account;
	bool nothing = true;

	lock_acquire(&quota->lock);
	account = find_locked(quota, number);
	account->n[what]--;
	for (int i = 0; i < N_QUOTAS; i++)
		nothing &= account->n[i] == 0;
	if (nothing)
		list_del(&account->node);
	lock_release(&quota->lock);
	if (nothing)
		free(account);
}

uint64_t quota_count(struct quota *quota, uint64_t number, enum quota_what what)
{
	const struct account *account;
	uint64_t n;

	lock_acquire(&quota->lock);
	account = find_locked(quota, number);
	n = account ? account->n[what] : 0;
	lock_release(&quota->lock);
	return n;
}
