/* SPDX-License-Identifier: MIT */
/*
 * test-dev-write.c - writing in dev/io.h: what is a packet, what the host says
 * to it, and how writers wait. Several threads are test-dev-stress.c's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "fake.h"

#define QUEUE_LEN 500

static struct opened o;
static struct host_link *lnk;

static void attach_device(unsigned int flags)
{
	open_file(&o);
	lnk = attach_up(&o, "t0", flags);
}

static uint32_t sent_number(unsigned int i)
{
	assert_true(i < fake.sent.n);
	return fake_number(fake.sent.pkts[i]->data) >> 8;
}

/* These numbers were sent, and nothing else. */
static void assert_sent(uint32_t first, uint32_t n)
{
	assert_int_equal(fake.sent.n, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(sent_number(i), first + i);
}

static uint64_t drops_of(struct device *dev, enum tund_drop reason)
{
	return dev->drops[reason];
}

/* All that was dropped, whatever the reason. */
static uint64_t all_drops(struct device *dev)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		sum += dev->drops[i];
	return sum;
}

/* ---- what is a packet ---- */

static void unattached_file(void **state)
{
	open_file(&o);
	assert_int_equal(write_now(&o, "E", 1), -EBADFD);
	assert_int_equal(write_now(&o, "", 0), -EBADFD);
	close_file(&o);
}

static void lengths_and_versions(void **state)
{
	enum {
		TUN = IFF_TUN | IFF_NO_PI,
		TUN_PI = IFF_TUN,
		TAP = IFF_TAP | IFF_NO_PI,
		TAP_PI = IFF_TAP,
	};
	static const struct {
		unsigned int flags;
		size_t len;
		uint8_t first; /* of the packet, after the information */
		int error;
		bool counted;
	} cases[] = {
		{TUN, 0, 0, -EINVAL, true},
		{TUN, 1, 0x45, 0, false},
		{TUN, 1, 0x60, 0, false},
		{TUN, 1, 0x4f, 0, false},
		{TUN, 60, 0x45, 0, false},
		{TUN, 60, 0x50, -EINVAL, true},
		{TUN, 60, 0x05, -EINVAL, true},
		{TUN, 60, 0x00, -EINVAL, true},
		{TUN, 60, 0xff, -EINVAL, true},
		{TUN_PI, 0, 0, -EINVAL, false},
		{TUN_PI, 3, 0, -EINVAL, false},
		{TUN_PI, 4, 0, 0, false},
		{TUN_PI, 5, 0x45, 0, false},
		/* With information nothing is checked. */
		{TUN_PI, 5, 0x00, 0, false},
		{TAP, 0, 0, -EINVAL, false},
		{TAP, 13, 0, -EINVAL, false},
		{TAP, 14, 0, 0, false},
		{TAP, 60, 0, 0, false},
		{TAP_PI, 3, 0, -EINVAL, false},
		{TAP_PI, 17, 0, -EINVAL, false},
		{TAP_PI, 18, 0, 0, false},
	};

	for (size_t i = 0; i < 2 * LENGTH(cases); i++) {
		size_t k = i / 2, before = fake.sent.n;
		bool pi = !(cases[k].flags & IFF_NO_PI);
		uint8_t data[100] = {0};
		uint64_t invalid;
		ssize_t r;

		attach_device(cases[k].flags);
		/* What is no packet is refused first, up or down. */
		fake_set_up_down(lnk, i % 2 == 0);
		fake.send_room = i % 2 == 0 ? INT32_MAX : 0;
		fake.send_error = -ENXIO;
		data[pi ? 4 : 0] = cases[k].first;
		r = write_now(&o, data, cases[k].len);
		if (cases[k].error == 0 && i % 2 == 1)
			assert_int_equal(r, -EIO);
		else if (cases[k].error)
			assert_int_equal(r, cases[k].error);
		else
			assert_int_equal(r, cases[k].len);
		assert_int_equal(fake.sent.n - before, r >= 0);
		if (r >= 0)
			assert_int_equal(fake.sent.pkts[before]->len,
					 cases[k].len - (pi ? 4 : 0));
		invalid = drops_of(lnk->owner, TUND_DROP_INVALID);
		assert_int_equal(invalid, cases[k].counted);
		close_file(&o);
	}
}

