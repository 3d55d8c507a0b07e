/* SPDX-License-Identifier: MIT */
/*
 * test-dev-direct-end.c - dev/direct.h: how a device ends that was handed over
 * to a packet socket, or falls idle, and what it has counted. The closing of
 * the socket is told by hand, as by net/.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "dev/direct.h"
#include "dev/knob.h"
#include "direct.h"

enum { TUN = IFF_TUN | IFF_NO_PI };

/* ---- the end ---- */

static void closed_file_leaves_the_device(void **state)
{
	struct opened other;

	attach_device(TUN);
	go_direct();
	dev_file_set_closing(o.file, true);
	open_file(&other);
	/* That a file is closing says nothing here. */
	assert_int_equal(attach_once(&other, "t0", TUN, false), -EBUSY);
	dev_file_close(o.file);
	dev_file_unref(o.file);
	assert_false(lnk->stopped);
	assert_int_equal(counter_value(&o.released), 0);
	assert_plane(TUND_PLANE_DIRECT);
	assert_int_equal(attach_once(&other, "t0", TUN, false), -EBUSY);
	assert_int_equal(attach_once(&other, "t0", TUN, true), -EBUSY);

	fake_direct_close(lnk);
	assert_true(counter_wait(&o.released, 1));
	assert_true(counter_wait(&fake.stops, 1));
	assert_int_equal(attach(&other, "t0", TUN), 0);
	put_device();
	close_file(&other);
}

static void closed_socket_ends_the_device(void **state)
{
	unsigned int wakes;

	attach_device(TUN);
	go_direct();
	wakes = counter_value(&o.wakes);
	fake_direct_close(lnk);
	assert_true(counter_value(&o.wakes) > wakes);
	assert_int_equal(dev_poll(o.file), POLLERR);
	assert_int_equal(reads(&o), -EBADFD);
	assert_int_equal(write_number(&o, 1, 60), -EBADFD);
	assert_false(dev_file_attached(o.file));
	/* To tell it twice, or too late, is harmless. */
	device_direct_closed(dev, 1);
	assert_true(counter_wait(&fake.stops, 1));
	assert_false(lnk->direct);
	device_direct_closed(dev, 1);
	put_device();
	close_file(&o);

	attach_device(TUN);
	assert_int_equal(write_number(&o, 1, 60), 60);
	/* A device that is not direct is none of its business. */
	device_direct_closed(dev, 1);
	assert_true(dev_file_attached(o.file));
	put_device();
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 2));
}

static void delete_at_once(struct host_link *link)
{
	fake.on_direct = NULL;
	device_gone(link->owner);
}

static void deleted_while_it_is_handed_over(void **state)
{
	int fd = -1;

	attach_device(TUN);
	fake.on_direct = delete_at_once;
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EBADFD);
	/* The descriptor was closed. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(dev_poll(o.file), POLLERR);
	assert_true(counter_wait(&fake.stops, 1));
	put_device();
	close_file(&o);
}

static void deleted_while_direct(void **state)
{
	for (int persist = 0; persist < 2; persist++) {
		unsigned int stops = counter_value(&fake.stops);

		attach_device(TUN);
		assert_int_equal(dev_set_persist(o.file, persist), 0);
		go_direct();
		fake_delete("t0");
		assert_int_equal(dev_poll(o.file), POLLERR);
		assert_int_equal(reads(&o), -EBADFD);
		assert_true(counter_wait(&fake.stops, stops + 1));
		assert_false(lnk->direct);
		device_direct_closed(dev, 1);
		put_device();
		/* The file goes on with another one. */
		assert_int_equal(attach(&o, "t0", TUN), 0);
		assert_int_equal(reads(&o), -EAGAIN);
		close_file(&o);
		assert_true(counter_wait(&fake.stops, stops + 2));
	}
}

static void table_ends_direct_devices(void **state)
{
	attach_device(TUN);
	go_direct();
	put_device();
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), 1);
	assert_int_equal(fake.live_links, 0);
	close_file(&o);
}

/* ---- persistent devices ---- */

static void close_socket_and_wait_idle(void)
{
	unsigned int left = counter_value(&fake.left);

	fake_direct_close(lnk);
	assert_true(counter_wait(&fake.left, left + 1));
}

static void persistent_device_falls_idle(void **state)
{
	struct tund_device device = {.id = 0};

	attach_device(TUN);
	dev_set_persist(o.file, true);
	dev_set_owner(o.file, 1000);
	dev_set_group(o.file, 0);
	go_direct();
	/* Whether the file is open or not. */
	dev_file_close(o.file);
	assert_true(lnk->carrier);
	close_socket_and_wait_idle();
	assert_false(lnk->direct);
	assert_false(lnk->carrier);
	assert_int_equal(counter_value(&fake.stops), 0);
	assert_int_equal(dev_poll(o.file), POLLERR);
	assert_plane(TUND_PLANE_NONE);

	/* And is again what it was. */
	assert_int_equal(attach_once(&o, "t0", TUN, false), 0);
	assert_plane(TUND_PLANE_FILE);
	assert_true(lnk->carrier);
	fake_input(lnk, 1, 60);
	assert_int_equal(reads(&o), 60);
	go_direct();
	assert_int_equal(dev_file_next_device(o.file, &device), 0);
	assert_int_equal(device.flags, 0x1801);
	assert_int_equal(device.owner, 1000);
	assert_int_equal(device.group, 0);
	assert_int_equal(device.plane, TUND_PLANE_DIRECT);
	assert_int_equal(device.queues, 1);
	assert_int_equal(device.queues_off, 0);
	assert_string_equal(device.name, "t0");
	assert_int_equal(device.ifindex, lnk->state.ifindex);

	dev_set_persist(o.file, false);
	fake_direct_close(lnk);
	assert_true(counter_wait(&fake.stops, 1));
	put_device();
	close_file(&o);
}

