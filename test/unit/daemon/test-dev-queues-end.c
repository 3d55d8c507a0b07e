/* SPDX-License-Identifier: MIT */
/*
 * test-dev-queues-end.c - the end of a device with several queues, in
 * dev/file.h: closed one after the other, or deleted under all of them.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "dev/knob.h"
#include "fake.h"

enum {
	TUN_MQ = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
	ON = IFF_ATTACH_QUEUE,
	OFF = IFF_DETACH_QUEUE,
	QUEUES = 8,
};

static struct opened q[QUEUES];
static struct host_link *lnk;

static void make_queues(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		open_file(&q[i]);
		assert_int_equal(attach(&q[i], "t0", TUN_MQ), 0);
	}
	lnk = fake_link("t0");
	fake_set_up_down(lnk, true);
}

static void switch_to(struct opened *o, unsigned int flags)
{
	assert_int_equal(dev_file_set_queue(o->file, flags), 0);
}

/* Closes the last one, and waits until the device is idle. */
static void close_and_wait_idle(struct opened *o)
{
	unsigned int left = counter_value(&fake.left);

	close_file(o);
	assert_true(counter_wait(&fake.left, left + 1));
	assert_true(fake_has("t0"));
}

/* ---- closing ---- */

static void last_one_ends_the_device(void **state)
{
	/* Bits: which of the two are off. */
	for (unsigned int off = 0; off < 4; off++) {
		unsigned int stops = counter_value(&fake.stops);

		make_queues(2);
		for (unsigned int i = 0; i < 2; i++)
			if (off & 1u << i)
				switch_to(&q[i], OFF);
		close_file(&q[0]);
		assert_false(lnk->stopped);
		assert_int_equal(dev_poll(q[1].file), POLLOUT | POLLWRNORM);
		assert_int_equal(counter_value(&fake.stops), stops);
		close_file(&q[1]);
		assert_true(counter_wait(&fake.stops, stops + 1));
		assert_false(fake_has("t0"));
	}
}

static void closed_one_answers_its_own_readers(void **state)
{
	struct answer mine, others, switched_off;
	uint64_t lost;

	make_queues(3);
	switch_to(&q[2], OFF);
	park_read(&q[0], &mine, 100, true);
	park_read(&q[1], &others, 100, true);
	park_read(&q[2], &switched_off, 100, true);
	dev_file_close(q[0].file);
	assert_answered(&mine, -EFAULT);
	assert_int_equal(dev_poll(q[0].file), POLLERR);
	dev_file_close(q[0].file);
	assert_int_equal(others.n, 0);
	dev_file_close(q[2].file);
	assert_answered(&switched_off, -EFAULT);
	fake_input(lnk, 1, 60);
	assert_delivered(&others, 1);
	/* What nobody has read is counted. */
	fake_input(lnk, 2, 60);
	open_file(&q[3]);
	assert_int_equal(attach(&q[3], "t0", TUN_MQ), 0);
	dev_file_close(q[1].file);
	lost = stats_of(&q[3]).drops[TUND_DROP_DETACHED];
	assert_int_equal(lost, 1);
	for (int i = 0; i < 4; i++)
		close_file(&q[i]);
}

/* ---- persistent ---- */

static void persistent_device_outlasts_all(void **state)
{
	struct answer answer;
	char name[IFNAMSIZ];
	unsigned int flags;

	make_queues(3);
	/* Which of them asks for it makes no difference. */
	assert_int_equal(dev_set_persist(q[1].file, true), 0);
	fake_input(lnk, 1, 60);
	close_file(&q[1]);
	switch_to(&q[2], OFF);
	close_file(&q[0]);
	assert_true(lnk->carrier);
	close_and_wait_idle(&q[2]);
	assert_false(lnk->carrier);
	assert_int_equal(counter_value(&fake.stops), 0);

	/* Whoever is first says what packets look like. */
	open_file(&q[0]);
	assert_int_equal(attach_once(&q[0], "t0", IFF_TUN, false), -EINVAL);
	assert_int_equal(
		attach_once(&q[0], "t0", IFF_TUN | IFF_MULTI_QUEUE, false), 0);
	assert_true(lnk->carrier);
	assert_int_equal(dev_file_describe(q[0].file, name, &flags), 0);
	assert_int_equal(flags, 0x1901);
	assert_int_equal(read_now(&q[0], 100, &answer), -EAGAIN);
	fake_input(lnk, 2, 60);
	assert_int_equal(read_now(&q[0], 100, &answer), 64);
	open_file(&q[1]);
	assert_int_equal(attach_once(&q[1], "t0", TUN_MQ, false), 0);
	assert_int_equal(write_number(&q[1], 1, 64), 64);
	assert_int_equal(fake.sent.pkts[0]->len, 60);

	assert_int_equal(dev_set_persist(q[0].file, false), 0);
	close_file(&q[0]);
	assert_int_equal(counter_value(&fake.stops), 0);
	close_file(&q[1]);
	assert_true(counter_wait(&fake.stops, 1));
}

