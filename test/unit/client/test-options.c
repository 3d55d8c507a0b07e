/* SPDX-License-Identifier: MIT */
/*
 * test/unit/client/test-options.c - arguments of libtunclient that are refused
 * before a device is asked, structures that grow, and sentences. What the calls
 * do on each plane is test/system/test-client's matter.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <tunclient.h>

#include "world.h"

/* A structure that a later version might have. */
struct later_options {
	struct tunclient_options now;
	unsigned char more[16];
};

static void assert_open(const struct tunclient_options *options, int error,
			const char *sentence)
{
	struct tunclient *client;

	assert_int_equal(tunclient_open(options, &client), error);
	assert_string_equal(tunclient_error(client), sentence);
	tunclient_close(client);
}

static void options_grow(void **state)
{
	struct later_options later = {
		.now = {.size = sizeof(later), .device = WORLD_DEVICE},
	};

	assert_open(&later.now, 0, "no error");
	later.more[15] = 1;
	assert_open(&later.now, -E2BIG,
		    "tunclient_open() was given options of a later version of "
		    "libtunclient");
	/* What is behind the size does not count. */
	later.now.size = sizeof(later) - 1;
	assert_open(&later.now, 0, "no error");
	later.now.size = sizeof(later.now) - 1;
	assert_open(&later.now, -EINVAL,
		    "tunclient_open() was given options whose size is not set");
	later.now.size = 0;
	assert_open(&later.now, -EINVAL,
		    "tunclient_open() was given options whose size is not set");
}

