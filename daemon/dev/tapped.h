/* SPDX-License-Identifier: MIT */
/*
 * tapped.h - where packets are shown to a device's taps, from their path.
 * Private to dev/. While there is no tap each of these costs a branch.
 */
#ifndef TUND_DEV_TAPPED_H
#define TUND_DEV_TAPPED_H

#include "dev/device.h"

/* Packets that are about to be somebody else's, as they are now. */
struct tapped_run;

static inline bool dev_is_tapped(const struct device *dev)
{
	return __builtin_expect(
		atomic_load_explicit(&dev->taps.n, memory_order_relaxed) > 0,
		0);
}

/* The time, which is 0 if nobody looks. */
uint64_t tapped_clock(void);
static inline uint64_t dev_tapped_when(const struct device *dev)
{
	return dev_is_tapped(dev) ? tapped_clock() : 0;
}

/* ---- towards the host ---- */

/* They were sent; `when` is dev_tapped_when() of before. */
void tapped_sent(struct device *dev, struct pkt *const *pkts, unsigned int n,
		 uint64_t when);
static inline void dev_tapped_sent(struct device *dev, struct pkt *const *pkts,
				   int n, uint64_t when)
{
	if (when && n > 0)
		tapped_sent(dev, pkts, (unsigned int)n, when);
}

/* One that was not, and one that was not even a packet. */
void tapped_unsent(struct device *dev, const struct pkt *pkt,
		   enum tund_drop reason);
static inline void dev_tapped_unsent(struct device *dev, const struct pkt *pkt,
				     enum tund_drop reason)
{
	if (dev_is_tapped(dev))
		tapped_unsent(dev, pkt, reason);
}

void tapped_unwritten(struct dev_queue *queue, const void *data, size_t len,
		      enum tund_drop reason);
static inline void dev_tapped_unwritten(struct dev_queue *queue,
					const void *data, size_t len,
					enum tund_drop reason)
{
	if (dev_is_tapped(queue->dev))
		tapped_unwritten(queue, data, len, reason);
}

/* ---- towards the program ---- */

/* One that goes no further; the queue may be NULL. */
void tapped_unread(struct device *dev, struct dev_queue *queue,
		   const struct pkt *pkt, enum tund_drop reason);
static inline void dev_tapped_unread(struct device *dev,
				     struct dev_queue *queue,
				     const struct pkt *pkt,
				     enum tund_drop reason)
{
	if (dev_is_tapped(dev))
		tapped_unread(dev, queue, pkt, reason);
}

/* Before they are queued; NULL if nobody looks. */
struct tapped_run *tapped_keep(struct device *dev, struct dev_queue *queue,
			       struct pkt *const *pkts, unsigned int n);
static inline struct tapped_run *dev_tapped_keep(struct device *dev,
						 struct dev_queue *queue,
						 struct pkt *const *pkts,
						 unsigned int n)
{
	return dev_is_tapped(dev) ? tapped_keep(dev, queue, pkts, n) : NULL;
}

/* After it: the first ones were, the others were dropped. Takes NULL. */
void tapped_show(struct device *dev, struct tapped_run *run, unsigned int taken,
		 enum tund_drop reason);
static inline void dev_tapped_show(struct device *dev, struct tapped_run *run,
				   unsigned int taken, enum tund_drop reason)
{
	if (run)
		tapped_show(dev, run, taken, reason);
}

/* ---- the device ---- */

/* It ends: whoever looks is told. */
void dev_taps_close(struct device *dev);

/*
 * The device's owner or group, or what else gives a right to its packets, may
 * have changed: who has none any more sees no more when this returns, but for
 * what was on its way. With no lock held.
 */
void dev_taps_judge(struct device *dev);

/*
 * Packets that go past the daemon are looked at by the host, as long as there
 * are such and somebody looks. Slow.
 */
void dev_taps_follow(struct device *dev);

unsigned int dev_taps_count(struct device *dev);

#endif
