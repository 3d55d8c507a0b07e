/* SPDX-License-Identifier: MIT */
/*
 * test-dev-read.c - reading in dev/io.h: formats, waiting, and what becomes of
 * a packet that nobody could be given.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "fake.h"

/* An attached file whose interface is up. */
static struct opened o;
static struct host_link *lnk;

static void attach_device(unsigned int flags)
{
	open_file(&o);
	lnk = attach_up(&o, "t0", flags);
}

static void input(uint32_t number)
{
	fake_input(lnk, number, 100);
}

static void assert_reads(uint32_t number)
{
	struct answer answer;

	assert_true(read_now(&o, ANSWER_MAX, &answer) > 0);
	assert_delivered(&answer, number);
}

static void assert_nothing_to_read(void)
{
	struct answer answer;

	assert_int_equal(read_now(&o, ANSWER_MAX, &answer), -EAGAIN);
	assert_false(answer.delivered);
}

/* ---- formats ---- */

static void unattached_file(void **state)
{
	struct answer answer;
	struct request *request;

	open_file(&o);
	assert_int_equal(read_now(&o, 100, &answer), -EBADFD);
	/* A blocking read does not wait, either. */
	request = new_request(&answer, 100);
	assert_int_equal(start_read(&o, request, false), DEV_ANSWERED);
	assert_answered(&answer, -EBADFD);
	close_file(&o);
}

static void packet_without_information(void **state)
{
	static const size_t sizes[] = {100, 101, ANSWER_MAX};
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct pkt *expected = fake_packet(7, 100, 0);

		input(7);
		assert_int_equal(read_now(&o, sizes[i], &answer), 100);
		assert_int_equal(answer.n_iov, 1);
		assert_memory_equal(answer.data, expected->data, 100);
		pkt_free(expected);
	}
	assert_nothing_to_read();
	close_file(&o);
}

static void packet_with_information(void **state)
{
	static const size_t sizes[] = {104, 105, ANSWER_MAX};
	static const unsigned int kinds[] = {IFF_TUN, IFF_TAP};

	for (size_t i = 0; i < LENGTH(kinds) * LENGTH(sizes); i++) {
		struct pkt *pkt = fake_packet(7, 100, htons(0x86dd));
		struct pkt *expected = fake_packet(7, 100, 0);
		struct answer answer;
		struct tun_pi pi;

		attach_device(kinds[i % 2]);
		device_input(lnk->owner, &pkt, 1);
		assert_int_equal(read_now(&o, sizes[i / 2], &answer), 104);
		memcpy(&pi, answer.data, sizeof(pi));
		assert_int_equal(pi.flags, 0);
		assert_int_equal(pi.proto, htons(0x86dd));
		assert_memory_equal(answer.data + 4, expected->data, 100);
		pkt_free(expected);
		close_file(&o);
	}
}

static void short_read_takes_the_beginning(void **state)
{
	static const size_t sizes[] = {0, 1, 99};
	struct pkt *expected = fake_packet(7, 100, 0);
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		input(7);
		assert_int_equal(read_now(&o, sizes[i], &answer), sizes[i]);
		assert_true(answer.delivered);
		assert_memory_equal(answer.data, expected->data, sizes[i]);
		/* The rest is gone. */
		assert_nothing_to_read();
	}
	/* It counts as a whole. */
	assert_int_equal(stats_of(&o).tx_packets, 3);
	assert_int_equal(stats_of(&o).tx_bytes, 300);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_TOO_SMALL], 0);
	pkt_free(expected);
	close_file(&o);
}

static void short_read_with_information(void **state)
{
	static const size_t sizes[] = {4, 5, 103};
	struct answer answer;

	attach_device(IFF_TUN);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct pkt *pkt = fake_packet(7, 100, htons(0x0800));
		struct tun_pi pi;

		device_input(lnk->owner, &pkt, 1);
		assert_int_equal(read_now(&o, sizes[i], &answer), sizes[i]);
		memcpy(&pi, answer.data, sizeof(pi));
		assert_int_equal(pi.flags, TUN_PKT_STRIP);
		assert_int_equal(pi.proto, htons(0x0800));
		assert_nothing_to_read();
	}
	assert_int_equal(stats_of(&o).tx_packets, 3);
	assert_int_equal(stats_of(&o).tx_bytes, 300);
	close_file(&o);
}

