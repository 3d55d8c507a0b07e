/* SPDX-License-Identifier: MIT */
/*
 * test-dev-vnet.c - the virtio-net header before packets in dev/io.h, who gets
 * one, and the offloads that go with it. What a header may say is packet/'s.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "dev/knob.h"
#include "fake.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	TUN_PI = IFF_TUN,
	TAP = IFF_TAP | IFF_NO_PI,
	TAP_PI = IFF_TAP,
	LEN = 100, /* of a packet */
	PI = 4,
	SHORTEST = 10,
};

static const unsigned int formats[] = {TUN, TUN_PI, TAP, TAP_PI};
/* Around what fits on the stack, with packet information and without. */
static const int sizes[] = {SHORTEST, 12, 20, 59, 60, 61, 64, 65, 1500};

static struct opened o;
static struct host_link *lnk;

static void attach_device(unsigned int flags)
{
	open_file(&o);
	set_mode(&o, TUND_MODE_ALL_IOCTLS, 0);
	lnk = attach_up(&o, "t0", flags | IFF_VNET_HDR);
}

static void attach_size(unsigned int flags, int size)
{
	attach_device(flags);
	assert_int_equal(dev_set_vnet_hdr_size(o.file, size), 0);
}

static size_t pi_of(unsigned int flags)
{
	return flags & IFF_NO_PI ? 0 : PI;
}

static unsigned int flags_of(struct opened *of)
{
	char name[IFNAMSIZ];
	unsigned int flags = 0;

	assert_int_equal(dev_file_describe(of->file, name, &flags), 0);
	return flags;
}

/* A packet of 100 bytes, most of which are to be summed. */
static const struct virtio_net_hdr sum = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.hdr_len = 60,
	.csum_start = 40,
	.csum_offset = 16,
};

static const struct virtio_net_hdr tcp4 = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	.hdr_len = 60,
	.gso_size = 20,
	.csum_start = 40,
	.csum_offset = 16,
};

static const struct virtio_net_hdr none;

/* Writes one of `len` bytes after the header. */
static ssize_t write_vnet(const struct virtio_net_hdr *vnet, size_t pi,
			  int size, size_t len)
{
	size_t all = pi + (size_t)size + len;
	uint8_t *data = must_alloc(all);
	ssize_t r;

	/* What is no part of the header of today means nothing. */
	memset(data, 0xff, pi + (size_t)size);
	memcpy(data + pi, vnet, sizeof(*vnet));
	memset(data + pi + size, 0x45, len);
	r = write_now(&o, data, all);
	free(data);
	return r >= 0 ? r - (ssize_t)(all - len) : r;
}

static void input_vnet(const struct virtio_net_hdr *vnet, uint32_t number)
{
	struct pkt *pkt = fake_packet(number, LEN, htons(0x86dd));

	pkt->vnet = *vnet;
	device_input(lnk->owner, &pkt, 1);
}

/* ---- formats ---- */

static void header_of_writes(void **state)
{
	for (size_t i = 0; i < LENGTH(formats) * LENGTH(sizes); i++) {
		unsigned int flags = formats[i / LENGTH(sizes)];
		int size = sizes[i % LENGTH(sizes)];
		const struct pkt *pkt;

		attach_size(flags, size);
		assert_int_equal(write_vnet(&tcp4, pi_of(flags), size, LEN),
				 LEN);
		assert_int_equal(fake.sent.n, i + 1);
		pkt = fake.sent.pkts[i];
		assert_memory_equal(&pkt->vnet, &tcp4, sizeof(tcp4));
		assert_int_equal(pkt->len, LEN);
		assert_int_equal(pkt->data[0], 0x45);
		assert_int_equal(pkt->data[LEN - 1], 0x45);
		assert_int_equal(stats_of(&o).rx_packets, 1);
		assert_int_equal(stats_of(&o).rx_bytes, LEN);
		close_file(&o);
	}
}

