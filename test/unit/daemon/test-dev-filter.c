/* SPDX-License-Identifier: MIT */
/*
 * test-dev-filter.c - dev/filter.h: who can have a filter, how long it lasts,
 * and what TUNGETIFF says of it. No program runs here: that is the host's.
 */
#include <errno.h>
#include <linux/filter.h>
#include <string.h>

#include "dev/filter.h"
#include "dev/knob.h"
#include "fake.h"

enum {
	TAP_PI = IFF_TAP,
	TAP = IFF_TAP | IFF_NO_PI,
	MQ = IFF_MULTI_QUEUE,
};

/* They differ in their first code. */
static const struct sock_filter program[] = {
	{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
	{BPF_RET | BPF_A, 0, 0, 0},
};
static const struct sock_filter another[] = {{BPF_RET | BPF_K, 0, 0, 64}};

static struct opened o;
static struct host_link *lnk;

static void attach_device(unsigned int flags)
{
	open_file(&o);
	lnk = attach_up(&o, "t0", flags);
}

static unsigned int flags_of(struct opened *of)
{
	char name[IFNAMSIZ];
	unsigned int flags = 0;

	assert_int_equal(dev_file_describe(of->file, name, &flags), 0);
	return flags;
}

static int set_filter(const struct sock_filter *filter, uint16_t len)
{
	struct sock_filter *copy = must_alloc(len * sizeof(*copy));
	int r;

	/* It is needed during the call only. */
	memcpy(copy, filter, len * sizeof(*copy));
	r = dev_filter_set(o.file, copy, len);
	free(copy);
	return r;
}

static void set_program(void)
{
	assert_int_equal(set_filter(program, LENGTH(program)), 0);
}

static void assert_told(uint16_t expected_len, uint64_t expected_address)
{
	uint64_t address = 1;
	uint16_t len = 1;

	assert_int_equal(dev_filter_get(o.file, &len, &address), 0);
	assert_int_equal(len, expected_len);
	assert_int_equal(address, expected_address);
}

/* ---- who can have one ---- */

static void assert_nobody_can(int error)
{
	static const uint8_t mac[6];
	uint64_t address;
	uint16_t len;

	assert_int_equal(dev_filter_announce(o.file, 1, 2), error);
	assert_int_equal(dev_filter_set(o.file, program, LENGTH(program)),
			 error);
	assert_int_equal(dev_filter_set(o.file, NULL, 0), error);
	assert_int_equal(dev_filter_get(o.file, &len, &address), error);
	assert_int_equal(dev_check_mac_filter(o.file), error);
	assert_int_equal(dev_set_mac_filter(o.file, 0, 1, mac), error);
}

static void it_is_for_tap(void **state)
{
	open_file(&o);
	assert_nobody_can(-EBADFD);
	close_file(&o);

	attach_device(IFF_TUN);
	assert_nobody_can(-EINVAL);
	assert_false(lnk->filter);
	fake_delete("t0");
	assert_nobody_can(-EBADFD);
	close_file(&o);

	attach_device(TAP);
	fake_delete("t0");
	assert_nobody_can(-EBADFD);
	close_file(&o);
}

/* ---- programs ---- */

static void program_reaches_the_host(void **state)
{
	attach_device(TAP);
	assert_false(lnk->filter);
	set_program();
	assert_true(lnk->filter);
	assert_int_equal(lnk->filter_len, LENGTH(program));
	assert_int_equal(lnk->filter_first, program[0].code);
	/* Another one takes its place. */
	assert_int_equal(set_filter(another, LENGTH(another)), 0);
	assert_int_equal(lnk->filter_len, LENGTH(another));
	assert_int_equal(lnk->filter_first, another[0].code);
	assert_int_equal(dev_filter_set(o.file, NULL, 0), 0);
	assert_false(lnk->filter);
	/* There is none, and that is no error. */
	assert_int_equal(dev_filter_set(o.file, NULL, 0), 0);
	close_file(&o);
}

static void what_was_said_is_told(void **state)
{
	attach_device(TAP);
	assert_told(0, 0);
	assert_int_equal(dev_filter_announce(o.file, 3, 0xdeadbeef), 0);
	/* Before anybody knows whether it is any good. */
	assert_told(3, 0xdeadbeef);
	set_program();
	assert_told(3, 0xdeadbeef);
	assert_int_equal(dev_filter_announce(o.file, 0xffff, UINT64_MAX), 0);
	assert_told(0xffff, UINT64_MAX);
	/* It is not forgotten. */
	assert_int_equal(dev_filter_set(o.file, NULL, 0), 0);
	assert_told(0xffff, UINT64_MAX);
	close_file(&o);
}

static void error_of_the_host_is_passed_on(void **state)
{
	attach_device(TAP_PI);
	fake.filter_error = -EINVAL;
	assert_int_equal(set_filter(program, LENGTH(program)), -EINVAL);
	assert_int_equal(flags_of(&o), 0x1002);
	fake.filter_error = 0;
	set_program();
	/* The old one is in force. */
	fake.filter_error = -ENOMEM;
	assert_int_equal(set_filter(another, LENGTH(another)), -ENOMEM);
	assert_int_equal(dev_filter_set(o.file, NULL, 0), -ENOMEM);
	assert_int_equal(flags_of(&o), 0x0002);
	assert_int_equal(lnk->filter_first, program[0].code);
	close_file(&o);
}

/* IFF_NOFILTER has the value of IFF_NO_PI. */
static void flag_is_told(void **state)
{
	attach_device(TAP_PI);
	assert_int_equal(flags_of(&o), 0x1002);
	set_program();
	assert_int_equal(flags_of(&o), 0x0002);
	assert_int_equal(dev_filter_set(o.file, NULL, 0), 0);
	assert_int_equal(flags_of(&o), 0x1002);
	close_file(&o);

	attach_device(TAP);
	set_program();
	assert_int_equal(flags_of(&o), 0x1002);
	close_file(&o);
}

/* ---- persistent devices ---- */

static void close_and_wait_idle(void)
{
	unsigned int left = counter_value(&fake.left);

	assert_int_equal(dev_set_persist(o.file, true), 0);
	close_file(&o);
	assert_true(counter_wait(&fake.left, left + 1));
	open_file(&o);
}

static void end_device(void)
{
	assert_int_equal(dev_set_persist(o.file, false), 0);
	close_file(&o);
}

static void filter_stays_for_who_wants_it(void **state)
{
	attach_device(TAP_PI);
	dev_filter_announce(o.file, LENGTH(program), 4711);
	set_program();
	close_and_wait_idle();
	assert_int_equal(attach(&o, "t0", TAP_PI), 0);
	assert_true(lnk->filter);
	assert_int_equal(flags_of(&o), 0x0802);
	assert_told(LENGTH(program), 4711);

	/* IFF_NO_PI is IFF_NOFILTER. */
	close_and_wait_idle();
	assert_int_equal(attach(&o, "t0", TAP), 0);
	assert_false(lnk->filter);
	assert_int_equal(flags_of(&o), 0x1802);
	assert_told(LENGTH(program), 4711);

	/* The device has it still. */
	close_and_wait_idle();
	assert_int_equal(attach(&o, "t0", TAP_PI), 0);
	assert_true(lnk->filter);
	assert_int_equal(lnk->filter_len, LENGTH(program));
	assert_int_equal(lnk->filter_first, program[0].code);
	assert_int_equal(flags_of(&o), 0x0802);

	/* Until it is taken off. */
	assert_int_equal(dev_filter_set(o.file, NULL, 0), 0);
	close_and_wait_idle();
	assert_int_equal(attach(&o, "t0", TAP_PI), 0);
	assert_false(lnk->filter);
	assert_int_equal(flags_of(&o), 0x1802);
	end_device();
}

static void filter_that_cannot_be_had_again(void **state)
{
	unsigned int left;

	attach_device(TAP_PI);
	set_program();
	close_and_wait_idle();
	fake.filter_error = -ENOMEM;
	left = counter_value(&fake.left);
	assert_int_equal(attach_once(&o, "t0", TAP, true), -ENOMEM);
	assert_false(dev_file_attached(o.file));
	/* It is idle once more, and has its filter. */
	assert_true(counter_wait(&fake.left, left + 1));
	assert_int_equal(attach(&o, "t0", TAP_PI), 0);
	assert_int_equal(flags_of(&o), 0x0802);
	fake.filter_error = 0;
	end_device();
}

static void further_queue_changes_nothing(void **state)
{
	struct opened other;

	attach_device(TAP_PI | MQ);
	set_program();
	open_file(&other);
	assert_int_equal(attach(&other, "t0", TAP | MQ), 0);
	assert_true(lnk->filter);
	assert_int_equal(flags_of(&other), 0x0102);
	/* It is the device's: any of them may take it off. */
	assert_int_equal(dev_filter_set(other.file, NULL, 0), 0);
	assert_int_equal(flags_of(&o), 0x1102);
	close_file(&other);
	close_file(&o);
}

static struct opened second;

static void take_it_off_meanwhile(struct host_link *link)
{
	fake.on_filter = NULL;
	assert_int_equal(attach_once(&second, "t0", TAP_PI | MQ, true), 0);
	assert_int_equal(dev_filter_set(second.file, another, LENGTH(another)),
			 0);
	/* What was freed is somebody else's now. */
	free(must_alloc(sizeof(program)));
	assert_int_equal(dev_filter_set(second.file, NULL, 0), 0);
}

/* The first one is putting it in force, when a second takes it off. */
static void program_outlasts_its_use(void **state)
{
	attach_device(TAP | MQ);
	set_program();
	close_and_wait_idle();
	assert_int_equal(attach(&o, "t0", TAP | MQ), 0);
	close_and_wait_idle();
	open_file(&second);
	fake.on_filter = take_it_off_meanwhile;
	assert_int_equal(attach(&o, "t0", TAP_PI | MQ), 0);
	assert_null(fake.on_filter);
	assert_int_equal(lnk->filter_len, LENGTH(program));
	assert_int_equal(lnk->filter_first, program[0].code);
	close_file(&second);
	end_device();
}

/* ---- addresses ---- */

static const uint8_t mine[] = {2, 0, 0, 0, 0, 1};
static const uint8_t others[] = {2, 0, 0, 0, 0, 2};

static void input_to(const uint8_t mac[6], uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct pkt *pkt = fake_packet(0, 60, 0);

		memcpy(pkt->data, mac, 6);
		device_input(lnk->owner, &pkt, 1);
	}
}

