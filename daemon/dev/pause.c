/* SPDX-License-Identifier: MIT */
/*
 * pause.c - when nothing is received, because there is no room for it. How the
 * host keeps packets back then is net/'s.
 */
#include "dev/device.h"
#include "dev/tapped.h"

/*
 * A pause is over when half of a queue is free again, or when it has lasted so
 * long: who comes when a flood is over finds what little room there is. Of
 * several queues one is enough, since its reader may have nothing left to read,
 * and another's may never read again.
 */
#define PAUSE_US 10000

/*
 * The host is asked for one thing at once: while somebody has the turn, who
 * wants the pause to end says so, and whoever has the turn ends it.
 */
enum pause {
	PAUSE_NONE,
	PAUSE_TURN,
	PAUSE_ON,
};

static void give_turn(struct device *dev)
{
	unsigned int mine = PAUSE_TURN;

	if (!atomic_compare_exchange_strong(&dev->paused, &mine, PAUSE_ON))
		dev->host->resume(dev->link);
}

static bool pause_over(struct device *dev)
{
	struct dev_queue_set set;
	bool room;

	if (now_us() >= atomic_load(&dev->paused_until))
		return true;
	dev_queues_get(dev, &set);
	room = set.n_on == 0;
	for (unsigned int i = 0; i < set.n_on && !room; i++)
		room = pktq_is_half_empty(&set.queues[i]->to_app);
	dev_queue_set_put(&set);
	return room;
}

/* Whoever asks knows that most packets found no room. */
static bool all_full(struct device *dev)
{
	struct dev_queue_set set;
	bool full = true;

	/* It can have one queue only. */
	if (!dev->flows)
		return true;
	dev_queues_get(dev, &set);
	for (unsigned int i = 0; i < set.n_on && full; i++)
		full = pktq_is_full(&set.queues[i]->to_app);
	dev_queue_set_put(&set);
	return full;
}

void device_resume(struct device *dev)
{
	if (atomic_exchange(&dev->paused, PAUSE_NONE) == PAUSE_ON)
		dev->host->resume(dev->link);
}

void device_has_read(struct device *dev)
{
	if (atomic_load(&dev->paused) && pause_over(dev))
		device_resume(dev);
}

void device_pause(struct device *dev)
{
	/* Somebody wants to see what is lost. */
	if (dev_is_tapped(dev) || !all_full(dev))
		return;
	atomic_store(&dev->paused_until, now_us() + PAUSE_US);
	atomic_exchange(&dev->paused, PAUSE_TURN);
	dev->host->pause(dev->link);
	give_turn(dev);
	/* Who has begun to look, or has read, before that could not know. */
	if (dev_is_tapped(dev))
		device_resume(dev);
	else
		device_has_read(dev);
}

void device_settle(struct device *dev)
{
	unsigned int on = PAUSE_ON;

	if (!atomic_compare_exchange_strong(&dev->paused, &on, PAUSE_TURN))
		return;
	dev->host->settle(dev->link);
	give_turn(dev);
}

void device_count_full(struct device *dev, unsigned int n)
{
	struct dev_queue_set set;

	if (n == 0)
		return;
	dev_queues_get(dev, &set);
	/* Which of several it was for, nobody has looked. */
	if (set.n == 1)
		dev_count_drop(set.queues[0], TUND_DROP_QUEUE_FULL, n);
	else
		device_count_drop(dev, TUND_DROP_QUEUE_FULL, n);
	dev_queue_set_put(&set);
}