static void header_of_reads(void **state)
{
	struct pkt *expected = fake_packet(7, LEN, 0);

	for (size_t i = 0; i < LENGTH(formats) * LENGTH(sizes); i++) {
		unsigned int flags = formats[i / LENGTH(sizes)];
		size_t size = (size_t)sizes[i % LENGTH(sizes)];
		size_t pi = pi_of(flags), all = pi + size + LEN;
		const struct tun_pi info = {.proto = htons(0x86dd)};
		struct answer answer;

		attach_size(flags, (int)size);
		input_vnet(&tcp4, 7);
		assert_int_equal(read_now(&o, all, &answer), all);
		assert_memory_equal(answer.data, &info, pi);
		assert_memory_equal(answer.data + pi, &tcp4, sizeof(tcp4));
		for (size_t k = sizeof(tcp4); k < size; k++)
			assert_int_equal(answer.data[pi + k], 0);
		assert_memory_equal(answer.data + pi + size, expected->data,
				    LEN);
		assert_int_equal(stats_of(&o).tx_packets, 1);
		assert_int_equal(stats_of(&o).tx_bytes, LEN);
		close_file(&o);
	}
	pkt_free(expected);
}

static void read_without_room_for_the_header(void **state)
{
	struct answer answer;

	for (size_t i = 0; i < LENGTH(formats) * LENGTH(sizes); i++) {
		unsigned int flags = formats[i / LENGTH(sizes)];
		int size = sizes[i % LENGTH(sizes)];
		size_t head = pi_of(flags) + (size_t)size;
		const size_t too_small[] = {0, head - SHORTEST, head - 1};

		attach_size(flags, size);
		for (size_t k = 0; k < LENGTH(too_small); k++) {
			input_vnet(&sum, 1);
			assert_int_equal(read_now(&o, too_small[k], &answer),
					 -EINVAL);
			assert_false(answer.delivered);
			/* It is gone. */
			assert_int_equal(read_now(&o, 2000, &answer), -EAGAIN);
		}
		assert_int_equal(stats_of(&o).drops[TUND_DROP_TOO_SMALL], 3);
		assert_int_equal(stats_of(&o).tx_packets, 0);
		/* The header alone is a success, and told where it can be. */
		input_vnet(&sum, 1);
		assert_int_equal(read_now(&o, head, &answer), head);
		if (pi_of(flags))
			assert_int_equal(answer.data[0], TUN_PKT_STRIP);
		assert_int_equal(stats_of(&o).tx_bytes, LEN);
		close_file(&o);
	}
}

static void parked_reader_without_room(void **state)
{
	struct answer answer;

	attach_device(TUN);
	park_read(&o, &answer, SHORTEST - 1, true);
	input_vnet(&none, 1);
	assert_answered(&answer, -EINVAL);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_TOO_SMALL], 1);
	close_file(&o);
}

/* Not that of when the packet came. */
static void size_is_that_of_the_read(void **state)
{
	struct answer answer;

	attach_device(TUN);
	for (uint32_t i = 0; i < 3; i++)
		input_vnet(&none, i);
	assert_int_equal(read_now(&o, 2000, &answer), SHORTEST + LEN);
	dev_set_vnet_hdr_size(o.file, 12);
	assert_int_equal(read_now(&o, 2000, &answer), 12 + LEN);
	dev_set_vnet_hdr_size(o.file, INT_MAX);
	assert_int_equal(read_now(&o, 2000, &answer), -EINVAL);
	assert_int_equal(write_vnet(&none, 0, SHORTEST, LEN), -EINVAL);
	close_file(&o);
}

/* The machine's own order, unless it was told otherwise. */
static void order_of_the_bytes(void **state)
{
	struct virtio_net_hdr le = sum;
	struct answer answer;

	le.hdr_len = htole16(sum.hdr_len);
	le.csum_start = htole16(sum.csum_start);
	le.csum_offset = htole16(sum.csum_offset);
	attach_device(TUN);
	dev_set_vnet_le(o.file, true);
	assert_int_equal(write_vnet(&le, 0, SHORTEST, LEN), LEN);
	assert_memory_equal(&fake.sent.pkts[0]->vnet, &sum, sizeof(sum));
	input_vnet(&sum, 1);
	assert_int_equal(read_now(&o, 2000, &answer), SHORTEST + LEN);
	assert_memory_equal(answer.data, &le, sizeof(le));
	dev_set_vnet_le(o.file, false);
	assert_int_equal(write_vnet(&sum, 0, SHORTEST, LEN), LEN);
	assert_memory_equal(&fake.sent.pkts[1]->vnet, &sum, sizeof(sum));
	close_file(&o);
}

