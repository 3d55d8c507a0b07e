/* SPDX-License-Identifier: MIT */
/*
 * test-dev-pause-queues.c - when nothing is received because none of several
 * queues has room, and when it goes on. One queue is test-dev-pause.c's.
 */
#include "dev/report.h"
#include "fake.h"

#define N_QUEUES  3
#define QUEUE_LEN 4

enum {
	TUN_MQ = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
};

static struct opened q[N_QUEUES];
static struct host_link *lnk;

/* To each goes the flow of its number. */
static void make_queues(unsigned int n)
{
	uint8_t data[FAKE_UDP_LEN];
	struct host_state now;

	for (unsigned int i = 0; i < n; i++) {
		open_file(&q[i]);
		assert_int_equal(attach(&q[i], "t0", TUN_MQ), 0);
	}
	lnk = fake_link("t0");
	now = lnk->state;
	now.up = true;
	now.queue_len = QUEUE_LEN;
	fake_change(lnk, &now);
	for (unsigned int i = 0; i < n; i++) {
		fake_udp(data, i, true, 0);
		assert_int_equal(write_now(&q[i], data, sizeof(data)),
				 sizeof(data));
	}
}

static void close_queues(unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < n; i++)
		close_file(&q[i]);
}

static unsigned int input(unsigned int flow)
{
	struct pkt *pkt = fake_udp_packet(flow, 0);

	return device_input(lnk->owner, &pkt, 1);
}

static void fill(unsigned int queue)
{
	for (unsigned int i = 0; i < QUEUE_LEN; i++)
		assert_int_equal(input(queue), 0);
	assert_int_equal(input(queue), 1);
}

static void read_from(unsigned int queue, unsigned int n)
{
	struct answer answer;

	while (n-- > 0)
		assert_int_equal(read_now(&q[queue], ANSWER_MAX, &answer),
				 FAKE_UDP_LEN);
}

/* From the beginning: a while may go by before device_pause() looks again. */
static void stop_clock(struct host_link *link)
{
	atomic_store(&link->owner->paused_until, UINT64_MAX);
}

/* One that no clock ends. */
static void pause_it(void)
{
	fake.on_pause = stop_clock;
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.pauses), 1);
	assert_int_equal(counter_value(&fake.resumes), 0);
}

static bool goes_on(void)
{
	return counter_value(&fake.resumes) > 0;
}

static void one_with_room_is_not_kept_waiting(void **state)
{
	make_queues(2);
	fill(0);
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.pauses), 0);
	/* Nor if all it lacks is one packet. */
	for (unsigned int i = 0; i < QUEUE_LEN; i++)
		assert_int_equal(input(1), 0);
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.pauses), 0);
	assert_int_equal(input(1), 1);
	pause_it();
	close_queues(0, 2);
}

static void room_that_was_made_counts(void **state)
{
	make_queues(2);
	fill(0);
	fill(1);
	read_from(1, 1);
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.pauses), 0);
	close_queues(0, 2);
}

/* Of a run, too, in which a packet of another queue comes last. */
static void full_ones_are_told(void **state)
{
	struct pkt *pkts[] = {
		fake_udp_packet(0, 0),
		fake_udp_packet(0, 0),
		fake_udp_packet(1, 0),
	};

	make_queues(2);
	fill(0);
	assert_int_equal(device_input(lnk->owner, pkts, LENGTH(pkts)), 2);
	close_queues(0, 2);
}

static void one_reader_is_enough(void **state)
{
	make_queues(3);
	for (unsigned int i = 0; i < 3; i++)
		fill(i);
	pause_it();
	read_from(0, QUEUE_LEN / 2 - 1);
	read_from(1, QUEUE_LEN / 2 - 1);
	assert_false(goes_on());
	read_from(1, 1);
	assert_true(goes_on());
	close_queues(0, 3);
}

static void one_that_is_switched_off_does_not_count(void **state)
{
	make_queues(2);
	assert_int_equal(dev_file_set_queue(q[1].file, IFF_DETACH_QUEUE), 0);
	fill(0);
	pause_it();
	read_from(0, QUEUE_LEN / 2 - 1);
	assert_false(goes_on());
	/* Its reader may wait in poll(). */
	assert_int_equal(dev_file_set_queue(q[1].file, IFF_ATTACH_QUEUE), 0);
	assert_true(goes_on());
	close_queues(0, 2);
}

static void one_more_goes_on(void **state)
{
	make_queues(2);
	fill(0);
	fill(1);
	pause_it();
	open_file(&q[2]);
	assert_int_equal(attach(&q[2], "t0", TUN_MQ), 0);
	assert_true(goes_on());
	close_queues(0, 3);
}

/* What is thrown away is not one queue's. */
static void spared_packets_are_the_devices(void **state)
{
	struct dev_report *report;

	make_queues(2);
	device_count_full(lnk->owner, 6);
	assert_int_equal(dev_report(table, lnk->owner->id - 1, &report), 0);
	assert_int_equal(report->stats.drops[TUND_DROP_QUEUE_FULL], 6);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(report->queues[i].drops[TUND_DROP_QUEUE_FULL],
				 0);
	free(report);
	close_queues(0, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_with_room_is_not_kept_waiting),
		TEST(room_that_was_made_counts),
		TEST(full_ones_are_told),
		TEST(one_reader_is_enough),
		TEST(one_that_is_switched_off_does_not_count),
		TEST(one_more_goes_on),
		TEST(spared_packets_are_the_devices),
	};

	return cmocka_run_group_tests_name("dev-pause-queues", tests, NULL,
					   NULL);
}
