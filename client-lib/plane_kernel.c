/* SPDX-License-Identifier: MIT */
/*
 * client-lib/plane_kernel.c - packets through the kernel's own TUN device, one
 * per system call.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "coalesce.h"
#include "netlink.h"
#include "plane.h"
#include "ring.h"
#include "vnet.h"

static bool is_possible(const struct tunclient *client)
{
	return !client->is_tund;
}

/* While the calling thread is where the interface will be. */
static void opened(struct tunclient *client)
{
	client->kernel.netlink = tunclient_netlink_open_();
	pthread_mutex_init(&client->kernel.conversation, NULL);
}

static void closed(struct tunclient *client)
{
	if (client->kernel.netlink >= 0)
		close(client->kernel.netlink);
	pthread_mutex_destroy(&client->kernel.conversation);
}

static unsigned int attach_flags(const struct tunclient *client)
{
	return client->options.offloads ? IFF_VNET_HDR : 0;
}

/*
 * A persistent device keeps what the program before has set, and an interface
 * that has queues keeps the format of the first one.
 */
static int begin(struct tunclient *client)
{
	int size = sizeof(struct virtio_net_hdr);
	struct ifreq request;

	if (ioctl(client->file, TUNGETIFF, &request) < 0 ||
	    ioctl(client->file, TUNSETVNETHDRSZ, &size) < 0)
		return -errno;
	client->kernel.header = request.ifr_flags & IFF_VNET_HDR;
	client->has_offloads =
		client->kernel.header && client->options.offloads != 0;
	if (!client->has_offloads && ioctl(client->file, TUNSETOFFLOAD, 0) < 0)
		return -errno;
	return 0;
}

static unsigned int abilities(const struct tunclient *client)
{
	return TUNCLIENT_ABILITY_NO_DAEMON |
	       (client->kernel.netlink < 0 ? 0 : TUNCLIENT_ABILITY_CONFIGURE);
}

/* ---- receiving ---- */

/* As recv(2) with MSG_DONTWAIT. */
static ssize_t read_now(int fd, const struct iovec *iov, int n)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t r = preadv2(fd, iov, n, -1, RWF_NOWAIT);

	if (r >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
		return r;
	/* Before Linux 5.10; nobody else reads. */
	if (poll(&p, 1, 0) == 1)
		return readv(fd, iov, n);
	errno = EAGAIN;
	return -1;
}

/* A byte more than there is room for tells that an end was cut off. */
static int receive(struct tunclient *client, struct tunclient_packet *packet,
		   bool wait)
{
	struct virtio_net_hdr header = {0};
	size_t before = client->kernel.header ? sizeof(header) : 0;
	char more;
	struct iovec iov[] = {
		{&header, before},
		{packet->data, packet->size},
		{&more, 1},
	};
	ssize_t n =
		wait ? readv(client->fd, iov, 3) : read_now(client->fd, iov, 3);

	if (n < 0)
		return -errno;
	n -= (ssize_t)before;
	packet->status = n > packet->size ? TUNCLIENT_PACKET_CUT : 0;
	packet->length = n > packet->size ? packet->size : (uint32_t)n;
	tunclient_vnet_take_(packet, &header, 0);
	return 0;
}

static int recv_batch(struct tunclient *client,
		      struct tunclient_packet *packets, unsigned int n)
{
	unsigned int i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++)
		r = receive(client, &packets[i], i == 0);
	/* An error is told again, if it is still one. */
	if (r < 0)
		i--;
	return i > 0 ? (int)i : r;
}

static int recv_into(struct tunclient *client, unsigned char *memory,
		     size_t size, struct tunclient_packet *ret_packets,
		     unsigned int n, size_t *ret_used)
{
	size_t used = 0;
	unsigned int i;
	int r;

	for (i = 0; i < n && size - used >= TUNCLIENT_PACKET_MAX; i++) {
		struct tunclient_packet *p = &ret_packets[i];

		p->data = memory + used;
		p->size = TUNCLIENT_PACKET_MAX;
		r = receive(client, p, i == 0);
		if (r < 0 && i == 0)
			return r;
		if (r < 0)
			break;
		used += (p->length + 63u) & ~(size_t)63;
		p->size = p->length;
	}
	*ret_used = used > size ? size : used;
	return (int)i;
}

