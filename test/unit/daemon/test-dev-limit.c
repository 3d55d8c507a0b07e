/* SPDX-License-Identifier: MIT */
/*
 * test-dev-limit.c - dev/limit.h: what a program writes beyond the rate that
 * its policy allows. The bucket itself is test-rate.c's.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "dev/direct.h"
#include "dev/policy.h"
#include "fake.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	SEVERAL = TUN | IFF_MULTI_QUEUE,
	LEN = 60,
	N = 100,
	QUEUE_LEN = 500,
	/* The policies' rate, for all these tests one a second. */
	BURST = RATE_MIN_BURST,
};

static const struct dev_caller user = {.uid = 1000};
static const struct dev_caller admin = {.uid = 0, .net_admin = true};

static const uint64_t NS_PER_S = 1000000000;
static uint64_t begun_ms;

/* Nobody but the user is bound. */
static void begin(void)
{
	struct policy_set *set;
	struct policy_rule *rule;

	assert_int_equal(policy_set_new(1, &set), 0);
	rule = policy_set_add(set);
	assert_non_null(rule);
	rule->name = strdup("rule");
	rule->file = strdup("tund.conf");
	rule->users.ranges = must_alloc(sizeof(struct id_range));
	rule->users.ranges[0] = (struct id_range){1000, 1000};
	rule->users.n = 1;
	rule->allow = POLICY_CREATE | POLICY_ATTACH;
	rule->max_packet_rate = 1;
	dev_table_set_policy(table, set);
	begun_ms = now_ms();
}

static struct host_link *attach_to(struct opened *o, const char *name,
				   unsigned int flags)
{
	open_file(o);
	set_mode(o, TUND_MODE_ALL_IOCTLS, 0);
	assert_int_equal(attach_by(o, name, flags, &user), 0);
	fake_set_up_down(fake_link(name), true);
	return fake_link(name);
}

static struct host_link *attach_limited(struct opened *o, unsigned int flags)
{
	return attach_to(o, "t0", flags);
}

/* So many were written; what passed is as much as there was time for. */
static void assert_limited(struct opened *o, unsigned int written)
{
	unsigned int sent = fake.sent.n;
	uint64_t seconds = (now_ms() - begun_ms) / 1000 + 1;
	struct tund_stats stats = stats_of(o);

	assert_true(sent >= BURST && sent <= BURST + seconds);
	assert_true(written > BURST + seconds);
	assert_int_equal(stats.drops[TUND_DROP_RATE], written - sent);
	assert_int_equal(stats.rx_packets, written);
	assert_int_equal(stats.rx_bytes, written * LEN);
	for (uint32_t i = 0; i < BURST; i++)
		assert_int_equal(fake_number(fake.sent.pkts[i]->data) >> 8, i);
}

static void fill_packet(uint8_t *ret_data, uint32_t number)
{
	uint32_t word = number << 8 | 0x45;

	memset(ret_data, 0x45, LEN);
	memcpy(ret_data, &word, sizeof(word));
}

static ssize_t write_packet(struct opened *o, uint32_t number)
{
	uint8_t data[LEN];

	fill_packet(data, number);
	return write_now(o, data, LEN);
}

/* ---- what passes ---- */

static void one_by_one(void **state)
{
	struct opened o;

	begin();
	attach_limited(&o, TUN);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_packet(&o, i), LEN);
	assert_limited(&o, N);
	close_file(&o);
}

static ssize_t write_records(struct opened *o, uint32_t first, unsigned int n)
{
	static uint8_t buffer[N * TUND_RECORD_SPACE(LEN)];
	const struct tund_record record = {.len = LEN};

	assert_true(n <= N);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = buffer + i * TUND_RECORD_SPACE(LEN);

		memcpy(at, &record, sizeof(record));
		fill_packet(at + sizeof(record), first + i);
	}
	return write_now(o, buffer, n * TUND_RECORD_SPACE(LEN));
}

static void in_batches(void **state)
{
	struct opened o;

	begin();
	attach_limited(&o, TUN);
	set_mode(&o, TUND_MODE_BATCH, 0);
	/* The limit is in the second of these, and before the third. */
	assert_int_equal(write_records(&o, 0, 10), 10 * TUND_RECORD_SPACE(LEN));
	assert_int_equal(write_records(&o, 10, N), N * TUND_RECORD_SPACE(LEN));
	assert_int_equal(write_records(&o, 10 + N, N),
			 N * TUND_RECORD_SPACE(LEN));
	assert_limited(&o, 10 + 2 * N);
	close_file(&o);
}

static void all_queues_together(void **state)
{
	struct opened a, b;

	begin();
	attach_limited(&a, SEVERAL);
	attach_limited(&b, SEVERAL);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_packet(i % 2 ? &a : &b, i), LEN);
	assert_limited(&a, N);
	close_file(&a);
	close_file(&b);
}

static void others_are_not_bound(void **state)
{
	struct opened o;

	begin();
	open_file(&o);
	assert_int_equal(attach_by(&o, "t1", TUN, &admin), 0);
	fake_set_up_down(fake_link("t1"), true);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_packet(&o, i), LEN);
	assert_int_equal(fake.sent.n, N);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], 0);
	close_file(&o);
}

/* A large one counts as what it is made of, and is the last to pass. */
static void segments(void **state)
{
	struct {
		struct virtio_net_hdr vnet;
		uint8_t data[40 + BURST * LEN];
	} tcp = {
		.vnet = {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			 .gso_size = LEN,
			 .hdr_len = 40},
	};
	struct opened o;

	begin();
	attach_limited(&o, TUN | IFF_VNET_HDR);
	for (uint32_t i = 0; i < N; i++) {
		fill_packet(tcp.data, i);
		assert_int_equal(write_now(&o, &tcp, sizeof(tcp)), sizeof(tcp));
	}
	/* The bucket is empty after the first. */
	assert_true(fake.sent.n >= 1 &&
		    fake.sent.n <= 2 + (now_ms() - begun_ms) / 1000);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], N - fake.sent.n);
	close_file(&o);
}

