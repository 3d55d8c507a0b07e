/* SPDX-License-Identifier: MIT */
/*
 * test-dev-batch-read.c - what <tund/abi.h> says of reads that carry records.
 * Writes are test-dev-batch-write.c's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "fake.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	HEAD = sizeof(struct tund_record),
	ENOUGH = ANSWER_MAX,
	LEN = 60, /* of a packet */
};

static struct opened o;
static struct host_link *lnk;

static void attach_batch(unsigned int flags, uint32_t max_records)
{
	open_file(&o);
	lnk = attach_up(&o, "t0", flags);
	set_mode(&o, TUND_MODE_BATCH, max_records);
}

/* All of one length, as they come from one call of the host's. */
static void input_run(uint32_t first, uint32_t n, size_t len)
{
	struct pkt *pkts[32];

	for (uint32_t i = 0; i < n; i++)
		pkts[i] = fake_packet(first + i, len, 0);
	device_input(lnk->owner, pkts, n);
}

/* A record at the position, which goes on to where the next one begins. */
static struct tund_record record_at(const struct answer *answer, size_t *at,
				    uint32_t number)
{
	struct tund_record record;
	size_t end;

	assert_true(*at + HEAD <= (size_t)answer->result);
	memcpy(&record, answer->data + *at, HEAD);
	end = *at + HEAD + record.len;
	assert_true(end <= (size_t)answer->result);
	for (uint32_t i = sizeof(number); i < record.len; i++)
		assert_int_equal(answer->data[*at + HEAD + i],
				 (uint8_t)(number + i));
	if (record.len >= sizeof(number))
		assert_int_equal(fake_number(answer->data + *at + HEAD),
				 number);
	*at += TUND_RECORD_SPACE(record.len);
	/* Nothing of the daemon's memory is to be seen. */
	for (; end < *at && end < (size_t)answer->result; end++)
		assert_int_equal(answer->data[end], 0);
	return record;
}

/* Those numbers, and not a byte more. */
static void assert_records(const struct answer *answer, uint32_t first,
			   uint32_t n, size_t len)
{
	const struct tund_record plain = {.len = (uint32_t)len};
	size_t at = 0;

	assert_int_equal(answer->n, 1);
	assert_true(answer->delivered);
	for (uint32_t i = 0; i < n; i++) {
		struct tund_record record = record_at(answer, &at, first + i);

		assert_memory_equal(&record, &plain, HEAD);
	}
	assert_int_equal(answer->result,
			 (n - 1) * TUND_RECORD_SPACE(len) + HEAD + len);
}

static void assert_reads(uint32_t first, uint32_t n, size_t size, size_t len)
{
	struct answer answer;

	read_now(&o, size, &answer);
	assert_records(&answer, first, n, len);
}

static void assert_nothing(void)
{
	struct answer answer;

	assert_int_equal(read_now(&o, ENOUGH, &answer), -EAGAIN);
}

/* ---- the mode ---- */

static void mode_of_a_file(void **state)
{
	static const struct {
		struct tund_mode mode;
		int result;
	} cases[] = {
		{{0, 0}, 0},
		{{TUND_MODE_ALL_IOCTLS, 0}, 0},
		{{TUND_MODE_BATCH, 0}, 0},
		{{TUND_MODE_BATCH, UINT32_MAX}, 0},
		{{TUND_MODE_ALL_IOCTLS | TUND_MODE_BATCH, 7}, 0},
		{{0, 1}, -EINVAL},
		{{TUND_MODE_ALL_IOCTLS, 1}, -EINVAL},
		{{1u << 2, 0}, -EINVAL},
		{{TUND_MODE_BATCH | 1u << 31, 0}, -EINVAL},
	};

	open_file(&o);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct tund_mode before, now;
		int r;

		dev_file_get_mode(o.file, &before);
		r = dev_file_set_mode(o.file, &cases[i].mode);
		assert_int_equal(r, cases[i].result);
		dev_file_get_mode(o.file, &now);
		assert_memory_equal(&now, r < 0 ? &before : &cases[i].mode,
				    sizeof(now));
	}
	close_file(&o);
}