static ssize_t read_one(struct tunclient *client, void *ret_packet, size_t size)
{
	struct tunclient_packet packet = {
		.data = ret_packet,
		.size = (uint32_t)size,
	};
	ssize_t n;
	int r;

	if (client->kernel.header) {
		r = receive(client, &packet, true);
		return r < 0 ? r : (ssize_t)packet.length;
	}
	n = read(client->fd, ret_packet, size);
	return n < 0 ? -errno : n;
}

/* ---- sending ---- */

static int send_one(struct tunclient *client,
		    const struct tunclient_packet *packet)
{
	struct virtio_net_hdr header;
	struct iovec iov[] = {
		{&header, sizeof(header)},
		{packet->data, packet->length},
	};
	int first = client->kernel.header ? 0 : 1;

	tunclient_vnet_give_(&header, packet, 0);
	return writev(client->fd, iov + first, 2 - first) < 0 ? -errno : 0;
}

static int send_batch(struct tunclient *client,
		      const struct tunclient_packet *packets, unsigned int n)
{
	int r;

	for (unsigned int i = 0; i < n; i++) {
		r = send_one(client, &packets[i]);
		if (r < 0)
			return i > 0 ? (int)i : r;
	}
	return (int)n;
}

static int send_run(struct tunclient *client,
		    const struct tunclient_packet *packets,
		    const struct tunclient_run *run)
{
	struct iovec iov[1 + COALESCE_PARTS];
	struct virtio_net_hdr header;
	unsigned int n = tunclient_run_parts_(run, packets, iov + 1);

	iov[0] = (struct iovec){&header, sizeof(header)};
	tunclient_vnet_give_(&header, &run->whole, 0);
	return writev(client->fd, iov, (int)n + 1) < 0 ? -errno : 0;
}

static ssize_t write_one(struct tunclient *client, const void *packet,
			 size_t size)
{
	const struct tunclient_packet whole = {
		.data = (void *)(uintptr_t)packet,
		.length = (uint32_t)size,
	};
	int r = send_one(client, &whole);

	return r < 0 ? r : (ssize_t)size;
}

/* ---- the rest ---- */

static int set_value(struct tunclient *client, unsigned int cmd,
		     unsigned long value)
{
	return ioctl(client->file, cmd, value) < 0 ? -errno : 0;
}

/* The interface, by its present name: there is no other way to its number. */
static int ask(struct tunclient *client, struct tund_link *ret_link,
	       struct tunclient_stats *ret_stats)
{
	struct ifreq request;

	if (client->kernel.netlink < 0)
		return -EOPNOTSUPP;
	if (ioctl(client->file, TUNGETIFF, &request) < 0)
		return -errno;
	return tunclient_netlink_link_(client->kernel.netlink, request.ifr_name,
				       ret_link, ret_stats);
}

static int get_link(struct tunclient *client, struct tund_link *ret_link)
{
	int r;

	pthread_mutex_lock(&client->kernel.conversation);
	r = ask(client, ret_link, NULL);
	pthread_mutex_unlock(&client->kernel.conversation);
	return r;
}

static int stats(struct tunclient *client, struct tunclient_stats *ret_stats)
{
	struct tund_link unused;
	int r;

	pthread_mutex_lock(&client->kernel.conversation);
	r = ask(client, &unused, ret_stats);
	pthread_mutex_unlock(&client->kernel.conversation);
	return r;
}

static int configure(struct tunclient *client, const struct tund_config *config)
{
	struct tund_link link;
	int r;

	pthread_mutex_lock(&client->kernel.conversation);
	r = ask(client, &link, NULL);
	if (r == 0)
		r = tunclient_netlink_configure_(client->kernel.netlink,
						 link.ifindex, config);
	pthread_mutex_unlock(&client->kernel.conversation);
	return r;
}

const struct tunclient_plane tunclient_plane_kernel_ = {
	.number = TUNCLIENT_PLANE_KERNEL,
	.is_possible = is_possible,
	.opened = opened,
	.closed = closed,
	.attach_flags = attach_flags,
	.begin = begin,
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
	.set_value = set_value,
	.configure = configure,
	.link = get_link,
	.stats = stats,
};
