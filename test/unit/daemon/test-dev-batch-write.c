/* SPDX-License-Identifier: MIT */
/*
 * test-dev-batch-write.c - what <tund/abi.h> says of writes that carry records.
 * Reads are test-dev-batch-read.c's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "fake.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	HEAD = sizeof(struct tund_record),
	QUEUE_LEN = 500,
	LEN = 101, /* of a packet, such that there is padding */
	SPACE = TUND_RECORD_SPACE(LEN),
	MANY = 700, /* records that one write of a test has at most */
};

static struct opened o;
static struct host_link *lnk;

/* What is written. */
static uint8_t buffer[MANY * SPACE];

static void attach_batch(unsigned int flags)
{
	open_file(&o);
	lnk = attach_up(&o, "t0", flags);
	set_mode(&o, TUND_MODE_BATCH, 0);
}

static struct tund_record record_of(unsigned int i)
{
	struct tund_record record;

	memcpy(&record, buffer + i * SPACE, HEAD);
	return record;
}

static void set_record(unsigned int i, const struct tund_record *record)
{
	memcpy(buffer + i * SPACE, record, HEAD);
}

static uint8_t *packet_of(unsigned int i)
{
	return buffer + i * SPACE + HEAD;
}

/* Packets of IPv4 with their number behind the first byte. */
static void prepare(uint32_t first, unsigned int n)
{
	assert_true(n <= MANY);
	/* Padding means nothing. */
	memset(buffer, 0xee, n * SPACE);
	for (unsigned int i = 0; i < n; i++) {
		const struct tund_record record = {.len = LEN};
		uint32_t word = (first + i) << 8 | 0x45;

		set_record(i, &record);
		memset(packet_of(i), 0x45, LEN);
		memcpy(packet_of(i), &word, sizeof(word));
	}
}

static ssize_t write_records(uint32_t first, unsigned int n)
{
	prepare(first, n);
	return write_now(&o, buffer, n * SPACE);
}

/* So many were sent since the beginning, the last of them with that number. */
static void assert_sent(unsigned int n, uint32_t last)
{
	assert_int_equal(fake.sent.n, n);
	for (unsigned int i = n; i-- > 0; last--) {
		const struct pkt *pkt = fake.sent.pkts[i];

		assert_int_equal(fake_number(pkt->data) >> 8, last);
		if (last == 0)
			break;
	}
}

static uint64_t all_drops(void)
{
	struct tund_stats stats = stats_of(&o);
	uint64_t sum = 0;

	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		sum += stats.drops[i];
	return sum;
}

/* The pump, until it is no longer wanted. */
static void pump(void)
{
	unsigned int wants;

	do {
		wants = counter_value(&fake.wants);
		device_can_send(lnk->owner);
	} while (counter_value(&fake.wants) > wants);
}

/* ---- what is taken ---- */

static void all_in_their_order(void **state)
{
	static const unsigned int counts[] = {1, 2, 63, 64, 65, 300};
	unsigned int sent = 0;

	attach_batch(TUN);
	for (size_t i = 0; i < LENGTH(counts); i++) {
		const struct pkt *pkt;

		assert_int_equal(write_records(sent, counts[i]),
				 counts[i] * SPACE);
		sent += counts[i];
		assert_sent(sent, sent - 1);
		pkt = fake.sent.pkts[sent - 1];
		assert_int_equal(pkt->len, LEN);
		assert_int_equal(pkt->data[LEN - 1], 0x45);
		assert_int_equal(pkt->proto, htons(ETH_P_IP));
	}
	assert_int_equal(stats_of(&o).rx_packets, sent);
	assert_int_equal(stats_of(&o).rx_bytes, sent * LEN);
	assert_int_equal(all_drops(), 0);
	close_file(&o);
}

static void last_padding_may_be_missing(void **state)
{
	attach_batch(TUN);
	for (size_t cut = 0; cut <= SPACE - HEAD - LEN; cut++) {
		prepare(0, 2);
		assert_int_equal(write_now(&o, buffer, 2 * SPACE - cut),
				 2 * SPACE - cut);
		assert_int_equal(fake.sent.n, 2 * (cut + 1));
	}
	close_file(&o);
}

