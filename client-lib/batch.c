/* SPDX-License-Identifier: MIT */
/*
 * client-lib/batch.c - several packets per call, in the program's memory. How
 * many of them one system call takes is the plane's matter.
 */
#include <errno.h>
#include <string.h>

#include "batch.h"
#include "coalesce.h"
#include "packet.h"
#include "plane.h"
#include "vnet.h"

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
	if (has_offload(packet) &&
	    !tunclient_vnet_fits_(packet, client->kind == TUNCLIENT_TAP))
		return -EINVAL;
	return 0;
}

/* Of so many packets none is refused here; why not the next one, if any. */
static unsigned int count_good(const struct tunclient *client,
			       const struct tunclient_packet *packets,
			       unsigned int n, int *ret_fault)
{
	unsigned int good = 0;

	if (n > TUNCLIENT_BATCH_)
		n = TUNCLIENT_BATCH_;
	while (good < n) {
		*ret_fault = check(client, &packets[good]);
		if (*ret_fault < 0)
			break;
		good++;
	}
	return good;
}

/* Packets before the first run of several, which is returned. */
static unsigned int find_run(struct tunclient *client,
			     const struct tunclient_packet *packets,
			     unsigned int n, struct tunclient_run *ret_run)
{
	bool tap = client->kind == TUNCLIENT_TAP;
	unsigned int i;

	ret_run->n = 0;
	for (i = 0; i < n; i++) {
		tunclient_coalesce_(packets + i, n - i, tap, client->offloads,
				    ret_run);
		if (ret_run->n > 1)
			return i;
	}
	return n;
}

/* A run that is refused goes in its parts: which one it was, they tell. */
static int send_run(struct tunclient *client,
		    const struct tunclient_packet *packets,
		    const struct tunclient_run *run)
{
	return client->plane->send_run(client, packets, run) == 0
		       ? (int)run->n
		       : client->plane->send_batch(client, packets, run->n);
}

/* As the plane's send_batch(), with runs. */
static int send_in_runs(struct tunclient *client,
			const struct tunclient_packet *packets, unsigned int n)
{
	unsigned int done = 0, wanted = 0;
	struct tunclient_run run;
	int r = 0;

	while (done < n && r == (int)wanted) {
		wanted = find_run(client, packets + done, n - done, &run);
		if (wanted > 0) {
			r = client->plane->send_batch(client, packets + done,
						      wanted);
		} else {
			wanted = run.n;
			r = send_run(client, packets + done, &run);
		}
		if (r > 0)
			done += (unsigned int)r;
	}
	return done > 0 ? (int)done : r;
}

static bool joins(const struct tunclient *client, unsigned int n)
{
	const unsigned int some = TUNCLIENT_OFFLOAD_TSO4 |
				  TUNCLIENT_OFFLOAD_TSO6 |
				  TUNCLIENT_OFFLOAD_USO;

	return n > 1 && client->plane->send_run && client->offloads & some;
}

int tunclient_send_packets_(struct tunclient *client,
			    const struct tunclient_packet *packets,
			    unsigned int n)
{
	unsigned int sent = 0, good;
	int r = 0, fault = 0;

	while (sent < n) {
		good = count_good(client, packets + sent, n - sent, &fault);
		if (good == 0)
			r = fault;
		else if (joins(client, good))
			r = send_in_runs(client, packets + sent, good);
		else
			r = client->plane->send_batch(client, packets + sent,
						      good);
		if (r < 0)
			break;
		sent += (unsigned int)r;
		if ((unsigned int)r < good)
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
