/* SPDX-License-Identifier: MIT */
/*
 * test-dev-persist.c - devices that stay when their file is closed, in
 * dev/file.h and dev/knob.h: what stays, who may attach, and how they end.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "dev/knob.h"
#include "fake.h"

static struct opened o;

/* A device that is kept, with nobody attached. */
static void make_idle(unsigned int flags)
{
	unsigned int left;

	open_file(&o);
	attach_up(&o, "t0", flags);
	assert_int_equal(dev_set_persist(o.file, true), 0);
	left = counter_value(&fake.left);
	close_file(&o);
	assert_true(counter_wait(&fake.left, left + 1));
	open_file(&o);
}

static unsigned int flags_of(struct opened *of)
{
	char name[IFNAMSIZ];
	unsigned int flags = 0;

	assert_int_equal(dev_file_describe(of->file, name, &flags), 0);
	return flags;
}

/* The last of them: it goes with its file. */
static void end_device(struct opened *of)
{
	unsigned int stops = counter_value(&fake.stops);

	assert_int_equal(dev_set_persist(of->file, false), 0);
	close_file(of);
	assert_true(counter_wait(&fake.stops, stops + 1));
}

static void close_leaves_the_interface(void **state)
{
	struct host_link *link;

	make_idle(IFF_TUN);
	assert_int_equal(counter_value(&fake.stops), 0);
	link = fake_link("t0");
	assert_false(link->stopped);
	/* Nobody is there to hear anything. */
	assert_false(link->carrier);
	assert_int_equal(counter_value(&o.wakes), 0);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN, false), 0);
	assert_true(counter_value(&o.wakes) > 0);
	assert_ptr_equal(fake_link("t0"), link);
	assert_true(link->carrier);
	assert_int_equal(dev_poll(o.file), POLLOUT | POLLWRNORM);
	end_device(&o);
	assert_false(fake_has("t0"));
}

static void flag_is_told(void **state)
{
	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	assert_int_equal(flags_of(&o), 0x1001);
	dev_set_persist(o.file, true);
	assert_int_equal(flags_of(&o), 0x1801);
	dev_set_persist(o.file, true);
	dev_set_persist(o.file, false);
	assert_int_equal(flags_of(&o), 0x1001);
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 1));
}

/* The format is the new file's. */
static void flags_are_those_of_the_new_attach(void **state)
{
	struct answer answer;

	make_idle(IFF_TUN | IFF_NO_PI);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN | IFF_ONE_QUEUE, false),
			 0);
	assert_int_equal(flags_of(&o), 0x3801);
	fake_input(fake_link("t0"), 1, 100);
	assert_int_equal(read_now(&o, 200, &answer), 104);
	end_device(&o);
}

static void no_carrier_is_for_this_attach(void **state)
{
	make_idle(IFF_TUN);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN | IFF_NO_CARRIER, false),
			 0);
	assert_false(fake_link("t0")->carrier);
	end_device(&o);
}

static void queue_is_emptied(void **state)
{
	struct host_link *link;
	struct answer answer;

	open_file(&o);
	link = attach_up(&o, "t0", IFF_TUN | IFF_NO_PI);
	dev_set_persist(o.file, true);
	fake_input(link, 1, 100);
	close_file(&o);
	/* One that came just then. */
	fake_input(link, 2, 100);
	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN | IFF_NO_PI), 0);
	assert_int_equal(read_now(&o, 200, &answer), -EAGAIN);
	/* The counters go on. */
	assert_int_equal(stats_of(&o).drops[TUND_DROP_DETACHED], 2);
	fake_input(link, 3, 100);
	assert_int_equal(read_now(&o, 200, &answer), 100);
	assert_delivered(&answer, 3);
	end_device(&o);
}

static void knobs_stay(void **state)
{
	int value;

	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	dev_set_persist(o.file, true);
	dev_set_vnet_hdr_size(o.file, 4711);
	close_file(&o);
	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	dev_get_vnet_hdr_size(o.file, &value);
	assert_int_equal(value, 4711);
	end_device(&o);
}

