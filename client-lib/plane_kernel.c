/* SPDX-License-Identifier: MIT */
/*
 * client-lib/plane_kernel.c - packets through the kernel's own TUN device, one
 * per system call.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "plane.h"

static bool is_possible(const struct tunclient *client)
{
	return !client->is_tund;
}

static unsigned int attach_flags(const struct tunclient *client)
{
	return client->options.offloads ? IFF_VNET_HDR : 0;
}

static int begin(struct tunclient *client)
{
	return 0;
}

static unsigned int abilities(const struct tunclient *client)
{
	return TUNCLIENT_ABILITY_NO_DAEMON;
}

static ssize_t read_one(struct tunclient *client, void *ret_packet, size_t size)
{
	ssize_t n = read(client->fd, ret_packet, size);

	return n < 0 ? -errno : n;
}

static ssize_t write_one(struct tunclient *client, const void *packet,
			 size_t size)
{
	ssize_t n = write(client->fd, packet, size);

	return n < 0 ? -errno : n;
}

static int set_value(struct tunclient *client, unsigned int cmd,
		     unsigned long value)
{
	return ioctl(client->file, cmd, value) < 0 ? -errno : 0;
}

const struct tunclient_plane tunclient_plane_kernel_ = {
	.number = TUNCLIENT_PLANE_KERNEL,
	.is_possible = is_possible,
	.attach_flags = attach_flags,
	.begin = begin,
	.abilities = abilities,
	.read = read_one,
	.write = write_one,
	.set_value = set_value,
};
