/* SPDX-License-Identifier: MIT */
/* test-list.c - the intrusive list of base/list.h. */
#include "base/list.h"
#include "unit.h"

struct item {
	int number;
	struct list node;
};

/* The list holds just these numbers, read both ways. */
static void assert_holds(const struct list *head, const int *numbers, size_t n)
{
	const struct list *it = head->next;

	for (size_t i = 0; i < n; i++, it = it->next) {
		assert_ptr_not_equal(it, head);
		assert_int_equal(list_entry(it, struct item, node)->number,
				 numbers[i]);
		assert_ptr_equal(it->next->prev, it);
		assert_ptr_equal(it->prev->next, it);
	}
	assert_ptr_equal(it, head);
	it = head->prev;
	for (size_t i = n; i > 0; i--, it = it->prev)
		assert_int_equal(list_entry(it, struct item, node)->number,
				 numbers[i - 1]);
	assert_ptr_equal(it, head);
}

#define HOLDS(head, ...)                                                       \
	assert_holds(head, (const int[]){__VA_ARGS__},                         \
		     LENGTH(((const int[]){__VA_ARGS__})))

static void fill(struct list *head, struct item *items, size_t n, int first)
{
	list_init(head);
	for (size_t i = 0; i < n; i++) {
		items[i].number = first + (int)i;
		list_add_tail(head, &items[i].node);
	}
}

static void new_list_is_empty(void **state)
{
	struct list head;

	list_init(&head);
	assert_true(list_empty(&head));
	assert_holds(&head, NULL, 0);
}

static void members_keep_their_order(void **state)
{
	struct item items[3];
	struct list head;

	fill(&head, items, 3, 1);
	assert_false(list_empty(&head));
	HOLDS(&head, 1, 2, 3);
}

static void any_member_can_be_removed(void **state)
{
	struct item items[4];
	struct list head;

	fill(&head, items, 4, 1);
	list_del(&items[1].node);
	HOLDS(&head, 1, 3, 4);
	list_del(&items[0].node);
	HOLDS(&head, 3, 4);
	list_del(&items[3].node);
	HOLDS(&head, 3);
	list_del(&items[2].node);
	assert_true(list_empty(&head));
}

static void second_removal_does_no_harm(void **state)
{
	struct item items[3];
	struct list head;

	fill(&head, items, 3, 1);
	list_del(&items[1].node);
	assert_true(list_empty(&items[1].node));
	list_del(&items[1].node);
	HOLDS(&head, 1, 3);
	list_add_tail(&head, &items[1].node);
	HOLDS(&head, 1, 3, 2);
}

static void splice_moves_all_to_the_tail(void **state)
{
	struct item items[2], more[3];
	struct list head, from;

	fill(&head, items, 2, 1);
	fill(&from, more, 3, 7);
	list_splice_tail(&head, &from);
	HOLDS(&head, 1, 2, 7, 8, 9);
	assert_true(list_empty(&from));
	assert_holds(&from, NULL, 0);
}

static void splice_into_an_empty_list(void **state)
{
	struct item more[2];
	struct list head, from;

	list_init(&head);
	fill(&from, more, 2, 7);
	list_splice_tail(&head, &from);
	HOLDS(&head, 7, 8);
	assert_true(list_empty(&from));
}

static void splice_of_an_empty_list(void **state)
{
	struct item items[2];
	struct list head, from;

	fill(&head, items, 2, 1);
	list_init(&from);
	list_splice_tail(&head, &from);
	HOLDS(&head, 1, 2);
	assert_true(list_empty(&from));
}

static void for_each_visits_in_order(void **state)
{
	struct item items[3];
	struct list head;
	int expected = 1;

	fill(&head, items, 3, 1);
	list_for_each (it, &head)
		assert_int_equal(list_entry(it, struct item, node)->number,
				 expected++);
	assert_int_equal(expected, 4);
}

static void safe_form_allows_removal(void **state)
{
	struct list head;
	int n = 0;

	list_init(&head);
	for (int i = 0; i < 5; i++) {
		struct item *item = must_alloc(sizeof(*item));

		list_add_tail(&head, &item->node);
	}
	list_for_each_safe (it, tmp, &head) {
		list_del(it);
		free(list_entry(it, struct item, node));
		n++;
	}
	assert_int_equal(n, 5);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_list_is_empty),
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(any_member_can_be_removed),
		cmocka_unit_test(second_removal_does_no_harm),
		cmocka_unit_test(splice_moves_all_to_the_tail),
		cmocka_unit_test(splice_into_an_empty_list),
		cmocka_unit_test(splice_of_an_empty_list),
		cmocka_unit_test(for_each_visits_in_order),
		cmocka_unit_test(safe_form_allows_removal),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
