/* SPDX-License-Identifier: MIT */
/* filter.c - keeps the programs; the host's socket runs them. */
#include "dev/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device.h"
#include "dev/file.h"

/* The file's device with a reference, if it is one that can have filters. */
static int get_tap(struct dev_file *file, struct device **ret_dev)
{
	struct device *dev = dev_file_device(file);

	if (!dev)
		return -EBADFD;
	if (dev->kind != DEV_TAP) {
		device_unref(dev);
		return -EINVAL;
	}
	*ret_dev = dev;
	return 0;
}

int dev_filter_announce(struct dev_file *file, uint16_t len, uint64_t address)
{
	struct device *dev;
	int r = get_tap(file, &dev);

	if (r < 0)
		return r;
	lock_acquire(&dev->lock);
	dev->filter.told_len = len;
	dev->filter.told_address = address;
	lock_release(&dev->lock);
	device_unref(dev);
	return 0;
}

static int attach(struct device *dev, const struct sock_filter *program,
		  uint16_t len)
{
	const struct sock_fprog fprog = {
		.len = len,
		.filter = (struct sock_filter *)(uintptr_t)program,
	};

	return dev->host->set_filter(dev->link, program ? &fprog : NULL);
}

static int copy_program(const struct sock_filter *program, uint16_t len,
			struct sock_filter **ret_copy)
{
	*ret_copy = NULL;
	if (!program)
		return 0;
	*ret_copy = malloc(len * sizeof(*program));
	if (!*ret_copy)
		return -ENOMEM;
	memcpy(*ret_copy, program, len * sizeof(*program));
	return 0;
}

int dev_filter_set(struct dev_file *file, const struct sock_filter *program,
		   uint16_t len)
{
	struct sock_filter *copy, *old;
	struct device *dev;
	int r = get_tap(file, &dev);

	if (r < 0)
		return r;
	r = copy_program(program, len, &copy);
	if (r == 0)
		r = attach(dev, program, len);
	if (r == 0) {
		lock_acquire(&dev->lock);
		old = dev->filter.program;
		dev->filter.program = copy;
		dev->filter.len = len;
		dev->filter.active = copy != NULL;
		lock_release(&dev->lock);
		copy = old;
	}
	free(copy);
	device_unref(dev);
	return r;
}

int dev_filter_get(struct dev_file *file, uint16_t *ret_len,
		   uint64_t *ret_address)
{
	struct device *dev;
	int r = get_tap(file, &dev);

	if (r < 0)
		return r;
	lock_acquire(&dev->lock);
	*ret_len = dev->filter.told_len;
	*ret_address = dev->filter.told_address;
	lock_release(&dev->lock);
	device_unref(dev);
	return 0;
}

int dev_check_mac_filter(struct dev_file *file)
{
	struct device *dev;
	int r = get_tap(file, &dev);

	if (r == 0)
		device_unref(dev);
	return r;
}

int dev_set_mac_filter(struct dev_file *file, uint16_t flags, uint16_t count,
		       const uint8_t *macs)
{
	struct mac_filter filter = {0};
	struct device *dev;
	int r = get_tap(file, &dev);

	if (r < 0)
		return r;
	r = mac_filter_set(&filter, flags, count, macs);
	lock_acquire(&dev->lock);
	dev->mac_filter = filter;
	lock_release(&dev->lock);
	device_unref(dev);
	return r;
}

int dev_filter_apply(struct device *dev, bool wanted)
{
	struct sock_filter *program = NULL;
	uint16_t len;
	bool active;
	int r = 0;

	/* A copy: others who are attached may free the device's own. */
	lock_acquire(&dev->lock);
	len = dev->filter.len;
	active = dev->filter.active;
	wanted = wanted && dev->filter.program;
	if (wanted && !active)
		r = copy_program(dev->filter.program, len, &program);
	lock_release(&dev->lock);
	if (r < 0 || wanted == active)
		return r;
	r = attach(dev, program, len);
	free(program);
	if (r < 0)
		return r;
	lock_acquire(&dev->lock);
	dev->filter.active = wanted;
	lock_release(&dev->lock);
	return 0;
}

void dev_filter_free(struct dev_filter *filter)
{
	free(filter->program);
	filter->program = NULL;
}
