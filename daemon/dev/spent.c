/* SPDX-License-Identifier: MIT */
/*
 * spent.c - a list: of each account and rate one record at most, and those that
 * say nothing any more go when the next one comes.
 */
#include "dev/spent.h"

#include <stdlib.h>

struct record {
	struct list node;
	uint64_t account;
	struct rate rate;
	uint64_t spent_ns;
};

void spent_init(struct spent *spent)
{
	lock_init(&spent->lock, LOCK_RANK_QUOTA, "spent");
	list_init(&spent->records);
}

void spent_destroy(struct spent *spent)
{
	list_for_each_safe (it, tmp, &spent->records)
		free(list_entry(it, struct record, node));
	lock_destroy(&spent->lock);
}

/* Whether a bucket that nobody has taken from has less in it. */
static bool says_nothing(const struct rate *rate, uint64_t spent_ns,
			 uint64_t now_ns)
{
	return spent_ns <= now_ns + rate->start_ns;
}

/* Takes those that are old off the list. */
static void sweep_locked(struct spent *spent, uint64_t now_ns, struct list *old)
{
	list_for_each_safe (it, tmp, &spent->records) {
		struct record *record = list_entry(it, struct record, node);

		if (!says_nothing(&record->rate, record->spent_ns, now_ns))
			continue;
		list_del(&record->node);
		list_add_tail(old, &record->node);
	}
}

static struct record *find_locked(struct spent *spent, uint64_t account,
				  const struct rate *rate)
{
	list_for_each (it, &spent->records) {
		struct record *record = list_entry(it, struct record, node);

		if (record->account == account &&
		    record->rate.packet_ns == rate->packet_ns)
			return record;
	}
	return NULL;
}

void spent_note(struct spent *spent, uint64_t account, const struct rate *rate,
		uint64_t spent_ns, uint64_t now_ns)
{
	struct record *spare, *record;
	struct list old;

	if (says_nothing(rate, spent_ns, now_ns))
		return;
	spare = calloc(1, sizeof(*spare));
	list_init(&old);
	lock_acquire(&spent->lock);
	sweep_locked(spent, now_ns, &old);
	record = find_locked(spent, account, rate);
	if (!record && spare) {
		record = spare;
		spare = NULL;
		record->account = account;
		record->rate = *rate;
		list_add_tail(&spent->records, &record->node);
	}
	if (record && record->spent_ns < spent_ns)
		record->spent_ns = spent_ns;
	lock_release(&spent->lock);
	free(spare);
	list_for_each_safe (it, tmp, &old)
		free(list_entry(it, struct record, node));
}

uint64_t spent_get(struct spent *spent, uint64_t account,
		   const struct rate *rate, uint64_t now_ns)
{
	const struct record *record;
	uint64_t spent_ns;

	lock_acquire(&spent->lock);
	record = find_locked(spent, account, rate);
	spent_ns = record ? record->spent_ns : 0;
	lock_release(&spent->lock);
	return says_nothing(rate, spent_ns, now_ns) ? 0 : spent_ns;
}
