/* SPDX-License-Identifier: MIT */
/*
 * ctl.h - the control socket's server, as main knows it. The protocol is in
 * tund-control(7); what is shown comes from dev/, with no word of fuse/ or
 * net/.
 */
#ifndef TUND_CTL_CTL_H
#define TUND_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

struct ctl;
struct dev_table;

struct ctl_options {
	int listen_fd; /* stays the caller's */
	struct dev_table *table;
	const char *mount; /* where the device file is; must outlive it */
	bool can_direct;   /* packet sockets can be handed out */
	/*
	 * Reads the configuration anew, in a thread that may wait. Returns 0
	 * and what could not be done, or a negative number and why the old one
	 * stays: lines to be freed, or NULL.
	 */
	int (*reload)(void *arg, char **ret_told);
	void *arg;
};

/* Before there are devices: the server observes the table. */
int ctl_start(const struct ctl_options *options, struct ctl **ret_ctl);

/* Readable when there is something to do, which ctl_dispatch() does. */
int ctl_fd(const struct ctl *ctl);
void ctl_dispatch(void *ctl);

/* Ends all connections and what is done for them. */
void ctl_stop(struct ctl *ctl);

/* Stops it first, if need be. Comes after dev_table_free(). */
void ctl_free(struct ctl *ctl);

#endif
