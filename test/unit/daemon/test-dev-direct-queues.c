/* SPDX-License-Identifier: MIT */
/*
 * test-dev-direct-queues.c - dev/direct.h with several queues: each has a
 * socket of its own, and ends with it.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "dev/direct.h"
#include "fake.h"

enum { TUN = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE };

static struct opened queues[3];
static struct host_link *lnk;

static int go_direct(struct opened *o)
{
	int fd = -1;
	int r = dev_file_direct(o->file, 0, &fd);

	if (r == 0)
		close(fd);
	return r;
}

/* All are attached, and the first `n` direct. */
static void attach_all(unsigned int n)
{
	for (unsigned int i = 0; i < LENGTH(queues); i++) {
		open_file(&queues[i]);
		if (i == 0)
			lnk = attach_up(&queues[i], "t0", TUN);
		else
			assert_int_equal(attach(&queues[i], "t0", TUN), 0);
		if (i < n)
			assert_int_equal(go_direct(&queues[i]), 0);
	}
}

static void close_all(void)
{
	for (unsigned int i = 0; i < LENGTH(queues); i++)
		close_file(&queues[i]);
}

static void each_ends_with_its_socket(void **state)
{
	attach_all(3);
	assert_true(lnk->how.several);
	device_direct_closed(lnk->owner, 2);
	assert_int_equal(dev_poll(queues[1].file), POLLERR);
	assert_int_equal(dev_poll(queues[0].file), 0);
	assert_int_equal(dev_poll(queues[2].file), 0);
	assert_true(lnk->direct);
	device_direct_closed(lnk->owner, 1);
	assert_int_equal(counter_value(&fake.stops), 0);
	device_direct_closed(lnk->owner, 3);
	assert_true(counter_wait(&fake.stops, 1));
	close_all();
}

/* The link carries packets one way or the other. */
static void all_or_none(void **state)
{
	attach_all(0);
	assert_int_equal(go_direct(&queues[0]), -EOPNOTSUPP);
	assert_false(lnk->direct);
	close_file(&queues[1]);
	close_file(&queues[2]);
	assert_int_equal(go_direct(&queues[0]), 0);
	assert_int_equal(go_direct(&queues[0]), -EALREADY);
	device_direct_closed(lnk->owner, 1);
	close_file(&queues[0]);
}

static void switched_by_the_host(void **state)
{
	attach_all(3);
	assert_int_equal(dev_file_set_queue(queues[1].file, IFF_DETACH_QUEUE),
			 0);
	assert_int_equal(lnk->switched_id, 2);
	assert_false(lnk->switched_on);
	assert_int_equal(dev_file_set_queue(queues[1].file, IFF_ATTACH_QUEUE),
			 0);
	assert_true(lnk->switched_on);
	/* One that is off ends, too. */
	assert_int_equal(dev_file_set_queue(queues[0].file, IFF_DETACH_QUEUE),
			 0);
	for (uint64_t id = 1; id <= 3; id++)
		device_direct_closed(lnk->owner, id);
	assert_true(counter_wait(&fake.stops, 1));
	close_all();
}

/* A file that joined later would hear nothing for ever. */
static void file_that_is_left_gets_the_link(void **state)
{
	unsigned int ends;

	attach_all(2);
	ends = counter_value(&fake.direct_ends);
	device_direct_closed(lnk->owner, 1);
	assert_true(lnk->direct);
	device_direct_closed(lnk->owner, 2);
	assert_true(counter_wait(&fake.direct_ends, ends + 1));
	fake_input(lnk, 7, 60);
	assert_int_equal(dev_poll(queues[2].file) & POLLIN, POLLIN);
	close_all();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_ends_with_its_socket),
		TEST(all_or_none),
		TEST(switched_by_the_host),
		TEST(file_that_is_left_gets_the_link),
	};

	return cmocka_run_group_tests_name("dev-direct-queues", tests, NULL,
					   NULL);
}
