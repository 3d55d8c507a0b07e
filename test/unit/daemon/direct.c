/* SPDX-License-Identifier: MIT */
/* direct.c - one device of the fake host, and its handing over. */
#include "direct.h"

#include <errno.h>
#include <unistd.h>

#include "dev/direct.h"

struct opened o;
struct host_link *lnk;
struct device *dev;

void attach_device(unsigned int flags)
{
	open_file(&o);
	set_mode(&o, TUND_MODE_ALL_IOCTLS, 0);
	lnk = attach_up(&o, "t0", flags);
	dev = lnk->owner;
	device_ref(dev);
}

void put_device(void)
{
	device_unref(dev);
	dev = NULL;
}

int direct_tear_down(void **state)
{
	if (dev)
		put_device();
	return fake_tear_down(state);
}

void go_direct(void)
{
	int fd = -1;

	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_true(lnk->direct);
}

ssize_t reads(struct opened *of)
{
	struct answer answer;

	return read_now(of, ANSWER_MAX, &answer);
}

void assert_plane(enum tund_plane plane)
{
	struct tund_device device = {.id = 0};
	struct opened looker;

	/* Whoever looks need not be attached. */
	open_file(&looker);
	assert_int_equal(dev_file_next_device(looker.file, &device), 0);
	assert_int_equal(device.plane, plane);
	assert_int_equal(device.queues, plane != TUND_PLANE_NONE);
	assert_int_equal(dev_file_next_device(looker.file, &device), -ENOENT);
	close_file(&looker);
}
