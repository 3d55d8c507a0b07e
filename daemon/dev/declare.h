/* SPDX-License-Identifier: MIT */
/*
 * declare.h - devices that are there from the start, because the administrator
 * has declared them: persistent, configured and up, with nobody attached.
 */
#ifndef TUND_DEV_DECLARE_H
#define TUND_DEV_DECLARE_H

#include <net/if.h>

#include "dev/policy.h"
#include "dev/warn.h"

struct dev_table;

/* One section. */
struct dev_declaration {
	char name[IFNAMSIZ];
	char *file;
	unsigned int line;

	unsigned int kind; /* POLICY_TUN or POLICY_TAP; 0: not said */
	unsigned int kind_line, ns_line;
	uid_t owner; /* (uid_t)-1: anybody of the group */
	gid_t group; /* (gid_t)-1: none */
	unsigned int queues;
	unsigned int offloads; /* TUN_F_* that programs may ask for */
	char *ns_path;	       /* NULL: the daemon's own namespace */
	struct dev_setup setup;
};

/*
 * Makes the device if it is not there. One that was declared before, or is
 * persistent, becomes as declared for who attaches next; its addresses and
 * routes are added to, as soon as nobody is attached. Of another kind it is
 * made anew, if nobody is attached. What cannot be done is told of, and
 * everything else done; a device whose kind or network namespace is the matter
 * stays as it was. Slow.
 */
void dev_declare(struct dev_table *table,
		 const struct dev_declaration *declaration, dev_warn_fn *warn);

/*
 * Around the declarations of one configuration: a device of an earlier one that
 * has none in this one is root's from now on.
 */
void dev_declare_begin(struct dev_table *table);
void dev_declare_end(struct dev_table *table);

#endif