static void type_of_the_packet(void **state)
{
	static const uint8_t ipv6[] = {0x60, 1, 2};
	static const uint8_t pi[] = {0xff, 0xff, 0x88, 0xcc, 0x45, 9};
	static const uint8_t frame[] = {1, 2, 3, 4,  5,	   6,	 1, 2,
					3, 4, 5, 16, 0x88, 0xa8, 7};
	static const uint8_t pi_frame[] = {0, 0, 0x08, 0x00, 1,	   2,
					   3, 4, 5,    6,    1,	   2,
					   3, 4, 5,    6,    0x12, 0x34};
	static const struct {
		unsigned int flags;
		const uint8_t *data;
		size_t len, head;
		uint16_t proto;
	} cases[] = {
		{IFF_TUN | IFF_NO_PI, ipv6, sizeof(ipv6), 0, 0x86dd},
		/* Taken as it is; the flags before it mean nothing. */
		{IFF_TUN, pi, sizeof(pi), 4, 0x88cc},
		{IFF_TAP | IFF_NO_PI, frame, sizeof(frame), 0, 0x88a8},
		/* For TAP the frame's own counts. */
		{IFF_TAP, pi_frame, sizeof(pi_frame), 4, 0x1234},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct pkt *pkt;

		attach_device(cases[i].flags);
		assert_int_equal(write_now(&o, cases[i].data, cases[i].len),
				 cases[i].len);
		pkt = fake.sent.pkts[i];
		assert_int_equal(pkt->proto, htons(cases[i].proto));
		assert_int_equal(pkt->len, cases[i].len - cases[i].head);
		assert_memory_equal(pkt->data, cases[i].data + cases[i].head,
				    pkt->len);
		assert_int_equal(stats_of(&o).rx_packets, 1);
		assert_int_equal(stats_of(&o).rx_bytes, pkt->len);
		close_file(&o);
	}
}

/* ---- what the host says ---- */

static void errors_are_the_kernels(void **state)
{
	static const struct {
		unsigned int flags;
		size_t len;
		bool up;
		int send_error, error;
		enum tund_drop reason;
	} cases[] = {
		{IFF_TUN, 104, false, -ENXIO, -EIO, TUND_DROP_DOWN},
		{IFF_TUN, 104, false, -ENOBUFS, -EIO, TUND_DROP_DOWN},
		/* Down comes before too large. */
		{IFF_TUN, 1600, false, -EMSGSIZE, -EIO, TUND_DROP_DOWN},
		/* No carrier. */
		{IFF_TUN, 104, true, -ENETDOWN, -EIO, TUND_DROP_DOWN},
		{IFF_TUN, 104, true, -ENOBUFS, -ENOBUFS, TUND_DROP_NOBUFS},
		{IFF_TUN, 104, true, -ENXIO, -ENXIO, TUND_DROP_ERROR},
		{IFF_TUN, 104, true, -EPERM, -EPERM, TUND_DROP_ERROR},
		/* The MTU is 1500, and a veth takes 4 bytes more. */
		{IFF_TUN, 1505 + 4, true, -ENOBUFS, -EMSGSIZE, TUND_DROP_MTU},
		{IFF_TUN, 1504 + 4, true, -ENOBUFS, -ENOBUFS, TUND_DROP_NOBUFS},
		/* Of a frame without its header. */
		{IFF_TAP, 1505 + 18, true, -EINVAL, -EMSGSIZE, TUND_DROP_MTU},
		{IFF_TAP, 1504 + 18, true, -EINVAL, -EINVAL, TUND_DROP_ERROR},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct tund_stats stats;

		attach_device(cases[i].flags);
		fake_set_up_down(lnk, cases[i].up);
		fake.send_room = 0;
		fake.send_error = cases[i].send_error;
		assert_int_equal(write_number(&o, 1, cases[i].len),
				 cases[i].error);
		stats = stats_of(&o);
		assert_int_equal(stats.drops[cases[i].reason], 1);
		assert_int_equal(all_drops(lnk->owner), 1);
		assert_int_equal(stats.rx_packets, 0);
		assert_int_equal(stats.rx_bytes, 0);
		/* It was this packet's trouble only. */
		fake.send_room = INT32_MAX;
		assert_int_equal(write_number(&o, 2, 104), 104);
		assert_int_equal(stats_of(&o).rx_packets, 1);
		close_file(&o);
	}
	assert_int_equal(fake.sent.n, LENGTH(cases));
}

