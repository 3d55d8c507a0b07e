/* SPDX-License-Identifier: MIT */
/*
 * report.h - what there is, as plain data for those who show it: devices, their
 * queues, open files. Nothing is changed here.
 */
#ifndef TUND_DEV_REPORT_H
#define TUND_DEV_REPORT_H

#include <stdbool.h>

#include "dev/count.h"
#include "dev/file.h"
#include "dev/host.h"
#include <tund/abi.h>

struct dev_table;

/* Numbers at one time. */
struct dev_waits_report {
	uint64_t buckets[DEV_WAIT_BUCKETS];
	uint64_t sum_us;
};

/* One attachment. */
struct dev_queue_report {
	uint64_t file; /* number of the open file */
	struct dev_opener opener;
	bool on;
	bool direct;
	uint64_t packet_rate; /* the most a second by its policy; 0: any */
	unsigned int queued;  /* packets now */
	unsigned int queued_max;
	/* On the direct plane they are not known, and 0. */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t drops[TUND_DROP_DOWN]; /* towards the program */
	struct dev_waits_report waits;
};

struct dev_report {
	uint64_t id;
	uint64_t ns_id; /* where the interface is now; 0: not known */
	struct host_state state;
	unsigned int flags; /* as in the kernel's sysfs */
	uint32_t owner;	    /* TUND_NO_ID: none is set */
	uint32_t group;
	unsigned int offload; /* TUN_F_* */
	enum tund_plane plane;
	struct tund_stats stats;
	struct dev_waits_report waits;
	unsigned int n_taps;
	unsigned int n_queues;
	struct dev_queue_report queues[];
};

/*
 * Tells of the device with the lowest number above `id`; the caller frees it.
 * -ENOENT at the end. Slow.
 */
int dev_report(struct dev_table *table, uint64_t id,
	       struct dev_report **ret_report);

/* An open file, or one that is closed and whose packet socket is not. */
struct dev_file_report {
	uint64_t id;
	uint64_t ns_id; /* in which it was opened */
	struct dev_opener opener;
	uint64_t device; /* 0: it is not attached */
	char name[IFNAMSIZ];
	bool on;
	bool direct;
	uint64_t packet_rate; /* as of the queue */
};

int dev_file_report(struct dev_table *table, uint64_t id,
		    struct dev_file_report *ret_report);

#endif
