/* SPDX-License-Identifier: MIT */
/*
 * handle.c - slots with a generation each: the handle is both, so that a slot
 * that is used again has another handle.
 */
#include "base/handle.h"

#include <errno.h>
#include <stdlib.h>

#define NO_SLOT UINT32_MAX

/* A handle is a generation of 12 bits above an index of 20. */
#define INDEX_BITS 20
#define INDEX_MASK (HANDLE_MAX - 1)
#define GEN_MASK   ((1u << (32 - INDEX_BITS)) - 1)

struct handle_slot {
	void *object; /* NULL when free */
	uint32_t generation;
	uint32_t next_free;
};

void handle_table_init(struct handle_table *table, const char *name,
		       void (*ref)(void *object))
{
	lock_init(&table->lock, LOCK_RANK_HANDLE, name);
	table->slots = NULL;
	table->n_slots = 0;
	table->first_free = NO_SLOT;
	table->ref = ref;
}

void handle_table_destroy(struct handle_table *table)
{
	lock_destroy(&table->lock);
	free(table->slots);
}

static int grow_locked(struct handle_table *table) REQUIRES(table->lock)
{
	uint32_t old = table->n_slots;
	uint32_t n = old ? old * 2 : 16;
	struct handle_slot *slots;

	if (n > HANDLE_MAX)
		return -ENFILE;
	slots = reallocarray(table->slots, n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = old; i < n; i++) {
		slots[i].object = NULL;
		slots[i].generation = 1;
		slots[i].next_free = i + 1 < n ? i + 1 : NO_SLOT;
	}
	table->slots = slots;
	table->n_slots = n;
	table->first_free = old;
	return 0;
}

int handle_add(struct handle_table *table, void *object, uint32_t *ret_handle)
{
	struct handle_slot *slot;
	uint32_t index;
	int r = 0;

	lock_acquire(&table->lock);
	if (table->first_free == NO_SLOT)
		r = grow_locked(table);
	if (r == 0) {
		index = table->first_free;
		slot = &table->slots[index];
		table->first_free = slot->next_free;
		slot->object = object;
		*ret_handle = slot->generation << INDEX_BITS | index;
	}
	lock_release(&table->lock);
	return r;
}

static struct handle_slot *find_locked(struct handle_table *table,
				       uint32_t handle) REQUIRES(table->lock)
{
	uint32_t index = handle & INDEX_MASK;
	struct handle_slot *slot;

	if (index >= table->n_slots)
		return NULL;
	slot = &table->slots[index];
	if (!slot->object || slot->generation != handle >> INDEX_BITS)
		return NULL;
	return slot;
}

void *handle_get(struct handle_table *table, uint32_t handle)
{
	struct handle_slot *slot;
	void *object = NULL;

	lock_acquire(&table->lock);
	slot = find_locked(table, handle);
	if (slot) {
		object = slot->object;
		table->ref(object);
	}
	lock_release(&table->lock);
	return object;
}

static void *clear_locked(struct handle_table *table, struct handle_slot *slot)
	REQUIRES(table->lock)
{
	void *object = slot->object;

	slot->object = NULL;
	/* Generation 0 is skipped: a handle is never 0. */
	slot->generation = (slot->generation + 1) & GEN_MASK;
	if (slot->generation == 0)
		slot->generation = 1;
	slot->next_free = table->first_free;
	table->first_free = (uint32_t)(slot - table->slots);
	return object;
}

void *handle_remove(struct handle_table *table, uint32_t handle)
{
	struct handle_slot *slot;
	void *object = NULL;

	lock_acquire(&table->lock);
	slot = find_locked(table, handle);
	if (slot)
		object = clear_locked(table, slot);
	lock_release(&table->lock);
	return object;
}

void *handle_remove_any(struct handle_table *table)
{
	void *object = NULL;

	lock_acquire(&table->lock);
	for (uint32_t i = 0; i < table->n_slots && !object; i++)
		if (table->slots[i].object)
			object = clear_locked(table, &table->slots[i]);
	lock_release(&table->lock);
	return object;
}
