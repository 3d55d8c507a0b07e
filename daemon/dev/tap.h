/* SPDX-License-Identifier: MIT */
/*
 * tap.h - those who look at a device's packets, each with what became of it.
 * It changes nothing of what happens to them, and knows no socket.
 */
#ifndef TUND_DEV_TAP_H
#define TUND_DEV_TAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/abi.h>
#include <tund/capture.h>

struct dev_queue;
struct dev_table;
struct dev_tap;
struct device;
struct pkt;

/* Of one device. The last ones are for who has more right to it. */
#define DEV_MAX_TAPS 16

enum dev_tap_right {
	DEV_TAP_NONE, /* any more */
	DEV_TAP_GUEST,
	DEV_TAP_OWNER,
	DEV_TAP_ROOT,
};

/* A packet as it passed, or did not. */
struct dev_sight {
	uint64_t time_ns; /* CLOCK_REALTIME, when it came */
	const uint8_t *data;
	size_t len;
	uint32_t queue;	 /* TUND_CAPTURE_NO_QUEUE: not known */
	uint8_t flags;	 /* TUND_CAPTURE_* */
	uint8_t dropped; /* a reason, or TUND_CAPTURE_PASSED */
};

/* Packets of one call at most. */
#define DEV_MAX_SIGHTS 32

/* All are called in whatever thread it happens, and must not wait. */
struct dev_tap_ops {
	void (*see)(struct dev_tap *tap, const struct dev_sight *sights,
		    unsigned int n);
	/* So many could not be shown. */
	void (*miss)(struct dev_tap *tap, uint64_t n);
	/* The device is gone; nothing follows. */
	void (*gone)(struct dev_tap *tap);
	/*
	 * What right there is to a device of that owner and group, TUND_NO_ID
	 * for none, as things are now; with no lock held. NULL: as it was.
	 */
	enum dev_tap_right (*judge)(struct dev_tap *tap, uint32_t owner,
				    uint32_t group);
	/* It was judged to have none; nothing follows. Perhaps once more. */
	void (*revoked)(struct dev_tap *tap);
	/* The last reference is gone. */
	void (*release)(struct dev_tap *tap);
};

struct dev_tap {
	const struct dev_tap_ops *ops;
	enum dev_tap_right right; /* the device's lock guards it */
	atomic_uint refs;
	struct device *dev; /* a reference, until dev_tap_remove() */
};

/*
 * The device of that number shows its packets from now on, and has a reference.
 * -ENODEV; -EBUSY: it has as many as it can have for one of that right. It may
 * have been revoked when this returns. Slow.
 */
int dev_tap_add(struct dev_table *table, uint64_t id, struct dev_tap *tap);
/* Does not block. What is on its way may still be shown. */
void dev_tap_remove(struct dev_tap *tap);

void dev_tap_ref(struct dev_tap *tap);
void dev_tap_unref(struct dev_tap *tap);

/* Packets of the tap's device that it has lost or refused so far. */
uint64_t dev_tap_drops(const struct dev_tap *tap);

#endif