static void unattached_file(void **state)
{
	struct answer answer;

	open_file(&o);
	set_mode(&o, TUND_MODE_BATCH, 0);
	assert_int_equal(read_now(&o, ENOUGH, &answer), -EBADFD);
	assert_int_equal(write_now(&o, "", 1), -EBADFD);
	close_file(&o);
}

static void mode_is_of_the_next_read(void **state)
{
	struct answer parked;

	open_file(&o);
	lnk = attach_up(&o, "t0", TUN);
	park_read(&o, &parked, ENOUGH, true);
	set_mode(&o, TUND_MODE_BATCH, 0);
	input_run(1, 3, LEN);
	assert_answered(&parked, LEN);
	assert_delivered(&parked, 1);
	assert_reads(2, 2, ENOUGH, LEN);
	close_file(&o);
}

/* As it was attached; and without records it is so again. */
static void no_other_format(void **state)
{
	static const unsigned int formats[] = {TUN, IFF_TUN,
					       TUN | IFF_VNET_HDR};
	static const size_t heads[] = {0, 4, 10};

	for (size_t i = 0; i < LENGTH(formats); i++) {
		struct answer answer;

		open_file(&o);
		set_mode(&o, TUND_MODE_ALL_IOCTLS, 0);
		lnk = attach_up(&o, "t0", formats[i]);
		set_mode(&o, TUND_MODE_BATCH, 0);
		input_run(1, 2, LEN);
		assert_reads(1, 2, ENOUGH, LEN);
		set_mode(&o, 0, 0);
		input_run(1, 2, LEN);
		assert_int_equal(read_now(&o, ENOUGH, &answer), heads[i] + LEN);
		close_file(&o);
	}
}

/* ---- how many ---- */

static void all_that_is_there(void **state)
{
	struct tund_stats stats;

	/* With every possible padding. */
	for (size_t len = LEN; len < LEN + TUND_RECORD_ALIGN; len++) {
		attach_batch(TUN, 0);
		input_run(1, 5, len);
		assert_int_equal(stats_of(&o).queued, 5);
		assert_reads(1, 5, ENOUGH, len);
		stats = stats_of(&o);
		assert_int_equal(stats.tx_packets, 5);
		assert_int_equal(stats.tx_bytes, 5 * len);
		assert_nothing();
		input_run(1, 1, len);
		assert_reads(1, 1, ENOUGH, len);
		close_file(&o);
	}
}

static void no_more_than_was_said(void **state)
{
	attach_batch(TUN, 2);
	input_run(1, 5, LEN);
	assert_reads(1, 2, ENOUGH, LEN);
	assert_reads(3, 2, ENOUGH, LEN);
	assert_reads(5, 1, ENOUGH, LEN);
	assert_nothing();
	set_mode(&o, TUND_MODE_BATCH, 1);
	input_run(6, 2, LEN);
	assert_reads(6, 1, ENOUGH, LEN);
	close_file(&o);
}

static void no_more_than_fit(void **state)
{
	const size_t len = LEN + 1;
	const size_t two = TUND_RECORD_SPACE(len) + HEAD + len;

	attach_batch(TUN, 0);
	input_run(1, 7, len);
	assert_reads(1, 2, two, len);
	assert_reads(3, 1, two - 1, len);
	assert_reads(4, 1, HEAD + len, len);
	assert_reads(5, 2, two + TUND_RECORD_ALIGN, len);
	assert_reads(7, 1, two, len);
	assert_nothing();
	close_file(&o);
}

static void first_is_cut(void **state)
{
	static const size_t rooms[] = {LEN - 1, 4, 1, 0};

	attach_batch(TUN, 0);
	for (size_t i = 0; i < LENGTH(rooms); i++) {
		struct tund_record record;
		struct answer answer;
		size_t at = 0;

		input_run(1, 2, LEN);
		assert_int_equal(read_now(&o, HEAD + rooms[i], &answer),
				 HEAD + rooms[i]);
		record = record_at(&answer, &at, 1);
		assert_int_equal(record.len, rooms[i]);
		assert_int_equal(record.flags, TUND_RECORD_CUT);
		/* The other one was not touched, and the whole one counts. */
		assert_reads(2, 1, ENOUGH, LEN);
		assert_int_equal(stats_of(&o).tx_bytes, 2 * (i + 1) * LEN);
	}
	close_file(&o);
}

