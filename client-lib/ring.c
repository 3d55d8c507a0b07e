/* SPDX-License-Identifier: MIT */
/*
 * client-lib/ring.c - the calls of the rings: their arguments and their order.
 */
#include <errno.h>

#include "client.h"

PUBLIC int tunclient_ring_receive(struct tunclient *client,
				  struct tunclient_packet *ret_packets,
				  unsigned int n)
{
	int r;

	if (!ret_packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	return r < 0 ? r : -EOPNOTSUPP;
}

PUBLIC int tunclient_ring_release(struct tunclient *client, unsigned int n)
{
	int r = tunclient_check_(client);

	return r < 0 ? r : -EOPNOTSUPP;
}

PUBLIC int tunclient_ring_allocate(struct tunclient *client,
				   struct tunclient_packet *ret_packets,
				   unsigned int n)
{
	int r;

	if (!ret_packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	return r < 0 ? r : -EOPNOTSUPP;
}

PUBLIC int tunclient_ring_commit(struct tunclient *client,
				 const struct tunclient_packet *packets,
				 unsigned int n)
{
	int r;

	if (!packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	return r < 0 ? r : -EOPNOTSUPP;
}
