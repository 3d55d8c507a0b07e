/* SPDX-License-Identifier: MIT */
/*
 * test-dev-report.c - dev/report.h and dev/event.h: what is shown of devices
 * and open files, and what an observer is told of them, in which order.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dev/direct.h"
#include "dev/event.h"
#include "dev/knob.h"
#include "dev/report.h"
#include "fake.h"

enum { TUN = IFF_TUN | IFF_NO_PI };

#define MAX_EVENTS 32

static struct {
	pthread_mutex_t mutex;
	unsigned int n;
	struct dev_event events[MAX_EVENTS];
	struct counter seen;
} told = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void observe(void *arg, const struct dev_event *event)
{
	assert_ptr_equal(arg, &told);
	pthread_mutex_lock(&told.mutex);
	assert_true(told.n < MAX_EVENTS);
	told.events[told.n++] = *event;
	pthread_mutex_unlock(&told.mutex);
	counter_add(&told.seen, 1);
}

static int set_up(void **state)
{
	told.n = 0;
	counter_init(&told.seen);
	if (fake_set_up(state) < 0)
		return -1;
	dev_table_observe(table, observe, &told);
	return 0;
}

static void assert_told(const enum dev_event_kind *kinds, unsigned int n)
{
	assert_true(counter_wait(&told.seen, n));
	for (unsigned int i = 0; i < n; i++)
		if (told.events[i].kind != kinds[i])
			fail_msg("event %u is %d", i, told.events[i].kind);
	assert_int_equal(told.n, n);
}

static struct dev_report *report_after(uint64_t id)
{
	struct dev_report *report = NULL;

	assert_int_equal(dev_report(table, id, &report), 0);
	return report;
}

static void devices_are_shown(void **state)
{
	struct opened a, b, c;
	struct dev_report *r;
	uint64_t first;

	assert_int_equal(dev_report(table, 0, &r), -ENOENT);
	open_file(&a);
	open_file(&b);
	open_file(&c);
	attach_up(&a, "one", TUN);
	attach_up(&b, "two", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
	assert_int_equal(
		attach(&c, "two", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE), 0);
	assert_int_equal(dev_file_set_queue(c.file, IFF_DETACH_QUEUE), 0);
	assert_int_equal(dev_set_owner(a.file, 7), 0);
	assert_int_equal(write_number(&a, 1, 100), 100);

	r = report_after(0);
	first = r->id;
	assert_string_equal(r->state.name, "one");
	assert_true(r->state.up);
	assert_int_equal(r->owner, 7);
	assert_int_equal(r->group, TUND_NO_ID);
	assert_int_equal(r->flags, IFF_TUN | IFF_NO_PI);
	assert_int_equal(r->plane, TUND_PLANE_FILE);
	assert_int_equal(r->stats.rx_packets, 1);
	assert_int_equal(r->n_queues, 1);
	assert_int_equal(r->queues[0].opener.pid, getpid());
	free(r);
	r = report_after(first);
	assert_string_equal(r->state.name, "two");
	assert_int_equal(r->n_queues, 2);
	assert_true(r->queues[0].on);
	assert_false(r->queues[1].on);
	assert_true(r->ns_id > 0);
	free(r);
	assert_int_equal(dev_report(table, first + 1, &r), -ENOENT);
	close_file(&c);
	close_file(&b);
	close_file(&a);
}

static uint64_t waits_of(const struct dev_waits_report *waits)
{
	uint64_t n = 0;

	for (size_t i = 0; i < DEV_WAIT_BUCKETS; i++)
		n += waits->buckets[i];
	return n;
}

static void queues_are_counted(void **state)
{
	struct answer answer = {0};
	struct dev_queue_report *q;
	struct host_link *link;
	struct dev_report *r;
	struct opened a;

	open_file(&a);
	link = attach_up(&a, "one", TUN);
	for (uint32_t i = 0; i < 3; i++)
		fake_input(link, i, 100);
	assert_int_equal(read_now(&a, 1000, &answer), 100);
	assert_int_equal(read_now(&a, 1000, &answer), 100);
	assert_int_equal(write_number(&a, 1, 60), 60);
	r = report_after(0);
	q = &r->queues[0];
	assert_int_equal(q->queued, 1);
	assert_int_equal(q->queued_max, 3);
	assert_int_equal(q->tx_packets, 2);
	assert_int_equal(q->tx_bytes, 200);
	assert_int_equal(q->rx_packets, 1);
	assert_int_equal(q->rx_bytes, 60);
	assert_int_equal(waits_of(&q->waits), 2);
	assert_int_equal(waits_of(&r->waits), 2);
	free(r);
	close_file(&a);
}

/* A packet for a read that waits has not waited itself. */
static void no_wait_is_counted(void **state)
{
	struct answer answer = {0};
	struct host_link *link;
	struct dev_report *r;
	struct opened a;

	open_file(&a);
	link = attach_up(&a, "one", TUN);
	park_read(&a, &answer, 1000, true);
	fake_input(link, 1, 100);
	r = report_after(0);
	assert_int_equal(r->queues[0].waits.buckets[0], 1);
	assert_int_equal(r->waits.buckets[0], 1);
	assert_int_equal(r->waits.sum_us, 0);
	assert_int_equal(r->queues[0].tx_packets, 1);
	free(r);
	close_file(&a);
}

