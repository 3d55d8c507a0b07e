/* SPDX-License-Identifier: MIT */
/*
 * list.h - an intrusive, circular, doubly linked list. It does no locking and
 * owns none of its members.
 */
#ifndef TUND_BASE_LIST_H
#define TUND_BASE_LIST_H

#include <stdbool.h>

#include "base/util.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Leaves the node empty, so that a second removal does no harm. */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Moves all members of one list to the tail of another. */
static inline void list_splice_tail(struct list *head, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_for_each(it, head)                                                \
	for (struct list *it = (head)->next; it != (head); it = it->next)

/* The safe form allows the member in hand to be removed. */
#define list_for_each_safe(it, tmp, head)                                      \
	for (struct list *it = (head)->next, *tmp = it->next; it != (head);    \
	     it = tmp, tmp = it->next)

#endif
