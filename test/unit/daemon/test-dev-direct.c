/* SPDX-License-Identifier: MIT */
/*
 * test-dev-direct.c - dev/direct.h: a device that is handed over to a packet
 * socket, and what the file can do then. The fake host's socket carries
 * nothing; its closing is told by hand, as by net/.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/direct.h"
#include "dev/knob.h"
#include "direct.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	TAP = IFF_TAP | IFF_NO_PI,
	VNET = IFF_VNET_HDR,
	MQ = IFF_MULTI_QUEUE,
};

/* ---- what can be handed over ---- */

static void formats(void **state)
{
	static const struct {
		unsigned int flags;
		int r;
	} cases[] = {
		{TUN, 0},
		{TAP, 0},
		{TAP | VNET, 0},
		{TUN | IFF_ONE_QUEUE, 0},
		{IFF_TUN, -EOPNOTSUPP},
		{IFF_TAP, -EOPNOTSUPP},
		{IFF_TAP | VNET, -EOPNOTSUPP},
		{TUN | VNET, -EOPNOTSUPP},
		{TUN | MQ, 0},
		{TAP | MQ | VNET, 0},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		int fd = -1;

		attach_device(cases[i].flags);
		dev_set_vnet_hdr_size(o.file, 12);
		if (dev_file_direct(o.file, i % 2 ? TUND_FD_NONBLOCK : 0,
				    &fd) != cases[i].r)
			fail_msg("case %zu", i);
		assert_int_equal(lnk->direct, cases[i].r == 0);
		if (cases[i].r == 0) {
			close(fd);
			assert_int_equal(lnk->how.nonblock, i % 2);
			assert_false(lnk->how.frames);
			assert_int_equal(lnk->how.vnet_hdr,
					 !!(cases[i].flags & VNET));
			assert_int_equal(lnk->how.vnet_hdr_size, 12);
			device_direct_closed(dev, 1);
		} else {
			/* As if nobody had asked. */
			assert_int_equal(reads(&o), -EAGAIN);
			assert_plane(TUND_PLANE_FILE);
		}
		put_device();
		close_file(&o);
	}
}

/* Then the format is the socket's, whatever that of the file was. */
static void frames(void **state)
{
	static const unsigned int cases[] = {
		TUN,	 TAP,	   TUN | VNET,	   TAP | VNET,
		IFF_TUN, TUN | MQ, IFF_TAP | VNET, IFF_TUN | VNET | MQ,
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		int fd = -1;

		attach_device(cases[i]);
		dev_set_vnet_hdr_size(o.file, 20);
		assert_int_equal(dev_file_direct(o.file, TUND_FD_FRAMES, &fd),
				 0);
		close(fd);
		assert_true(lnk->how.frames);
		assert_true(lnk->how.vnet_hdr);
		assert_int_equal(lnk->how.vnet_hdr_size, 10);
		assert_false(lnk->how.nonblock);
		assert_int_equal(lnk->how.several, !!(cases[i] & MQ));
		assert_plane(TUND_PLANE_DIRECT);
		device_direct_closed(dev, 1);
		put_device();
		close_file(&o);
	}
}

static void file_without_a_device(void **state)
{
	int fd = -1;

	open_file(&o);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EBADFD);
	assert_int_equal(dev_file_device_ns(o.file, &fd), -EBADFD);
	assert_int_equal(fd, -1);
	close_file(&o);
}

static void only_once(void **state)
{
	int fd = -1;

	attach_device(TUN);
	go_direct();
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EALREADY);
	assert_int_equal(fd, -1);
	assert_true(lnk->direct);
	assert_plane(TUND_PLANE_DIRECT);
	fake_direct_close(lnk);
	put_device();
	close_file(&o);
}

static void host_that_cannot_leaves_the_file_as_it_is(void **state)
{
	struct answer parked;
	int fd = -1;

	attach_device(TUN);
	fake_input(lnk, 1, 60);
	fake.direct_error = -EOPNOTSUPP;
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EOPNOTSUPP);
	assert_int_equal(fd, -1);
	assert_plane(TUND_PLANE_FILE);
	assert_int_equal(dev_poll(o.file),
			 POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
	assert_int_equal(reads(&o), 60);
	assert_int_equal(write_number(&o, 1, 60), 60);
	park_read(&o, &parked, 100, true);
	/* It may be tried again. */
	fake.direct_error = -ENOMEM;
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -ENOMEM);
	fake_input(lnk, 2, 60);
	assert_delivered(&parked, 2);
	fake.direct_error = 0;
	go_direct();
	fake_direct_close(lnk);
	put_device();
	close_file(&o);
}

