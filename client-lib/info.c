/* SPDX-License-Identifier: MIT */
/*
 * client-lib/info.c - what a handle and its interface are. It changes nothing.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include "client.h"
#include "options.h"
#include "plane.h"

_Static_assert(TUNCLIENT_NAME_SIZE == IFNAMSIZ, "a name fits an ifreq");

PUBLIC int tunclient_info(struct tunclient *client,
			  struct tunclient_info *ret_info)
{
	struct tunclient_info info = {.size = sizeof(info)};
	int r;

	if (!ret_info)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	info.plane = client->plane->number;
	info.kind = client->kind;
	info.multi_queue = client->multi_queue;
	info.abilities = client->plane->abilities(client);
	if (client->has_offloads)
		info.abilities |= TUNCLIENT_ABILITY_OFFLOAD;
	info.offloads = client->offloads;
	info.batch_max = TUNCLIENT_BATCH_;
	info.ring_slots = TUNCLIENT_SEND_SLOTS_;
	return tunclient_give_struct_(ret_info, &info, sizeof(info));
}

PUBLIC int tunclient_name(struct tunclient *client, char *ret_name, size_t size)
{
	struct ifreq request;
	size_t length;

	if (!client || !ret_name)
		return -EINVAL;
	if (client->file < 0)
		return -EBADF;
	memset(&request, 0, sizeof(request));
	if (ioctl(client->file, TUNGETIFF, &request) < 0)
		return tunclient_fail_(client, -errno,
				       "no name: the handle is not attached, "
				       "or its interface was deleted");
	length = strnlen(request.ifr_name, sizeof(request.ifr_name) - 1);
	if (length >= size)
		return -ERANGE;
	memcpy(ret_name, request.ifr_name, length);
	ret_name[length] = '\0';
	return 0;
}

PUBLIC int tunclient_fd(const struct tunclient *client)
{
	if (!client)
		return -EINVAL;
	return client->fd < 0 ? -EBADF : client->fd;
}

PUBLIC int tunclient_stats(struct tunclient *client,
			   struct tunclient_stats *ret_stats)
{
	struct tunclient_stats stats = {.size = sizeof(stats)};
	int r;

	if (!ret_stats)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	if (!client->plane->stats)
		return -EOPNOTSUPP;
	r = client->plane->stats(client, &stats);
	if (r < 0)
		return tunclient_fail_(client, r, "the counters cannot be had");
	return tunclient_give_struct_(ret_stats, &stats, sizeof(stats));
}

PUBLIC const char *tunclient_version(void)
{
	return TUND_VERSION;
}
