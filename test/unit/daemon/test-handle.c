/* SPDX-License-Identifier: MIT */
/* test-handle.c - the table of handles of base/handle.h. */
#include <errno.h>

#include "base/handle.h"
#include "unit.h"

/* A handle is 12 bits of generation above 20 of index; 0 is left out. */
#define GENERATIONS ((1u << 12) - 1)

struct object {
	int refs;
};

static struct handle_table table;

static void ref_object(void *object)
{
	struct object *o = object;

	o->refs++;
}

static int set_up(void **state)
{
	handle_table_init(&table, "test", ref_object);
	return 0;
}

static int tear_down(void **state)
{
	handle_table_destroy(&table);
	return 0;
}

static uint32_t add(struct object *object)
{
	uint32_t handle = 0;

	assert_int_equal(handle_add(&table, object, &handle), 0);
	assert_int_not_equal(handle, 0);
	return handle;
}

static void get_takes_one_reference(void **state)
{
	struct object a = {0}, b = {0};
	uint32_t ha = add(&a), hb = add(&b);

	assert_int_not_equal(ha, hb);
	assert_int_equal(a.refs, 0);
	assert_ptr_equal(handle_get(&table, ha), &a);
	assert_ptr_equal(handle_get(&table, ha), &a);
	assert_ptr_equal(handle_get(&table, hb), &b);
	assert_int_equal(a.refs, 2);
	assert_int_equal(b.refs, 1);
}

static void empty_table_finds_nothing(void **state)
{
	assert_null(handle_get(&table, 0));
	assert_null(handle_get(&table, 1u << 20));
	assert_null(handle_get(&table, UINT32_MAX));
	assert_null(handle_remove(&table, 1u << 20));
	assert_null(handle_remove_any(&table));
}

static void other_numbers_find_nothing(void **state)
{
	struct object a = {0};
	uint32_t handle = add(&a);

	for (unsigned int bit = 0; bit < 32; bit++) {
		assert_null(handle_get(&table, handle ^ (1u << bit)));
		assert_null(handle_remove(&table, handle ^ (1u << bit)));
	}
	assert_null(handle_get(&table, 0));
	assert_int_equal(a.refs, 0);
	assert_ptr_equal(handle_get(&table, handle), &a);
}

static void removal_takes_no_reference(void **state)
{
	struct object a = {0};
	uint32_t handle = add(&a);

	assert_ptr_equal(handle_remove(&table, handle), &a);
	assert_int_equal(a.refs, 0);
	assert_null(handle_remove(&table, handle));
	assert_null(handle_get(&table, handle));
}

static void stale_handle_misses_the_new_object(void **state)
{
	struct object a = {0}, b = {0};
	uint32_t stale = add(&a), fresh;

	handle_remove(&table, stale);
	fresh = add(&b);
	assert_int_not_equal(stale, fresh);
	assert_null(handle_get(&table, stale));
	assert_null(handle_remove(&table, stale));
	assert_ptr_equal(handle_get(&table, fresh), &b);
}

/* One slot through all its generations, and once more around. */
static void generations_wrap_without_zero(void **state)
{
	struct object a = {0};
	uint32_t first = add(&a), handle = first;

	for (unsigned int i = 1; i < GENERATIONS; i++) {
		uint32_t before = handle;

		assert_ptr_equal(handle_remove(&table, handle), &a);
		handle = add(&a);
		assert_int_not_equal(handle, first);
		assert_int_not_equal(handle >> 20, 0);
		assert_null(handle_get(&table, before));
	}
	handle_remove(&table, handle);
	/* The slot is used last in, first out: this is its first number. */
	assert_int_equal(add(&a), first);
	assert_ptr_equal(handle_get(&table, first), &a);
}

static void growth_keeps_every_handle(void **state)
{
	enum { N = 5000 };
	struct object *objects = must_alloc(N * sizeof(*objects));
	uint32_t *handles = must_alloc(N * sizeof(*handles));

	for (size_t i = 0; i < N; i++)
		handles[i] = add(&objects[i]);
	for (size_t i = 0; i < N; i++) {
		assert_ptr_equal(handle_get(&table, handles[i]), &objects[i]);
		assert_int_equal(objects[i].refs, 1);
	}
	free(handles);
	free(objects);
}

static void remove_any_empties_the_table(void **state)
{
	enum { N = 40 };
	struct object objects[N] = {0}, *o;
	uint32_t handles[N];
	unsigned int n = 0;

	for (size_t i = 0; i < N; i++)
		handles[i] = add(&objects[i]);
	/* Holes, so that the search has to pass over them. */
	for (size_t i = 0; i < N; i += 3) {
		handle_remove(&table, handles[i]);
		objects[i].refs = -1;
	}
	while ((o = handle_remove_any(&table))) {
		assert_int_equal(o->refs, 0);
		o->refs = -1;
		n++;
	}
	assert_int_equal(n, N - (N + 2) / 3);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(objects[i].refs, -1);
		assert_null(handle_get(&table, handles[i]));
	}
}

static void table_has_a_bound(void **state)
{
	struct object a = {0};
	uint32_t handle = 0, one = 0;

	for (unsigned int i = 0; i < HANDLE_MAX; i++) {
		if (handle_add(&table, &a, &handle) != 0)
			fail_msg("object %u was refused", i);
		if (i == 12345)
			one = handle;
	}
	handle = 77;
	assert_int_equal(handle_add(&table, &a, &handle), -ENFILE);
	assert_int_equal(handle, 77);
	/* It is the number of objects that is bounded. */
	assert_ptr_equal(handle_remove(&table, one), &a);
	assert_int_not_equal(add(&a), one);
	assert_int_equal(handle_add(&table, &a, &handle), -ENFILE);
}

/* ---- threads ---- */

#define ROUNDS 20000

static struct object shared;
static uint32_t shared_handle;
static pthread_mutex_t handle_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned int found;

static void *look_up(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t handle;

		pthread_mutex_lock(&handle_mutex);
		handle = shared_handle;
		pthread_mutex_unlock(&handle_mutex);
		if (handle_get(&table, handle))
			found++;
	}
	return NULL;
}

/* The reference is taken under the table's lock: removal waits for it. */
static void lookups_race_with_removal(void **state)
{
	pthread_t thread;
	uint32_t handle = add(&shared);

	shared_handle = handle;
	assert_int_equal(pthread_create(&thread, NULL, look_up, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		if (handle_remove(&table, handle) != &shared ||
		    handle_add(&table, &shared, &handle) != 0) {
			handle = 0;
			break;
		}
		pthread_mutex_lock(&handle_mutex);
		shared_handle = handle;
		pthread_mutex_unlock(&handle_mutex);
	}
	pthread_join(thread, NULL);
	assert_int_not_equal(handle, 0);
	assert_int_equal(shared.refs, found);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get_takes_one_reference),
		TEST(empty_table_finds_nothing),
		TEST(other_numbers_find_nothing),
		TEST(removal_takes_no_reference),
		TEST(stale_handle_misses_the_new_object),
		TEST(generations_wrap_without_zero),
		TEST(growth_keeps_every_handle),
		TEST(remove_any_empties_the_table),
		TEST(table_has_a_bound),
		TEST(lookups_race_with_removal),
	};

	return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