/* ---- what does not count ---- */

static void one_that_is_down_says_so(void **state)
{
	struct opened o;

	begin();
	fake_set_up_down(attach_limited(&o, TUN), false);
	fake.send_room = 0;
	fake.send_error = -ENETDOWN;
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_packet(&o, i), -EIO);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], 0);
	close_file(&o);
}

static void put_up(struct host_link *link)
{
	fake.on_sync = NULL;
	fake_set_up_down(link, true);
}

/* It was put up a moment ago, and nobody has looked since. */
static void one_that_was_down_is_bound(void **state)
{
	struct opened o;

	begin();
	fake_set_up_down(attach_limited(&o, TUN), false);
	for (uint32_t i = 0; i < N; i++) {
		fake.on_sync = put_up;
		assert_int_equal(write_packet(&o, i), LEN);
	}
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], N - fake.sent.n);
	assert_true(stats_of(&o).drops[TUND_DROP_RATE] > 0);
	close_file(&o);
}

static void what_is_to_be_written_again(void **state)
{
	struct opened o, other;

	begin();
	attach_limited(&o, SEVERAL);
	open_file(&other);
	assert_int_equal(attach_by(&other, "t0", SEVERAL, &admin), 0);
	fake.send_room = 0;
	fake.send_error = -EAGAIN;
	/* Somebody who is not bound fills the way to the host. */
	for (uint32_t i = 0; i < QUEUE_LEN; i++)
		assert_int_equal(write_packet(&other, i), LEN);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_packet(&o, i), -EAGAIN);
	set_mode(&o, TUND_MODE_BATCH, 0);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_records(&o, i, BURST / 2), -EAGAIN);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], 0);
	fake.send_room = QUEUE_LEN + N;
	while (fake.sent.n < QUEUE_LEN)
		device_can_send(fake_link("t0")->owner);
	assert_int_equal(write_records(&o, 0, N), N * TUND_RECORD_SPACE(LEN));
	assert_true(fake.sent.n >= QUEUE_LEN + BURST);
	close_file(&o);
	close_file(&other);
}

/* ---- the direct plane ---- */

static void the_host_is_told_and_asked(void **state)
{
	struct host_link *link;
	struct opened o;
	int fd;

	begin();
	attach_limited(&o, SEVERAL);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EOPNOTSUPP);
	close_file(&o);
	link = attach_to(&o, "t1", TUN);
	fake.counters.rx_over_rate = 5;
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_int_equal(link->how.rate.packet_ns, 1000000000);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], 0);
	fake.counters.rx_over_rate = 12;
	fake.counters.rx_bad_source = 2;
	fake.counters.rx_invalid = 1;
	assert_int_equal(stats_of(&o).drops[TUND_DROP_RATE], 7);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_SOURCE], 2);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_INVALID], 1);
	close(fd);
	fake_direct_close(link);
	close_file(&o);
}

/* ---- another device ---- */

static void assert_writes(struct opened *o, unsigned int burst)
{
	unsigned int before = fake.sent.n;
	uint64_t seconds;

	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(write_packet(o, i), LEN);
	seconds = (now_ms() - begun_ms) / 1000 + 1;
	assert_in_range(fake.sent.n - before, burst, burst + seconds);
}

/* Closes the file, and waits until nothing can come from its device. */
static void let_go(struct opened *o, struct host_link *link)
{
	struct device *dev = link->owner;

	device_ref(dev);
	if (link->direct)
		fake_direct_close(link);
	close_file(o);
	for (int i = 0; i < PATIENCE_S * 1000 && !link->stopped; i++)
		usleep(1000);
	assert_true(link->stopped);
	device_unref(dev);
}

/* One that has gone, and one that was direct, leave nothing to the next. */
static void made_anew(void **state)
{
	struct host_link *link;
	struct opened o;
	int fd;

	begin();
	link = attach_to(&o, "t0", TUN);
	assert_writes(&o, BURST);
	let_go(&o, link);
	link = attach_to(&o, "t1", TUN);
	assert_writes(&o, 0);
	let_go(&o, link);
	link = attach_to(&o, "t2", TUN);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_in_range(link->how.spent_ns, now_ns(),
			now_ns() + BURST * NS_PER_S);
	fake.counters.spent_ns = now_ns() + 1000 * NS_PER_S;
	close(fd);
	let_go(&o, link);
	link = attach_to(&o, "t3", TUN);
	assert_int_equal(link->owner->bucket.spent_ns, fake.counters.spent_ns);
	assert_writes(&o, 0);
	let_go(&o, link);
}

/* What is written on the file is used up for the packet socket, too. */
static void other_plane(void **state)
{
	struct host_link *link;
	struct opened o;
	int fd;

	begin();
	link = attach_to(&o, "t0", TUN);
	assert_writes(&o, BURST);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_in_range(link->how.spent_ns, now_ns(),
			now_ns() + BURST * NS_PER_S);
	close(fd);
	fake_direct_close(link);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_by_one),
		TEST(in_batches),
		TEST(all_queues_together),
		TEST(others_are_not_bound),
		TEST(segments),
		TEST(one_that_is_down_says_so),
		TEST(one_that_was_down_is_bound),
		TEST(what_is_to_be_written_again),
		TEST(made_anew),
		TEST(other_plane),
		TEST(the_host_is_told_and_asked),
	};

	return cmocka_run_group_tests_name("dev-limit", tests, NULL, NULL);
}
