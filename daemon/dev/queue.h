/* SPDX-License-Identifier: MIT */
/*
 * queue.h - one attachment: the packets on their way to one open file, and its
 * place among the queues of its device. Private to dev/.
 */
#ifndef TUND_DEV_QUEUE_H
#define TUND_DEV_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "dev/count.h"
#include "dev/grant.h"
#include "dev/host.h"
#include "packet/pktq.h"

struct dev_file;
struct device;

struct dev_queue {
	atomic_uint refs;
	struct device *dev; /* a reference */
	struct pktq to_app;
	struct dev_counts counts;
	struct dev_grant grant;
	struct rate rate; /* by that */
	/* The program has a packet socket instead: nothing goes this way. */
	atomic_bool direct;

	/* Guarded by the device's lock. */
	struct dev_file *file; /* a reference; NULL when it has left */
	uint64_t direct_id;    /* of the socket */
	int sndbuf;	       /* bytes, without effect */
	struct list off_node;  /* in the device's, while switched off */
	unsigned int index;    /* in the device's, while on */
	bool on;
};

/* The device's queues, guarded by its lock. */
struct dev_queues {
	unsigned int n_on, n_off;
	struct dev_queue *on[HOST_MAX_QUEUES];
	struct list off;
};

/* With a reference to both; NULL when there is no memory. */
struct dev_queue *dev_queue_new(struct device *dev, struct dev_file *file,
				unsigned int max_packets);
void dev_queue_ref(struct dev_queue *queue);
void dev_queue_unref(struct dev_queue *queue);

bool dev_queue_is_on(struct dev_queue *queue);

/* What poll says of the queue's file may have changed. */
void dev_queue_wake(struct dev_queue *queue);

/* Ends the way through the queue, and counts what is lost. */
void dev_queue_close(struct dev_queue *queue, int error);

/*
 * A set of queues that holds references, for what must be done to each without
 * the device's lock.
 */
struct dev_queue_set {
	unsigned int n;
	unsigned int n_on; /* the first ones; the others are switched off */
	struct dev_queue *queues[HOST_MAX_QUEUES];
};

void dev_queues_get(struct device *dev, struct dev_queue_set *ret_set);
void dev_queue_set_put(struct dev_queue_set *set);

/* With the device's lock held. */
void dev_queues_init(struct dev_queues *queues);
void dev_queues_add_locked(struct device *dev, struct dev_queue *queue);
void dev_queues_remove_locked(struct device *dev, struct dev_queue *queue);
/* TUNSETQUEUE. */
void dev_queues_switch_locked(struct device *dev, struct dev_queue *queue,
			      bool on);

/* The queue with a reference that is to get the packet, or NULL. */
struct pkt;
struct dev_queue *dev_queues_pick(struct device *dev, const struct pkt *pkt);

/* The program has written the packet through the queue. */
void dev_queues_learn(struct dev_queue *queue, struct pkt *pkt);

#endif
