/* SPDX-License-Identifier: MIT */
/*
 * event.h - what happens to devices, as it is told to whoever observes the
 * table. It is no log: of what was there before nothing is told.
 */
#ifndef TUND_DEV_EVENT_H
#define TUND_DEV_EVENT_H

#include <net/if.h>
#include <stdint.h>

#include "dev/file.h"

enum dev_event_kind {
	DEV_EVENT_MADE,
	DEV_EVENT_ATTACHED, /* by the opener of a file */
	DEV_EVENT_DETACHED,
	DEV_EVENT_DIRECT, /* the opener has a packet socket of its own */
	DEV_EVENT_UP,
	DEV_EVENT_DOWN,
	DEV_EVENT_RENAMED, /* from old_name */
	DEV_EVENT_MOVED,   /* to another network namespace */
	DEV_EVENT_GONE,
};

struct dev_event {
	enum dev_event_kind kind;
	uint64_t device; /* its number */
	uint64_t ns_id;	 /* where it was made */
	int ifindex;
	char name[IFNAMSIZ];
	char old_name[IFNAMSIZ];
	struct dev_opener opener; /* pid 0 where there is none */
};

/*
 * Has `observe` called, in whatever thread it happens, for each. Before there
 * are devices. It must not wait, nor call back.
 */
struct dev_table;
void dev_table_observe(struct dev_table *table,
		       void (*observe)(void *arg,
				       const struct dev_event *event),
		       void *arg);

#endif
