/* SPDX-License-Identifier: MIT */
/*
 * test-dev-flows.c - which queue of a device gets a packet, in dev/queue.h: the
 * one that last wrote its flow, else any, but always the same.
 */
#include <errno.h>
#include <string.h>

#include "fake.h"

enum {
	TUN_MQ = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
	TAP_MQ = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE,
	QUEUES = 4,
	FLOWS = 400,
};

static struct opened q[QUEUES];
static struct host_link *lnk;

static int make_queues(void **state)
{
	fake_set_up(state);
	for (unsigned int i = 0; i < QUEUES; i++) {
		open_file(&q[i]);
		if (attach(&q[i], "t0", TUN_MQ) != 0)
			return -1;
	}
	lnk = fake_link("t0");
	fake_set_up_down(lnk, true);
	return 0;
}

static int close_queues(void **state)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		if (q[i].file)
			close_file(&q[i]);
	return fake_tear_down(state);
}

static void close_one(unsigned int i)
{
	close_file(&q[i]);
	q[i].file = NULL;
}

static void write_flow(unsigned int i, unsigned int flow)
{
	uint8_t data[FAKE_UDP_LEN];

	fake_udp(data, flow, true, 0);
	assert_int_equal(write_now(&q[i], data, sizeof(data)), sizeof(data));
}

/* The number of the next packet, or -1. */
static int next_number(unsigned int i)
{
	struct answer answer;

	if (read_now(&q[i], ANSWER_MAX, &answer) < 0)
		return -1;
	return (int)fake_udp_number(answer.data);
}

/* Which queue gets a packet of the flow; exactly one does. */
static int queue_of(unsigned int flow)
{
	int found = -1;

	fake_input_udp(lnk, flow, flow);
	for (unsigned int i = 0; i < QUEUES; i++) {
		int number = q[i].file ? next_number(i) : -1;

		if (number < 0)
			continue;
		assert_int_equal(number, flow);
		assert_int_equal(found, -1);
		found = (int)i;
	}
	return found;
}

static void flow_comes_back_to_its_writer(void **state)
{
	for (unsigned int flow = 0; flow < 100; flow++)
		write_flow(flow % QUEUES, flow);
	for (unsigned int flow = 0; flow < 100; flow++)
		assert_int_equal(queue_of(flow), flow % QUEUES);
	/* The last writer counts. */
	for (unsigned int flow = 0; flow < 100; flow++)
		write_flow((flow + 1) % QUEUES, flow);
	for (unsigned int flow = 0; flow < 100; flow++)
		assert_int_equal(queue_of(flow), (flow + 1) % QUEUES);
}

static void unknown_flows_are_spread(void **state)
{
	unsigned int n[QUEUES] = {0};
	int queue[FLOWS];

	for (unsigned int flow = 0; flow < FLOWS; flow++) {
		queue[flow] = queue_of(flow);
		assert_true(queue[flow] >= 0);
		n[queue[flow]]++;
	}
	/* 100 each, more or less: the hash is another one in every run. */
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_in_range(n[i], 40, 160);
	for (unsigned int flow = 0; flow < FLOWS; flow++)
		assert_int_equal(queue_of(flow), queue[flow]);
}

/* In one batch, whichever queues they go to. */
static void order_of_a_flow_is_kept(void **state)
{
	enum { ROUNDS = 20, N = 10 };
	unsigned int got = 0;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		struct pkt *pkts[N];

		for (uint32_t i = 0; i < N; i++)
			pkts[i] = fake_udp_packet(i, round << 16 | i);
		device_input(lnk->owner, pkts, N);
	}
	assert_int_equal(stats_of(&q[0]).queued, ROUNDS * N);
	for (unsigned int i = 0; i < QUEUES; i++) {
		int last[N], number;

		memset(last, 0xff, sizeof(last));
		while ((number = next_number(i)) >= 0) {
			int flow = number & 0xffff;

			/* Those before it were read before, and here. */
			assert_int_equal(number >> 16, last[flow] + 1);
			last[flow] = number >> 16;
			got++;
		}
	}
	assert_int_equal(got, ROUNDS * N);
}

static void batch_wakes_each_queue(void **state)
{
	unsigned int before[QUEUES];
	struct pkt *pkts[8];

	for (unsigned int i = 0; i < 2; i++)
		write_flow(i, i);
	for (unsigned int i = 0; i < QUEUES; i++)
		before[i] = counter_value(&q[i].wakes);
	for (unsigned int i = 0; i < LENGTH(pkts); i++)
		pkts[i] = fake_udp_packet(i / 4, i);
	device_input(lnk->owner, pkts, LENGTH(pkts));
	/* Once for what came together, and nobody else. */
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_int_equal(counter_value(&q[i].wakes) - before[i], i < 2);
}

/* Who was waiting for it need not be told. */
static void batch_for_a_parked_reader_wakes_nobody(void **state)
{
	struct answer answer;
	struct pkt *pkts[2];
	unsigned int before;

	write_flow(0, 0);
	write_flow(1, 1);
	park_read(&q[1], &answer, ANSWER_MAX, true);
	before = counter_value(&q[1].wakes);
	for (unsigned int i = 0; i < 2; i++)
		pkts[i] = fake_udp_packet(i, i);
	device_input(lnk->owner, pkts, 2);
	assert_answered(&answer, FAKE_UDP_LEN);
	assert_int_equal(counter_value(&q[1].wakes), before);
	assert_int_equal(next_number(0), 0);
}

