/* SPDX-License-Identifier: MIT */
/*
 * test-bpf-policy.c - the program that lets packets of some sources pass, and
 * so many of them, net/bpf.h, run by the kernel on packets that are made here,
 * and compared with what dev/policy.h says of the same addresses.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "dev/policy.h"
#include "net/bpf.h"
#include "packet/frame.h"
#include "unit.h"

static const struct ip_prefix sources[] = {
	{AF_INET, 32, {10, 7, 0, 9}},
	{AF_INET, 30, {10, 7, 0, 4}},
	{AF_INET, 17, {10, 66, 0, 0}},
	{AF_INET, 1, {128, 0, 0, 0}},
	{AF_INET6, 128, {0xfd, 1, [15] = 7}},
	{AF_INET6, 65, {0xfd, 2, [8] = 0x80}},
	{AF_INET6, 64, {0xfd, 3}},
	{AF_INET6, 31, {0xfd, 4, 0, 2}},
};

static bool expected(const struct ip_prefix *of, size_t n, uint8_t family,
		     const uint8_t *address)
{
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_has(&of[i], family, address))
			return true;
	return false;
}

static void put_type(uint8_t *to, uint16_t type)
{
	type = htons(type);
	memcpy(to, &type, sizeof(type));
}

/* Whether the frame passes. */
static bool passes(int program_fd, const uint8_t *data, uint32_t len)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)program_fd;
	attr.test.data_in = (uintptr_t)data;
	attr.test.data_size_in = len;
	attr.test.repeat = 1;
	assert_int_equal(
		syscall(__NR_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	assert_true(attr.test.retval == TC_ACT_SHOT ||
		    attr.test.retval == (uint32_t)-1);
	return attr.test.retval != TC_ACT_SHOT;
}

static bool sent_from(int program_fd, uint8_t family, const uint8_t *address)
{
	uint8_t frame[ETH_HLEN + 60] = {0};
	bool ipv4 = family == AF_INET;
	uint16_t type = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);

	memcpy(frame + 12, &type, sizeof(type));
	frame[ETH_HLEN] = ipv4 ? 0x45 : 0x60;
	memcpy(frame + ETH_HLEN + (ipv4 ? 12 : 8), address, ipv4 ? 4 : 16);
	return passes(program_fd, frame, sizeof(frame));
}

/* Its state stays in `state_fd` until the next. */
static int state_fd = -1;

static int load_kind(bool tun, const struct host_direct *how)
{
	int fd;

	if (state_fd >= 0)
		close(state_fd);
	assert_int_equal(bpf_policy_state_new(&state_fd), 0);
	assert_int_equal(bpf_load_policy(tun, how, state_fd, &fd), 0);
	return fd;
}

static int load_how(const struct host_direct *how)
{
	return load_kind(true, how);
}

static int load(const struct ip_prefix *of, size_t n)
{
	int fd;

	/* Without the capabilities for bpf(2) there is none at all. */
	if (bpf_load_ip_only(&fd) < 0)
		skip();
	close(fd);
	return load_how(&(struct host_direct){.sources = of, .n_sources = n});
}