static void buffer_for_no_record(void **state)
{
	struct answer answer;

	attach_batch(TUN, 0);
	assert_int_equal(read_now(&o, HEAD - 1, &answer), -EINVAL);
	input_run(1, 2, LEN);
	assert_int_equal(read_now(&o, HEAD - 1, &answer), -EINVAL);
	assert_int_equal(read_now(&o, 0, &answer), -EINVAL);
	assert_reads(1, 2, ENOUGH, LEN);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_TOO_SMALL], 0);
	close_file(&o);
}

static void header_for_each(void **state)
{
	static const struct virtio_net_hdr tcp4 = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 0x0102,
		.gso_size = 0x0304,
		.csum_start = 0x0506,
		.csum_offset = 0x0708,
	};
	struct pkt *pkts[] = {
		fake_packet(1, LEN, 0),
		fake_packet(2, LEN, 0),
		fake_packet(3, LEN, 0),
	};
	struct answer answer;
	size_t at = 0;

	attach_batch(TUN, 0);
	pkts[0]->vnet = tcp4;
	pkts[2]->vnet = tcp4;
	device_input(lnk->owner, pkts, 3);
	read_now(&o, ENOUGH, &answer);
	for (uint32_t i = 0; i < 3; i++) {
		static const struct virtio_net_hdr none;
		struct tund_record record = record_at(&answer, &at, 1 + i);

		assert_memory_equal(&record.vnet, i == 1 ? &none : &tcp4,
				    sizeof(none));
	}
	/* As the only one, too. */
	pkts[0] = fake_packet(4, LEN, 0);
	pkts[0]->vnet = tcp4;
	device_input(lnk->owner, pkts, 1);
	read_now(&o, ENOUGH, &answer);
	assert_memory_equal(answer.data + HEAD - sizeof(tcp4), &tcp4,
			    sizeof(tcp4));
	close_file(&o);
}

/* ---- waiting ---- */

static void parked_read_is_given_all(void **state)
{
	struct answer answer;
	unsigned int wakes;

	attach_batch(TUN, 0);
	park_read(&o, &answer, ENOUGH, true);
	wakes = counter_value(&o.wakes);
	input_run(1, 20, LEN);
	assert_records(&answer, 1, 20, LEN);
	/* There is nothing for who polls. */
	assert_int_equal(counter_value(&o.wakes), wakes);
	assert_int_equal(stats_of(&o).queued, 0);
	close_file(&o);
}

static void parked_read_leaves_the_rest(void **state)
{
	struct answer answers[2];
	unsigned int wakes;

	attach_batch(TUN, 3);
	for (size_t i = 0; i < 2; i++)
		park_read(&o, &answers[i], ENOUGH, true);
	wakes = counter_value(&o.wakes);
	input_run(1, 8, LEN);
	assert_records(&answers[0], 1, 3, LEN);
	assert_records(&answers[1], 4, 3, LEN);
	assert_int_equal(counter_value(&o.wakes), wakes + 1);
	assert_reads(7, 2, ENOUGH, LEN);
	close_file(&o);
}

static void read_that_is_not_armed(void **state)
{
	struct request *request;
	struct answer answer;

	attach_batch(TUN, 0);
	request = park_read(&o, &answer, ENOUGH, false);
	input_run(1, 3, LEN);
	input_run(4, 3, LEN);
	assert_int_equal(answer.n, 0);
	dev_io_arm(&request->io);
	assert_records(&answer, 1, 6, LEN);
	close_file(&o);
}

static void interrupted_read(void **state)
{
	struct request *request;
	struct answer answer;

	attach_batch(TUN, 0);
	request = park_read(&o, &answer, ENOUGH, true);
	interrupt_request(&o, request);
	assert_answered(&answer, -EINTR);
	/* The packets come before the second step. */
	request = park_read(&o, &answer, ENOUGH, false);
	interrupt_request(&o, request);
	input_run(1, 3, LEN);
	dev_io_arm(&request->io);
	assert_answered(&answer, -EINTR);
	assert_reads(1, 3, ENOUGH, LEN);
	close_file(&o);
}

/* ---- nobody is there ---- */

static struct answer next_answer;

/* The packets that come meanwhile are behind those that come back. */
static void input_more(struct request *request)
{
	input_run(4, 2, LEN);
}

