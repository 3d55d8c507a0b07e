/* SPDX-License-Identifier: MIT */
/*
 * device.h - a device: two packet queues, a link to the host and the open file
 * that is attached. It is private to dev/; file.h and io.h are what others use.
 */
#ifndef TUND_DEV_DEVICE_H
#define TUND_DEV_DEVICE_H

#include <stdatomic.h>

#include "base/work.h"
#include "dev/event.h"
#include "dev/filter.h"
#include "dev/host.h"
#include "dev/knob.h"
#include "dev/queue.h"
#include "dev/quota.h"
#include "dev/spent.h"
#include "dev/table.h"
#include "dev/tap.h"
#include "packet/macfilter.h"
#include "packet/pktq.h"
#include <tund/abi.h>

/* A queue's bound in bytes: 500 packets of the largest MTU that is usual. */
#define DEV_QUEUE_BYTES (16u << 20)

/* The kernel's bounds for a new interface. */
#define DEV_TUN_QUEUE_LEN 500
#define DEV_TAP_QUEUE_LEN 1000

struct dev_file;
struct flow_table;

/* Who looks at the packets. */
struct dev_taps {
	atomic_uint n; /* read without the lock, to see whether there is any */
	atomic_bool ever; /* there was one */
	bool closed;
	struct dev_tap *taps[DEV_MAX_TAPS];
};

enum device_phase {
	DEVICE_NEW,
	DEVICE_ATTACHED,
	DEVICE_PARTING, /* persistent, its last file just left: soon idle */
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
	uint64_t id; /* rising with every device of the table */
	/* IFF_NO_PI and the like, as attached; set while nobody else is. */
	_Atomic unsigned int flags;

	struct pktq to_host;
	struct rate_bucket bucket; /* of what programs write */
	struct rate rate;	   /* by which it was made; all 0: none */
	uint64_t rate_account;	   /* whose that is */
	struct host_link *link;
	struct flow_table *flows; /* NULL: it can have one queue only */

	enum device_phase phase GUARDED_BY(lock);
	struct dev_knobs knobs GUARDED_BY(lock);
	struct host_state state GUARDED_BY(lock);
	struct dev_queues queues GUARDED_BY(lock);
	struct dev_filter filter GUARDED_BY(lock);
	struct mac_filter mac_filter GUARDED_BY(lock);
	struct dev_taps taps GUARDED_BY(lock);
	/* NetworkNamespacePath= of one that is declared, or NULL. */
	char *declared_ns GUARDED_BY(lock);
	/* What a reload could not do while somebody was attached, or NULL. */
	struct dev_pending *pending GUARDED_BY(lock);
	/* A reference to the file that left last, if there is more to do. */
	struct dev_file *last_file GUARDED_BY(lock);
	/* Queues that were direct since the link is. */
	unsigned int n_direct GUARDED_BY(lock);
	/* What had gone through the link before. */
	struct host_counters before_direct GUARDED_BY(lock);
	/* Whose it is by the quota, if it is counted. */
	uint64_t account;
	atomic_bool counted;
	struct work release;
	struct work mend;
	atomic_bool mending;

	/* What went through the daemon, or was direct and is over. */
	_Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	_Atomic uint64_t drops[TUND_DROP_MAX];
	struct dev_waits waits;

	/* Whether nothing is received, for lack of room: pause.c's. */
	atomic_uint paused;
	_Atomic uint64_t paused_until; /* of now_us(), or until there is room */
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
	uint64_t last_id GUARDED_BY(lock);
	struct list files GUARDED_BY(lock);
	uint64_t last_file_id GUARDED_BY(lock);
	/* Set before there are devices, by dev_table_observe()'s word. */
	void (*observe)(void *arg, const struct dev_event *event);
	void *observe_arg;
	/* Its own until dev_table_free(), and one of each open file. */
	atomic_uint refs;
	struct policy_set *policy GUARDED_BY(lock); /* a reference */
	struct quota quota;
	struct spent spent;
	/* How often the declared ones were gone through; the reload's. */
	unsigned int declarations;
};

