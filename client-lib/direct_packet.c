/* SPDX-License-Identifier: MIT */
/*
 * client-lib/direct_packet.c - recvmmsg(2) and sendmmsg(2) on the direct
 * plane's socket. The mapped ring is not here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "coalesce.h"
#include "direct.h"
#include "plane.h"
#include "ring.h"
#include "vnet.h"

/* ---- receiving ---- */

ssize_t tunclient_direct_read_(struct tunclient *client, void *ret_packet,
			       size_t size)
{
	ssize_t n;
	int r = 0;

	do {
		n = recv(client->fd, ret_packet, size, 0);
		if (n >= 0)
			return n;
		r = -errno;
		if (r == -ENETDOWN)
			r = tunclient_direct_down_(client);
	} while (r == 0);
	return r;
}

/*
 * What was met behind the first packet is kept for the next call, which it is
 * not about: a buffer that is not memory, say.
 */
static void forget_error(struct tunclient *client)
{
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error == ENETDOWN)
		tunclient_direct_note_down_(client);
}

static int recv_messages(struct tunclient *client, struct mmsghdr *messages,
			 unsigned int n)
{
	int r;

	do {
		r = recvmmsg(client->fd, messages, n, MSG_WAITFORONE, NULL);
		if (r > 0)
			break;
		r = -errno;
		if (r == -ENETDOWN)
			r = tunclient_direct_down_(client);
	} while (r == 0);
	if (r > 0 && (unsigned int)r < n)
		forget_error(client);
	return r;
}

int tunclient_direct_recv_(struct tunclient *client,
			   struct tunclient_packet *packets, unsigned int n)
{
	struct tunclient_frame_head heads[TUNCLIENT_BATCH_];
	struct mmsghdr messages[TUNCLIENT_BATCH_];
	struct iovec iov[TUNCLIENT_BATCH_][2];
	size_t head = tunclient_head_size_(client);
	int r;

	for (unsigned int i = 0; i < n; i++) {
		iov[i][0] = (struct iovec){&heads[i], head};
		iov[i][1] = (struct iovec){packets[i].data, packets[i].size};
		messages[i].msg_hdr = (struct msghdr){
			.msg_iov = head ? iov[i] : &iov[i][1],
			.msg_iovlen = head ? 2 : 1,
		};
	}
	r = recv_messages(client, messages, n);
	for (int i = 0; i < r; i++) {
		bool cut = messages[i].msg_hdr.msg_flags & MSG_TRUNC;

		packets[i].length = messages[i].msg_len - (uint32_t)head;
		packets[i].status = cut ? TUNCLIENT_PACKET_CUT : 0;
		if (head)
			tunclient_vnet_take_(&packets[i], &heads[i].vnet,
					     tunclient_counted_(client));
		else
			tunclient_vnet_clear_(&packets[i]);
	}
	return r;
}

/* More than any socket holds: nothing comes any more. */
enum { DRAIN_MAX = 1 << 20 };