static void failed_delivery_keeps_all(void **state)
{
	struct request *request;
	struct answer answer;
	unsigned int wakes;

	for (int parked = 0; parked < 2; parked++) {
		attach_batch(TUN, 0);
		if (parked) {
			request = park_read(&o, &answer, ENOUGH, false);
		} else {
			request = new_request(&answer, ENOUGH);
			input_run(1, 3, LEN);
		}
		request->delivery = -ENOENT;
		request->on_answer = input_more;
		wakes = counter_value(&o.wakes);
		if (parked) {
			dev_io_arm(&request->io);
			input_run(1, 3, LEN);
		} else {
			start_read(&o, request, true);
		}
		assert_answered(&answer, -ENOENT);
		assert_true(counter_value(&o.wakes) > wakes);
		assert_int_equal(stats_of(&o).tx_packets, 0);
		assert_int_equal(stats_of(&o).tx_bytes, 0);
		assert_reads(1, 5, ENOUGH, LEN);
		close_file(&o);
	}
}

static void failed_delivery_serves_the_next(void **state)
{
	struct request *request;
	struct answer answer;

	attach_batch(TUN, 3);
	request = park_read(&o, &answer, ENOUGH, true);
	request->delivery = -ENOENT;
	park_read(&o, &next_answer, ENOUGH, true);
	input_run(1, 3, LEN);
	assert_answered(&answer, -ENOENT);
	assert_records(&next_answer, 1, 3, LEN);
	close_file(&o);
}

static void delete_interface(struct request *request)
{
	fake_delete("t0");
}

static void failed_delivery_at_the_end(void **state)
{
	struct request *request;
	struct answer answer;
	struct device *dev;

	attach_batch(TUN, 0);
	dev = lnk->owner;
	device_ref(dev);
	input_run(1, 3, LEN);
	request = new_request(&answer, ENOUGH);
	request->delivery = -ENOENT;
	request->on_answer = delete_interface;
	start_read(&o, request, true);
	assert_answered(&answer, -ENOENT);
	assert_int_equal(dev->drops[TUND_DROP_DETACHED], 3);
	assert_int_equal(dev->tx_packets, 0);
	device_unref(dev);
	close_file(&o);
}

/* ---- others ---- */

/* What came together is for several readers of one packet each. */
static void single_reads_of_a_run(void **state)
{
	struct answer answers[3], answer;

	open_file(&o);
	lnk = attach_up(&o, "t0", TUN);
	for (size_t i = 0; i < 3; i++)
		park_read(&o, &answers[i], ENOUGH, true);
	input_run(1, 5, LEN);
	for (uint32_t i = 0; i < 3; i++) {
		assert_answered(&answers[i], LEN);
		assert_delivered(&answers[i], 1 + i);
	}
	for (uint32_t i = 4; i <= 5; i++) {
		read_now(&o, ENOUGH, &answer);
		assert_delivered(&answer, i);
	}
	assert_nothing();
	close_file(&o);
}

static void more_than_the_queue_holds(void **state)
{
	const uint32_t queue_len = 500;

	attach_batch(TUN, 0);
	for (uint32_t i = 0; i < queue_len + 30; i += 30)
		input_run(i, 30, LEN);
	assert_int_equal(stats_of(&o).queued, queue_len);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_QUEUE_FULL], 40);
	assert_reads(0, 20, 20 * TUND_RECORD_SPACE(LEN), LEN);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mode_of_a_file),
		TEST(unattached_file),
		TEST(mode_is_of_the_next_read),
		TEST(no_other_format),
		TEST(all_that_is_there),
		TEST(no_more_than_was_said),
		TEST(no_more_than_fit),
		TEST(first_is_cut),
		TEST(buffer_for_no_record),
		TEST(header_for_each),
		TEST(parked_read_is_given_all),
		TEST(parked_read_leaves_the_rest),
		TEST(read_that_is_not_armed),
		TEST(interrupted_read),
		TEST(failed_delivery_keeps_all),
		TEST(failed_delivery_serves_the_next),
		TEST(failed_delivery_at_the_end),
		TEST(single_reads_of_a_run),
		TEST(more_than_the_queue_holds),
	};

	return cmocka_run_group_tests_name("dev-batch-read", tests, NULL, NULL);
}
