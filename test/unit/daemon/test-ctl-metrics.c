/* SPDX-License-Identifier: MIT */
/*
 * test-ctl-metrics.c - ctl/metrics.h: what is told of each queue, of those on
 * the direct plane, and of very many. Whether others can parse it is the system
 * tests'.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/metrics.h"
#include "dev/direct.h"
#include "fake.h"

enum { TUN_MQ = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE };

#define MANY 1000

static struct opened q[MANY + 1];

static char *text_of_all(void)
{
	char *text = ctl_metrics(table);

	assert_non_null(text);
	return text;
}

/* The lines of a queue that begin so; of the first if there are several. */
static unsigned int lines(const char *text, const char *name, uint64_t file,
			  const char *rest, unsigned long long *ret_value)
{
	char label[64];
	unsigned int n = 0;

	snprintf(label, sizeof(label), ",file=\"%llu\"",
		 (unsigned long long)file);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n");
		const char *value = memrchr(line, ' ', len);
		char *copy = strndup(line, len);

		assert_non_null(copy);
		if (strncmp(copy, name, strlen(name)) == 0 &&
		    strstr(copy, label) && strstr(copy, rest)) {
			if (n++ == 0 && ret_value)
				*ret_value = strtoull(value, NULL, 10);
		}
		free(copy);
	}
	return n;
}

static unsigned long long value(const char *text, const char *name,
				const struct opened *o, const char *rest)
{
	unsigned long long number = 0;

	if (lines(text, name, dev_file_id(o->file), rest, &number) != 1)
		fail_msg("%s %s is not one line", name, rest);
	return number;
}

static void each_queue_is_told(void **state)
{
	struct answer answer = {0};
	struct host_link *link;
	char *text;

	open_file(&q[0]);
	open_file(&q[1]);
	link = attach_up(&q[0], "t0", TUN_MQ);
	for (uint32_t i = 0; i < 4; i++)
		fake_input(link, i, 100);
	assert_int_equal(read_now(&q[0], 1000, &answer), 100);
	assert_int_equal(read_now(&q[0], 1000, &answer), 100);
	assert_int_equal(attach(&q[1], "t0", TUN_MQ), 0);
	text = text_of_all();
	assert_int_equal(value(text, "tund_queue_most_packets{", &q[0], ""), 4);
	assert_int_equal(value(text, "tund_queue_packets{", &q[0], ""), 2);
	assert_int_equal(
		value(text, "tund_queue_wait_seconds_count{", &q[0], ""), 2);
	assert_int_equal(value(text, "tund_queue_wait_seconds_bucket{", &q[0],
			       "le=\"+Inf\""),
			 2);
	assert_int_equal(lines(text, "tund_queue_wait_seconds_bucket{",
			       dev_file_id(q[0].file), "", NULL),
			 DEV_WAIT_BUCKETS);
	assert_int_equal(
		value(text, "tund_queue_wait_seconds_count{", &q[1], ""), 0);
	assert_int_equal(value(text, "tund_queue_dropped_packets_total{", &q[1],
			       "reason=\"queue_full\""),
			 0);
	assert_int_equal(value(text, "tund_queue_info{", &q[1],
			       "command=\"test\",plane=\"file\""),
			 1);
	/* No queue knows of these. */
	assert_int_equal(lines(text, "tund_queue_dropped_packets_total{",
			       dev_file_id(q[0].file), "reason=\"backlog\"",
			       NULL),
			 0);
	assert_int_equal(lines(text, "tund_queue_dropped_packets_total{",
			       dev_file_id(q[0].file), "reason=\"down\"", NULL),
			 0);
	free(text);
	close_file(&q[1]);
	close_file(&q[0]);
}

static void drops_are_told_by_reason(void **state)
{
	struct host_state changed;
	struct host_link *link;
	char *text;

	open_file(&q[0]);
	link = attach_up(&q[0], "t0", TUN_MQ);
	changed = link->state;
	changed.queue_len = 2;
	fake_change(link, &changed);
	for (uint32_t i = 0; i < 5; i++)
		fake_input(link, i, 100);
	text = text_of_all();
	assert_int_equal(value(text, "tund_queue_dropped_packets_total{", &q[0],
			       "reason=\"queue_full\""),
			 3);
	assert_int_equal(value(text, "tund_queue_dropped_packets_total{", &q[0],
			       "reason=\"too_small\""),
			 0);
	assert_int_equal(value(text, "tund_queue_most_packets{", &q[0], ""), 2);
	free(text);
	close_file(&q[0]);
}

/* What is not known is not told, and whose it is, is. */
static void direct_queue(void **state)
{
	char *text;
	int fd;

	open_file(&q[0]);
	set_mode(&q[0], TUND_MODE_ALL_IOCTLS, 0);
	fake_input(attach_up(&q[0], "t0", IFF_TUN | IFF_NO_PI), 1, 100);
	assert_int_equal(dev_file_direct(q[0].file, 0, &fd), 0);
	close(fd);
	text = text_of_all();
	assert_int_equal(
		value(text, "tund_queue_info{", &q[0], "plane=\"direct\""), 1);
	assert_int_equal(
		lines(text, "tund_queue_", dev_file_id(q[0].file), "", NULL),
		1);
	free(text);
	device_direct_closed(fake_link("t0")->owner, 1);
	close_file(&q[0]);
}

/* Whoever has many files does not make the text too large. */
static void very_many_queues(void **state)
{
	char name[IFNAMSIZ];
	char *few, *many;

	for (unsigned int i = 0; i <= MANY; i++) {
		open_file(&q[i]);
		if (i == MANY)
			break;
		snprintf(name, sizeof(name), "t%u", i / HOST_MAX_QUEUES);
		assert_int_equal(attach(&q[i], name, TUN_MQ), 0);
	}
	few = text_of_all();
	assert_int_equal(
		value(few, "tund_queue_wait_seconds_count{", &q[999], ""), 0);
	assert_non_null(strstr(few, "\ntund_queues_detailed 1\n"));
	assert_true(strlen(few) < MANY * 5000);
	assert_int_equal(attach(&q[MANY], name, TUN_MQ), 0);
	many = text_of_all();
	assert_null(strstr(many, "\ntund_queue_wait_seconds"));
	assert_null(strstr(many, "\ntund_queue_dropped"));
	assert_non_null(strstr(many, "\ntund_queues_detailed 0\n"));
	assert_int_equal(value(many, "tund_queue_most_packets{", &q[MANY], ""),
			 0);
	assert_true(strlen(many) < MANY * 1000);
	free(few);
	free(many);
	for (unsigned int i = 0; i <= MANY; i++)
		close_file(&q[i]);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_queue_is_told),
		TEST(drops_are_told_by_reason),
		TEST(direct_queue),
		TEST(very_many_queues),
	};

	return cmocka_run_group_tests_name("ctl-metrics", tests, NULL, NULL);
}
