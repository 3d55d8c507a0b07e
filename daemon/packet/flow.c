/* SPDX-License-Identifier: MIT */
/*
 * flow.c - a table of small sets. The place of a set is a part of the hash;
 * an entry holds the rest of it, so that flows are told apart by all 32 bits.
 */
#include "packet/flow.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define SET_BITS 10
#define SETS	 (1U << SET_BITS)
#define WAYS	 4

/*
 * An entry, from its high end: the hash without its set, the queue and one
 * more, the time of the last write in milliseconds. An unused one is 0. The
 * time goes round in 99 days.
 */
#define QUEUE_BITS 9
#define STAMP_BITS 33
#define STAMP_MASK ((1ULL << STAMP_BITS) - 1)
#define TAG_SHIFT  (QUEUE_BITS + STAMP_BITS)
#define QUEUE_MASK ((1ULL << QUEUE_BITS) - 1)
_Static_assert(32 - SET_BITS + TAG_SHIFT == 64, "an entry is one word");
_Static_assert(FLOW_QUEUES_MAX < 1 << QUEUE_BITS, "a queue fits");

struct flow_table {
	_Atomic uint64_t entries[SETS][WAYS];
};

static uint64_t make_entry(uint32_t hash, unsigned int queue, uint64_t now_ms)
{
	return (uint64_t)(hash >> SET_BITS) << TAG_SHIFT |
	       (uint64_t)(queue + 1) << STAMP_BITS | (now_ms & STAMP_MASK);
}

static int entry_queue(uint64_t entry)
{
	return (int)(entry >> STAMP_BITS & QUEUE_MASK) - 1;
}

static bool entry_is(uint64_t entry, uint32_t hash)
{
	return entry && entry >> TAG_SHIFT == hash >> SET_BITS;
}

/* Negative for an entry of a thread whose clock was read after ours. */
static int64_t entry_age(uint64_t entry, uint64_t now_ms)
{
	uint64_t age = (now_ms - entry) & STAMP_MASK;

	return age > STAMP_MASK - FLOW_AGE_MS
		       ? (int64_t)age - (int64_t)STAMP_MASK - 1
		       : (int64_t)age;
}

static bool entry_fresh(uint64_t entry, uint64_t now_ms)
{
	return entry && entry_age(entry, now_ms) < FLOW_AGE_MS;
}

struct flow_table *flow_table_new(void)
{
	return calloc(1, sizeof(struct flow_table));
}

void flow_table_free(struct flow_table *table)
{
	free(table);
}

static uint64_t load(const _Atomic uint64_t *slot)
{
	return atomic_load_explicit(slot, memory_order_relaxed);
}

/* The flow's own slot, or else a free one, or else the oldest. */
static _Atomic uint64_t *choose(_Atomic uint64_t set[WAYS], uint32_t hash,
				uint64_t now_ms)
{
	_Atomic uint64_t *best = &set[0];
	int64_t best_age = INT64_MIN;

	for (unsigned int i = 0; i < WAYS; i++) {
		uint64_t entry = load(&set[i]);
		int64_t age = entry ? entry_age(entry, now_ms) : INT64_MAX;

		if (entry_is(entry, hash))
			return &set[i];
		if (age > best_age) {
			best = &set[i];
			best_age = age;
		}
	}
	return best;
}

void flow_learn(struct flow_table *table, uint32_t hash, unsigned int queue,
		uint64_t now_ms)
{
	uint64_t entry = make_entry(hash, queue, now_ms);
	_Atomic uint64_t *slot;

	if (queue >= FLOW_QUEUES_MAX)
		return;
	slot = choose(table->entries[hash & (SETS - 1)], hash, now_ms);
	/* Most packets come in bursts: leave the cache line to its readers. */
	if (load(slot) != entry)
		atomic_store_explicit(slot, entry, memory_order_relaxed);
}

int flow_find(const struct flow_table *table, uint32_t hash, uint64_t now_ms)
{
	const _Atomic uint64_t *set = table->entries[hash & (SETS - 1)];

	for (unsigned int i = 0; i < WAYS; i++) {
		uint64_t entry = load(&set[i]);

		if (entry_is(entry, hash) && entry_fresh(entry, now_ms))
			return entry_queue(entry);
	}
	return -1;
}

/* `to` is -1 for nowhere. */
static void replace(struct flow_table *table, unsigned int from, int to)
{
	for (unsigned int i = 0; i < SETS * WAYS; i++) {
		_Atomic uint64_t *slot = &table->entries[i / WAYS][i % WAYS];
		uint64_t entry = load(slot);
		uint64_t other;

		/* It may be learned anew between the look and the change. */
		do {
			if (!entry || entry_queue(entry) != (int)from)
				break;
			other = entry & ~(QUEUE_MASK << STAMP_BITS);
			other |= (uint64_t)(to + 1) << STAMP_BITS;
			if (to < 0)
				other = 0;
		} while (!atomic_compare_exchange_weak_explicit(
			slot, &entry, other, memory_order_relaxed,
			memory_order_relaxed));
	}
}

void flow_forget_queue(struct flow_table *table, unsigned int queue)
{
	replace(table, queue, -1);
}

void flow_move_queue(struct flow_table *table, unsigned int from,
		     unsigned int to)
{
	if (to < FLOW_QUEUES_MAX)
		replace(table, from, (int)to);
}