static void down_now(struct host_link *link)
{
	struct host_state now = link->state;

	fake.on_sync = NULL;
	now.up = false;
	device_state(link->owner, &now);
}

/* The news is read before an error is explained. */
static void error_is_explained_by_the_news(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	fake.send_room = 0;
	fake.send_error = -ENXIO;
	fake.on_sync = down_now;
	assert_int_equal(write_number(&o, 1, 100), -EIO);
	assert_null(fake.on_sync);
	close_file(&o);
}

static void delete_now(struct host_link *link)
{
	fake.on_send = NULL;
	fake_delete("t0");
}

static void interface_deleted_in_the_call(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	fake.send_room = 0;
	fake.send_error = -ENXIO;
	fake.on_send = delete_now;
	assert_int_equal(write_number(&o, 1, 100), -EBADFD);
	assert_int_equal(write_number(&o, 2, 100), -EBADFD);
	close_file(&o);
}

/* ---- the host would have to wait ---- */

static void writes_until_full(void)
{
	fake.send_room = 0;
	for (uint32_t i = 0; i < QUEUE_LEN; i++)
		assert_int_equal(write_number(&o, i, 100), 100);
}

/* The pump's thread: goes on for as long as it is asked to. */
static void pump(void)
{
	unsigned int n = 0, wants;

	do {
		wants = counter_value(&fake.wants);
		device_can_send(lnk->owner);
		assert_true(n++ < 1000);
	} while (counter_value(&fake.wants) != wants);
}

static void queued_packets_keep_their_order(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	fake.send_room = 2;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(write_number(&o, i, 100), 100);
	/* Asked once, by the write that met the end. */
	assert_int_equal(counter_value(&fake.wants), 1);
	assert_sent(0, 2);
	fake.send_room = 3;
	device_can_send(lnk->owner);
	assert_sent(0, 5);
	assert_int_equal(counter_value(&fake.wants), 2);
	assert_int_equal(write_number(&o, 10, 100), 100);
	assert_sent(0, 5);
	fake.send_room = INT32_MAX;
	pump();
	assert_sent(0, 11);
	/* The road is free again. */
	assert_int_equal(write_number(&o, 11, 100), 100);
	assert_sent(0, 12);
	assert_int_equal(stats_of(&o).rx_packets, 12);
	assert_int_equal(stats_of(&o).rx_bytes, 1200);
	close_file(&o);
}

static void many_queued_packets_are_all_sent(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	writes_until_full();
	fake.send_room = INT32_MAX;
	pump();
	assert_sent(0, QUEUE_LEN);
	assert_int_equal(write_number(&o, QUEUE_LEN, 100), 100);
	assert_sent(0, QUEUE_LEN + 1);
	close_file(&o);
}

static void full_queue_without_blocking(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	writes_until_full();
	assert_int_equal(write_number(&o, QUEUE_LEN, 100), -EAGAIN);
	/* Nothing is lost by it, nothing counted. */
	assert_int_equal(all_drops(lnk->owner), 0);
	fake.send_room = 1;
	device_can_send(lnk->owner);
	assert_int_equal(write_number(&o, QUEUE_LEN, 100), 100);
	assert_int_equal(write_number(&o, QUEUE_LEN + 1, 100), -EAGAIN);
	fake.send_room = INT32_MAX;
	pump();
	assert_sent(0, QUEUE_LEN + 1);
	close_file(&o);
}