/* What write() took is sent, before anybody else may attach. */
static void parting_device_sends_first(void **state)
{
	struct host_link *link;
	unsigned int left;

	open_file(&o);
	link = attach_up(&o, "t0", IFF_TUN | IFF_NO_PI);
	dev_set_persist(o.file, true);
	fake.send_room = 0;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(write_number(&o, i, 100), 100);
	close_file(&o);
	open_file(&o);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN, false),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN, true), -EBUSY);
	left = counter_value(&fake.left);
	fake.send_room = INT32_MAX;
	device_can_send(link->owner);
	assert_int_equal(fake.sent.n, 3);
	assert_true(counter_wait(&fake.left, left + 1));
	assert_int_equal(attach_once(&o, "t0", IFF_TUN, false), 0);
	end_device(&o);
}

/* ---- who may attach ---- */

static void refusals_are_the_kernels(void **state)
{
	static const struct {
		unsigned int flags;
		int error;
	} cases[] = {
		{IFF_TUN | IFF_TUN_EXCL, -EBUSY},
		{IFF_TAP | IFF_TUN_EXCL, -EBUSY},
		{IFF_TAP, -EINVAL},
		{0, -EINVAL},
		{IFF_TUN | IFF_MULTI_QUEUE, -EINVAL},
	};
	struct opened other;

	make_idle(IFF_TUN);
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(attach_once(&o, "t0", cases[i].flags, false),
				 cases[i].error);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN, false), 0);
	/* Taken again. */
	open_file(&other);
	assert_int_equal(attach_once(&other, "t0", IFF_TUN, false), -EBUSY);
	close_file(&other);
	end_device(&o);
}

static void owner_and_group_have_to_match(void **state)
{
	enum {
		UNSET = -1,
		MINE = 1000,
		OTHER = 2000,
	};
	static const struct {
		int owner, group;
		bool user; /* attaches without the capability */
	} cases[] = {
		/* Nobody's is everybody's. */
		{UNSET, UNSET, true},  {MINE, UNSET, true},
		{OTHER, UNSET, false}, {UNSET, MINE, true},
		{UNSET, OTHER, false}, {MINE, MINE, true},
		{MINE, OTHER, false},  {OTHER, MINE, false},
	};
	static const gid_t groups[] = {5, MINE, 7};
	const struct dev_caller user = {
		.uid = MINE,
		.groups = groups,
		.n_groups = LENGTH(groups),
	};
	const struct dev_caller loner = {.uid = MINE};
	const struct dev_caller admin = {.net_admin = true, .uid = 1};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		bool group = cases[i].group != UNSET;

		make_idle(IFF_TUN);
		assert_int_equal(attach_by(&o, "t0", IFF_TUN, &admin), 0);
		if (cases[i].owner != UNSET)
			dev_set_owner(o.file, (uid_t)cases[i].owner);
		if (group)
			dev_set_group(o.file, (gid_t)cases[i].group);
		close_file(&o);
		open_file(&o);
		/* It is idle again. */
		while (attach_once(&o, "t0", 0, false) == DEV_ATTACH_AGAIN)
			sched_yield();
		if (!cases[i].user || group)
			assert_int_equal(attach_by(&o, "t0", IFF_TUN, &loner),
					 -EPERM);
		assert_int_equal(attach_by(&o, "t0", IFF_TUN, &user),
				 cases[i].user ? 0 : -EPERM);
		if (!cases[i].user)
			assert_int_equal(attach_by(&o, "t0", IFF_TUN, &admin),
					 0);
		end_device(&o);
	}
}