static void no_room_for_the_information(void **state)
{
	struct answer answer;

	attach_device(IFF_TUN);
	for (size_t size = 0; size < 4; size++) {
		input(7);
		assert_int_equal(read_now(&o, size, &answer), -EINVAL);
		assert_false(answer.delivered);
		/* The packet is lost, as with the kernel's. */
		assert_nothing_to_read();
	}
	assert_int_equal(stats_of(&o).drops[TUND_DROP_TOO_SMALL], 4);
	assert_int_equal(stats_of(&o).tx_packets, 0);
	assert_int_equal(stats_of(&o).tx_bytes, 0);
	close_file(&o);
}

static void empty_packet(void **state)
{
	struct answer answer;

	attach_device(IFF_TUN);
	fake_input(lnk, 0, 0);
	assert_int_equal(read_now(&o, 100, &answer), 4);
	fake_input(lnk, 0, 0);
	assert_int_equal(read_now(&o, 4, &answer), 4);
	assert_int_equal(answer.data[0], 0);
	close_file(&o);
}

/* ---- waiting ---- */

static void nothing_there_without_blocking(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	assert_nothing_to_read();
	input(1);
	assert_reads(1);
	assert_nothing_to_read();
	close_file(&o);
}

static void parked_reader_is_given_the_packet(void **state)
{
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	park_read(&o, &answer, 100, true);
	assert_int_equal(answer.n, 0);
	input(1);
	assert_delivered(&answer, 1);
	assert_int_equal(answer.result, 100);
	assert_int_equal(stats_of(&o).tx_packets, 1);
	assert_int_equal(stats_of(&o).queued, 0);
	close_file(&o);
}

static void unarmed_reader_waits_for_arming(void **state)
{
	struct request *request;
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	request = park_read(&o, &answer, 100, false);
	input(1);
	assert_int_equal(answer.n, 0);
	assert_int_equal(stats_of(&o).queued, 1);
	dev_io_arm(&request->io);
	assert_delivered(&answer, 1);
	close_file(&o);
}

static void parked_readers_in_their_order(void **state)
{
	struct answer answers[4];
	struct pkt *pkts[4];

	attach_device(IFF_TUN | IFF_NO_PI);
	for (size_t i = 0; i < 4; i++) {
		park_read(&o, &answers[i], 100, true);
		pkts[i] = fake_packet((uint32_t)i, 100, 0);
	}
	device_input(lnk->owner, pkts, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_delivered(&answers[i], i);
	close_file(&o);
}

static void parked_reader_without_room(void **state)
{
	struct answer answer;

	attach_device(IFF_TUN);
	park_read(&o, &answer, 3, true);
	input(1);
	assert_answered(&answer, -EINVAL);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_TOO_SMALL], 1);
	close_file(&o);
}

static void interrupted_reader(void **state)
{
	struct request *request;
	struct answer answer, other;

	attach_device(IFF_TUN | IFF_NO_PI);
	park_read(&o, &other, 100, true);
	request = park_read(&o, &answer, 100, true);
	interrupt_request(&o, request);
	assert_answered(&answer, -EINTR);
	/* The other one waits on. */
	input(1);
	assert_delivered(&other, 1);
	/* It is gone: this is harmless. */
	interrupt_request(&o, request);
	fake_delete("t0");
	interrupt_request(&o, request);
	close_file(&o);
}

static void reader_interrupted_before_it_is_armed(void **state)
{
	struct request *request;
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	request = park_read(&o, &answer, 100, false);
	interrupt_request(&o, request);
	input(1);
	assert_int_equal(answer.n, 0);
	dev_io_arm(&request->io);
	assert_answered(&answer, -EINTR);
	assert_reads(1);
	close_file(&o);
}