/* Packet information and the program's own header have no place in it. */
static void no_other_format(void **state)
{
	open_file(&o);
	set_mode(&o, TUND_MODE_ALL_IOCTLS, 0);
	lnk = attach_up(&o, "t0", IFF_TUN | IFF_VNET_HDR);
	set_mode(&o, TUND_MODE_BATCH, 0);
	assert_int_equal(write_records(7, 2), 2 * SPACE);
	assert_sent(2, 8);
	assert_int_equal(fake.sent.pkts[0]->proto, htons(ETH_P_IP));
	close_file(&o);
}

/* ---- records that are none ---- */

static void bad_length(unsigned int i)
{
	struct tund_record record = record_of(i);

	record.len = UINT32_MAX;
	set_record(i, &record);
}

static void bad_flag(unsigned int i)
{
	struct tund_record record = record_of(i);

	record.flags = TUND_RECORD_CUT;
	set_record(i, &record);
}

static void bad_header(unsigned int i)
{
	struct tund_record record = record_of(i);

	record.vnet.gso_type = 0x77;
	set_record(i, &record);
}

static void bad_packet(unsigned int i)
{
	packet_of(i)[0] = 0;
}

static void no_packet(unsigned int i)
{
	struct tund_record record = record_of(i);

	record.len = 0;
	set_record(i, &record);
}

static void bad_records(void **state)
{
	static const struct {
		void (*spoil)(unsigned int i);
		unsigned int dropped;
	} cases[] = {
		{bad_length, 0}, {bad_flag, 0},	 {bad_header, 0},
		{bad_packet, 1}, {no_packet, 1},
	};
	static const unsigned int before[] = {0, 1, 63, 64, 70};

	for (size_t i = 0; i < LENGTH(cases) * LENGTH(before); i++) {
		unsigned int n = before[i % LENGTH(before)];
		size_t k = i / LENGTH(before);
		unsigned int sent = fake.sent.n;

		attach_batch(TUN);
		prepare(0, n + 3);
		cases[k].spoil(n);
		/* It is counted when the program is told of it. */
		if (n > 0) {
			assert_int_equal(write_now(&o, buffer, (n + 3) * SPACE),
					 n * SPACE);
			assert_int_equal(all_drops(), 0);
		}
		assert_int_equal(write_now(&o, buffer + n * SPACE, 3 * SPACE),
				 -EINVAL);
		assert_int_equal(stats_of(&o).drops[TUND_DROP_INVALID],
				 cases[k].dropped);
		assert_int_equal(all_drops(), cases[k].dropped);
		assert_int_equal(fake.sent.n, sent + n);
		close_file(&o);
	}
}

static void no_room_for_a_record(void **state)
{
	attach_batch(TUN);
	for (size_t len = 1; len < HEAD + LEN; len += 10) {
		prepare(0, 2);
		assert_int_equal(write_now(&o, buffer, len), -EINVAL);
		assert_int_equal(write_now(&o, buffer, SPACE + len), SPACE);
	}
	assert_int_equal(all_drops(), 0);
	close_file(&o);
}

static void short_frame(void **state)
{
	struct tund_record record;

	attach_batch(IFF_TAP | IFF_NO_PI);
	assert_int_equal(write_records(0, 2), 2 * SPACE);
	record = record_of(0);
	record.len = ETH_HLEN - 1;
	set_record(0, &record);
	assert_int_equal(write_now(&o, buffer, 2 * SPACE), -EINVAL);
	assert_int_equal(all_drops(), 0);
	close_file(&o);
}

static void header_of_each(void **state)
{
	static const struct virtio_net_hdr none,
		tcp4 = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			.hdr_len = 60,
			.gso_size = 20,
			.csum_start = 40,
			.csum_offset = 16,
		};
	struct tund_record record;

	attach_batch(TUN);
	prepare(0, 3);
	record = record_of(1);
	memcpy(&record.vnet, &tcp4, sizeof(tcp4));
	set_record(1, &record);
	assert_int_equal(write_now(&o, buffer, 3 * SPACE), 3 * SPACE);
	assert_sent(3, 2);
	for (unsigned int i = 0; i < 3; i++)
		assert_memory_equal(&fake.sent.pkts[i]->vnet,
				    i == 1 ? &tcp4 : &none, sizeof(none));
	close_file(&o);
}

/* ---- what the host says ---- */

static unsigned int n_sends;

