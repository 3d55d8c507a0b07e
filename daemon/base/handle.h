/* SPDX-License-Identifier: MIT */
/*
 * handle.h - a table that gives objects stable numbers. A number is never an
 * address, is not used again soon, and survives the object harmlessly: a
 * stale number finds nothing. The table owns no object.
 */
#ifndef TUND_BASE_HANDLE_H
#define TUND_BASE_HANDLE_H

#include <stdint.h>

#include "base/lock.h"

struct handle_table {
	struct lock lock;
	struct handle_slot *slots GUARDED_BY(lock);
	uint32_t n_slots GUARDED_BY(lock);
	uint32_t first_free GUARDED_BY(lock);
	/* Called under the table's lock on each object that is looked up. */
	void (*ref)(void *object);
};

void handle_table_init(struct handle_table *table, const char *name,
		       void (*ref)(void *object));
void handle_table_destroy(struct handle_table *table);

/*
 * Returns 0, or -ENOMEM, or -ENFILE when there are HANDLE_MAX objects. A
 * handle is never 0 and fits in 32 bits.
 */
#define HANDLE_MAX (1u << 20)
int handle_add(struct handle_table *table, void *object, uint32_t *ret_handle);

/* Returns the object with a reference taken, or NULL. */
void *handle_get(struct handle_table *table, uint32_t handle);

/* Returns the object, whose number is free from now on, or NULL. */
void *handle_remove(struct handle_table *table, uint32_t handle);

/* Removes some object and returns it, or NULL when there is none left. */
void *handle_remove_any(struct handle_table *table);

#endif
