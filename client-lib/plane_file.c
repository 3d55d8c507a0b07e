/* SPDX-License-Identifier: MIT */
/*
 * client-lib/plane_file.c - packets through tund's file.
 */
#include <errno.h>
#include <unistd.h>

#include "plane.h"
#include "tund.h"

static bool is_possible(const struct tunclient *client)
{
	return client->is_tund;
}

static unsigned int attach_flags(const struct tunclient *client)
{
	return 0;
}

static int begin(struct tunclient *client)
{
	return 0;
}

static unsigned int abilities(const struct tunclient *client)
{
	return tunclient_tund_abilities_(client);
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

const struct tunclient_plane tunclient_plane_file_ = {
	.number = TUNCLIENT_PLANE_FILE,
	.is_possible = is_possible,
	.attach_flags = attach_flags,
	.begin = begin,
	.abilities = abilities,
	.read = read_one,
	.write = write_one,
	.set_value = tunclient_tund_set_value_,
	.configure = tunclient_tund_configure_,
	.link = tunclient_tund_link_,
	.stats = tunclient_tund_stats_,
};