static void owner_once_set_cannot_be_removed(void **state)
{
	const struct dev_caller other = {.uid = 2000};

	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	assert_int_equal(dev_set_owner(o.file, 1000), 0);
	assert_int_equal(dev_set_owner(o.file, (uid_t)-1), -EINVAL);
	assert_int_equal(dev_set_group(o.file, (gid_t)-1), -EINVAL);
	dev_set_persist(o.file, true);
	close_file(&o);
	open_file(&o);
	while (attach_once(&o, "t0", 0, false) == DEV_ATTACH_AGAIN)
		sched_yield();
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &other), -EPERM);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	end_device(&o);
}

static void move_now(struct host_link *link)
{
	struct host_state now = link->state;

	fake.on_sync = NULL;
	now.moved = true;
	fake_change(link, &now);
}

/* The news may not have been read yet: who looks for it asks for them. */
static void found_where_it_was_just_moved_to(void **state)
{
	struct opened there;

	make_idle(IFF_TUN);
	open_file_in(&there, "/proc/self/ns/uts");
	assert_int_equal(attach(&there, "t0", IFF_TUN), -EINVAL);
	fake.elsewhere_fd = dev_file_ns(there.file);
	fake.on_sync = move_now;
	assert_int_equal(attach(&there, "t0", IFF_TUN), 0);
	close_file(&o);
	end_device(&there);
}

/* ---- the end ---- */

static void deleted_while_idle(void **state)
{
	make_idle(IFF_TUN);
	fake_delete("t0");
	assert_true(counter_wait(&fake.stops, 1));
	assert_int_equal(attach(&o, "t0", IFF_TAP), 0);
	/* A new one, which is not kept. */
	assert_int_equal(flags_of(&o), 0x1002);
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 2));
}

static void deleted_while_attached(void **state)
{
	struct answer answer;

	make_idle(IFF_TUN);
	assert_int_equal(attach_once(&o, "t0", IFF_TUN, false), 0);
	park_read(&o, &answer, 100, true);
	fake_delete("t0");
	assert_answered(&answer, -EFAULT);
	assert_false(dev_file_attached(o.file));
	assert_true(counter_wait(&fake.stops, 1));
	close_file(&o);
}

/* The file has left, and what it wrote is still to be sent. */
static void deleted_while_parting(void **state)
{
	open_file(&o);
	attach_up(&o, "t0", IFF_TUN | IFF_NO_PI);
	dev_set_persist(o.file, true);
	fake.send_room = 0;
	assert_int_equal(write_number(&o, 1, 100), 100);
	close_file(&o);
	assert_true(fake_has("t0"));
	fake_delete("t0");
	assert_true(counter_wait(&fake.stops, 1));
	/* Once: the table's end finds nothing. */
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 1);
	assert_int_equal(fake.live_links, 0);
}

static void table_ends_idle_devices(void **state)
{
	make_idle(IFF_TUN);
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 1);
	assert_int_equal(fake.live_links, 0);
	close_file(&o);
}

static void table_ends_parting_devices(void **state)
{
	struct opened files[10];

	for (size_t i = 0; i < LENGTH(files); i++) {
		open_file(&files[i]);
		assert_int_equal(attach(&files[i], "x%d", IFF_TUN), 0);
		dev_set_persist(files[i].file, true);
	}
	for (size_t i = 0; i < LENGTH(files); i++)
		close_file(&files[i]);
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), LENGTH(files));
	assert_int_equal(fake.live_links, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(close_leaves_the_interface),
		TEST(flag_is_told),
		TEST(flags_are_those_of_the_new_attach),
		TEST(no_carrier_is_for_this_attach),
		TEST(queue_is_emptied),
		TEST(knobs_stay),
		TEST(parting_device_sends_first),
		TEST(refusals_are_the_kernels),
		TEST(owner_and_group_have_to_match),
		TEST(owner_once_set_cannot_be_removed),
		TEST(found_where_it_was_just_moved_to),
		TEST(deleted_while_idle),
		TEST(deleted_while_attached),
		TEST(deleted_while_parting),
		TEST(table_ends_idle_devices),
		TEST(table_ends_parting_devices),
	};

	return cmocka_run_group_tests_name("dev-persist", tests, NULL, NULL);
}
