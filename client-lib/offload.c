/* SPDX-License-Identifier: MIT */
/*
 * client-lib/offload.c - which offloads are in use. It does none of them.
 */
#include <errno.h>
#include <net/if.h>

#include "offload.h"
#include "options.h"
#include "plane.h"

_Static_assert(TUNCLIENT_OFFLOAD_CSUM == TUN_F_CSUM &&
		       TUNCLIENT_OFFLOAD_TSO4 == TUN_F_TSO4 &&
		       TUNCLIENT_OFFLOAD_TSO6 == TUN_F_TSO6 &&
		       TUNCLIENT_OFFLOAD_TSO_ECN == TUN_F_TSO_ECN,
	       "they are said in TUN's numbers");

static int set(struct tunclient *client, unsigned int offloads)
{
	int r = client->plane->set_value(client, TUNSETOFFLOAD, offloads);

	if (r == 0)
		client->offloads = offloads;
	return r;
}

/*
 * USO came last, and is what an older kernel does not know. Another queue's
 * handle may have them in use, and this one's packets must be complete.
 */
int tunclient_negotiate_(struct tunclient *client)
{
	static const unsigned int without[] = {
		0,
		TUNCLIENT_OFFLOAD_USO,
		TUNCLIENT_OFFLOAD_USO | TUNCLIENT_OFFLOAD_TSO_ECN,
		~TUNCLIENT_OFFLOAD_CSUM,
		~0u,
	};
	int r = 0;

	if (!client->has_offloads)
		return client->multi_queue ? set(client, 0) : 0;
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		r = set(client, client->options.offloads & ~without[i]);
		if (r != -EINVAL)
			return r;
	}
	return r;
}

PUBLIC int tunclient_set_offloads(struct tunclient *client,
				  unsigned int offloads)
{
	const char *fault = tunclient_offloads_fault_(offloads);
	int r = tunclient_check_(client);

	if (r < 0)
		return r;
	if (fault)
		return tunclient_fail_(client, -EINVAL, fault);
	if (!client->has_offloads)
		return tunclient_fail_(client, -EOPNOTSUPP,
				       "the handle was opened without "
				       "offloads, or cannot have them");
	r = set(client, offloads);
	return r < 0 ? tunclient_fail_(client, r,
				       "the offloads could not be set; an "
				       "older kernel knows fewer")
		     : 0;
}
