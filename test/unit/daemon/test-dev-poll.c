/* SPDX-License-Identifier: MIT */
/*
 * test-dev-poll.c - the poll events and the wake-ups of dev/io.h, and the end
 * of the table of devices.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "fake.h"

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)

static struct opened o;
static struct host_link *lnk;

static void attach_device(void)
{
	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN | IFF_NO_PI), 0);
	lnk = fake_link("t0");
}

static unsigned int wakes(void)
{
	return counter_value(&o.wakes);
}

/* ---- events ---- */

static void unattached_is_an_error(void **state)
{
	open_file(&o);
	assert_int_equal(dev_poll(o.file), POLLERR);
	close_file(&o);
}

static void events_of_every_state(void **state)
{
	struct answer answer;

	attach_device();
	/* Down: not writable, but readable. */
	assert_int_equal(dev_poll(o.file), 0);
	fake_input(lnk, 1, 100);
	assert_int_equal(dev_poll(o.file), READABLE);
	fake_set_up_down(lnk, true);
	assert_int_equal(dev_poll(o.file), READABLE | WRITABLE);
	read_now(&o, 100, &answer);
	assert_int_equal(dev_poll(o.file), WRITABLE);
	fake_set_up_down(lnk, false);
	assert_int_equal(dev_poll(o.file), 0);
	fake_delete("t0");
	assert_int_equal(dev_poll(o.file), POLLERR);
	close_file(&o);
}

static void closed_file_is_an_error(void **state)
{
	attach_device();
	fake_set_up_down(lnk, true);
	fake_input(lnk, 1, 100);
	dev_file_close(o.file);
	assert_int_equal(dev_poll(o.file), POLLERR);
	close_file(&o);
}

static void up_now(struct host_link *link)
{
	struct host_state now = link->state;

	fake.on_sync = NULL;
	now.up = true;
	device_state(link->owner, &now);
}

static void delete_now(struct host_link *link)
{
	fake.on_sync = NULL;
	fake_delete("t0");
}

/* What has happened before the call is known in it. */
static void events_are_those_of_the_news(void **state)
{
	attach_device();
	fake.on_sync = up_now;
	assert_int_equal(dev_poll(o.file), WRITABLE);
	fake.on_sync = delete_now;
	assert_int_equal(dev_poll(o.file), POLLERR);
	close_file(&o);
}

/* ---- wake-ups ---- */

static void input_wakes_once_for_a_batch(void **state)
{
	struct pkt *pkts[3];
	unsigned int before;

	attach_device();
	for (uint32_t i = 0; i < 3; i++)
		pkts[i] = fake_packet(i, 100, 0);
	before = wakes();
	device_input(lnk->owner, pkts, 3);
	assert_int_equal(wakes(), before + 1);
	fake_input(lnk, 4, 100);
	assert_int_equal(wakes(), before + 2);
	device_input(lnk->owner, NULL, 0);
	assert_int_equal(wakes(), before + 2);
	close_file(&o);
}

/* Nothing is there for poll when a reader was given it all. */
static void input_for_a_parked_reader_wakes_nobody(void **state)
{
	struct answer answer;
	struct pkt *pkts[2];
	unsigned int before;

	attach_device();
	park_read(&o, &answer, 100, true);
	before = wakes();
	fake_input(lnk, 1, 100);
	assert_int_equal(wakes(), before);
	/* But for one packet more than there are readers. */
	park_read(&o, &answer, 100, true);
	for (uint32_t i = 0; i < 2; i++)
		pkts[i] = fake_packet(i, 100, 0);
	device_input(lnk->owner, pkts, 2);
	assert_delivered(&answer, 0);
	assert_int_equal(wakes(), before + 1);
	close_file(&o);
}

static void changes_wake(void **state)
{
	unsigned int before;

	open_file(&o);
	before = wakes();
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	lnk = fake_link("t0");
	assert_true(wakes() > before);
	before = wakes();
	fake_set_up_down(lnk, true);
	assert_true(wakes() > before);
	before = wakes();
	fake_set_up_down(lnk, false);
	assert_true(wakes() > before);
	before = wakes();
	fake_delete("t0");
	assert_true(wakes() > before);
	before = wakes();
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	assert_true(wakes() > before);
	before = wakes();
	dev_file_close(o.file);
	assert_true(wakes() > before);
	close_file(&o);
}

/* ---- the end of the table ---- */

static void table_ends_with_attached_files(void **state)
{
	struct opened files[3];
	struct answer reads[3], late;

	for (size_t i = 0; i < 3; i++) {
		open_file(&files[i]);
		attach_up(&files[i],
			  i == 0   ? "a"
			  : i == 1 ? "b"
				   : "c",
			  IFF_TUN | IFF_NO_PI);
		park_read(&files[i], &reads[i], 100, true);
	}
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 3);
	assert_int_equal(fake_links(), 0);
	/* The files outlive it. */
	for (size_t i = 0; i < 3; i++) {
		assert_answered(&reads[i], -EFAULT);
		assert_false(dev_file_attached(files[i].file));
		assert_int_equal(dev_poll(files[i].file), POLLERR);
		assert_int_equal(read_now(&files[i], 100, &late), -EBADFD);
		assert_int_equal(write_number(&files[i], 1, 100), -EBADFD);
		close_file(&files[i]);
	}
	assert_int_equal(fake.live_links, 0);
}

/* It waits for those that are on their way already. */
static void table_waits_for_devices_that_leave(void **state)
{
	struct opened files[20];

	for (size_t i = 0; i < 20; i++) {
		open_file(&files[i]);
		assert_int_equal(attach(&files[i], "x%d", IFF_TAP), 0);
	}
	for (size_t i = 0; i < 20; i++)
		close_file(&files[i]);
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 20);
	assert_int_equal(fake.live_links, 0);
}

static void empty_table_ends(void **state)
{
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 0);
}

/* Deleted and closed: the device goes once. */
static void device_goes_once(void **state)
{
	struct dev_queue *queue;
	struct device *dev;

	attach_device();
	dev = lnk->owner;
	device_ref(dev);
	queue = dev_file_queue(o.file);
	fake_delete("t0");
	device_gone(dev);
	device_detach(queue);
	dev_queue_unref(queue);
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 1));
	/* A reference is ours: the link is still there. */
	assert_int_equal(fake.live_links, 1);
	device_unref(dev);
	fake_free_table();
	assert_int_equal(fake.live_links, 0);
	assert_int_equal(counter_value(&fake.stops), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unattached_is_an_error),
		TEST(events_of_every_state),
		TEST(closed_file_is_an_error),
		TEST(events_are_those_of_the_news),
		TEST(input_wakes_once_for_a_batch),
		TEST(input_for_a_parked_reader_wakes_nobody),
		TEST(changes_wake),
		TEST(table_ends_with_attached_files),
		TEST(table_waits_for_devices_that_leave),
		TEST(empty_table_ends),
		TEST(device_goes_once),
	};

	return cmocka_run_group_tests_name("dev-poll", tests, NULL, NULL);
}
