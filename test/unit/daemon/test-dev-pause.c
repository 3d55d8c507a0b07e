/* SPDX-License-Identifier: MIT */
/*
 * test-dev-pause.c - when nothing is received for lack of room, and when it
 * goes on. Several queues are test-dev-pause-queues.c's.
 */
#include <errno.h>

#include "dev/report.h"
#include "dev/tap.h"
#include "fake.h"

#define QUEUE_LEN 500

/* An attached file whose interface is up. */
static struct opened o;
static struct host_link *lnk;

static unsigned int input(uint32_t number)
{
	struct pkt *pkt = fake_packet(number, 100, 0);

	return device_input(lnk->owner, &pkt, 1);
}

static void fill(void)
{
	for (uint32_t i = 0; i < QUEUE_LEN; i++)
		assert_int_equal(input(i), 0);
	assert_int_equal(input(QUEUE_LEN), 1);
}

static void attach_full(void)
{
	open_file(&o);
	lnk = attach_up(&o, "t0", IFF_TUN | IFF_NO_PI);
	fill();
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
	fake.on_pause = NULL;
	assert_int_equal(counter_value(&fake.pauses), 1);
	assert_int_equal(counter_value(&fake.resumes), 0);
}

static void read_one(void)
{
	struct answer answer;

	assert_true(read_now(&o, ANSWER_MAX, &answer) > 0);
}

static void half_empty_queue_goes_on(void **state)
{
	attach_full();
	pause_it();
	for (uint32_t i = 0; i < QUEUE_LEN / 2 - 1; i++)
		read_one();
	assert_int_equal(counter_value(&fake.resumes), 0);
	read_one();
	assert_int_equal(counter_value(&fake.resumes), 1);
	read_one();
	assert_int_equal(counter_value(&fake.resumes), 1);
	close_file(&o);
}

static void batch_goes_on(void **state)
{
	const unsigned int records = ANSWER_MAX / TUND_RECORD_SPACE(100);
	struct answer answer;

	attach_full();
	set_mode(&o, TUND_MODE_BATCH, 0);
	pause_it();
	for (unsigned int left = QUEUE_LEN; left > QUEUE_LEN / 2;
	     left -= records) {
		assert_int_equal(counter_value(&fake.resumes), 0);
		assert_true(read_now(&o, ANSWER_MAX, &answer) > 0);
	}
	assert_int_equal(counter_value(&fake.resumes), 1);
	close_file(&o);
}

static void long_pause_ends_with_the_first_read(void **state)
{
	attach_full();
	pause_it();
	atomic_store(&lnk->owner->paused_until, 0);
	assert_int_equal(counter_value(&fake.resumes), 0);
	read_one();
	assert_int_equal(counter_value(&fake.resumes), 1);
	/* There is room for one. */
	assert_int_equal(input(1), 0);
	assert_int_equal(input(2), 1);
	close_file(&o);
}

static void read_before_the_pause_was_known(void **state)
{
	attach_full();
	for (uint32_t i = 0; i < QUEUE_LEN / 2; i++)
		read_one();
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.pauses), 1);
	assert_int_equal(counter_value(&fake.resumes), 1);
	close_file(&o);
}

/* A read that began before the flood takes all of it after the pause. */
static void waiting_read_goes_on(void **state)
{
	for (int batch = 0; batch < 2; batch++) {
		const unsigned int size = TUND_RECORD_SPACE(100);
		struct host_state now;
		struct request *request;
		struct answer answer, next;

		open_file(&o);
		lnk = attach_up(&o, "t0", IFF_TUN | IFF_NO_PI);
		now = lnk->state;
		now.queue_len = batch ? ANSWER_MAX / size : 1;
		fake_change(lnk, &now);
		if (batch)
			set_mode(&o, TUND_MODE_BATCH, 0);
		request = park_read(&o, &answer, ANSWER_MAX, false);
		for (uint32_t i = 0; i < now.queue_len; i++)
			assert_int_equal(input(i), 0);
		assert_int_equal(input(now.queue_len), 1);
		fake.on_pause = stop_clock;
		device_pause(lnk->owner);
		assert_true(atomic_load(&lnk->owner->paused));
		dev_io_arm(&request->io);
		assert_int_equal(answer.n, 1);
		assert_true(answer.delivered);
		assert_int_equal(stats_of(&o).queued, 0);
		/* Nobody else would end it: the next one waits as well. */
		assert_false(atomic_load(&lnk->owner->paused));
		assert_int_equal(counter_value(&fake.resumes), batch + 1);
		park_read(&o, &next, ANSWER_MAX, true);
		close_file(&o);
	}
}

static void longer_queue_goes_on(void **state)
{
	struct host_state now;

	attach_full();
	pause_it();
	now = lnk->state;
	now.queue_len = 2 * QUEUE_LEN;
	fake_change(lnk, &now);
	assert_int_equal(counter_value(&fake.resumes), 1);
	close_file(&o);
}

static void no_longer_paused(struct host_link *link)
{
	assert_int_equal(counter_value(&fake.resumes), 1);
}