/* ---- what is refused ---- */

static uint64_t all_drops(void)
{
	struct tund_stats stats = stats_of(&o);
	uint64_t n = 0;

	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		n += stats.drops[i];
	return n;
}

static void write_without_a_whole_header(void **state)
{
	static const uint8_t zero[100];

	for (size_t i = 0; i < LENGTH(formats); i++) {
		size_t pi = pi_of(formats[i]);

		attach_size(formats[i], 12);
		for (size_t len = 0; len < pi + 12; len++)
			assert_int_equal(write_now(&o, zero, len), -EINVAL);
		assert_int_equal(all_drops(), 0);
		assert_int_equal(fake.sent.n, 0);
		close_file(&o);
	}
}

static void packets_that_are_none(void **state)
{
	attach_device(TUN);
	assert_int_equal(write_vnet(&none, 0, SHORTEST, 0), -EINVAL);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_INVALID], 1);
	assert_int_equal(write_vnet(&none, 0, SHORTEST, 1), 1);
	close_file(&o);
	/* The header is no part of the frame. */
	attach_device(TAP);
	assert_int_equal(write_vnet(&none, 0, SHORTEST, 13), -EINVAL);
	assert_int_equal(all_drops(), 0);
	assert_int_equal(write_vnet(&none, 0, SHORTEST, 14), 14);
	close_file(&o);
}

static void headers_that_are_refused(void **state)
{
	static const struct virtio_net_hdr bad[] = {
		{.hdr_len = LEN + 1},
		{.gso_type = 17, .gso_size = 10},
		{.gso_type = VIRTIO_NET_HDR_GSO_TCPV4},
		{.flags = 1, .csum_start = 90, .csum_offset = 10},
		{.flags = 1, .csum_start = 2, .csum_offset = 2},
	};

	for (size_t i = 0; i < LENGTH(formats) * LENGTH(bad); i++) {
		unsigned int flags = formats[i / LENGTH(bad)];
		const struct virtio_net_hdr *h = &bad[i % LENGTH(bad)];

		attach_device(flags);
		assert_int_equal(write_vnet(h, pi_of(flags), SHORTEST, LEN),
				 -EINVAL);
		/* Before anything is asked of the interface. */
		fake_set_up_down(lnk, false);
		assert_int_equal(write_vnet(h, pi_of(flags), SHORTEST, LEN),
				 -EINVAL);
		assert_int_equal(fake.sent.n, 0);
		assert_int_equal(all_drops(), 0);
		close_file(&o);
	}
	/* This one is wrong for a frame only. */
	attach_device(TUN);
	assert_int_equal(write_vnet(&(struct virtio_net_hdr){.hdr_len = 13}, 0,
				    SHORTEST, LEN),
			 LEN);
	close_file(&o);
	attach_device(TAP);
	assert_int_equal(write_vnet(&(struct virtio_net_hdr){.hdr_len = 13}, 0,
				    SHORTEST, LEN),
			 -EINVAL);
	close_file(&o);
}

/* ---- what the host refuses ---- */