static void interrupt_on_an_unattached_file(void **state)
{
	struct opened other;

	open_file(&other);
	interrupt_request(&other, NULL);
	close_file(&other);
}

/* ---- packets that could not be delivered ---- */

static void failed_delivery_keeps_the_packet(void **state)
{
	struct request *request;
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	input(1);
	input(2);
	request = new_request(&answer, 100);
	request->delivery = -ENOENT;
	assert_int_equal(start_read(&o, request, true), DEV_ANSWERED);
	assert_answered(&answer, -ENOENT);
	assert_int_equal(stats_of(&o).tx_packets, 0);
	assert_int_equal(stats_of(&o).queued, 2);
	/* In its old place. */
	assert_reads(1);
	assert_reads(2);
	assert_int_equal(stats_of(&o).tx_packets, 2);
	close_file(&o);
}

static void failed_delivery_goes_to_the_next_reader(void **state)
{
	struct answer gone, next;
	struct request *request;

	attach_device(IFF_TUN | IFF_NO_PI);
	request = park_read(&o, &gone, 100, true);
	request->delivery = -ENOENT;
	park_read(&o, &next, 100, true);
	input(1);
	assert_answered(&gone, -ENOENT);
	assert_delivered(&next, 1);
	assert_int_equal(stats_of(&o).tx_packets, 1);
	close_file(&o);
}

/* ---- the queue ---- */

static void full_queue_drops_the_newest(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	for (uint32_t i = 0; i < 503; i++)
		input(i);
	assert_int_equal(stats_of(&o).queued, 500);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_QUEUE_FULL], 3);
	for (uint32_t i = 0; i < 500; i++)
		assert_reads(i);
	assert_nothing_to_read();
	assert_int_equal(stats_of(&o).tx_packets, 500);
	close_file(&o);
}

static void queue_follows_the_interface(void **state)
{
	struct host_state now;

	attach_device(IFF_TAP | IFF_NO_PI);
	now = lnk->state;
	assert_int_equal(now.queue_len, 1000);
	now.queue_len = 2;
	fake_change(lnk, &now);
	for (uint32_t i = 0; i < 3; i++)
		input(i);
	assert_int_equal(stats_of(&o).queued, 2);
	/* The latest goes. */
	now.queue_len = 1;
	fake_change(lnk, &now);
	assert_int_equal(stats_of(&o).queued, 1);
	assert_reads(0);
	now.queue_len = 0;
	fake_change(lnk, &now);
	input(3);
	assert_nothing_to_read();
	assert_int_equal(stats_of(&o).drops[TUND_DROP_QUEUE_FULL], 3);
	close_file(&o);
}

static void queue_is_bounded_in_bytes(void **state)
{
	struct host_state now;
	struct tund_stats stats;
	const uint64_t most = DEV_QUEUE_BYTES / (65536 + sizeof(struct pkt));

	attach_device(IFF_TUN | IFF_NO_PI);
	now = lnk->state;
	now.queue_len = 1000000;
	fake_change(lnk, &now);
	for (uint32_t i = 0; i < most + 2; i++)
		fake_input(lnk, i, 65536);
	stats = stats_of(&o);
	assert_int_equal(stats.queued, most);
	assert_int_equal(stats.drops[TUND_DROP_QUEUE_FULL], 2);
	close_file(&o);
}

/* ---- the interface ---- */

static void interface_down_can_be_read(void **state)
{
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	input(1);
	fake_set_up_down(lnk, false);
	assert_reads(1);
	assert_nothing_to_read();
	park_read(&o, &answer, 100, true);
	input(2);
	assert_delivered(&answer, 2);
	close_file(&o);
}

static void deleted_interface(void **state)
{
	struct answer parked, unarmed, late;
	struct request *request;

	attach_device(IFF_TUN | IFF_NO_PI);
	park_read(&o, &parked, 100, true);
	request = park_read(&o, &unarmed, 100, false);
	fake_delete("t0");
	assert_answered(&parked, -EFAULT);
	assert_int_equal(unarmed.n, 0);
	assert_int_equal(read_now(&o, 100, &late), -EBADFD);
	dev_io_arm(&request->io);
	assert_answered(&unarmed, -EFAULT);
	assert_int_equal(read_now(&o, 100, &late), -EBADFD);
	close_file(&o);
}