void dev_table_ref(struct dev_table *table);
void dev_table_unref(struct dev_table *table);

/*
 * Makes the device and its interface, attaches the file, and lets packets flow;
 * the caller owns the reference to the queue. Slow.
 */
int device_new(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
	       const struct host_spec *spec, unsigned int flags,
	       struct dev_file *file, struct dev_queue **ret_queue);

/*
 * One without a file, which waits for whoever may attach: persistent, as the
 * knobs should say. The reference is the caller's. Slow.
 */
int device_new_idle(struct dev_table *table, struct host_ns *ns, uint64_t ns_id,
		    const struct host_spec *spec, const struct dev_knobs *knobs,
		    struct device **ret_dev);

/*
 * Attaches the file to an idle device, or as one more queue. Returns 0, -EBUSY
 * when the device can have no more than it has, -E2BIG when it has all queues
 * there can be, or DEV_ATTACH_AGAIN when it is on its way. Slow.
 */
int device_attach(struct device *dev, struct dev_file *file, unsigned int flags,
		  bool carrier, struct dev_queue **ret_queue);

/* The device that owns the interface, with a reference, or NULL. */
struct device *dev_table_find(struct dev_table *table, uint64_t ns_id,
			      int ifindex);

/* Whether some device is being made, whose name may be there already. */
bool dev_table_any_making(struct dev_table *table);

/* Whether a device that was made in the namespace is on its way out. */
bool dev_table_any_leaving(struct dev_table *table, uint64_t ns_id);

/*
 * The queue's file leaves the device, which begins to go with the last one
 * unless it is persistent. Does not block. Harmless when it was called before.
 */
void device_detach(struct dev_queue *queue);

/*
 * Ends the device for good. Whatever waits gets the error that the kernel's TUN
 * gives when its interface is deleted. Does not block. Harmless when it was
 * called before.
 */
void device_end(struct device *dev);

/* The same if nobody is attached; it is gone then when this returns. Slow. */
bool device_end_idle(struct device *dev);

/* It is no more, or soon idle: nobody can hold that up. */
bool device_is_leaving(struct device *dev);

/* Whether a place for one more file may soon be free. */
bool device_closing(struct device *dev);

/* Persistent, and nobody is attached. */
bool device_is_idle(struct device *dev);

/* Puts right, a little later, what somebody else has left wrong. */
void device_mend(struct device *dev);

/* Tells whoever polls one of the device's files. */
void device_wake(struct device *dev);

/* Whether the file has not left. */
bool device_has(struct device *dev, const struct dev_queue *queue);

/* It counts on that account until it is gone. */
void device_count_for(struct device *dev, uint64_t account);

/* Whether there is any policy. */
bool dev_table_has_rules(struct dev_table *table);
/* The account that is meant, if it is that of a subordinate number. */
uint64_t dev_table_account(struct dev_table *table, uint64_t account);

/* With a reference: the one with the lowest number above `id`, or NULL. */
struct device *dev_table_next(struct dev_table *table, uint64_t id);

/* Whether the interface is in that namespace now. Slow if it was moved. */
bool device_is_in(struct device *dev, uint64_t ns_id);

void device_get_state(struct device *dev, struct host_state *ret_state);

/* A program has read: if nothing is received for lack of room, there may be. */
void device_has_read(struct device *dev);
/* There is room for other reasons. */
void device_resume(struct device *dev);
/* Counts what has come since nothing is received. */
void device_settle(struct device *dev);

/* What the kernel's TUN says in sysfs. */
unsigned int device_flags(struct device *dev);

/* Tells the observer; `file` may be NULL. */
void device_tell(struct device *dev, enum dev_event_kind kind,
		 const struct host_state *state, const struct dev_file *file);
void device_tell_changes(struct device *dev, const struct host_state *before,
			 const struct host_state *state);

/* Asks the host, too: slow. */
void device_get_stats(struct device *dev, struct tund_stats *ret_stats);

void device_count_drop(struct device *dev, enum tund_drop reason,
		       unsigned int n);

#endif
