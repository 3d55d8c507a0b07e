/* SPDX-License-Identifier: MIT */
/*
 * capture_order.h - puts packets that several threads have seen into the order
 * of their times, as long as they are not far apart.
 */
#ifndef TUNDCTL_CAPTURE_ORDER_H
#define TUNDCTL_CAPTURE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/capture.h>

struct captured {
	struct captured *before, *after;
	struct tund_capture head;
	size_t len; /* of the data that is here */
	uint8_t data[];
};

/* All 0: empty. */
struct capture_order {
	struct captured *first, *last;
	unsigned int n;
	uint64_t newest;
};

/* How long to wait for what may still come, while it is not empty. */
#define CAPTURE_ORDER_MS 20

/* A message from the socket; false: no memory. */
bool capture_order_put(struct capture_order *order, const void *message,
		       size_t len);

/*
 * The oldest, which the caller frees; NULL while something older may come. With
 * `all` that is not waited for.
 */
struct captured *capture_order_get(struct capture_order *order, bool all);

#endif