static void options_make_sense(void **state)
{
	static const struct {
		unsigned int flags, plane, offloads;
		const char *sentence;
	} wrong[] = {
		{1, 0, 0, "tunclient_open() was given an unknown flag"},
		{0, 4, 0, "tunclient_open() was given an unknown plane"},
		{0, 0, 0x1001, "there is an unknown offload"},
		{0, 0, TUNCLIENT_OFFLOAD_TSO4,
		 "all offloads need TUNCLIENT_OFFLOAD_CSUM"},
		{0, 0, TUNCLIENT_OFFLOAD_CSUM | TUNCLIENT_OFFLOAD_TSO_ECN,
		 "TUNCLIENT_OFFLOAD_TSO_ECN needs one of TSO4 and TSO6"},
		{0, 0, TUNCLIENT_OFFLOAD_CSUM | 0x20,
		 "TUNCLIENT_OFFLOAD_USO cannot be divided"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct tunclient_options options = {
			.size = sizeof(options),
			.device = WORLD_DEVICE,
			.flags = wrong[i].flags,
			.plane = wrong[i].plane,
			.offloads = wrong[i].offloads,
		};

		assert_open(&options, -EINVAL, wrong[i].sentence);
	}
}

static void plane_must_be_possible(void **state)
{
	const struct tunclient_options options = {
		.size = sizeof(options),
		.device = WORLD_DEVICE,
		.plane = TUNCLIENT_PLANE_DIRECT,
	};

	/* The device under test is the kernel's. */
	assert_open(&options, -EOPNOTSUPP,
		    "cannot open " WORLD_DEVICE
		    ": the plane asked for is not possible there");
}

static struct tunclient *attached(const char *name, unsigned int kind)
{
	struct tunclient *client;

	assert_int_equal(world_open(WORLD_DEVICE, TUNCLIENT_NONBLOCK, &client),
			 0);
	assert_int_equal(tunclient_attach(client, name, kind), 0);
	return client;
}

static void answers_grow(void **state)
{
	struct {
		struct tunclient_info now;
		unsigned char more[16];
	} info;
	struct {
		struct tunclient_stats now;
		unsigned char more[16];
	} stats;
	struct tunclient *client = attached("grow", TUNCLIENT_TUN);

	memset(&info, 0xee, sizeof(info));
	memset(&stats, 0xee, sizeof(stats));
	info.now.size = sizeof(info) - 1;
	assert_int_equal(tunclient_info(client, &info.now), 0);
	assert_int_equal(info.now.size, sizeof(info) - 1);
	assert_int_equal(info.now.kind, TUNCLIENT_TUN);
	assert_int_equal(info.more[0], 0);
	assert_int_equal(info.more[14], 0);
	assert_int_equal(info.more[15], 0xee);
	info.now.size = sizeof(info.now) - 1;
	assert_int_equal(tunclient_info(client, &info.now), -EINVAL);
	stats.now.size = sizeof(stats);
	assert_int_equal(tunclient_stats(client, &stats.now), 0);
	assert_int_equal(stats.more[15], 0);
	stats.now.size = 8;
	assert_int_equal(tunclient_stats(client, &stats.now), -EINVAL);
	tunclient_close(client);
}

/* All calls with a handle and no more to be said of their arguments. */
static void assert_all(struct tunclient *client, int error)
{
	unsigned char mac[TUNCLIENT_MAC_SIZE] = {2};
	struct tunclient_packet packet = {.data = mac, .size = 6, .length = 6};
	struct tunclient_info info = {.size = sizeof(info)};
	struct tunclient_stats stats = {.size = sizeof(stats)};
	struct tunclient *queue;

	assert_int_equal(tunclient_detach(client), error);
	assert_int_equal(tunclient_open_queue(client, &queue), error);
	assert_int_equal(tunclient_set_queue(client, 1), error);
	assert_int_equal(tunclient_info(client, &info), error);
	assert_int_equal(tunclient_index(client), error);
	assert_int_equal(tunclient_stats(client, &stats), error);
	assert_int_equal(tunclient_set_up(client, 1), error);
	assert_int_equal(tunclient_get_mtu(client), error);
	assert_int_equal(tunclient_set_mtu(client, 1500), error);
	assert_int_equal(tunclient_get_mac(client, mac), error);
	assert_int_equal(tunclient_set_mac(client, mac), error);
	assert_int_equal(tunclient_add_address(client, "::1", NULL), error);
	assert_int_equal(tunclient_remove_address(client, "::1", NULL), error);
	assert_int_equal(tunclient_add_route(client, "::/0", NULL, 0), error);
	assert_int_equal(tunclient_remove_route(client, "::/0", NULL, 0),
			 error);
	assert_int_equal(tunclient_set_persist(client, 1), error);
	assert_int_equal(tunclient_set_owner(client, 1), error);
	assert_int_equal(tunclient_set_group(client, 1), error);
	assert_int_equal(tunclient_set_offloads(client, 0), error);
	assert_int_equal(tunclient_recv_batch(client, &packet, 1), error);
	assert_int_equal(tunclient_send_batch(client, &packet, 1), error);
	assert_int_equal(tunclient_ring_receive(client, &packet, 1), error);
	assert_int_equal(tunclient_ring_release(client, 0), error);
	assert_int_equal(tunclient_ring_allocate(client, &packet, 1), error);
	assert_int_equal(tunclient_ring_commit(client, &packet, 1), error);
}

static void handles_are_checked(void **state)
{
	struct tunclient *client;

	assert_all(NULL, -EINVAL);
	assert_int_equal(world_open("/run/none", 0, &client), -ENOENT);
	assert_all(client, -EBADF);
	assert_string_equal(tunclient_error(client),
			    "cannot open /run/none: no such file");
	tunclient_close(client);
	assert_int_equal(world_open(WORLD_DEVICE, 0, &client), 0);
	assert_all(client, -EBADFD);
	assert_string_equal(tunclient_error(client),
			    "the handle is not attached, or its interface was "
			    "deleted");
	tunclient_close(client);
}

static void pointers_are_checked(void **state)
{
	struct tunclient *client = attached("null", TUNCLIENT_TAP);

	assert_int_equal(tunclient_open_queue(client, NULL), -EINVAL);
	assert_int_equal(tunclient_info(client, NULL), -EINVAL);
	assert_int_equal(tunclient_stats(client, NULL), -EINVAL);
	assert_int_equal(tunclient_get_mac(client, NULL), -EINVAL);
	assert_int_equal(tunclient_set_mac(client, NULL), -EINVAL);
	assert_int_equal(tunclient_add_address(client, NULL, NULL), -EINVAL);
	assert_int_equal(tunclient_add_route(client, NULL, NULL, 0), -EINVAL);
	assert_int_equal(tunclient_recv_batch(client, NULL, 1), -EINVAL);
	assert_int_equal(tunclient_send_batch(client, NULL, 1), -EINVAL);
	assert_int_equal(tunclient_ring_receive(client, NULL, 1), -EINVAL);
	assert_int_equal(tunclient_ring_allocate(client, NULL, 1), -EINVAL);
	assert_int_equal(tunclient_ring_commit(client, NULL, 1), -EINVAL);
	tunclient_close(client);
}

static void packets_are_checked(void **state)
{
	struct tunclient *client = attached("check", TUNCLIENT_TUN);
	unsigned char data[64] = {0x45};
	struct tunclient_packet good = {
		.data = data, .size = sizeof(data), .length = sizeof(data)};
	struct tunclient_packet p = good;

	assert_int_equal(tunclient_recv_batch(client, &p, 0), -EINVAL);
	assert_int_equal(tunclient_recv_batch(client, &p, 1), -EAGAIN);
	p.size = 0;
	assert_int_equal(tunclient_recv_batch(client, &p, 1), -EINVAL);
	p = good;
	p.data = NULL;
	assert_int_equal(tunclient_recv_batch(client, &p, 1), -EINVAL);
	assert_int_equal(tunclient_send_batch(client, &p, 1), -EINVAL);
	assert_int_equal(tunclient_send_batch(client, &good, 0), -EINVAL);
	/* Down: it gets as far as the device. */
	assert_int_equal(tunclient_send_batch(client, &good, 1), -EIO);
	p = good;
	p.length = 0;
	assert_int_equal(tunclient_send_batch(client, &p, 1), -EINVAL);
	p.length = TUNCLIENT_PACKET_MAX + 1;
	assert_int_equal(tunclient_send_batch(client, &p, 1), -EMSGSIZE);
	p = good;
	p.reserved[2] = 1;
	assert_int_equal(tunclient_send_batch(client, &p, 1), -EINVAL);
	p = good;
	p.flags = 4;
	assert_int_equal(tunclient_send_batch(client, &p, 1), -EINVAL);
	p.flags = TUNCLIENT_NEEDS_CSUM;
	assert_int_equal(tunclient_send_batch(client, &p, 1), -EOPNOTSUPP);
	assert_string_equal(tunclient_error(client),
			    "the packet has an offload, and the handle was "
			    "opened without offloads");
	tunclient_close(client);
}

static void ring_is_in_order(void **state)
{
	struct tunclient *client = attached("order", TUNCLIENT_TUN);
	struct tunclient_info info = {.size = sizeof(info)};
	struct tunclient_packet p[256], one;
	unsigned int n;

	assert_int_equal(tunclient_info(client, &info), 0);
	n = info.ring_slots;
	assert_in_range(n, 2, 255);
	assert_int_equal(tunclient_ring_release(client, 1), -EINVAL);
	assert_int_equal(tunclient_ring_commit(client, p, 1), -EINVAL);
	assert_int_equal(tunclient_ring_allocate(client, p, n + 1), n);
	assert_int_equal(tunclient_ring_allocate(client, &one, 1), -EAGAIN);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(p[i].size, TUNCLIENT_PACKET_MAX);
		assert_int_equal(p[i].length, 0);
		memset(p[i].data, 0x45, p[i].size);
	}
	assert_int_equal(tunclient_ring_commit(client, p + 1, 1), -EINVAL);
	assert_int_equal(tunclient_ring_commit(client, p, n + 1), -EINVAL);
	p[0].length = 20;
	assert_int_equal(tunclient_ring_commit(client, p, 1), -EIO);
	/* Still the program's: given back without sending. */
	p[0].length = 0;
	assert_int_equal(tunclient_ring_commit(client, p, 1), 1);
	assert_int_equal(tunclient_ring_allocate(client, &one, 2), 1);
	assert_ptr_equal(one.data, p[0].data);
	p[2].length = 20;
	assert_int_equal(tunclient_ring_commit(client, p + 1, 3), 1);
	assert_int_equal(tunclient_ring_receive(client, &one, 1), -EAGAIN);
	assert_int_equal(tunclient_ring_receive(client, &one, 0), -EINVAL);
	assert_int_equal(tunclient_ring_release(client, 0), 0);
	assert_int_equal(tunclient_ring_release(client, 1), -EINVAL);
	assert_int_equal(tunclient_recv_batch(client, p, 1), -EBUSY);
	tunclient_close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_grow),
		cmocka_unit_test(options_make_sense),
		cmocka_unit_test(plane_must_be_possible),
		cmocka_unit_test(answers_grow),
		cmocka_unit_test(handles_are_checked),
		cmocka_unit_test(pointers_are_checked),
		cmocka_unit_test(packets_are_checked),
		cmocka_unit_test(ring_is_in_order),
	};

	world_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
