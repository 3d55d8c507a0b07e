/* SPDX-License-Identifier: MIT */
/*
 * client-lib/batch.c - several packets per call, in the program's memory. How
 * many of them one system call takes is the plane's matter.
 */
#include <errno.h>
#include <string.h>

#include "batch.h"
#include "packet.h"
#include "plane.h"

static bool have_room(const struct tunclient_packet *packets, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!packets[i].data || packets[i].size == 0)
			return false;
	return true;
}

PUBLIC int tunclient_recv_batch(struct tunclient *client,
				struct tunclient_packet *packets,
				unsigned int n)
{
	int r;

	if (n > TUNCLIENT_BATCH_)
		n = TUNCLIENT_BATCH_;
	if (!packets || n == 0 || !have_room(packets, n))
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	if (client->receive_ring)
		return tunclient_receive_failed_(client, -EBUSY);
	if (!client->plane->recv_batch)
		return -EOPNOTSUPP;
	r = client->plane->recv_batch(client, packets, n);
	return r < 0 ? tunclient_receive_failed_(client, r) : r;
}

static bool has_offload(const struct tunclient_packet *packet)
{
	return packet->flags & TUNCLIENT_NEEDS_CSUM || packet->gso_type;
}

/* What no plane takes; how many packets before that are left. */
static int check(const struct tunclient *client,
		 const struct tunclient_packet *packet)
{
	if (!packet->data || packet->length == 0 || packet->reserved[0] ||
	    packet->reserved[1] || packet->reserved[2] ||
	    packet->flags & ~(TUNCLIENT_NEEDS_CSUM | TUNCLIENT_CSUM_VALID))
		return -EINVAL;
	if (packet->length > TUNCLIENT_PACKET_MAX)
		return -EMSGSIZE;
	if (has_offload(packet) && !client->has_offloads)
		return -EOPNOTSUPP;
	return 0;
}

int tunclient_send_packets_(struct tunclient *client,
			    const struct tunclient_packet *packets,
			    unsigned int n)
{
	unsigned int sent = 0, ready;
	int r = 0, fault = 0;

	while (sent < n) {
		for (ready = 0; ready < TUNCLIENT_BATCH_ && sent + ready < n;
		     ready++) {
			fault = check(client, &packets[sent + ready]);
			if (fault < 0)
				break;
		}
		r = ready ? client->plane->send_batch(client, packets + sent,
						      ready)
			  : fault;
		if (r < 0)
			break;
		sent += (unsigned int)r;
		if ((unsigned int)r < ready)
			break;
	}
	return sent ? (int)sent : r;
}

PUBLIC int tunclient_send_batch(struct tunclient *client,
				const struct tunclient_packet *packets,
				unsigned int n)
{
	int r;

	if (!packets || n == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	if (!client->plane->send_batch)
		return -EOPNOTSUPP;
	r = tunclient_send_packets_(client, packets, n);
	return r < 0 ? tunclient_send_failed_(client, r) : r;
}