static void delete_now(struct host_link *link)
{
	fake.on_sync = NULL;
	fake_delete("t0");
}

/* The news of the end comes just in time. */
static void deleted_before_the_read_looked(void **state)
{
	struct request *request;
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	input(1);
	fake.on_sync = delete_now;
	request = new_request(&answer, 100);
	assert_int_equal(start_read(&o, request, false), DEV_ANSWERED);
	assert_answered(&answer, -EBADFD);
	close_file(&o);
}

static void closed_file_answers_its_readers(void **state)
{
	struct answer parked, unarmed;
	struct request *request;

	attach_device(IFF_TUN | IFF_NO_PI);
	park_read(&o, &parked, 100, true);
	request = park_read(&o, &unarmed, 100, false);
	dev_file_close(o.file);
	assert_answered(&parked, -EFAULT);
	dev_io_arm(&request->io);
	assert_answered(&unarmed, -EFAULT);
	close_file(&o);
}

static void attached_again_after_the_end(void **state)
{
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	input(1);
	fake_delete("t0");
	lnk = attach_up(&o, "t0", IFF_TAP | IFF_NO_PI);
	/* Nothing of the old device is left. */
	assert_nothing_to_read();
	assert_int_equal(stats_of(&o).tx_packets, 0);
	park_read(&o, &answer, 100, true);
	input(2);
	assert_delivered(&answer, 2);
	close_file(&o);
}

static void packets_for_a_device_that_left(void **state)
{
	struct device *dev;
	uint64_t detached;

	attach_device(IFF_TUN | IFF_NO_PI);
	dev = lnk->owner;
	device_ref(dev);
	input(1);
	input(2);
	close_file(&o);
	detached = dev->drops[TUND_DROP_DETACHED];
	assert_int_equal(detached, 2);
	fake_input(lnk, 3, 100);
	detached = dev->drops[TUND_DROP_DETACHED];
	assert_int_equal(detached, 3);
	device_unref(dev);
}

static void drops_before_the_queue_are_told(void **state)
{
	struct tund_stats stats;

	attach_device(IFF_TUN);
	fake.socket_drops = 17;
	fake.backlog_drops = 4;
	device_count_oversize(lnk->owner);
	stats = stats_of(&o);
	assert_int_equal(stats.drops[TUND_DROP_SOCKET], 17);
	assert_int_equal(stats.drops[TUND_DROP_BACKLOG], 4);
	assert_int_equal(stats.drops[TUND_DROP_OVERSIZE], 1);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unattached_file),
		TEST(packet_without_information),
		TEST(packet_with_information),
		TEST(short_read_takes_the_beginning),
		TEST(short_read_with_information),
		TEST(no_room_for_the_information),
		TEST(empty_packet),
		TEST(nothing_there_without_blocking),
		TEST(parked_reader_is_given_the_packet),
		TEST(unarmed_reader_waits_for_arming),
		TEST(parked_readers_in_their_order),
		TEST(parked_reader_without_room),
		TEST(interrupted_reader),
		TEST(reader_interrupted_before_it_is_armed),
		TEST(interrupt_on_an_unattached_file),
		TEST(failed_delivery_keeps_the_packet),
		TEST(failed_delivery_goes_to_the_next_reader),
		TEST(full_queue_drops_the_newest),
		TEST(queue_follows_the_interface),
		TEST(queue_is_bounded_in_bytes),
		TEST(interface_down_can_be_read),
		TEST(deleted_interface),
		TEST(deleted_before_the_read_looked),
		TEST(closed_file_answers_its_readers),
		TEST(attached_again_after_the_end),
		TEST(packets_for_a_device_that_left),
		TEST(drops_before_the_queue_are_told),
	};

	return cmocka_run_group_tests_name("dev-read", tests, NULL, NULL);
}
