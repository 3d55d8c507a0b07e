/* SPDX-License-Identifier: MIT */
/* tap.c - a device's few taps, which are called with no lock held. */
#include "dev/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dev/device.h"
#include "dev/tapped.h"

void dev_tap_ref(struct dev_tap *tap)
{
	atomic_fetch_add_explicit(&tap->refs, 1, memory_order_relaxed);
}

void dev_tap_unref(struct dev_tap *tap)
{
	if (atomic_fetch_sub_explicit(&tap->refs, 1, memory_order_acq_rel) == 1)
		tap->ops->release(tap);
}

/* ---- which there are ---- */

/* With references, for what must be done without the lock. */
struct tap_set {
	unsigned int n;
	struct dev_tap *taps[DEV_MAX_TAPS];
};

static void get_taps(struct device *dev, struct tap_set *ret_set)
{
	lock_acquire(&dev->lock);
	ret_set->n = dev->taps.n;
	for (unsigned int i = 0; i < ret_set->n; i++) {
		ret_set->taps[i] = dev->taps.taps[i];
		dev_tap_ref(ret_set->taps[i]);
	}
	lock_release(&dev->lock);
}

static void put_taps(struct tap_set *set)
{
	for (unsigned int i = 0; i < set->n; i++)
		dev_tap_unref(set->taps[i]);
}

/* Whether there is one beside those who have no more right, and in all. */
static bool has_place_locked(const struct dev_taps *taps,
			     enum dev_tap_right right)
{
	static const unsigned int max[] = {
		[DEV_TAP_NONE] = 0,
		[DEV_TAP_GUEST] = 8,
		[DEV_TAP_OWNER] = 12,
		[DEV_TAP_ROOT] = DEV_MAX_TAPS,
	};
	unsigned int n = 0;

	for (unsigned int i = 0; i < taps->n; i++)
		n += taps->taps[i]->right <= right;
	return n < max[right] && taps->n < DEV_MAX_TAPS;
}

static int add(struct device *dev, struct dev_tap *tap)
{
	struct dev_taps *taps = &dev->taps;
	int r = 0;

	lock_acquire(&dev->lock);
	if (taps->closed)
		r = -ENODEV;
	else if (!has_place_locked(taps, tap->right))
		r = -EBUSY;
	else
		taps->taps[taps->n++] = tap;
	taps->ever = true;
	lock_release(&dev->lock);
	return r;
}

int dev_tap_add(struct dev_table *table, uint64_t id, struct dev_tap *tap)
{
	struct device *dev = dev_table_next(table, id - 1);
	int r;

	if (!dev)
		return -ENODEV;
	dev_tap_ref(tap);
	r = dev->id == id ? add(dev, tap) : -ENODEV;
	if (r < 0) {
		dev_tap_unref(tap);
		device_unref(dev);
		return r;
	}
	tap->dev = dev;
	/* Between the question who may and now that may have changed. */
	dev_taps_judge(dev);
	device_resume(dev);
	dev_taps_follow(dev);
	return 0;
}

static void take_off(struct device *dev, struct dev_tap *tap)
{
	struct dev_taps *taps = &dev->taps;
	bool found = false;

	lock_acquire(&dev->lock);
	for (unsigned int i = 0; i < taps->n && !found; i++) {
		if (taps->taps[i] != tap)
			continue;
		taps->taps[i] = taps->taps[taps->n - 1];
		taps->n--;
		found = true;
	}
	lock_release(&dev->lock);
	if (found) {
		dev_tap_unref(tap);
		/* It may have to wait for the host. */
		device_mend(dev);
	}
}

void dev_tap_remove(struct dev_tap *tap)
{
	struct device *dev = tap->dev;

	take_off(dev, tap);
	tap->dev = NULL;
	device_unref(dev);
}

uint64_t dev_tap_drops(const struct dev_tap *tap)
{
	uint64_t n = 0;

	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		n += tap->dev->drops[i];
	return n;
}

