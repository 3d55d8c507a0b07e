/* SPDX-License-Identifier: MIT */
/*
 * client-lib/queue.c - several handles on one interface.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include "client.h"

PUBLIC int tunclient_open_queue(struct tunclient *client,
				struct tunclient **ret_queue)
{
	int r;

	if (!ret_queue)
		return -EINVAL;
	*ret_queue = NULL;
	r = tunclient_check_(client);
	return r < 0 ? r : -EOPNOTSUPP;
}

PUBLIC int tunclient_set_queue(struct tunclient *client, int on)
{
	int r = tunclient_check_(client);

	return r < 0 ? r : -EOPNOTSUPP;
}
