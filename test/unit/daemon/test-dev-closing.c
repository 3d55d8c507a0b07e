/* SPDX-License-Identifier: MIT */
/*
 * test-dev-closing.c - a name whose holder is on its way out, in dev/file.h:
 * FUSE tells of a close() only after it has returned, so who attaches is made
 * to come again.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "fake.h"

static struct counter gate;

/* Devices that leave stand at the gate. */
static int set_up_gate(void **state)
{
	int r = fake_set_up(state);

	counter_init(&gate);
	fake.stop_gate = &gate;
	return r;
}

static int tear_down_gate(void **state)
{
	int r;

	counter_add(&gate, 1);
	r = fake_tear_down(state);
	counter_destroy(&gate);
	return r;
}

static void assert_name(struct opened *o, const char *expected)
{
	char name[IFNAMSIZ] = "";
	unsigned int flags;

	assert_int_equal(dev_file_describe(o->file, name, &flags), 0);
	assert_string_equal(name, expected);
}

static void living_holder_is_busy_at_once(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	/* It was closing, but then somebody used it: only a copy was closed. */
	dev_file_set_closing(a.file, true);
	assert_true(dev_file_closing(a.file));
	dev_file_set_closing(a.file, false);
	assert_false(dev_file_closing(a.file));
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false), -EBUSY);
	assert_false(dev_file_attached(b.file));
	close_file(&b);
	close_file(&a);
}

static const struct {
	unsigned int flags;
	int final; /* if the holder stays */
} asked[] = {
	{IFF_TUN, -EBUSY},
	{IFF_TAP, -EINVAL},
	{IFF_TUN | IFF_MULTI_QUEUE, -EINVAL},
	{0, -EINVAL},
	{IFF_TUN | IFF_TUN_EXCL, -EBUSY},
	{IFF_TAP | IFF_TUN_EXCL, -EBUSY},
};

/* Whatever is asked for: the name may soon be free. */
static void closing_holder_means_again(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	dev_file_set_closing(a.file, true);
	for (size_t i = 0; i < LENGTH(asked); i++) {
		assert_int_equal(attach_once(&b, "t0", asked[i].flags, false),
				 DEV_ATTACH_AGAIN);
		assert_false(dev_file_attached(b.file));
		assert_int_equal(fake.open_ns, 0);
		assert_int_equal(fake_links(), 1);
	}
	/* Another name is free anyway. */
	assert_int_equal(attach_once(&b, "t1", IFF_TUN, false), 0);
	close_file(&b);
	close_file(&a);
}

static void holder_that_stays_is_busy_at_the_deadline(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	dev_file_set_closing(a.file, true);
	for (size_t i = 0; i < LENGTH(asked); i++)
		assert_int_equal(attach_once(&b, "t0", asked[i].flags, true),
				 asked[i].final);
	assert_true(dev_file_attached(a.file));
	close_file(&b);
	close_file(&a);
}

static void deadline_is_of_the_monotonic_clock(void **state)
{
	char out[IFNAMSIZ];
	struct opened a, b;
	uint64_t now;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	dev_file_set_closing(a.file, true);
	now = now_ms();
	assert_int_equal(attach_as(&b, "t0", IFF_TUN, true,
				   now + PATIENCE_S * 1000, out),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(attach_as(&b, "t0", IFF_TUN, true, now, out), -EBUSY);
	close_file(&b);
	close_file(&a);
}

static void closed_holder_leaves_the_name(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TAP);
	dev_file_set_closing(a.file, true);
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false),
			 DEV_ATTACH_AGAIN);
	close_file(&a);
	assert_int_equal(attach(&b, "t0", IFF_TUN), 0);
	assert_name(&b, "t0");
	close_file(&b);
}

/* The file is gone already, its interface not yet. */
static void leaving_device_means_again(void **state)
{
	static const char *const names[] = {"tun0", "", "other"};
	struct opened a, b;
	unsigned int left;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "tun0", IFF_TUN);
	close_file(&a);
	assert_true(fake_has("tun0"));
	for (size_t i = 0; i < LENGTH(names); i++)
		assert_int_equal(attach_once(&b, names[i], IFF_TUN, false),
				 DEV_ATTACH_AGAIN);
	assert_int_equal(fake.open_ns, 0);

	/* It is told when it is worth to come again. */
	left = counter_value(&fake.left);
	counter_add(&gate, 1);
	assert_true(counter_wait(&fake.left, left + 1));
	assert_int_equal(attach_once(&b, "", IFF_TUN, false), 0);
	assert_name(&b, "tun0");
	close_file(&b);
}

static struct opened second;
static unsigned int left_before;

static void attach_to_the_same_name(void)
{
	fake.on_new = NULL;
	left_before = counter_value(&fake.left);
	assert_int_equal(attach_once(&second, "t0", IFF_TUN, false),
			 DEV_ATTACH_AGAIN);
	/* Another name is nobody's business. */
	assert_int_equal(attach_once(&second, "t1", IFF_TUN, false), 0);
}

