/* SPDX-License-Identifier: MIT */
/*
 * rate.c - the bucket as one number, the time up to which it is spent: so it
 * needs no lock. net/bpf_policy.c has the same in the kernel's instructions.
 */
#include "packet/rate.h"

#define SECOND_NS 1000000000ull

void rate_init(struct rate *ret_rate, uint64_t per_second)
{
	uint64_t packet_ns = (SECOND_NS + per_second - 1) / per_second;
	uint64_t burst = per_second / 10;

	if (burst < RATE_MIN_BURST)
		burst = RATE_MIN_BURST;
	*ret_rate = (struct rate){
		.packet_ns = (uint32_t)packet_ns,
		.ahead_ns = (burst - 1) * packet_ns,
		.start_ns = (burst - RATE_MIN_BURST) * packet_ns,
	};
}

bool rate_take(struct rate_bucket *bucket, const struct rate *rate,
	       unsigned int packets, uint64_t now_ns)
{
	uint64_t cost = (uint64_t)packets * rate->packet_ns, from;
	uint64_t spent =
		atomic_load_explicit(&bucket->spent_ns, memory_order_relaxed);

	do {
		from = spent ? spent : now_ns + rate->start_ns;
		if (from < now_ns)
			from = now_ns;
		if (from - now_ns > rate->ahead_ns)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&bucket->spent_ns, &spent, from + cost, memory_order_relaxed,
		memory_order_relaxed));
	return true;
}

void rate_spend(struct rate_bucket *bucket, uint64_t spent_ns)
{
	uint64_t spent =
		atomic_load_explicit(&bucket->spent_ns, memory_order_relaxed);

	while (spent < spent_ns &&
	       !atomic_compare_exchange_weak_explicit(
		       &bucket->spent_ns, &spent, spent_ns,
		       memory_order_relaxed, memory_order_relaxed))
		continue;
}

void rate_give_back(struct rate_bucket *bucket, const struct rate *rate,
		    unsigned int packets)
{
	atomic_fetch_sub_explicit(&bucket->spent_ns,
				  (uint64_t)packets * rate->packet_ns,
				  memory_order_relaxed);
}