void dev_taps_close(struct device *dev)
{
	struct tap_set set;

	lock_acquire(&dev->lock);
	dev->taps.closed = true;
	lock_release(&dev->lock);
	get_taps(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		set.taps[i]->ops->gone(set.taps[i]);
	put_taps(&set);
}

static void judge(struct device *dev, struct dev_tap *tap)
{
	uint32_t owner, group;
	enum dev_tap_right right;

	lock_acquire(&dev->lock);
	owner = dev->knobs.has_owner ? dev->knobs.owner : TUND_NO_ID;
	group = dev->knobs.has_group ? dev->knobs.group : TUND_NO_ID;
	lock_release(&dev->lock);
	right = tap->ops->judge(tap, owner, group);
	lock_acquire(&dev->lock);
	tap->right = right;
	lock_release(&dev->lock);
	if (right != DEV_TAP_NONE)
		return;
	tap->ops->revoked(tap);
	take_off(dev, tap);
}

void dev_taps_judge(struct device *dev)
{
	struct tap_set set;

	get_taps(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		if (set.taps[i]->ops->judge)
			judge(dev, set.taps[i]);
	put_taps(&set);
}

unsigned int dev_taps_count(struct device *dev)
{
	return atomic_load(&dev->taps.n);
}

static bool must_look(struct device *dev)
{
	bool look;

	lock_acquire(&dev->lock);
	look = dev->taps.n > 0 && dev->n_direct > 0;
	lock_release(&dev->lock);
	return look;
}

void dev_taps_follow(struct device *dev)
{
	bool look;

	if (!atomic_load(&dev->taps.ever))
		return;
	/* Of several who do this at once the last one sees what is true. */
	do {
		look = must_look(dev);
		dev->host->capture(dev->link, look);
	} while (look != must_look(dev));
}

/* ---- packets ---- */

uint64_t tapped_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void show(struct device *dev, const struct dev_sight *sights,
		 unsigned int n)
{
	struct tap_set set;

	get_taps(dev, &set);
	for (unsigned int i = 0; i < set.n; i++) {
		struct dev_tap *tap = set.taps[i];

		for (unsigned int k = 0; k < n; k += DEV_MAX_SIGHTS)
			tap->ops->see(tap, sights + k,
				      n - k < DEV_MAX_SIGHTS ? n - k
							     : DEV_MAX_SIGHTS);
	}
	put_taps(&set);
}

static void miss(struct device *dev, uint64_t n)
{
	struct tap_set set;

	get_taps(dev, &set);
	for (unsigned int i = 0; i < set.n; i++)
		set.taps[i]->ops->miss(set.taps[i], n);
	put_taps(&set);
}

static uint32_t number_of(struct dev_queue *queue)
{
	uint32_t number = TUND_CAPTURE_NO_QUEUE;

	if (!queue)
		return number;
	lock_acquire(&queue->dev->lock);
	if (queue->on)
		number = queue->index;
	lock_release(&queue->dev->lock);
	return number;
}

void tapped_sent(struct device *dev, struct pkt *const *pkts, unsigned int n,
		 uint64_t when)
{
	struct dev_sight sights[HOST_SEND_MAX];

	for (unsigned int i = 0; i < n; i++)
		sights[i] = (struct dev_sight){
			.time_ns = when,
			.data = pkts[i]->data,
			.len = pkts[i]->len,
			.queue = pkts[i]->queue,
			.flags = TUND_CAPTURE_TO_HOST,
			.dropped = TUND_CAPTURE_PASSED,
		};
	show(dev, sights, n);
}

void tapped_unsent(struct device *dev, const struct pkt *pkt,
		   enum tund_drop reason)
{
	const struct dev_sight sight = {
		.time_ns = tapped_clock(),
		.data = pkt->data,
		.len = pkt->len,
		.queue = pkt->queue,
		.flags = TUND_CAPTURE_TO_HOST,
		.dropped = (uint8_t)reason,
	};

	show(dev, &sight, 1);
}

void tapped_unwritten(struct dev_queue *queue, const void *data, size_t len,
		      enum tund_drop reason)
{
	const struct dev_sight sight = {
		.time_ns = tapped_clock(),
		.data = data,
		.len = len,
		.queue = number_of(queue),
		.flags = TUND_CAPTURE_TO_HOST,
		.dropped = (uint8_t)reason,
	};

	show(queue->dev, &sight, 1);
}

void tapped_unread(struct device *dev, struct dev_queue *queue,
		   const struct pkt *pkt, enum tund_drop reason)
{
	const struct dev_sight sight = {
		.time_ns = tapped_clock(),
		.data = pkt->data,
		.len = pkt->len,
		.queue = number_of(queue),
		.dropped = (uint8_t)reason,
	};

	show(dev, &sight, 1);
}

/* Readers free packets as soon as they have them: these are copies. */
struct tapped_run {
	unsigned int n;
	struct dev_sight sights[];
};

struct tapped_run *tapped_keep(struct device *dev, struct dev_queue *queue,
			       struct pkt *const *pkts, unsigned int n)
{
	uint32_t number = number_of(queue);
	uint64_t when = tapped_clock();
	struct tapped_run *run;
	size_t size = sizeof(*run) + n * sizeof(run->sights[0]);
	uint8_t *bytes;

	for (unsigned int i = 0; i < n; i++)
		size += pkts[i]->len;
	run = malloc(size);
	if (!run) {
		miss(dev, n);
		return NULL;
	}
	run->n = n;
	bytes = (uint8_t *)&run->sights[n];
	for (unsigned int i = 0; i < n; i++) {
		run->sights[i] = (struct dev_sight){
			.time_ns = when,
			.data = bytes,
			.len = pkts[i]->len,
			.queue = number,
			.dropped = TUND_CAPTURE_PASSED,
		};
		memcpy(bytes, pkts[i]->data, pkts[i]->len);
		bytes += pkts[i]->len;
	}
	return run;
}

void tapped_show(struct device *dev, struct tapped_run *run, unsigned int taken,
		 enum tund_drop reason)
{
	for (unsigned int i = taken; i < run->n; i++)
		run->sights[i].dropped = (uint8_t)reason;
	show(dev, run->sights, run->n);
	free(run);
}

void device_looked_at(struct device *dev, const struct host_sight *sights,
		      unsigned int n)
{
	struct dev_sight shown[HOST_MAX_SIGHTS];

	for (unsigned int i = 0; i < n; i++)
		shown[i] = (struct dev_sight){
			.time_ns = sights[i].time_ns,
			.data = sights[i].pkt->data,
			.len = sights[i].pkt->len,
			.queue = TUND_CAPTURE_NO_QUEUE,
			.flags = (uint8_t)(TUND_CAPTURE_DIRECT |
					   (sights[i].to_host
						    ? TUND_CAPTURE_TO_HOST
						    : 0)),
			.dropped = TUND_CAPTURE_PASSED,
		};
	show(dev, shown, n);
}

void device_overlooked(struct device *dev, uint64_t n)
{
	miss(dev, n);
}