/* Of others' packets an error is not this writer's, nor does it stop them. */
static void error_of_a_queued_packet(void **state)
{
	struct tund_stats stats;

	attach_device(IFF_TUN | IFF_NO_PI);
	fake.send_room = 0;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(write_number(&o, i, 100), 100);
	fake.send_error = -ENOBUFS;
	pump();
	stats = stats_of(&o);
	assert_int_equal(stats.rx_packets, 0);
	assert_int_equal(stats.drops[TUND_DROP_NOBUFS], 10);
	fake.send_room = INT32_MAX;
	assert_int_equal(write_number(&o, 10, 100), 100);
	assert_sent(10, 1);
	close_file(&o);
}

/* Another write, while the first one's packet is with the host. */
static void write_another(struct host_link *link)
{
	fake.on_send = NULL;
	assert_int_equal(write_number(&o, 2, 100), 100);
	fake.send_room = 1;
	fake.send_error = -ENOBUFS;
}

static void error_of_anothers_packet(void **state)
{
	attach_device(IFF_TUN | IFF_NO_PI);
	fake.on_send = write_another;
	assert_int_equal(write_number(&o, 1, 100), 100);
	assert_null(fake.on_send);
	assert_sent(1, 1);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_NOBUFS], 1);
	close_file(&o);
}

/* Nobody is kept for as long as there are packets: the pump goes on later. */
static void one_call_sends_only_so_many(void **state)
{
	unsigned int wants;

	attach_device(IFF_TUN | IFF_NO_PI);
	writes_until_full();
	wants = counter_value(&fake.wants);
	fake.send_room = INT32_MAX;
	device_can_send(lnk->owner);
	assert_in_range(fake.sent.n, 1, QUEUE_LEN / 2);
	assert_int_equal(counter_value(&fake.wants), wants + 1);
	pump();
	assert_sent(0, QUEUE_LEN);
	close_file(&o);
}

/* ---- parked writers ---- */

/* The packets that the host is being offered count for none in the queue. */
static void writer_waits_for_room(void **state)
{
	struct answer answers[HOST_SEND_MAX + 2];
	const unsigned int n = LENGTH(answers);

	attach_device(IFF_TUN | IFF_NO_PI);
	writes_until_full();
	for (uint32_t i = 0; i < n; i++)
		park_write(&o, &answers[i], QUEUE_LEN + i, true);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(answers[i].n, 0);
	fake.send_room = 1;
	device_can_send(lnk->owner);
	assert_answered(&answers[0], 100);
	assert_int_equal(answers[n - 1].n, 0);
	fake.send_room = INT32_MAX;
	pump();
	for (size_t i = 0; i < n; i++)
		assert_answered(&answers[i], 100);
	assert_sent(0, QUEUE_LEN + n);
	close_file(&o);
}

/* All was sent while it was not armed: it has to see to it itself. */
static void writer_armed_when_all_is_sent(void **state)
{
	struct request *request;
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	writes_until_full();
	request = park_write(&o, &answer, QUEUE_LEN, false);
	fake.send_room = INT32_MAX;
	pump();
	assert_sent(0, QUEUE_LEN);
	assert_int_equal(answer.n, 0);
	dev_io_arm(&request->io);
	assert_answered(&answer, 100);
	assert_sent(0, QUEUE_LEN + 1);
	close_file(&o);
}

