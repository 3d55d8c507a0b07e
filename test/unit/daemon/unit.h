/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what the daemon's unit tests share: cmocka, and a counter to wait
 * for in place of a sleep. It knows nothing of the code under test.
 */
#ifndef TUND_TEST_UNIT_H
#define TUND_TEST_UNIT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* How long anything may take that should happen at once. */
#define PATIENCE_S 10

struct counter {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned int value;
};

void counter_init(struct counter *c);
void counter_destroy(struct counter *c);
void counter_add(struct counter *c, unsigned int n);
unsigned int counter_value(struct counter *c);

/* Waits until it is `value` or more; false when that takes too long. */
bool counter_wait(struct counter *c, unsigned int value);

/*
 * Whether it stays below `value` for so long: for what must not happen. A
 * machine that is too slow lets a fault pass, never the right thing fail.
 */
bool counter_stays_below(struct counter *c, unsigned int value,
			 unsigned int ms);

/* Aborts the test when there is no memory. */
void *must_alloc(size_t size);

/* A generator with a seed of its own: the same numbers in every run. */
uint32_t random_next(uint32_t *state);

#endif
