/* SPDX-License-Identifier: MIT */
/*
 * test-dev-queues.c - several open files on one device, in dev/file.h: who may
 * join, what TUNSETQUEUE switches off and on, and how the device ends. Which
 * queue a packet goes to is test-dev-flows.c's.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "dev/knob.h"
#include "fake.h"

#define WRITABLE (POLLOUT | POLLWRNORM)
#define READABLE (POLLIN | POLLRDNORM)
#define MANY	 HOST_MAX_QUEUES

enum {
	TUN_MQ = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
	TAP_MQ = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE,
	ON = IFF_ATTACH_QUEUE,
	OFF = IFF_DETACH_QUEUE,
};

static struct opened q[MANY + 1];
static struct host_link *lnk;

/* A device whose interface is up, with the first `n` of q attached. */
static void make_queues(unsigned int n, unsigned int flags)
{
	for (unsigned int i = 0; i < n; i++) {
		open_file(&q[i]);
		assert_int_equal(attach(&q[i], "t0", flags), 0);
	}
	lnk = fake_link("t0");
	fake_set_up_down(lnk, true);
}

static void close_queues(unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < n; i++)
		close_file(&q[i]);
}

static void switch_to(struct opened *o, unsigned int flags)
{
	assert_int_equal(dev_file_set_queue(o->file, flags), 0);
}

static unsigned int flags_of(struct opened *o)
{
	char name[IFNAMSIZ];
	unsigned int flags = 0;

	assert_int_equal(dev_file_describe(o->file, name, &flags), 0);
	return flags;
}

static ssize_t reads(struct opened *o)
{
	struct answer answer;

	return read_now(o, ANSWER_MAX, &answer);
}

/* ---- joining ---- */

static void what_is_asked_for_must_match(void **state)
{
	static const struct {
		unsigned int first, flags;
		int r;
	} cases[] = {
		{TUN_MQ, TUN_MQ, 0},
		{TUN_MQ, TUN_MQ | IFF_TAP, 0},
		{TUN_MQ, TUN_MQ & ~IFF_MULTI_QUEUE, -EINVAL},
		{TUN_MQ, TAP_MQ, -EINVAL},
		{TUN_MQ, IFF_MULTI_QUEUE, -EINVAL},
		{TUN_MQ, TUN_MQ | IFF_TUN_EXCL, -EBUSY},
		{TAP_MQ, TAP_MQ, 0},
		{TAP_MQ, TAP_MQ | IFF_TUN, -EINVAL},
		{IFF_TUN, IFF_TUN | IFF_MULTI_QUEUE, -EINVAL},
		{IFF_TUN, IFF_TUN, -EBUSY},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		make_queues(1, cases[i].first);
		open_file(&q[1]);
		for (int final = 0; final < 2; final++) {
			if (attach_once(&q[1], "t0", cases[i].flags, final) !=
			    (final && cases[i].r == 0 ? -EEXIST : cases[i].r))
				fail_msg("case %zu", i);
			assert_int_equal(dev_file_attached(q[1].file),
					 cases[i].r == 0);
		}
		close_queues(0, 2);
	}
}

/* The packets are those of the first one, until nobody is left. */
static void flags_of_a_further_queue_do_not_count(void **state)
{
	static const unsigned int others[] = {
		IFF_TUN | IFF_MULTI_QUEUE,
		TUN_MQ | IFF_ONE_QUEUE,
		TUN_MQ | IFF_NO_CARRIER,
		TUN_MQ | IFF_VNET_HDR,
	};

	make_queues(1, TUN_MQ);
	for (unsigned int i = 0; i < LENGTH(others); i++) {
		open_file(&q[i + 1]);
		set_mode(&q[i + 1], TUND_MODE_ALL_IOCTLS, 0);
		assert_int_equal(attach(&q[i + 1], "t0", others[i]), 0);
		assert_int_equal(flags_of(&q[i + 1]), 0x1101);
		assert_true(lnk->carrier);
		assert_int_equal(write_number(&q[i + 1], i, 60), 60);
		assert_int_equal(fake.sent.pkts[i]->len, 60);
	}
	/* One that is switched off keeps them as well. */
	close_queues(0, LENGTH(others));
	switch_to(&q[LENGTH(others)], OFF);
	open_file(&q[0]);
	assert_int_equal(attach(&q[0], "t0", others[0]), 0);
	assert_int_equal(flags_of(&q[0]), 0x1101);
	close_file(&q[0]);
	close_file(&q[LENGTH(others)]);
}