static void nothing_goes_on_behind_a_failure(void **state)
{
	static const unsigned int before[] = {0, 1, 31, 32, 40, 63, 64, 100};

	for (size_t i = 0; i < LENGTH(before); i++) {
		unsigned int n = before[i], sent = fake.sent.n;

		attach_batch(TUN);
		fake.refused_number = 1 + n;
		fake.send_error = -EINVAL;
		assert_int_equal(write_records(1, n + 80),
				 n > 0 ? (ssize_t)n * SPACE : -EINVAL);
		assert_int_equal(fake.sent.n, sent + n);
		/* Who has written others does not hear of it yet. */
		assert_int_equal(stats_of(&o).drops[TUND_DROP_ERROR], n == 0);
		assert_int_equal(all_drops(), n == 0);
		assert_int_equal(stats_of(&o).rx_packets, n);
		/* Nothing of it was left in the queue. */
		fake.refused_number = 0;
		pump();
		assert_int_equal(fake.sent.n, sent + n);
		close_file(&o);
	}
}

/* The interface goes down when so many packets are sent. */
static void go_down(struct host_link *link)
{
	if (n_sends++ != 3)
		return;
	fake_set_up_down(link, false);
	fake.send_room = 0;
	fake.send_error = -ENETDOWN;
}

static void interface_goes_down(void **state)
{
	attach_batch(TUN);
	n_sends = 0;
	fake.on_send = go_down;
	assert_int_equal(write_records(0, 10), 3 * SPACE);
	assert_sent(3, 2);
	assert_int_equal(all_drops(), 0);
	for (unsigned int i = 1; i < 3; i++) {
		assert_int_equal(write_records(3, 7), -EIO);
		assert_int_equal(stats_of(&o).drops[TUND_DROP_DOWN], i);
		assert_int_equal(all_drops(), i);
	}
	close_file(&o);
}

static void packet_is_too_large(void **state)
{
	struct host_state state_of_link;

	attach_batch(TUN);
	state_of_link = lnk->state;
	state_of_link.mtu = LEN - 5;
	fake_change(lnk, &state_of_link);
	fake.send_room = 0;
	fake.send_error = -EMSGSIZE;
	assert_int_equal(write_records(0, 3), -EMSGSIZE);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_MTU], 1);
	assert_int_equal(all_drops(), 1);
	close_file(&o);
}

/* TUN takes what it does not look at: the host drops it. */
static void host_looks_into_the_header(void **state)
{
	struct tund_record record;

	attach_batch(TUN);
	prepare(1, 3);
	record = record_of(1);
	record.vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	record.vnet.csum_start = 40;
	record.vnet.csum_offset = 16;
	set_record(1, &record);
	fake.refused_number = 2;
	fake.send_error = -EINVAL;
	assert_int_equal(write_now(&o, buffer, 3 * SPACE), 3 * SPACE);
	assert_int_equal(fake.sent.n, 2);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_ERROR], 1);
	assert_int_equal(stats_of(&o).rx_packets, 3);
	close_file(&o);
}

/* ---- several writers ---- */

static void write_between(struct host_link *link)
{
	static uint8_t mine[sizeof(buffer)];

	fake.on_send = NULL;
	/* The first writer's buffer is used in this call. */
	memcpy(mine, buffer, sizeof(mine));
	assert_int_equal(write_records(100, 2), 2 * SPACE);
	memcpy(buffer, mine, sizeof(mine));
}

/* Another's packets, behind one that failed, go on. */
static void others_go_on(void **state)
{
	attach_batch(TUN);
	fake.refused_number = 3;
	fake.send_error = -EINVAL;
	fake.on_send = write_between;
	assert_int_equal(write_records(1, 40), 2 * SPACE);
	assert_int_equal(fake.sent.n, 4);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(fake_number(fake.sent.pkts[2 + i]->data) >> 8,
				 100 + i);
	assert_int_equal(all_drops(), 0);
	close_file(&o);
}

static void fail_others(struct host_link *link)
{
	static uint8_t mine[sizeof(buffer)];

	fake.on_send = NULL;
	memcpy(mine, buffer, sizeof(mine));
	assert_int_equal(write_records(100, 3), 3 * SPACE);
	memcpy(buffer, mine, sizeof(mine));
	fake.send_room = 40;
	fake.send_error = -ENOBUFS;
}

/* Of what another sends for us nothing is known, but it is counted. */
static void fate_of_what_another_sends(void **state)
{
	attach_batch(TUN);
	fake.on_send = fail_others;
	assert_int_equal(write_records(0, 40), 40 * SPACE);
	assert_sent(40, 39);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_NOBUFS], 3);
	close_file(&o);
}