void tunclient_direct_drain_(struct tunclient *client)
{
	char byte;

	if (client->receive_ring) {
		tunclient_mapped_drain_(client->receive_ring);
		return;
	}
	for (unsigned int i = 0; i < DRAIN_MAX; i++) {
		if (recv(client->fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
			continue;
		if (errno == ENETDOWN)
			tunclient_direct_note_down_(client);
		else if (errno != EINTR)
			return;
	}
}

/*
 * ---- sending ----
 *
 * An interface that is being set up still drops packets, as one whose backlog
 * is full does. Once the cause was looked for it is up: so each is tried again.
 */

static bool is_packet(const struct tunclient *client, const void *data,
		      size_t size)
{
	unsigned int version;

	if (client->kind == TUNCLIENT_TAP)
		return size >= ETHER_HDR_LEN;
	version = *(const unsigned char *)data >> 4;
	return version == 4 || version == 6;
}

/*
 * A bare packet that passes by the queueing discipline passes by the program
 * that would write its Ethernet type; so the kernel has to be told.
 */
struct addresses {
	struct sockaddr_ll ip4, ip6;
};

static void make_addresses(const struct tunclient *client,
			   struct addresses *ret_addresses)
{
	const struct sockaddr_ll ip4 = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = client->direct.ifindex,
	};

	ret_addresses->ip4 = ret_addresses->ip6 = ip4;
	ret_addresses->ip6.sll_protocol = htons(ETH_P_IPV6);
}

static bool needs_address(const struct tunclient *client)
{
	return client->direct.bypass && !client->has_offloads &&
	       client->kind == TUNCLIENT_TUN;
}

static struct sockaddr_ll *address_of(struct addresses *a, const void *data)
{
	return *(const unsigned char *)data >> 4 == 6 ? &a->ip6 : &a->ip4;
}

static int try_one(struct tunclient *client, const void *packet, size_t size)
{
	struct addresses a;
	ssize_t n;

	if (needs_address(client)) {
		make_addresses(client, &a);
		n = sendto(client->fd, packet, size, 0,
			   (struct sockaddr *)address_of(&a, packet),
			   sizeof(struct sockaddr_ll));
	} else {
		n = send(client->fd, packet, size, 0);
	}
	return n >= 0 ? 0
		      : tunclient_direct_cause_(client, -errno, size, false);
}

static int try_messages(struct tunclient *client, struct mmsghdr *messages,
			unsigned int n, const struct tunclient_packet *first)
{
	int r = sendmmsg(client->fd, messages, n, 0);

	return r > 0 ? r
		     : tunclient_direct_cause_(client, -errno, first->length,
					       first->gso_type != 0);
}

ssize_t tunclient_direct_write_(struct tunclient *client, const void *packet,
				size_t size)
{
	const struct tunclient_packet whole = {
		.data = (void *)(uintptr_t)packet,
		.length = (uint32_t)size,
	};
	int r;

	if (client->has_offloads) {
		r = tunclient_direct_send_(client, &whole, 1);
		return r < 0 ? r : (ssize_t)size;
	}
	if (!is_packet(client, packet, size))
		return -EINVAL;
	r = tunclient_direct_check_(client);
	if (r < 0)
		return r;
	r = try_one(client, packet, size);
	if (r == -ENOBUFS)
		r = try_one(client, packet, size);
	return r < 0 ? r : (ssize_t)size;
}

static void fill_head(const struct tunclient *client,
		      const struct tunclient_packet *packet,
		      struct tunclient_frame_head *ret_head)
{
	const unsigned char *data = packet->data;

	tunclient_vnet_give_(&ret_head->vnet, packet,
			     tunclient_counted_(client));
	memset(&ret_head->ethernet, 0, sizeof(ret_head->ethernet));
	ret_head->ethernet.ether_type =
		htons(data[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
}

int tunclient_direct_send_(struct tunclient *client,
			   const struct tunclient_packet *packets,
			   unsigned int n)
{
	struct tunclient_frame_head heads[TUNCLIENT_BATCH_];
	struct mmsghdr messages[TUNCLIENT_BATCH_];
	struct iovec iov[TUNCLIENT_BATCH_][2];
	size_t head = tunclient_head_size_(client);
	bool address = needs_address(client);
	struct addresses a;
	unsigned int i;
	int r;

	make_addresses(client, &a);
	for (i = 0; i < n; i++) {
		const struct tunclient_packet *p = &packets[i];

		if (!is_packet(client, p->data, p->length))
			break;
		if (head)
			fill_head(client, p, &heads[i]);
		iov[i][0] = (struct iovec){&heads[i], head};
		iov[i][1] = (struct iovec){p->data, p->length};
		messages[i].msg_hdr = (struct msghdr){
			.msg_iov = head ? iov[i] : &iov[i][1],
			.msg_iovlen = head ? 2 : 1,
		};
		if (address) {
			messages[i].msg_hdr.msg_name = address_of(&a, p->data);
			messages[i].msg_hdr.msg_namelen = sizeof(a.ip4);
		}
	}
	if (i == 0)
		return -EINVAL;
	r = tunclient_direct_check_(client);
	if (r < 0)
		return r;
	r = try_messages(client, messages, i, packets);
	return r != -ENOBUFS ? r : try_messages(client, messages, i, packets);
}

int tunclient_direct_send_run_(struct tunclient *client,
			       const struct tunclient_packet *packets,
			       const struct tunclient_run *run)
{
	struct iovec iov[1 + COALESCE_PARTS];
	struct tunclient_frame_head head;
	struct msghdr message = {.msg_iov = iov};
	int r = tunclient_direct_check_(client);

	if (r < 0)
		return r;
	fill_head(client, &run->whole, &head);
	iov[0] = (struct iovec){&head, tunclient_head_size_(client)};
	message.msg_iovlen = 1 + tunclient_run_parts_(run, packets, iov + 1);
	return sendmsg(client->fd, &message, 0) < 0 ? -errno : 0;
}