/* ---- the file meanwhile ---- */

static void file_has_no_packets_any_more(void **state)
{
	struct answer parked, unarmed;
	struct request *request;
	struct tund_stats stats;

	attach_device(TUN);
	park_read(&o, &parked, 100, true);
	request = park_read(&o, &unarmed, 100, false);
	go_direct();
	assert_answered(&parked, -EBUSY);
	dev_io_arm(&request->io);
	assert_answered(&unarmed, -EBUSY);
	assert_int_equal(reads(&o), -EBUSY);
	assert_int_equal(write_number(&o, 1, 60), -EBUSY);
	assert_int_equal(write_now(&o, "", 0), -EBUSY);
	assert_int_equal(dev_poll(o.file), 0);
	fake_set_up_down(lnk, false);
	assert_int_equal(dev_poll(o.file), 0);
	assert_int_equal(fake.sent.n, 0);
	/* One that the daemon had just received. */
	fake_input(lnk, 1, 60);
	stats = stats_of(&o);
	assert_int_equal(stats.drops[TUND_DROP_DETACHED], 1);
	assert_int_equal(stats.queued, 0);
	fake_direct_close(lnk);
	put_device();
	close_file(&o);
}

static void packets_that_waited_are_counted(void **state)
{
	attach_device(TUN);
	for (uint32_t i = 0; i < 3; i++)
		fake_input(lnk, i, 60);
	go_direct();
	assert_int_equal(stats_of(&o).drops[TUND_DROP_DETACHED], 3);
	fake_direct_close(lnk);
	put_device();
	close_file(&o);
}

static void settings_go_on_working(void **state)
{
	unsigned int flags = 0;
	char name[IFNAMSIZ];
	struct stat st[2];
	int value, fd;

	attach_device(TAP);
	go_direct();
	assert_true(dev_file_attached(o.file));
	assert_int_equal(dev_file_describe(o.file, name, &flags), 0);
	assert_string_equal(name, "t0");
	assert_int_equal(flags, 0x1002);
	assert_int_equal(dev_set_sndbuf(o.file, 4711), 0);
	assert_int_equal(dev_get_sndbuf(o.file, &value), 0);
	assert_int_equal(value, 4711);
	assert_int_equal(dev_set_offload(o.file, 1), 0);
	assert_int_equal(lnk->offload, 1);
	assert_int_equal(dev_set_carrier(o.file, false), 0);
	assert_false(lnk->carrier);
	assert_int_equal(dev_file_set_queue(o.file, IFF_DETACH_QUEUE), -EINVAL);
	assert_int_equal(attach_once(&o, "t0", TAP, false), -EEXIST);
	assert_int_equal(dev_file_device_ns(o.file, &fd), 0);
	assert_int_equal(fstat(fd, &st[0]), 0);
	assert_int_equal(fstat(dev_file_ns(o.file), &st[1]), 0);
	assert_int_equal(st[0].st_ino, st[1].st_ino);
	close(fd);
	fake_direct_close(lnk);
	put_device();
	close_file(&o);
}

/* What write() has taken goes before the host's end is given away. */
static unsigned int sent_at_begin;

static void look_what_is_sent(struct host_link *link)
{
	sent_at_begin = fake.sent.n;
}

static void *send_later(void *arg)
{
	/* It is asked for once the packets are there. */
	if (!counter_wait(&fake.wants, 1))
		abort();
	fake.send_room = INT32_MAX;
	device_can_send(dev);
	return NULL;
}

static void packets_on_their_way_go_first(void **state)
{
	pthread_t thread;

	attach_device(TUN);
	fake.send_room = 0;
	fake.on_direct = look_what_is_sent;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(write_number(&o, i, 60), 60);
	assert_int_equal(pthread_create(&thread, NULL, send_later, NULL), 0);
	go_direct();
	pthread_join(thread, NULL);
	assert_int_equal(sent_at_begin, 10);
	fake_direct_close(lnk);
	put_device();
	close_file(&o);
}

#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, fake_set_up, direct_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(formats),
		TEST(frames),
		TEST(file_without_a_device),
		TEST(only_once),
		TEST(host_that_cannot_leaves_the_file_as_it_is),
		TEST(file_has_no_packets_any_more),
		TEST(packets_that_waited_are_counted),
		TEST(settings_go_on_working),
		TEST(packets_on_their_way_go_first),
	};

	return cmocka_run_group_tests_name("dev-direct", tests, NULL, NULL);
}