/* The kernel's TUN takes what the host throws away later. */
static void refusals_of_the_host(void **state)
{
	static const struct {
		const struct virtio_net_hdr *vnet;
		bool up;
		int send_error, error;
		enum tund_drop reason;
	} cases[] = {
		{&sum, true, -EINVAL, 0, TUND_DROP_ERROR},
		{&sum, true, -ENOBUFS, 0, TUND_DROP_ERROR},
		{&sum, true, -ENOMEM, 0, TUND_DROP_ERROR},
		{&sum, true, -EMSGSIZE, 0, TUND_DROP_ERROR},
		{&tcp4, true, -EINVAL, 0, TUND_DROP_ERROR},
		{&tcp4, true, -ENOBUFS, 0, TUND_DROP_ERROR},
		{&none, true, -EINVAL, -EINVAL, TUND_DROP_ERROR},
		{&none, true, -ENOBUFS, -ENOBUFS, TUND_DROP_NOBUFS},
		{&none, true, -ENOMEM, -ENOMEM, TUND_DROP_ERROR},
		{&none, true, -EMSGSIZE, -EMSGSIZE, TUND_DROP_ERROR},
		{&sum, true, -ENETDOWN, -EIO, TUND_DROP_DOWN},
		{&none, true, -ENETDOWN, -EIO, TUND_DROP_DOWN},
		/* Down comes first, whatever the host says. */
		{&sum, false, -ENETDOWN, -EIO, TUND_DROP_DOWN},
		{&sum, false, -EINVAL, -EIO, TUND_DROP_DOWN},
		{&tcp4, false, -ENOBUFS, -EIO, TUND_DROP_DOWN},
		{&none, false, -EINVAL, -EIO, TUND_DROP_DOWN},
	};

	for (size_t i = 0; i < LENGTH(cases) * LENGTH(formats); i++) {
		size_t k = i / LENGTH(formats);
		unsigned int flags = formats[i % LENGTH(formats)];
		struct tund_stats stats;
		ssize_t r;

		attach_device(flags);
		fake_set_up_down(lnk, cases[k].up);
		fake.send_room = 0;
		fake.send_error = cases[k].send_error;
		r = write_vnet(cases[k].vnet, pi_of(flags), SHORTEST, LEN);
		if (r != (cases[k].error ? cases[k].error : LEN))
			fail_msg("case %zu: %zd", k, r);
		stats = stats_of(&o);
		assert_int_equal(stats.drops[cases[k].reason], 1);
		assert_int_equal(all_drops(), 1);
		assert_int_equal(stats.rx_packets, r > 0);
		assert_int_equal(stats.rx_bytes, r > 0 ? LEN : 0);
		close_file(&o);
	}
	assert_int_equal(fake.sent.n, 0);
}

static void larger_than_the_interface_takes(void **state)
{
	attach_device(TUN);
	fake.send_room = 0;
	fake.send_error = -EMSGSIZE;
	assert_int_equal(write_vnet(&none, 0, SHORTEST, 1505), -EMSGSIZE);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_MTU], 1);
	/* It is to be cut in pieces. */
	assert_int_equal(write_vnet(&tcp4, 0, SHORTEST, 1505), 1505);
	assert_int_equal(stats_of(&o).drops[TUND_DROP_ERROR], 1);
	close_file(&o);
}

static void host_that_has_no_room_now(void **state)
{
	attach_device(TUN);
	fake.send_room = 0;
	assert_int_equal(write_vnet(&tcp4, 0, SHORTEST, LEN), LEN);
	assert_int_equal(stats_of(&o).rx_packets, 0);
	assert_int_equal(all_drops(), 0);
	fake.send_room = 1;
	device_can_send(lnk->owner);
	assert_int_equal(fake.sent.n, 1);
	assert_memory_equal(&fake.sent.pkts[0]->vnet, &tcp4, sizeof(tcp4));
	assert_int_equal(stats_of(&o).rx_packets, 1);
	close_file(&o);
}

/* ---- who gets a header ---- */

static void only_who_says_so_gets_a_header(void **state)
{
	struct tund_mode mode;
	struct answer answer;

	for (int on = 0; on < 2; on++) {
		open_file(&o);
		dev_file_get_mode(o.file, &mode);
		assert_int_equal(mode.flags, 0);
		set_mode(&o, TUND_MODE_ALL_IOCTLS, 0);
		dev_file_get_mode(o.file, &mode);
		assert_int_equal(mode.flags, TUND_MODE_ALL_IOCTLS);
		set_mode(&o, on ? TUND_MODE_ALL_IOCTLS : 0, 0);
		lnk = attach_up(&o, "t0", TUN | IFF_VNET_HDR);
		/* Too late, the one and the other. */
		set_mode(&o, on ? 0 : TUND_MODE_ALL_IOCTLS, 0);
		assert_int_equal(flags_of(&o), on ? 0x5001 : 0x1001);
		input_vnet(&none, 1);
		assert_int_equal(read_now(&o, 2000, &answer),
				 on ? SHORTEST + LEN : LEN);
		assert_int_equal(write_vnet(&none, 0, on ? SHORTEST : 0, LEN),
				 LEN);
		assert_int_equal(fake.sent.pkts[on]->len, LEN);
		close_file(&o);
	}
}

/* Closes it, and waits until its device is idle. */
static void close_and_wait_idle(void)
{
	unsigned int left = counter_value(&fake.left);

	assert_int_equal(dev_set_persist(o.file, true), 0);
	close_file(&o);
	assert_true(counter_wait(&fake.left, left + 1));
}

