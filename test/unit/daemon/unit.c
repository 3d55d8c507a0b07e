/* SPDX-License-Identifier: MIT */
/* unit.c - the counter is a monitor with CLOCK_MONOTONIC deadlines. */
#include "unit.h"

#include <stdio.h>
#include <time.h>

void counter_init(struct counter *c)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&c->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	c->value = 0;
}

void counter_destroy(struct counter *c)
{
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->mutex);
}

void counter_add(struct counter *c, unsigned int n)
{
	pthread_mutex_lock(&c->mutex);
	c->value += n;
	/* Under the mutex: whoever waits may free the counter afterwards. */
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

unsigned int counter_value(struct counter *c)
{
	unsigned int value;

	pthread_mutex_lock(&c->mutex);
	value = c->value;
	pthread_mutex_unlock(&c->mutex);
	return value;
}

static bool wait_until(struct counter *c, unsigned int value, uint64_t ms)
{
	struct timespec deadline;
	bool reached;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += (time_t)(ms / 1000);
	deadline.tv_nsec += (long)(ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_nsec -= 1000000000;
		deadline.tv_sec++;
	}
	pthread_mutex_lock(&c->mutex);
	while (c->value < value && error == 0)
		error = pthread_cond_timedwait(&c->changed, &c->mutex,
					       &deadline);
	reached = c->value >= value;
	pthread_mutex_unlock(&c->mutex);
	return reached;
}

bool counter_wait(struct counter *c, unsigned int value)
{
	return wait_until(c, value, PATIENCE_S * 1000);
}

bool counter_stays_below(struct counter *c, unsigned int value, unsigned int ms)
{
	return !wait_until(c, value, ms);
}

void *must_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p) {
		fputs("no memory for the test\n", stderr);
		abort();
	}
	return p;
}

uint32_t random_next(uint32_t *state)
{
	/* Marsaglia's xorshift: any state but 0. */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}