/* Each network's own address with each bit turned. */
static void bits_that_count_and_bits_that_do_not(void **state)
{
	for (size_t n = 1; n <= LENGTH(sources); n++) {
		int fd = load(sources, n);

		for (size_t i = 0; i < LENGTH(sources); i++) {
			uint8_t family = sources[i].family, address[16];
			int bits = family == AF_INET ? 32 : 128;

			for (int bit = 0; bit < bits; bit++) {
				memcpy(address, sources[i].address, 16);
				assert_int_equal(
					sent_from(fd, family, address),
					expected(sources, n, family, address));
				address[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
				if (sent_from(fd, family, address) !=
				    expected(sources, n, family, address))
					fail_msg("%zu, network %zu, bit %d", n,
						 i, bit);
			}
		}
		close(fd);
	}
}

static void everything_and_the_most_there_can_be(void **state)
{
	struct ip_prefix many[POLICY_MAX_SOURCES];
	uint8_t address[16] = {0x7f, 1};
	int fd;

	for (size_t i = 0; i < LENGTH(many); i++) {
		many[i] = (struct ip_prefix){AF_INET6, 128, {0xfd}};
		many[i].address[15] = (uint8_t)i;
	}
	fd = load(many, LENGTH(many));
	assert_false(sent_from(fd, AF_INET, address));
	assert_false(sent_from(fd, AF_INET6, address));
	assert_true(sent_from(fd, AF_INET6, many[LENGTH(many) - 1].address));
	close(fd);
	many[0] = (struct ip_prefix){AF_INET, 0, {0}};
	fd = load(many, 1);
	assert_true(sent_from(fd, AF_INET, address));
	assert_false(sent_from(fd, AF_INET6, address));
	close(fd);
}

static void what_is_not_ip(void **state)
{
	const struct ip_prefix all[] = {{AF_INET, 0, {0}}, {AF_INET6, 0, {0}}};
	uint8_t frame[ETH_HLEN + 28] = {0};
	int fd = load(all, LENGTH(all));
	static const uint16_t types[] = {ETH_P_ARP, ETH_P_8021Q, 0x88cc, 3};

	for (size_t i = 0; i < LENGTH(types); i++) {
		uint16_t type = htons(types[i]);

		memcpy(frame + 12, &type, sizeof(type));
		assert_false(passes(fd, frame, sizeof(frame)));
	}
	close(fd);
}

/* ---- frames ---- */

/* Each of these is much alike many of the others. */
static void random_frame(unsigned int *seed, uint8_t *ret_frame, size_t len)
{
	static const uint16_t types[] = {ETH_P_IP,   ETH_P_IP,	 ETH_P_IPV6,
					 ETH_P_IPV6, ETH_P_IPV6, ETH_P_ARP,
					 ETH_P_ARP,  0x88cc};
	static const uint8_t next[] = {0,  0,  6,  17, 43, 44,	50,  51,
				       58, 58, 58, 59, 60, 135, 139, 140};
	static const uint8_t icmp[] = {128, 135, 136, 136, 143};
	const struct ip_prefix *v4 = &sources[rand_r(seed) % 4];
	uint16_t type = htons(types[rand_r(seed) % LENGTH(types)]);
	uint8_t *at = ret_frame + ETH_HLEN;

	for (size_t i = 0; i < len; i++)
		ret_frame[i] = (uint8_t)rand_r(seed);
	if (rand_r(seed) % 4 == 0) {
		put_type(ret_frame + 12,
			 rand_r(seed) % 2 ? ETH_P_8021Q : ETH_P_8021AD);
		at += 4;
	}
	memcpy(at - 2, &type, sizeof(type));
	if (type == htons(ETH_P_IP)) {
		memcpy(at + 12, v4->address, 4);
	} else if (type == htons(ETH_P_ARP)) {
		memcpy(at, (uint8_t[]){0, 1, 8, 0, 6, 4}, 6);
		memcpy(at + 14, v4->address, 4);
		if (rand_r(seed) % 4 == 0)
			at[rand_r(seed) % 6] ^= 1;
	} else {
		at[6] = next[rand_r(seed) % LENGTH(next)];
		memcpy(at + 8, sources[4 + rand_r(seed) % 4].address, 16);
		memcpy(at + 48, sources[4 + rand_r(seed) % 4].address, 16);
		at[40] = icmp[rand_r(seed) % LENGTH(icmp)];
		if (at[6] == 0) {
			at[40] = rand_r(seed) % 4 ? 58 : 60;
			at[41] = rand_r(seed) % 4 == 0;
			at[48] = icmp[rand_r(seed) % LENGTH(icmp)];
		}
		if (rand_r(seed) % 4 == 0)
			at[48 + rand_r(seed) % 16] ^= 0x81;
	}
	if (rand_r(seed) % 4 == 0)
		at[8 + rand_r(seed) % 16] ^= 0x81;
}

static bool daemon_passes(const struct ip_prefix *of, size_t n,
			  const uint8_t *frame, size_t len)
{
	struct frame_sender sender;

	if (!frame_find_sender(frame, len, &sender))
		return false;
	for (unsigned int i = 0; i < sender.n; i++)
		if (!expected(of, n, sender.version == 4 ? AF_INET : AF_INET6,
			      sender.addresses[i]))
			return false;
	return true;
}

static void frames_as_the_daemon_has_it(void **state)
{
	/* All; of one family. */
	static const struct {
		size_t first, n;
	} sets[] = {{0, 8}, {0, 4}, {4, 4}};
	unsigned int seed = (unsigned int)now_us(), passed = 0, dropped = 0;

	print_message("seed %u\n", seed);
	close(load(sources, 1));
	for (size_t s = 0; s < LENGTH(sets); s++) {
		const struct host_direct how = {
			.sources = sources + sets[s].first,
			.n_sources = sets[s].n,
		};
		int fd = load_kind(false, &how);

		for (int i = 0; i < 20000; i++) {
			uint8_t frame[120];
			bool pass;

			random_frame(&seed, frame, sizeof(frame));
			pass = daemon_passes(how.sources, how.n_sources, frame,
					     sizeof(frame));
			if (passes(fd, frame, sizeof(frame)) != pass)
				fail_msg("set %zu, frame %d", s, i);
			passed += pass;
			dropped += !pass;
		}
		close(fd);
	}
	assert_true(passed > 5000 && dropped > 5000);
}

static void the_most_there_can_be_of_frames(void **state)
{
	struct ip_prefix many[POLICY_MAX_SOURCES];
	struct host_direct how = {.sources = many, .n_sources = LENGTH(many)};
	uint8_t frame[120] = {0};

	close(load(sources, 1));
	for (size_t i = 0; i < LENGTH(many); i++) {
		many[i] = (struct ip_prefix){AF_INET6, 128, {0xfd}};
		many[i].address[15] = (uint8_t)i;
	}
	rate_init(&how.rate, 1);
	put_type(frame + 12, ETH_P_IPV6);
	frame[ETH_HLEN + 6] = 58;
	frame[ETH_HLEN + 40] = 136;
	frame[ETH_HLEN + 8] = frame[ETH_HLEN + 48] = 0xfd;
	frame[ETH_HLEN + 23] = frame[ETH_HLEN + 63] = LENGTH(many) - 1;
	for (int i = 0; i < 2; i++) {
		int fd = load_kind(false, &how);

		assert_int_equal(passes(fd, frame, sizeof(frame)), i == 0);
		frame[ETH_HLEN + 63]++;
		close(fd);
	}
}

/* ---- the rate ---- */

static uint64_t dropped_for_rate(void)
{
	struct bpf_policy_state now;

	assert_int_equal(bpf_policy_state_read(state_fd, &now), 0);
	return now.over_rate;
}

/* So many packets, each in so many segments of 50 bytes if that is not 1. */
static void run_many(int program_fd, uint32_t n, uint32_t segments,
		     bool counted)
{
	uint8_t frame[ETH_HLEN + 40 + 45 * 50] = {0};
	struct __sk_buff context = {
		.gso_segs = counted ? segments : 0,
		.gso_size = segments > 1 ? 50 : 0,
	};
	uint16_t type = htons(ETH_P_IP);
	union bpf_attr attr;

	memcpy(frame + 12, &type, sizeof(type));
	frame[ETH_HLEN] = 0x45;
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)program_fd;
	attr.test.data_in = (uintptr_t)frame;
	attr.test.data_size_in = ETH_HLEN + 40 + (segments - 1) * 50 + 1;
	attr.test.ctx_in = (uintptr_t)&context;
	attr.test.ctx_size_in = sizeof(context);
	attr.test.repeat = n;
	assert_int_equal(
		syscall(__NR_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
}

static void as_many_as_there_is_time_for(void **state)
{
	enum { N = 20000, PER_SECOND = 1000 };
	static const struct {
		uint32_t segments;
		bool counted;
	} cases[] = {{1, true}, {1, false}, {45, true}, {45, false}};
	struct host_direct how = {0};

	rate_init(&how.rate, PER_SECOND);
	close(load(sources, 1));
	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint32_t segments = cases[i].segments;
		int fd = load_how(&how);
		uint64_t begin = now_ns(), passed, most;

		run_many(fd, N, segments, cases[i].counted);
		passed = N - dropped_for_rate();
		/* What is large may use up the time to come, once. */
		most = RATE_MIN_BURST + segments +
		       (now_ns() - begin) * PER_SECOND / 1000000000;
		assert_true(passed * segments <= most);
		assert_true(passed * segments >= RATE_MIN_BURST);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_that_count_and_bits_that_do_not),
		cmocka_unit_test(everything_and_the_most_there_can_be),
		cmocka_unit_test(what_is_not_ip),
		cmocka_unit_test(frames_as_the_daemon_has_it),
		cmocka_unit_test(the_most_there_can_be_of_frames),
		cmocka_unit_test(as_many_as_there_is_time_for),
	};

	return cmocka_run_group_tests_name("bpf-policy", tests, NULL, NULL);
}
