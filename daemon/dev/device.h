/* SPDX-License-Identifier: MIT */
/*
 * device.h - a device: two packet queues, a link to the host and the open file
 * that is attached. It is private to dev/; file.h and io.h are what others use.
 */
#ifndef TUND_DEV_DEVICE_H
#define TUND_DEV_DEVICE_H

#include <stdatomic.h>

#include "base/work.h"
#include "dev/host.h"
#include "packet/pktq.h"
#include <tund/abi.h>

/* A queue's bound in bytes: 500 packets of the largest MTU that is usual. */
#define DEV_QUEUE_BYTES (16u << 20)

struct dev_file;

struct device {
	struct lock lock;
	atomic_uint refs;
	struct dev_table *table;
	struct list node; /* guarded by the table's lock */
	uint64_t ns_id;
	enum dev_kind kind;
	unsigned int flags; /* IFF_NO_PI and the like, as attached */

	struct pktq to_app;
	struct pktq to_host;
	struct host_link *link;

	struct host_state state GUARDED_BY(lock);
	struct dev_file *file GUARDED_BY(lock); /* a reference, or NULL */
	struct work release;

	_Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	_Atomic uint64_t drops[TUND_DROP_MAX];
};

/* All devices, and the means to make and remove them. */
struct dev_table {
	const struct host_ops *host;
	struct work_queue *releases;
	struct lock lock;
	struct cond changed; /* a device has left */
	struct list devices GUARDED_BY(lock);
};

int dev_table_new(const struct host_ops *host, struct dev_table **ret_table);
/* Removes every device, then waits until the last is gone. */
void dev_table_free(struct dev_table *table);

/* Makes the device and its interface; the caller owns the reference. Slow. */
int device_new(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
	       const struct host_spec *spec, unsigned int flags,
	       struct device **ret_dev);

/* Attaches the file, and lets packets flow. Slow. */
int device_start(struct device *dev, struct dev_file *file);

/* The device that owns the interface, with a reference, or NULL. */
struct device *dev_table_find(struct dev_table *table, uint64_t ns_id,
			      int ifindex);

/*
 * Waits until no device of the namespace is on its way out, or the deadline is
 * past: whoever has closed one may count on its name. Slow.
 */
void dev_table_settle(struct dev_table *table, uint64_t ns_id,
		      uint64_t deadline_ms);

/*
 * The file leaves the device, which begins to go. Whatever waits gets the
 * error that the kernel's TUN gives when its interface is deleted. Does not
 * block. Harmless when it was called before.
 */
void device_detach(struct device *dev);

/* Whether the file that is attached may be on its way out. */
bool device_closing(struct device *dev);

void device_get_state(struct device *dev, struct host_state *ret_state);

void device_count_drop(struct device *dev, enum tund_drop reason,
		       unsigned int n);

#endif