static void full_queue_is_not_left_for_another(void **state)
{
	struct host_state now = lnk->state;

	now.queue_len = 2;
	fake_change(lnk, &now);
	write_flow(3, 1);
	for (unsigned int i = 0; i < 5; i++)
		fake_input_udp(lnk, 1, i);
	assert_int_equal(stats_of(&q[0]).queued, 2);
	assert_int_equal(stats_of(&q[0]).drops[TUND_DROP_QUEUE_FULL], 3);
	assert_int_equal(next_number(3), 0);
	assert_int_equal(next_number(3), 1);
}

/* It has the closed one's number and keeps its own flows. */
static void last_queue_takes_the_place_of_a_closed_one(void **state)
{
	for (unsigned int flow = 0; flow < 40; flow++)
		write_flow(flow % QUEUES, flow);
	close_one(0);
	for (unsigned int flow = 0; flow < 40; flow++) {
		if (flow % QUEUES)
			assert_int_equal(queue_of(flow), flow % QUEUES);
		else
			assert_true(queue_of(flow) > 0);
	}
	close_one(3);
	for (unsigned int flow = 0; flow < 40; flow++)
		if (flow % QUEUES == 1 || flow % QUEUES == 2)
			assert_int_equal(queue_of(flow), flow % QUEUES);
		else
			assert_true(queue_of(flow) > 0);
	/* The only one has all of them. */
	close_one(1);
	for (unsigned int flow = 0; flow < 40; flow++)
		assert_int_equal(queue_of(flow), 2);
}

static void switched_off_queue_gets_nothing(void **state)
{
	for (unsigned int flow = 0; flow < 40; flow++)
		write_flow(flow % QUEUES, flow);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(
			dev_file_set_queue(q[i].file, IFF_DETACH_QUEUE), 0);
	/* It may write, but they do not come back to it. */
	for (unsigned int flow = 100; flow < 140; flow++)
		write_flow(0, flow);
	for (unsigned int flow = 0; flow < 140; flow++)
		assert_true(queue_of(flow) >= 2);
	for (unsigned int flow = 2; flow < 40; flow += 4)
		assert_int_equal(queue_of(flow), 2);
	for (unsigned int flow = 3; flow < 40; flow += 4)
		assert_int_equal(queue_of(flow), 3);
	/* On again: it has a number, and must write to have flows. */
	assert_int_equal(dev_file_set_queue(q[0].file, IFF_ATTACH_QUEUE), 0);
	write_flow(0, 200);
	assert_int_equal(queue_of(200), 0);
	for (unsigned int flow = 2; flow < 40; flow += 4)
		assert_int_equal(queue_of(flow), 2);
}

/* Its packets go where they went before. */
static void switched_off_queue_teaches_nothing(void **state)
{
	int queue[40];

	assert_int_equal(dev_file_set_queue(q[0].file, IFF_DETACH_QUEUE), 0);
	for (unsigned int flow = 0; flow < LENGTH(queue); flow++)
		queue[flow] = queue_of(flow);
	for (unsigned int flow = 0; flow < LENGTH(queue); flow++)
		write_flow(0, flow);
	for (unsigned int flow = 0; flow < LENGTH(queue); flow++)
		assert_int_equal(queue_of(flow), queue[flow]);
}

/* What is learned with one queue would bind all who join. */
static void single_queue_learns_nothing(void **state)
{
	unsigned int elsewhere = 0;

	for (unsigned int i = 1; i < QUEUES; i++)
		close_one(i);
	for (unsigned int flow = 0; flow < 100; flow++)
		write_flow(0, flow);
	for (unsigned int i = 1; i < QUEUES; i++) {
		open_file(&q[i]);
		assert_int_equal(attach(&q[i], "t0", TUN_MQ), 0);
	}
	for (unsigned int flow = 0; flow < 100; flow++)
		elsewhere += queue_of(flow) != 0;
	assert_true(elsewhere > 0);
}

/* What is no flow goes somewhere, too. */
static void frames_of_any_kind_are_read_once(void **state)
{
	struct opened tap[2];
	struct host_link *link;
	struct answer answer;
	unsigned int got = 0;

	for (int i = 0; i < 2; i++) {
		open_file(&tap[i]);
		link = attach_up(&tap[i], "tap0", TAP_MQ);
	}
	for (uint32_t i = 0; i < 100; i++)
		fake_input(link, i, i);
	for (int i = 0; i < 2; i++)
		while (read_now(&tap[i], ANSWER_MAX, &answer) >= 0)
			got++;
	assert_int_equal(got, 100);
	for (int i = 0; i < 2; i++)
		close_file(&tap[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_queues, close_queues)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flow_comes_back_to_its_writer),
		TEST(unknown_flows_are_spread),
		TEST(order_of_a_flow_is_kept),
		TEST(batch_wakes_each_queue),
		TEST(batch_for_a_parked_reader_wakes_nobody),
		TEST(full_queue_is_not_left_for_another),
		TEST(last_queue_takes_the_place_of_a_closed_one),
		TEST(switched_off_queue_gets_nothing),
		TEST(switched_off_queue_teaches_nothing),
		TEST(single_queue_learns_nothing),
		TEST(frames_of_any_kind_are_read_once),
	};

	return cmocka_run_group_tests_name("dev-flows", tests, NULL, NULL);
}