/* ---- no room ---- */

static void fill_queue(void)
{
	fake.send_room = 0;
	assert_int_equal(write_records(0, QUEUE_LEN + 100), QUEUE_LEN * SPACE);
}

static void full_queue_takes_a_part(void **state)
{
	attach_batch(TUN);
	fill_queue();
	assert_int_equal(write_records(QUEUE_LEN, 10), -EAGAIN);
	assert_int_equal(all_drops(), 0);
	fake.send_room = INT32_MAX;
	pump();
	assert_sent(QUEUE_LEN, QUEUE_LEN - 1);
	assert_int_equal(write_records(QUEUE_LEN, 10), 10 * SPACE);
	assert_sent(QUEUE_LEN + 10, QUEUE_LEN + 9);
	close_file(&o);
}

/* What could wait does not, once something was taken. */
static struct request *park_records(struct answer *answer, uint32_t first,
				    unsigned int n, bool arm)
{
	struct request *request = new_request(answer, 0);
	uint8_t *copy = must_alloc(n * SPACE);

	prepare(first, n);
	memcpy(copy, buffer, n * SPACE);
	assert_int_equal(
		dev_write(o.file, &request->io, copy, n * SPACE, false),
		DEV_PARKED);
	free(copy);
	if (arm)
		dev_io_arm(&request->io);
	return request;
}

static void writer_waits_for_the_first(void **state)
{
	struct request *request;
	struct answer answer;

	attach_batch(TUN);
	fill_queue();
	/* Not parked: there is room for some. */
	fake.send_room = 3;
	device_can_send(lnk->owner);
	request = new_request(&answer, 0);
	prepare(QUEUE_LEN, 10);
	assert_int_equal(
		dev_write(o.file, &request->io, buffer, 10 * SPACE, false),
		DEV_ANSWERED);
	assert_answered(&answer, 3 * SPACE);

	park_records(&answer, QUEUE_LEN + 3, 10, true);
	assert_int_equal(answer.n, 0);
	fake.send_room = INT32_MAX;
	pump();
	assert_answered(&answer, SPACE);
	assert_sent(QUEUE_LEN + 4, QUEUE_LEN + 3);
	assert_int_equal(all_drops(), 0);
	close_file(&o);
}

static void interrupted_writer(void **state)
{
	struct request *request;
	struct answer answer;

	for (int arm = 0; arm < 2; arm++) {
		attach_batch(TUN);
		fill_queue();
		request = park_records(&answer, 1000, 10, arm);
		interrupt_request(&o, request);
		if (!arm)
			dev_io_arm(&request->io);
		assert_answered(&answer, -EINTR);
		fake.send_room = INT32_MAX;
		pump();
		assert_int_equal(fake.sent.n, (arm + 1) * QUEUE_LEN);
		assert_int_equal(all_drops(), 0);
		close_file(&o);
	}
}

/* ---- the end ---- */

static void delete_interface(struct host_link *link)
{
	if (n_sends++ != 2)
		return;
	fake_delete("t0");
	fake.send_room = 0;
	fake.send_error = -ENXIO;
}

static void deleted_interface(void **state)
{
	attach_batch(TUN);
	n_sends = 0;
	fake.on_send = delete_interface;
	assert_int_equal(write_records(0, 5), 2 * SPACE);
	assert_int_equal(write_records(2, 3), -EBADFD);
	close_file(&o);
}

static void deleted_at_the_first(void **state)
{
	attach_batch(TUN);
	n_sends = 2;
	fake.on_send = delete_interface;
	assert_int_equal(write_records(0, 5), -EBADFD);
	assert_int_equal(fake.sent.n, 0);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_in_their_order),
		TEST(last_padding_may_be_missing),
		TEST(no_other_format),
		TEST(bad_records),
		TEST(no_room_for_a_record),
		TEST(short_frame),
		TEST(header_of_each),
		TEST(nothing_goes_on_behind_a_failure),
		TEST(interface_goes_down),
		TEST(packet_is_too_large),
		TEST(host_looks_into_the_header),
		TEST(others_go_on),
		TEST(fate_of_what_another_sends),
		TEST(full_queue_takes_a_part),
		TEST(writer_waits_for_the_first),
		TEST(interrupted_writer),
		TEST(deleted_interface),
		TEST(deleted_at_the_first),
	};

	return cmocka_run_group_tests_name("dev-batch-write", tests, NULL,
					   NULL);
}
