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
#include "dev/knob.h"
#include "dev/table.h"
#include "packet/pktq.h"
#include <tund/abi.h>

/* A queue's bound in bytes: 500 packets of the largest MTU that is usual. */
#define DEV_QUEUE_BYTES (16u << 20)

struct dev_file;

enum device_phase {
	DEVICE_NEW,
	DEVICE_ATTACHED,
	DEVICE_PARTING, /* persistent, its file just left: soon idle */
	DEVICE_IDLE,	/* persistent, nobody is attached */
	DEVICE_LEAVING,
};

struct device {
	struct lock lock;
	atomic_uint refs;
	struct dev_table *table;
	/* The table's own, which may be gone before the last reference. */
	const struct host_ops *host;
	struct list node; /* guarded by the table's lock */
	uint64_t ns_id;
	enum dev_kind kind;
	unsigned int flags; /* IFF_NO_PI and the like, as attached */

	struct pktq to_app;
	struct pktq to_host;
	struct host_link *link;

	enum device_phase phase GUARDED_BY(lock);
	struct dev_knobs knobs GUARDED_BY(lock);
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
	/* Called when a device has left, by dev_table_on_left()'s word. */
	void (*left)(void *arg);
	void *left_arg;
	struct lock lock;
	struct list devices GUARDED_BY(lock);
	/* Devices that are not in the list yet. */
	unsigned int n_making GUARDED_BY(lock);
};

/*
 * Makes the device and its interface, attaches the file, and lets packets flow;
 * the caller owns the reference. Slow.
 */
int device_new(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
	       const struct host_spec *spec, unsigned int flags,
	       struct dev_file *file, struct device **ret_dev);

/*
 * Attaches the file to an idle device. Returns 0, -EBUSY when it has a file, or
 * DEV_ATTACH_AGAIN when it is on its way. Slow.
 */
int device_attach(struct device *dev, struct dev_file *file, unsigned int flags,
		  bool carrier);

/* The device that owns the interface, with a reference, or NULL. */
struct device *dev_table_find(struct dev_table *table, uint64_t ns_id,
			      int ifindex);

/* Whether some device is being made, whose name may be there already. */
bool dev_table_any_making(struct dev_table *table);

/* Whether a device that was made in the namespace is on its way out. */
bool dev_table_any_leaving(struct dev_table *table, uint64_t ns_id);

/*
 * The file leaves the device, which begins to go unless it is persistent. Does
 * not block. Harmless when it was called before.
 */
void device_detach(struct device *dev);

/*
 * Ends the device for good. Whatever waits gets the error that the kernel's TUN
 * gives when its interface is deleted. Does not block. Harmless when it was
 * called before.
 */
void device_end(struct device *dev);

/* Whether the file that is attached may be on its way out. */
bool device_closing(struct device *dev);

/* Persistent, and nobody is attached. */
bool device_is_idle(struct device *dev);

/* Tells whoever polls the device's file. */
void device_wake(struct device *dev);

bool device_has_file(struct device *dev, const struct dev_file *file);

void device_get_state(struct device *dev, struct host_state *ret_state);

void device_count_drop(struct device *dev, enum tund_drop reason,
		       unsigned int n);

#endif
