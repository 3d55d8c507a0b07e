/* SPDX-License-Identifier: MIT */
/*
 * client-lib/plane_file.c - packets through tund's file, as records: several of
 * them in one read or write. A daemon that does not know records gets single
 * packets.
 *
 * Poll tells only of packets that are with the daemon. So a read never takes
 * more than the program has asked for: max_records follows it, which costs a
 * call whenever the number changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "coalesce.h"
#include "plane.h"
#include "record.h"
#include "ring.h"
#include "tund.h"

static bool is_possible(const struct tunclient *client)
{
	return client->is_tund;
}

static unsigned int attach_flags(const struct tunclient *client)
{
	return 0;
}

static bool has_records(const struct tunclient *client)
{
	return client->tund_abilities & TUND_ABILITY_BATCH;
}

static int set_max_records(struct tunclient *client, unsigned int n)
{
	struct tund_mode mode = {
		.flags = TUND_MODE_ALL_IOCTLS | TUND_MODE_BATCH,
		.max_records = n,
	};

	if (client->by_file.max_records == n)
		return 0;
	if (ioctl(client->file, TUND_IOC_MODE, &mode) < 0)
		return -errno;
	client->by_file.max_records = n;
	return 0;
}

static int begin(struct tunclient *client)
{
	client->by_file.max_records = 0;
	client->by_file.buffer = NULL;
	client->has_offloads =
		has_records(client) && client->options.offloads != 0;
	return has_records(client) ? set_max_records(client, 1) : 0;
}

static void end(struct tunclient *client)
{
	free(client->by_file.buffer);
	client->by_file.buffer = NULL;
}

static unsigned int abilities(const struct tunclient *client)
{
	unsigned int batch = has_records(client) ? TUNCLIENT_ABILITY_BATCH : 0;

	return batch | tunclient_tund_abilities_(client);
}

/* ---- receiving ---- */

/* One packet into its place, without another copy. */
static int receive(struct tunclient *client, struct tunclient_packet *packet)
{
	struct tund_record record;
	struct iovec iov[] = {
		{&record, sizeof(record)},
		{packet->data, packet->size},
	};
	ssize_t n;
	int r;

	if (has_records(client)) {
		r = set_max_records(client, 1);
		if (r < 0)
			return r;
		n = readv(client->fd, iov, 2);
	} else {
		memset(&record, 0, sizeof(record));
		n = read(client->fd, packet->data, packet->size);
		record.len = n > 0 ? (__u32)n : 0;
	}
	if (n < 0)
		return -errno;
	/* No packet is empty: the kernel got no further than the header. */
	if (record.len == 0)
		return -EFAULT;
	tunclient_record_take_(packet, &record);
	return 1;
}

/* What the program has room for is enough: more would be cut off. */
static size_t room_of(const struct tunclient_packet *packets, unsigned int n)
{
	size_t room = 0;

	for (unsigned int i = 0; i < n && room < TUND_BATCH_MAX; i++)
		room += TUND_RECORD_SPACE(packets[i].size);
	return room < TUND_BATCH_MAX ? room : TUND_BATCH_MAX;
}

static int recv_batch(struct tunclient *client,
		      struct tunclient_packet *packets, unsigned int n)
{
	ssize_t size;
	int r;

	if (n == 1 || !has_records(client))
		return receive(client, packets);
	if (!client->by_file.buffer)
		client->by_file.buffer = malloc(TUND_BATCH_MAX);
	if (!client->by_file.buffer)
		return -ENOMEM;
	r = set_max_records(client, n);
	if (r < 0)
		return r;
	size = read(client->fd, client->by_file.buffer, room_of(packets, n));
	if (size < 0)
		return -errno;
	return tunclient_records_copy_(client->by_file.buffer, (size_t)size,
				       packets, n);
}

static int recv_into(struct tunclient *client, unsigned char *memory,
		     size_t size, struct tunclient_packet *ret_packets,
		     unsigned int n, size_t *ret_used)
{
	ssize_t got;
	int r;

	if (!has_records(client)) {
		ret_packets->data = memory;
		ret_packets->size = TUNCLIENT_PACKET_MAX;
		r = receive(client, ret_packets);
		ret_packets->size = ret_packets->length;
		*ret_used = (ret_packets->length + 63u) & ~(size_t)63;
		return r;
	}
	r = set_max_records(client, n);
	if (r < 0)
		return r;
	got = read(client->fd, memory, size);
	if (got < 0)
		return -errno;
	*ret_used = ((size_t)got + 63u) & ~(size_t)63;
	return tunclient_records_find_(memory, (size_t)got, ret_packets, n);
}

static ssize_t read_one(struct tunclient *client, void *ret_packet, size_t size)
{
	struct tunclient_packet packet = {
		.data = ret_packet,
		.size = (uint32_t)size,
	};
	int r = receive(client, &packet);

	return r < 0 ? r : (ssize_t)packet.length;
}

/* ---- sending ---- */

static int send_batch(struct tunclient *client,
		      const struct tunclient_packet *packets, unsigned int n)
{
	struct tunclient_gather gather;
	ssize_t size;

	if (!has_records(client)) {
		size = write(client->fd, packets->data, packets->length);
		return size < 0 ? -errno : 1;
	}
	tunclient_records_gather_(&gather, packets, n);
	size = writev(client->fd, gather.iov, gather.n_iov);
	if (size < 0)
		return -errno;
	return tunclient_records_taken_(packets, gather.n, (size_t)size);
}

static int send_run(struct tunclient *client,
		    const struct tunclient_packet *packets,
		    const struct tunclient_run *run)
{
	struct iovec iov[1 + COALESCE_PARTS];
	struct tund_record record;
	unsigned int n = tunclient_run_parts_(run, packets, iov + 1);

	iov[0] = (struct iovec){&record, sizeof(record)};
	tunclient_record_give_(&record, &run->whole);
	return writev(client->fd, iov, (int)n + 1) < 0 ? -errno : 0;
}

static ssize_t write_one(struct tunclient *client, const void *packet,
			 size_t size)
{
	const struct tunclient_packet whole = {
		.data = (void *)(uintptr_t)packet,
		.length = (uint32_t)size,
	};
	int r = send_batch(client, &whole, 1);

	return r < 0 ? r : (ssize_t)size;
}

const struct tunclient_plane tunclient_plane_file_ = {
	.number = TUNCLIENT_PLANE_FILE,
	.is_possible = is_possible,
	.attach_flags = attach_flags,
	.begin = begin,
	.end = end,
	.abilities = abilities,
	.read = read_one,
	.write = write_one,
	.recv_batch = recv_batch,
	.send_batch = send_batch,
	.send_run = send_run,
	.ring_begin = tunclient_copy_begin_,
	.ring_end = tunclient_copy_end_,
	.ring_receive = tunclient_copy_receive_,
	.ring_release = tunclient_copy_release_,
	.recv_into = recv_into,
	.set_value = tunclient_tund_set_value_,
	.configure = tunclient_tund_configure_,
	.link = tunclient_tund_link_,
	.stats = tunclient_tund_stats_,
};
