/* SPDX-License-Identifier: MIT */
/*
 * table.h - the table of all devices as the floors above know it: it is made
 * first and freed last. Nothing can be looked up here.
 */
#ifndef TUND_DEV_TABLE_H
#define TUND_DEV_TABLE_H

struct dev_table;
struct host_ops;
struct policy_set;

int dev_table_new(const struct host_ops *host, struct dev_table **ret_table);

/* Removes every device, then waits until the last is gone. */
void dev_table_free(struct dev_table *table);

/*
 * Who may have which device from now on: takes the reference. Until then there
 * is no rule. The other returns one more reference, from any thread.
 */
void dev_table_set_policy(struct dev_table *table, struct policy_set *set);
struct policy_set *dev_table_policy(struct dev_table *table);
/* What callers must be asked beside their ids: POLICY_NEEDS_*. */
unsigned int dev_table_policy_needs(struct dev_table *table);

/*
 * Has `left` called, in a thread of the table's, whenever a device has left: an
 * attach that was told to come again may succeed now. Before there are devices.
 */
void dev_table_on_left(struct dev_table *table, void (*left)(void *arg),
		       void *arg);

#endif