static void interrupted_writer(void **state)
{
	struct request *request, *unarmed;
	struct answer a, b;

	attach_device(IFF_TUN | IFF_NO_PI);
	writes_until_full();
	request = park_write(&o, &a, 1000, true);
	unarmed = park_write(&o, &b, 1001, false);
	interrupt_request(&o, request);
	assert_answered(&a, -EINTR);
	interrupt_request(&o, unarmed);
	assert_int_equal(b.n, 0);
	dev_io_arm(&unarmed->io);
	assert_answered(&b, -EINTR);
	/* Neither packet is sent, and none is lost. */
	fake.send_room = INT32_MAX;
	pump();
	assert_sent(0, QUEUE_LEN);
	assert_int_equal(all_drops(lnk->owner), 0);
	close_file(&o);
}

/* ---- the end ---- */

static void deleted_interface(void **state)
{
	struct answer armed, unarmed;
	struct request *request;
	struct device *dev;

	attach_device(IFF_TUN | IFF_NO_PI);
	dev = lnk->owner;
	device_ref(dev);
	writes_until_full();
	park_write(&o, &armed, 1000, true);
	request = park_write(&o, &unarmed, 1001, false);
	fake_delete("t0");
	assert_answered(&armed, -EBADFD);
	dev_io_arm(&request->io);
	assert_answered(&unarmed, -EBADFD);
	assert_int_equal(write_number(&o, 1, 100), -EBADFD);
	/* Written is sent and dropped, together. */
	assert_int_equal(drops_of(dev, TUND_DROP_DOWN), QUEUE_LEN);
	assert_int_equal(all_drops(dev), QUEUE_LEN);
	assert_int_equal(fake.sent.n, 0);
	device_unref(dev);
	close_file(&o);
}

/* What write() has taken is sent before the interface goes. */
static void close_sends_what_is_queued(void **state)
{
	struct device *dev;
	struct answer answer;

	attach_device(IFF_TUN | IFF_NO_PI);
	dev = lnk->owner;
	device_ref(dev);
	writes_until_full();
	park_write(&o, &answer, QUEUE_LEN, true);
	close_file(&o);
	assert_true(counter_stays_below(&answer.done, 1, 50));
	assert_int_equal(counter_value(&fake.stops), 0);
	fake.send_room = INT32_MAX;
	pump();
	assert_answered(&answer, 100);
	assert_true(counter_wait(&fake.stops, 1));
	assert_sent(0, QUEUE_LEN + 1);
	assert_int_equal(all_drops(dev), 0);
	device_unref(dev);
}

/* But it does not wait for ever: after a second it is lost, and counted. */
static void close_gives_up_at_its_deadline(void **state)
{
	struct answer armed, unarmed;
	struct request *request;
	struct device *dev;

	attach_device(IFF_TUN | IFF_NO_PI);
	dev = lnk->owner;
	device_ref(dev);
	writes_until_full();
	park_write(&o, &armed, 1000, true);
	request = park_write(&o, &unarmed, 1001, false);
	close_file(&o);
	assert_true(counter_wait(&armed.done, 1));
	assert_answered(&armed, -EBADFD);
	assert_true(counter_wait(&fake.stops, 1));
	dev_io_arm(&request->io);
	assert_answered(&unarmed, -EBADFD);
	assert_int_equal(drops_of(dev, TUND_DROP_DOWN), QUEUE_LEN);
	assert_int_equal(fake.sent.n, 0);
	device_unref(dev);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unattached_file),
		TEST(lengths_and_versions),
		TEST(type_of_the_packet),
		TEST(errors_are_the_kernels),
		TEST(error_is_explained_by_the_news),
		TEST(interface_deleted_in_the_call),
		TEST(queued_packets_keep_their_order),
		TEST(many_queued_packets_are_all_sent),
		TEST(full_queue_without_blocking),
		TEST(error_of_a_queued_packet),
		TEST(error_of_anothers_packet),
		TEST(one_call_sends_only_so_many),
		TEST(writer_waits_for_room),
		TEST(writer_armed_when_all_is_sent),
		TEST(interrupted_writer),
		TEST(deleted_interface),
		TEST(close_sends_what_is_queued),
		TEST(close_gives_up_at_its_deadline),
	};

	return cmocka_run_group_tests_name("dev-write", tests, NULL, NULL);
}