static void header_is_asked_for_anew(void **state)
{
	int size;

	attach_size(TUN, 12);
	close_and_wait_idle();
	open_file(&o);
	assert_int_equal(attach(&o, "t0", TUN | IFF_VNET_HDR), 0);
	assert_int_equal(flags_of(&o), 0x1801);
	close_and_wait_idle();
	attach_device(TUN);
	assert_int_equal(flags_of(&o), 0x5801);
	/* Its size is the device's. */
	dev_get_vnet_hdr_size(o.file, &size);
	assert_int_equal(size, 12);
	assert_int_equal(write_vnet(&none, 0, 12, LEN), LEN);
	dev_set_persist(o.file, false);
	close_file(&o);
}

/* ---- offloads ---- */

static unsigned int offloads_told(void)
{
	struct tund_device device = {.id = 0};

	assert_int_equal(dev_file_next_device(o.file, &device), 0);
	return device.offloads;
}

static void offloads_reach_the_host(void **state)
{
	attach_device(TUN);
	assert_int_equal(lnk->offload, 0);
	assert_int_equal(dev_set_offload(o.file, 0x6f), 0);
	assert_int_equal(lnk->offload, 0x6f);
	assert_int_equal(offloads_told(), 0x6f);
	/* What is refused changes nothing. */
	assert_int_equal(dev_set_offload(o.file, 0x02), -EINVAL);
	assert_int_equal(lnk->offload, 0x6f);
	fake.offload_error = -EPERM;
	assert_int_equal(dev_set_offload(o.file, 0x01), -EPERM);
	assert_int_equal(offloads_told(), 0x6f);
	fake.offload_error = 0;
	assert_int_equal(dev_set_offload(o.file, 0), 0);
	assert_int_equal(lnk->offload, 0);
	assert_int_equal(offloads_told(), 0);
	close_file(&o);
}

static void offloads_end_with_the_last_file(void **state)
{
	struct opened other;

	attach_device(TUN | IFF_MULTI_QUEUE);
	open_file(&other);
	assert_int_equal(attach(&other, "t0", TUN | IFF_MULTI_QUEUE), 0);
	assert_int_equal(dev_file_set_queue(other.file, IFF_DETACH_QUEUE), 0);
	/* From any of the queues. */
	assert_int_equal(dev_set_offload(other.file, 0x07), 0);
	close_file(&other);
	assert_int_equal(lnk->offload, 0x07);
	assert_int_equal(offloads_told(), 0x07);
	close_and_wait_idle();
	assert_int_equal(lnk->offload, 0);
	attach_device(TUN | IFF_MULTI_QUEUE);
	assert_int_equal(offloads_told(), 0);
	/* One that had none has none to lose. */
	lnk->offload = 0x0f;
	close_and_wait_idle();
	assert_int_equal(lnk->offload, 0x0f);
	attach_device(TUN | IFF_MULTI_QUEUE);
	dev_set_persist(o.file, false);
	close_file(&o);
}

static void deleted_before_the_offloads_went(void **state)
{
	fake.send_room = 0;
	attach_device(TUN);
	dev_set_persist(o.file, true);
	assert_int_equal(dev_set_offload(o.file, 0x07), 0);
	/* It keeps the device from being idle. */
	assert_int_equal(write_vnet(&none, 0, SHORTEST, LEN), LEN);
	dev_file_close(o.file);
	fake_delete("t0");
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(header_of_writes),
		TEST(header_of_reads),
		TEST(read_without_room_for_the_header),
		TEST(parked_reader_without_room),
		TEST(size_is_that_of_the_read),
		TEST(order_of_the_bytes),
		TEST(write_without_a_whole_header),
		TEST(packets_that_are_none),
		TEST(headers_that_are_refused),
		TEST(refusals_of_the_host),
		TEST(larger_than_the_interface_takes),
		TEST(host_that_has_no_room_now),
		TEST(only_who_says_so_gets_a_header),
		TEST(header_is_asked_for_anew),
		TEST(offloads_reach_the_host),
		TEST(offloads_end_with_the_last_file),
		TEST(deleted_before_the_offloads_went),
	};

	return cmocka_run_group_tests_name("dev-vnet", tests, NULL, NULL);
}