static void assert_reads_from(struct opened *of, const uint8_t mac[6])
{
	struct answer answer;

	assert_true(read_now(of, ANSWER_MAX, &answer) >= 60);
	assert_memory_equal(answer.data + (answer.result - 60), mac, 6);
	assert_int_equal(read_now(of, ANSWER_MAX, &answer), -EAGAIN);
}

static void addresses_that_are_not_wanted(void **state)
{
	static const uint8_t unicasts[9 * 6] = {2};

	attach_device(TAP);
	assert_int_equal(dev_check_mac_filter(o.file), 0);
	input_to(others, 1);
	assert_reads_from(&o, others);
	assert_int_equal(dev_set_mac_filter(o.file, 0, 1, mine), 1);
	input_to(others, 3);
	input_to(mine, 1);
	input_to(others, 1);
	assert_reads_from(&o, mine);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_FILTER], 4);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_DETACHED], 0);
	/* It says nothing of what TUNGETIFF tells. */
	assert_int_equal(flags_of(&o), 0x1002);
	/* Too many mean none. */
	assert_int_equal(dev_set_mac_filter(o.file, 0, 9, unicasts), 0);
	input_to(others, 1);
	assert_reads_from(&o, others);
	dev_set_mac_filter(o.file, 0, 1, mine);
	assert_int_equal(dev_set_mac_filter(o.file, 0, 0, NULL), 0);
	input_to(others, 1);
	assert_reads_from(&o, others);
	close_file(&o);
}