static void attach_that_failed_leaves_it_idle(void **state)
{
	unsigned int left;

	make_queues(1);
	assert_int_equal(dev_set_persist(q[0].file, true), 0);
	close_and_wait_idle(&q[0]);
	open_file(&q[0]);
	fake.carrier_error = -ENOMEM;
	left = counter_value(&fake.left);
	assert_int_equal(attach_once(&q[0], "t0", TUN_MQ, true), -ENOMEM);
	assert_false(dev_file_attached(q[0].file));
	assert_true(counter_wait(&fake.left, left + 1));
	fake.carrier_error = 0;
	assert_int_equal(attach_once(&q[0], "t0", TUN_MQ, false), 0);
	dev_set_persist(q[0].file, false);
	close_file(&q[0]);
}

/* ---- deletion ---- */

static void deleted_device_answers_all(void **state)
{
	struct answer parked[QUEUES], unarmed, after;
	struct request *request;

	make_queues(QUEUES);
	for (unsigned int i = 0; i < QUEUES; i++)
		park_read(&q[i], &parked[i], 100, true);
	request = park_read(&q[0], &unarmed, 100, false);
	for (unsigned int i = 0; i < QUEUES; i += 3)
		switch_to(&q[i], OFF);
	fake_delete("t0");
	for (unsigned int i = 0; i < QUEUES; i++) {
		assert_answered(&parked[i], -EFAULT);
		assert_false(dev_file_attached(q[i].file));
		assert_int_equal(dev_poll(q[i].file), POLLERR);
		assert_int_equal(read_now(&q[i], 100, &after), -EBADFD);
		assert_int_equal(write_number(&q[i], 1, 60), -EBADFD);
		assert_int_equal(dev_file_set_queue(q[i].file, ON), -EINVAL);
	}
	dev_io_arm(&request->io);
	assert_answered(&unarmed, -EFAULT);
	assert_true(counter_wait(&fake.stops, 1));

	/* All may have a new one. */
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_int_equal(attach(&q[i], "t0", TUN_MQ), 0);
	for (unsigned int i = 0; i < QUEUES; i++)
		close_file(&q[i]);
	assert_true(counter_wait(&fake.stops, 2));
}

static void deleted_persistent_device_is_gone(void **state)
{
	unsigned int left;

	make_queues(3);
	assert_int_equal(dev_set_persist(q[0].file, true), 0);
	switch_to(&q[1], OFF);
	left = counter_value(&fake.left);
	fake_delete("t0");
	assert_true(counter_wait(&fake.stops, 1));
	assert_true(counter_wait(&fake.left, left + 1));
	for (int i = 0; i < 3; i++)
		close_file(&q[i]);
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 1);
	assert_int_equal(fake.live_links, 0);
}

static void close_all_but_the_first(struct request *request)
{
	for (int i = 1; i < QUEUES; i++)
		dev_file_close(q[i].file);
}

/*
 * The others are closed while the first is told: the device goes once, by
 * whichever of the two.
 */
static void closed_while_it_is_deleted(void **state)
{
	for (int persist = 0; persist < 2; persist++) {
		struct request *request;
		struct answer answer;
		unsigned int stops = counter_value(&fake.stops);

		make_queues(QUEUES);
		dev_set_persist(q[0].file, persist);
		request = park_read(&q[0], &answer, 100, true);
		request->on_answer = close_all_but_the_first;
		fake_delete("t0");
		assert_answered(&answer, -EFAULT);
		assert_true(counter_wait(&fake.stops, stops + 1));
		for (int i = 0; i < QUEUES; i++)
			close_file(&q[i]);
		/* There is a place for it. */
		open_file(&q[0]);
		assert_int_equal(attach(&q[0], "t0", TUN_MQ), 0);
		close_file(&q[0]);
		assert_true(counter_wait(&fake.stops, stops + 2));
		assert_false(counter_value(&fake.stops) > stops + 2);
	}
}

static void attach_to_the_rest(struct request *request)
{
	assert_int_equal(attach_once(&q[2], "t0", TUN_MQ, true), -EBUSY);
	assert_false(dev_file_attached(q[2].file));
}

/* The table's end: the interface is there still, and can be found. */
static void nobody_joins_a_device_that_ends(void **state)
{
	struct request *request;
	struct answer answer;

	make_queues(2);
	open_file(&q[2]);
	request = park_read(&q[0], &answer, 100, true);
	request->on_answer = attach_to_the_rest;
	fake_free_table();
	assert_answered(&answer, -EFAULT);
	assert_int_equal(counter_value(&fake.stops), 1);
	for (int i = 0; i < 3; i++)
		close_file(&q[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(last_one_ends_the_device),
		TEST(closed_one_answers_its_own_readers),
		TEST(persistent_device_outlasts_all),
		TEST(attach_that_failed_leaves_it_idle),
		TEST(deleted_device_answers_all),
		TEST(deleted_persistent_device_is_gone),
		TEST(closed_while_it_is_deleted),
		TEST(nobody_joins_a_device_that_ends),
	};

	return cmocka_run_group_tests_name("dev-queues-end", tests, NULL, NULL);
}