static void files_are_shown(void **state)
{
	struct dev_file_report report;
	struct opened a, b;
	int fd;

	assert_int_equal(dev_file_report(table, 0, &report), -ENOENT);
	open_file(&a);
	open_file(&b);
	attach_up(&b, "one", TUN);
	assert_int_equal(dev_file_report(table, 0, &report), 0);
	assert_int_equal(report.device, 0);
	assert_string_equal(report.opener.command, "test");
	assert_int_equal(dev_file_report(table, report.id, &report), 0);
	assert_int_equal(report.device, 1);
	assert_string_equal(report.name, "one");
	assert_true(report.on);
	assert_false(report.direct);
	assert_int_equal(dev_file_direct(b.file, 0, &fd), 0);
	close(fd);
	assert_int_equal(dev_file_report(table, report.id - 1, &report), 0);
	assert_true(report.direct);
	assert_int_equal(dev_file_report(table, report.id, &report), -ENOENT);
	/* What is left open outlives the table. */
	fake_free_table();
	close_file(&b);
	close_file(&a);
}

static void changes_are_told(void **state)
{
	static const enum dev_event_kind kinds[] = {
		DEV_EVENT_MADE,	   DEV_EVENT_ATTACHED, DEV_EVENT_UP,
		DEV_EVENT_RENAMED, DEV_EVENT_DOWN,     DEV_EVENT_MOVED,
		DEV_EVENT_DIRECT,  DEV_EVENT_DETACHED, DEV_EVENT_GONE,
	};
	struct host_state changed;
	struct host_link *link;
	struct opened a;
	int fd;

	open_file(&a);
	link = attach_up(&a, "one", TUN);
	changed = link->state;
	strcpy(changed.name, "other");
	fake_change(link, &changed);
	changed.up = false;
	fake_change(link, &changed);
	/* The same again is no event. */
	fake_change(link, &changed);
	changed.moved = true;
	fake_change(link, &changed);
	assert_int_equal(dev_file_direct(a.file, 0, &fd), 0);
	close(fd);
	device_direct_closed(link->owner, 1);
	assert_told(kinds, LENGTH(kinds));
	assert_string_equal(told.events[0].name, "one");
	assert_int_equal(told.events[0].opener.pid, 0);
	assert_int_equal(told.events[1].opener.pid, getpid());
	assert_string_equal(told.events[3].old_name, "one");
	assert_string_equal(told.events[3].name, "other");
	close_file(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(devices_are_shown, set_up,
						fake_tear_down),
		cmocka_unit_test_setup_teardown(queues_are_counted, set_up,
						fake_tear_down),
		cmocka_unit_test_setup_teardown(no_wait_is_counted, set_up,
						fake_tear_down),
		cmocka_unit_test_setup_teardown(files_are_shown, set_up,
						fake_tear_down),
		cmocka_unit_test_setup_teardown(changes_are_told, set_up,
						fake_tear_down),
	};

	return cmocka_run_group_tests_name("dev-report", tests, NULL, NULL);
}
