/* SPDX-License-Identifier: MIT */
/*
 * configure.h - the interface of an open file's device as it is for the host:
 * up or down, its addresses and routes; and what policies say of that.
 */
#ifndef TUND_DEV_CONFIGURE_H
#define TUND_DEV_CONFIGURE_H

#include <stdbool.h>
#include <stdint.h>

struct dev_caller;
struct dev_file;
struct host_permit;
struct tund_config;
struct dev_table;
struct tund_link;

/*
 * Configures the interface where it is now, if `permit` allows it for that
 * network namespace; it is not asked for what is not valid. Slow.
 */
int dev_file_configure(struct dev_file *file, const struct tund_config *config,
		       const struct host_permit *permit);

/*
 * Whether a policy allows the caller to configure it in the network namespace
 * `ns_fd`, which must be the one that it was made in: 0, or -EPERM. Who has the
 * capability need not be asked about. Slow.
 */
int dev_file_may_configure(struct dev_file *file,
			   const struct dev_caller *caller, int ns_fd);

/* The device of that number, by the administrator's word. Slow. */
int dev_set_up(struct dev_table *table, uint64_t id, bool up);

/* How it is now. */
int dev_file_link(struct dev_file *file, struct tund_link *ret_link);

#endif