static void addresses_are_the_devices(void **state)
{
	struct opened other;

	attach_device(TAP | MQ);
	assert_int_equal(dev_set_mac_filter(o.file, 0, 1, mine), 1);
	close_and_wait_idle();
	assert_int_equal(attach(&o, "t0", TAP_PI | MQ), 0);
	open_file(&other);
	assert_int_equal(attach(&other, "t0", TAP_PI | MQ), 0);
	assert_int_equal(dev_file_set_queue(o.file, IFF_DETACH_QUEUE), 0);
	input_to(others, 1);
	input_to(mine, 1);
	assert_reads_from(&other, mine);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_FILTER], 1);
	close_file(&other);
	end_device();
	/* A new one has none. */
	attach_device(TAP);
	input_to(others, 1);
	assert_reads_from(&o, others);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_for_tap),
		TEST(program_reaches_the_host),
		TEST(what_was_said_is_told),
		TEST(error_of_the_host_is_passed_on),
		TEST(flag_is_told),
		TEST(filter_stays_for_who_wants_it),
		TEST(filter_that_cannot_be_had_again),
		TEST(further_queue_changes_nothing),
		TEST(program_outlasts_its_use),
		TEST(addresses_that_are_not_wanted),
		TEST(addresses_are_the_devices),
	};

	return cmocka_run_group_tests_name("dev-filter", tests, NULL, NULL);
}