/* ---- counters ---- */

static void assert_counted(uint64_t rx, uint64_t tx, uint64_t errors)
{
	struct tund_device device = {.id = 0};
	struct opened looker;

	open_file(&looker);
	assert_int_equal(dev_file_next_device(looker.file, &device), 0);
	assert_int_equal(device.stats.rx_packets, rx);
	assert_int_equal(device.stats.rx_bytes, rx * 60);
	assert_int_equal(device.stats.tx_packets, tx);
	assert_int_equal(device.stats.tx_bytes, tx * 60);
	assert_int_equal(device.stats.drops[TUND_DROP_ERROR], errors);
	close_file(&looker);
}

/* What the link says that went through it. */
static void link_counts(uint64_t rx, uint64_t tx, uint64_t dropped)
{
	fake.counters = (struct host_counters){
		.rx_packets = rx,
		.rx_bytes = rx * 60,
		.rx_dropped = dropped,
		.tx_packets = tx,
		.tx_bytes = tx * 60,
	};
}

static void what_passes_the_daemon_is_counted(void **state)
{
	unsigned int left;

	attach_device(TUN);
	dev_set_persist(o.file, true);
	assert_int_equal(write_number(&o, 1, 60), 60);
	fake_input(lnk, 1, 60);
	assert_int_equal(reads(&o), 60);
	/* The link counts what the daemon does, too: that is not added. */
	link_counts(1, 1, 7);
	assert_counted(1, 1, 0);
	go_direct();
	assert_counted(1, 1, 0);
	link_counts(11, 101, 9);
	assert_counted(11, 101, 2);
	assert_int_equal(stats_of(&o).rx_packets, 11);
	close_socket_and_wait_idle();
	/* Once. */
	assert_counted(11, 101, 2);
	link_counts(1000, 1000, 1000);
	assert_counted(11, 101, 2);
	assert_int_equal(attach_once(&o, "t0", TUN, false), 0);
	assert_int_equal(write_number(&o, 2, 60), 60);
	assert_counted(12, 101, 2);
	/* A second time it begins anew. */
	go_direct();
	link_counts(1001, 1002, 1003);
	assert_counted(13, 103, 5);
	close_socket_and_wait_idle();
	assert_counted(13, 103, 5);
	/* Nor is it at the end of a file that was not direct. */
	assert_int_equal(attach_once(&o, "t0", TUN, false), 0);
	link_counts(2000, 2000, 2000);
	left = counter_value(&fake.left);
	dev_file_close(o.file);
	assert_true(counter_wait(&fake.left, left + 1));
	assert_counted(13, 103, 5);
	fake_delete("t0");
	put_device();
	close_file(&o);
}

/* ---- threads ---- */

#define ROUNDS 300

/* Each is run by one thread, all at once. */
static void end_by_file(void)
{
	dev_file_close(o.file);
}

static void end_by_socket(void)
{
	device_direct_closed(dev, 1);
}

static void end_by_deletion(void)
{
	device_gone(dev);
}

static void look(void)
{
	struct tund_device device = {.id = 0};
	struct answer answer;

	dev_poll(o.file);
	dev_file_next_device(o.file, &device);
	read_now(&o, 100, &answer);
}

static void (*const ends[])(void) = {
	end_by_file, end_by_socket, end_by_socket, look, end_by_deletion,
};

static pthread_barrier_t together;

static void *run_one(void *arg)
{
	void (*const *run)(void) = arg;

	pthread_barrier_wait(&together);
	(*run)();
	return NULL;
}

/* Every second round is without a deletion. */
static void run_round(unsigned int n)
{
	pthread_t threads[LENGTH(ends)];
	unsigned int stops = counter_value(&fake.stops);

	assert_int_equal(pthread_barrier_init(&together, NULL, n), 0);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_one,
						(void *)&ends[i]),
				 0);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&together);
	if (!counter_wait(&fake.stops, stops + 1))
		fail_msg("the device stays");
}

static void ends_race(void **state)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		attach_device(TUN);
		go_direct();
		run_round(LENGTH(ends) - i % 2);
		assert_false(lnk->direct);
		assert_false(dev_file_attached(o.file));
		put_device();
		close_file(&o);
	}
	fake_free_table();
	assert_int_equal(counter_value(&fake.stops), ROUNDS);
	assert_int_equal(fake.live_links, 0);
}

#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, fake_set_up, direct_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(closed_file_leaves_the_device),
		TEST(closed_socket_ends_the_device),
		TEST(deleted_while_it_is_handed_over),
		TEST(deleted_while_direct),
		TEST(table_ends_direct_devices),
		TEST(persistent_device_falls_idle),
		TEST(what_passes_the_daemon_is_counted),
		TEST(ends_race),
	};

	return cmocka_run_group_tests_name("dev-direct-end", tests, NULL, NULL);
}