/* Its interface is there, the device not yet. */
static void device_being_made_means_again(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	open_file(&second);
	fake.on_new = attach_to_the_same_name;
	assert_int_equal(attach_once(&a, "t0", IFF_TUN, false), 0);
	assert_null(fake.on_new);
	assert_true(counter_value(&fake.left) > left_before);
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false), -EBUSY);
	close_file(&second);
	close_file(&b);
	close_file(&a);
}

/* A device that was deleted from outside leaves, too. */
static void deleted_device_means_again(void **state)
{
	unsigned int left;
	struct opened a;

	open_file(&a);
	attach_up(&a, "tun0", IFF_TUN);
	fake_delete("tun0");
	assert_int_equal(attach_once(&a, "tun0", IFF_TUN, false),
			 DEV_ATTACH_AGAIN);
	left = counter_value(&fake.left);
	counter_add(&gate, 1);
	assert_true(counter_wait(&fake.left, left + 1));
	assert_int_equal(attach_once(&a, "tun0", IFF_TUN, false), 0);
	close_file(&a);
}

static void leaving_device_at_the_deadline(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	close_file(&a);
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, true), -EBUSY);
	assert_int_equal(attach_once(&b, "t1", IFF_TUN, true), 0);
	close_file(&b);
}

/* A busy machine may hold it up for longer than anybody who only may go. */
static void leaving_device_is_waited_for_beyond_it(void **state)
{
	uint64_t now = now_ms();
	char out[IFNAMSIZ];
	struct opened a, b;
	unsigned int left;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	close_file(&a);
	assert_int_equal(dev_attach_due_ms(now), now + DEV_LEAVE_MS);
	assert_int_equal(attach_as(&b, "t0", IFF_TUN, true, now, out),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(attach_as(&b, "t0", IFF_TAP, true, now, out),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(
		attach_as(&b, "t0", IFF_TUN, true, now - DEV_LEAVE_MS, out),
		-EBUSY);
	left = counter_value(&fake.left);
	counter_add(&gate, 1);
	assert_true(counter_wait(&fake.left, left + 1));
	assert_int_equal(attach_as(&b, "t0", IFF_TUN, true, now, out), 0);
	close_file(&b);
}

static struct opened first;

static void end_the_holder(void)
{
	fake.on_found = NULL;
	left_before = counter_value(&fake.left);
	close_file(&first);
	assert_true(counter_wait(&fake.left, left_before + 1));
}

/* It was there when the name was looked up, and not when it was looked for. */
static void device_that_has_just_left_means_again(void **state)
{
	struct opened b;

	open_file(&first);
	open_file(&b);
	attach_up(&first, "t0", IFF_TUN);
	fake.on_found = end_the_holder;
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false), 0);
	close_file(&b);
}

static void other_namespaces_are_not_waited_for(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file_in(&b, "/dev/null");
	attach_up(&a, "t0", IFF_TUN);
	close_file(&a);
	assert_int_equal(attach_once(&b, "t1", IFF_TUN, false), 0);
	close_file(&b);
}

static void attached_file_is_refused_before_it_waits(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	attach_up(&a, "t0", IFF_TUN);
	attach_up(&b, "t1", IFF_TUN);
	close_file(&a);
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false), -EEXIST);
	close_file(&b);
}

/* An interface that was moved away has left its name to others. */
static void moved_interface_is_not_the_holder(void **state)
{
	struct host_state now;
	struct host_link *link;
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	link = attach_up(&a, "t0", IFF_TUN);
	now = link->state;
	now.moved = true;
	fake_change(link, &now);
	/* The name is found, the device of that index is not there. */
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false), -EINVAL);
	close_file(&b);
	close_file(&a);
}

/* Two namespaces may have the same number for an interface. */
static void holder_is_looked_for_in_its_namespace(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file_in(&b, "/dev/null");
	attach_up(&a, "t0", IFF_TUN);
	assert_int_equal(attach_once(&b, "t0", IFF_TUN, false), -EINVAL);
	close_file(&b);
	close_file(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)
#define GATE(f) cmocka_unit_test_setup_teardown(f, set_up_gate, tear_down_gate)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(living_holder_is_busy_at_once),
		TEST(closing_holder_means_again),
		TEST(holder_that_stays_is_busy_at_the_deadline),
		TEST(deadline_is_of_the_monotonic_clock),
		TEST(closed_holder_leaves_the_name),
		GATE(leaving_device_means_again),
		TEST(device_being_made_means_again),
		GATE(deleted_device_means_again),
		GATE(leaving_device_at_the_deadline),
		GATE(leaving_device_is_waited_for_beyond_it),
		TEST(device_that_has_just_left_means_again),
		GATE(other_namespaces_are_not_waited_for),
		GATE(attached_file_is_refused_before_it_waits),
		TEST(moved_interface_is_not_the_holder),
		TEST(holder_is_looked_for_in_its_namespace),
	};

	return cmocka_run_group_tests_name("dev-closing", tests, NULL, NULL);
}
