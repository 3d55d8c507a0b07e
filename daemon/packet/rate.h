/* SPDX-License-Identifier: MIT */
/*
 * rate.h - how many packets may pass in a time: a bucket that fills by itself.
 * It makes nobody wait and drops nothing: it says what is too much.
 */
#ifndef TUND_PACKET_RATE_H
#define TUND_PACKET_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* With more a packet's share of time could not be told in nanoseconds. */
#define RATE_MAX 10000000

/* A bucket holds the packets of a tenth of a second, and so many at least. */
#define RATE_MIN_BURST 16

/* A limit; all 0: none. */
struct rate {
	uint32_t packet_ns; /* a packet's share of time, rounded up */
	/* How far ahead of the time a bucket may be when a packet comes, */
	uint64_t ahead_ns;
	/* and how far it is at first: no more is in it than the least burst. */
	uint64_t start_ns;
};

/*
 * Until when the packets that have passed have used the time up; 0: none has.
 * Any number of threads may take from one.
 */
struct rate_bucket {
	_Atomic uint64_t spent_ns;
};

/* `per_second` is 1 to RATE_MAX. */
void rate_init(struct rate *ret_rate, uint64_t per_second);

/*
 * Whether something that counts as `packets` may pass at that time of
 * CLOCK_MONOTONIC. It may if there is one left, and then takes them all, be it
 * from the time to come: so that what is large is not kept back for ever.
 */
bool rate_take(struct rate_bucket *bucket, const struct rate *rate,
	       unsigned int packets, uint64_t now_ns);

/* Another bucket, which goes on as this one, was used up to there. */
void rate_spend(struct rate_bucket *bucket, uint64_t spent_ns);

/* They did not pass, for another reason. */
void rate_give_back(struct rate_bucket *bucket, const struct rate *rate,
		    unsigned int packets);

#endif