static void next_program_goes_on(void **state)
{
	struct opened next;
	unsigned int left;

	attach_full();
	assert_int_equal(dev_set_persist(o.file, true), 0);
	pause_it();
	left = counter_value(&fake.left);
	close_file(&o);
	assert_true(counter_wait(&fake.left, left + 1));
	open_file(&next);
	/* With the carrier packets come, which are for that program. */
	fake.on_carrier = no_longer_paused;
	attach_up(&next, "t0", IFF_TUN | IFF_NO_PI);
	assert_int_equal(counter_value(&fake.resumes), 1);
	fake.on_carrier = NULL;
	assert_int_equal(dev_set_persist(next.file, false), 0);
	close_file(&next);
}

static void see(struct dev_tap *tap, const struct dev_sight *sights,
		unsigned int n)
{
}

static void tap_end(struct dev_tap *tap)
{
}

static const struct dev_tap_ops tap_ops = {
	.see = see,
	.gone = tap_end,
	.release = tap_end,
};
static struct dev_tap tap;

static void look(struct host_link *link)
{
	tap = (struct dev_tap){
		.ops = &tap_ops,
		.right = DEV_TAP_ROOT,
		.refs = 1,
	};
	assert_int_equal(dev_tap_add(table, link->owner->id, &tap), 0);
}

/* Who looks wants to see what is lost, also if nobody reads any more. */
static void who_looks_goes_on(void **state)
{
	attach_full();
	pause_it();
	look(lnk);
	assert_int_equal(counter_value(&fake.resumes), 1);
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.pauses), 1);
	dev_tap_remove(&tap);
	close_file(&o);
}

static void who_looks_while_it_pauses(void **state)
{
	attach_full();
	fake.on_pause = look;
	device_pause(lnk->owner);
	fake.on_pause = NULL;
	assert_int_equal(counter_value(&fake.pauses), 1);
	assert_int_equal(counter_value(&fake.resumes), 1);
	dev_tap_remove(&tap);
	close_file(&o);
}

static void read_half(struct host_link *link)
{
	for (uint32_t i = 0; i < QUEUE_LEN / 2; i++)
		read_one();
}

static void enlarge_queue(struct host_link *link)
{
	struct host_state now = link->state;

	now.queue_len++;
	fake_change(link, &now);
}

/* Whoever asks for it: the fake ends the program if it is done at once. */
static void end_while_it_is_settled(void **state)
{
	void (*const ends[])(struct host_link *) = {read_half, enlarge_queue,
						    look};

	for (unsigned int i = 0; i < LENGTH(ends); i++) {
		attach_full();
		fake.on_pause = stop_clock;
		device_pause(lnk->owner);
		fake.on_settle = ends[i];
		stats_of(&o);
		assert_int_equal(counter_value(&fake.settles), i + 1);
		assert_int_equal(counter_value(&fake.resumes), i + 1);
		assert_false(atomic_load(&lnk->owner->paused));
		if (ends[i] == look)
			dev_tap_remove(&tap);
		close_file(&o);
	}
}

static void end_while_it_begins(void **state)
{
	attach_full();
	fake.on_pause = enlarge_queue;
	device_pause(lnk->owner);
	assert_int_equal(counter_value(&fake.resumes), 1);
	assert_false(atomic_load(&lnk->owner->paused));
	close_file(&o);
}

static void only_a_pause_is_settled(void **state)
{
	attach_full();
	stats_of(&o);
	assert_int_equal(counter_value(&fake.settles), 0);
	pause_it();
	stats_of(&o);
	stats_of(&o);
	assert_int_equal(counter_value(&fake.settles), 2);
	assert_int_equal(counter_value(&fake.resumes), 0);
	close_file(&o);
}

static void nobody_there_is_not_full(void **state)
{
	struct device *dev;

	attach_full();
	dev = lnk->owner;
	device_ref(dev);
	close_file(&o);
	assert_int_equal(input(1), 0);
	device_unref(dev);
}

static void spared_packets_count(void **state)
{
	struct dev_report *report;

	attach_full();
	device_count_full(lnk->owner, 6);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_QUEUE_FULL], 7);
	/* The only queue there is has lost them. */
	assert_int_equal(dev_report(table, lnk->owner->id - 1, &report), 0);
	assert_int_equal(report->queues[0].drops[TUND_DROP_QUEUE_FULL], 7);
	free(report);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(half_empty_queue_goes_on),
		TEST(batch_goes_on),
		TEST(long_pause_ends_with_the_first_read),
		TEST(read_before_the_pause_was_known),
		TEST(waiting_read_goes_on),
		TEST(longer_queue_goes_on),
		TEST(next_program_goes_on),
		TEST(who_looks_goes_on),
		TEST(who_looks_while_it_pauses),
		TEST(end_while_it_is_settled),
		TEST(end_while_it_begins),
		TEST(only_a_pause_is_settled),
		TEST(nobody_there_is_not_full),
		TEST(spared_packets_count),
	};

	return cmocka_run_group_tests_name("dev-pause", tests, NULL, NULL);
}