static void device_has_so_many_and_no_more(void **state)
{
	make_queues(MANY, TUN_MQ);
	open_file(&q[MANY]);
	assert_int_equal(attach_once(&q[MANY], "t0", TUN_MQ, false), -E2BIG);
	/* Those that are switched off count. */
	for (unsigned int i = 0; i < MANY; i += 2)
		switch_to(&q[i], OFF);
	assert_int_equal(attach_once(&q[MANY], "t0", TUN_MQ, false), -E2BIG);
	assert_false(dev_file_attached(q[MANY].file));
	assert_int_equal(fake.open_ns, 0);

	for (unsigned int i = 0; i < 2; i++) {
		/* Whoever it is that goes, on or off. */
		close_file(&q[i]);
		assert_int_equal(attach_once(&q[MANY], "t0", TUN_MQ, false), 0);
		open_file(&q[i]);
		assert_int_equal(attach_once(&q[i], "t0", TUN_MQ, false),
				 -E2BIG);
		close_file(&q[MANY]);
		open_file(&q[MANY]);
		assert_int_equal(attach_once(&q[i], "t0", TUN_MQ, false), 0);
	}
	close_queues(0, MANY + 1);
}

/* FUSE has not yet told of its end. */
static void room_that_may_soon_be_there(void **state)
{
	make_queues(MANY, TUN_MQ);
	open_file(&q[MANY]);
	dev_file_set_closing(q[7].file, true);
	assert_int_equal(attach_once(&q[MANY], "t0", TUN_MQ, false),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(attach_once(&q[MANY], "t0", TUN_MQ, true), -E2BIG);
	close_file(&q[7]);
	assert_int_equal(attach_once(&q[MANY], "t0", TUN_MQ, false), 0);
	close_queues(0, 7);
	close_queues(8, MANY + 1);
}

static void device_that_may_soon_be_gone(void **state)
{
	make_queues(2, TUN_MQ);
	open_file(&q[2]);
	switch_to(&q[1], OFF);
	dev_file_set_closing(q[0].file, true);
	/* The other one holds it. */
	assert_int_equal(attach_once(&q[2], "t0", TUN_MQ, false), 0);
	close_file(&q[2]);
	dev_file_set_closing(q[1].file, true);
	open_file(&q[2]);
	assert_int_equal(attach_once(&q[2], "t0", TUN_MQ, false),
			 DEV_ATTACH_AGAIN);
	assert_int_equal(attach_once(&q[2], "t0", TUN_MQ, true), 0);
	close_queues(0, 3);
}

/* ---- switching ---- */

static void switching_where_it_is_wrong(void **state)
{
	open_file(&q[1]);
	assert_int_equal(dev_file_set_queue(q[1].file, ON), -EINVAL);
	assert_int_equal(dev_file_set_queue(q[1].file, OFF), -EINVAL);
	close_file(&q[1]);

	make_queues(1, IFF_TUN | IFF_NO_PI);
	assert_int_equal(dev_file_set_queue(q[0].file, ON), -EINVAL);
	assert_int_equal(dev_file_set_queue(q[0].file, OFF), -EINVAL);
	assert_int_equal(flags_of(&q[0]), 0x1001);
	close_file(&q[0]);

	make_queues(1, TUN_MQ);
	assert_int_equal(dev_file_set_queue(q[0].file, ON), -EINVAL);
	assert_int_equal(dev_file_set_queue(q[0].file, 0), -EINVAL);
	assert_int_equal(dev_file_set_queue(q[0].file, ~(ON | OFF)), -EINVAL);
	/* Both are as if it were this one. */
	assert_int_equal(dev_file_set_queue(q[0].file, ON | OFF), -EINVAL);
	assert_int_equal(flags_of(&q[0]), 0x1101);
	switch_to(&q[0], OFF | TUN_MQ | IFF_PERSIST);
	assert_int_equal(dev_file_set_queue(q[0].file, OFF), -EINVAL);
	assert_int_equal(dev_file_set_queue(q[0].file, 0), -EINVAL);
	assert_int_equal(flags_of(&q[0]), 0x1501);
	switch_to(&q[0], ON | OFF);
	assert_int_equal(flags_of(&q[0]), 0x1101);
	switch_to(&q[0], OFF);
	fake_delete("t0");
	assert_int_equal(dev_file_set_queue(q[0].file, ON), -EINVAL);
	assert_int_equal(dev_file_set_queue(q[0].file, OFF), -EINVAL);
	close_file(&q[0]);
}

static void switched_off_queue(void **state)
{
	struct answer answer;
	struct request *request;

	make_queues(2, TAP_MQ);
	switch_to(&q[1], OFF);
	assert_int_equal(flags_of(&q[0]), 0x1102);
	assert_int_equal(flags_of(&q[1]), 0x1502);
	assert_true(dev_file_attached(q[1].file));
	assert_int_equal(attach_once(&q[1], "t0", TAP_MQ, false), -EEXIST);
	assert_int_equal(dev_file_set_ifindex(q[1].file, 5), -EPERM);

	for (uint32_t i = 0; i < 20; i++)
		fake_input(lnk, i, 60);
	assert_int_equal(reads(&q[1]), -EAGAIN);
	assert_int_equal(dev_poll(q[1].file), WRITABLE);
	assert_int_equal(stats_of(&q[0]).queued, 20);
	request = park_read(&q[1], &answer, 100, true);
	fake_input(lnk, 20, 60);
	assert_int_equal(answer.n, 0);
	interrupt_request(&q[1], request);
	assert_answered(&answer, -EINTR);

	/* Writing goes on, and what it refuses. */
	assert_int_equal(write_number(&q[1], 1, 60), 60);
	assert_int_equal(write_number(&q[1], 1, 13), -EINVAL);
	assert_int_equal(stats_of(&q[0]).rx_packets, 1);
	fake_set_up_down(lnk, false);
	assert_int_equal(dev_poll(q[1].file), 0);
	fake.send_room = 0;
	fake.send_error = -ENETDOWN;
	assert_int_equal(write_number(&q[1], 1, 60), -EIO);
	close_queues(0, 2);
}

static void what_waits_is_lost_at_switching_off(void **state)
{
	make_queues(1, TUN_MQ);
	for (uint32_t i = 0; i < 5; i++)
		fake_input(lnk, i, 60);
	assert_int_equal(dev_poll(q[0].file), WRITABLE | READABLE);
	switch_to(&q[0], OFF);
	assert_int_equal(stats_of(&q[0]).drops[TUND_DROP_DETACHED], 5);
	assert_int_equal(stats_of(&q[0]).queued, 0);
	/* With all of them off nobody is there. */
	fake_input(lnk, 6, 60);
	assert_int_equal(stats_of(&q[0]).drops[TUND_DROP_DETACHED], 6);
	switch_to(&q[0], ON);
	assert_int_equal(dev_poll(q[0].file), WRITABLE);
	assert_int_equal(reads(&q[0]), -EAGAIN);
	assert_int_equal(stats_of(&q[0]).drops[TUND_DROP_DETACHED], 6);
	fake_input(lnk, 7, 60);
	assert_int_equal(reads(&q[0]), 60);
	close_queues(0, 1);
}

static void switching_wakes_who_polls(void **state)
{
	unsigned int before[2];

	make_queues(2, TUN_MQ);
	for (unsigned int flags = OFF; flags; flags = flags == OFF ? ON : 0) {
		for (int i = 0; i < 2; i++)
			before[i] = counter_value(&q[i].wakes);
		switch_to(&q[0], flags);
		assert_true(counter_value(&q[0].wakes) > before[0]);
		assert_int_equal(counter_value(&q[1].wakes), before[1]);
	}
	close_queues(0, 2);
}

/* It waits until there is something for it again. */
static void parked_readers_outlast_being_off(void **state)
{
	struct answer armed, unarmed;
	struct request *request;

	make_queues(1, TUN_MQ);
	park_read(&q[0], &armed, 100, true);
	request = park_read(&q[0], &unarmed, 100, false);
	switch_to(&q[0], OFF);
	fake_input(lnk, 1, 60);
	dev_io_arm(&request->io);
	assert_int_equal(armed.n, 0);
	switch_to(&q[0], ON);
	assert_int_equal(armed.n, 0);
	fake_input(lnk, 2, 60);
	assert_delivered(&armed, 2);
	switch_to(&q[0], OFF);
	switch_to(&q[0], ON);
	fake_input(lnk, 3, 60);
	assert_delivered(&unarmed, 3);
	close_queues(0, 1);
}

static void carrier_needs_a_queue_that_is_on(void **state)
{
	make_queues(2, TUN_MQ);
	switch_to(&q[0], OFF);
	assert_int_equal(dev_set_carrier(q[0].file, true), 0);
	switch_to(&q[1], OFF);
	assert_true(lnk->carrier);
	assert_int_equal(dev_set_carrier(q[0].file, true), -EPERM);
	assert_true(lnk->carrier);
	assert_int_equal(dev_set_carrier(q[0].file, false), 0);
	assert_false(lnk->carrier);
	assert_int_equal(dev_set_carrier(q[1].file, true), -EPERM);
	assert_false(lnk->carrier);
	switch_to(&q[1], ON);
	assert_int_equal(dev_set_carrier(q[0].file, true), 0);
	assert_true(lnk->carrier);
	/* It stays when the last that was on is closed. */
	close_file(&q[1]);
	assert_true(lnk->carrier);
	close_file(&q[0]);
}

/* ---- the interface ---- */

static void each_queue_has_its_bound(void **state)
{
	struct host_state now;

	make_queues(2, TUN_MQ);
	now = lnk->state;
	now.queue_len = 3;
	fake_change(lnk, &now);
	/* One that joins later has it, too. */
	open_file(&q[2]);
	assert_int_equal(attach(&q[2], "t0", TUN_MQ), 0);
	for (unsigned int i = 0; i < 500; i++)
		fake_input_udp(lnk, i, i);
	assert_int_equal(stats_of(&q[0]).queued, 9);
	assert_int_equal(stats_of(&q[0]).drops[TUND_DROP_QUEUE_FULL], 491);
	/* It reaches those that are off. */
	switch_to(&q[0], OFF);
	switch_to(&q[1], OFF);
	now.queue_len = 4;
	fake_change(lnk, &now);
	switch_to(&q[2], OFF);
	switch_to(&q[1], ON);
	for (unsigned int i = 0; i < 6; i++)
		fake_input_udp(lnk, i, i);
	assert_int_equal(stats_of(&q[0]).queued, 4);
	close_queues(0, 3);
}

static void changes_wake_all(void **state)
{
	unsigned int before[3];

	make_queues(3, TUN_MQ);
	switch_to(&q[1], OFF);
	for (int i = 0; i < 3; i++)
		before[i] = counter_value(&q[i].wakes);
	fake_set_up_down(lnk, false);
	for (int i = 0; i < 3; i++) {
		assert_true(counter_value(&q[i].wakes) > before[i]);
		assert_int_equal(dev_poll(q[i].file), 0);
	}
	close_queues(0, 3);
}

static void numbers_of_queues_are_told(void **state)
{
	struct tund_device device = {.id = 0};

	make_queues(5, TUN_MQ);
	switch_to(&q[1], OFF);
	switch_to(&q[3], OFF);
	assert_int_equal(dev_file_next_device(q[0].file, &device), 0);
	assert_int_equal(device.queues, 3);
	assert_int_equal(device.queues_off, 2);
	assert_int_equal(device.plane, TUND_PLANE_FILE);
	assert_int_equal(device.flags, 0x1101);
	close_file(&q[0]);
	close_file(&q[1]);
	device.id = 0;
	assert_int_equal(dev_file_next_device(q[2].file, &device), 0);
	assert_int_equal(device.queues, 2);
	assert_int_equal(device.queues_off, 1);
	close_queues(2, 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_asked_for_must_match),
		TEST(flags_of_a_further_queue_do_not_count),
		TEST(device_has_so_many_and_no_more),
		TEST(room_that_may_soon_be_there),
		TEST(device_that_may_soon_be_gone),
		TEST(switching_where_it_is_wrong),
		TEST(switched_off_queue),
		TEST(what_waits_is_lost_at_switching_off),
		TEST(switching_wakes_who_polls),
		TEST(parked_readers_outlast_being_off),
		TEST(carrier_needs_a_queue_that_is_on),
		TEST(each_queue_has_its_bound),
		TEST(changes_wake_all),
		TEST(numbers_of_queues_are_told),
	};

	return cmocka_run_group_tests_name("dev-queues", tests, NULL, NULL);
}
