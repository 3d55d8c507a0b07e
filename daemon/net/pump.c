/* SPDX-License-Identifier: MIT */
/*
 * pump.c - one thread for all links. It knows them by their handles, so that a
 * link that goes meanwhile is simply not found.
 */
#include "net/pump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/thread.h"
#include "packet/frame.h"
#include "packet/vnet.h"
#include <tund/abi.h>

/* Packets of one system call; and calls before others have their turn. */
#define BATCH  32
#define ROUNDS 4
#define EVENTS 32
/* A flood: there is no room for half of so many packets. */
#define FLOOD 256

/* The handle that no link has: stop. */
#define STOP_HANDLE 0

struct slot {
	struct virtio_net_hdr vnet;
	uint8_t frame[TUND_MAX_PACKET];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))]
		__attribute__((aligned(__alignof__(struct cmsghdr))));
};

static struct {
	int epoll_fd;
	int stop_fd;
	pthread_t thread;
	struct slot *slots;
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH][2];
} pump;

static void prepare_slot(unsigned int i)
{
	struct slot *slot = &pump.slots[i];
	struct msghdr *msg = &pump.msgs[i].msg_hdr;

	pump.iovs[i][0] = (struct iovec){&slot->vnet, sizeof(slot->vnet)};
	pump.iovs[i][1] = (struct iovec){slot->frame, sizeof(slot->frame)};
	*msg = (struct msghdr){
		.msg_iov = pump.iovs[i],
		.msg_iovlen = 2,
		.msg_control = slot->control,
		.msg_controllen = sizeof(slot->control),
	};
}

static void read_meta(struct msghdr *msg, const struct virtio_net_hdr *vnet,
		      struct frame_meta *ret_meta)
{
	struct tpacket_auxdata aux = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_PACKET &&
		    c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	*ret_meta = (struct frame_meta){
		.has_vlan = aux.tp_status & TP_STATUS_VLAN_VALID,
		.vlan_tci = aux.tp_vlan_tci,
		.vlan_tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID
				     ? aux.tp_vlan_tpid
				     : ETH_P_8021Q,
		.needs_csum = vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = vnet->csum_start,
		.csum_offset = vnet->csum_offset,
	};
}

/* The packet of one slot, or NULL if it is none that a program could take. */
static struct pkt *take_slot(struct host_link *link, unsigned int i)
{
	struct slot *slot = &pump.slots[i];
	struct msghdr *msg = &pump.msgs[i].msg_hdr;
	size_t len = pump.msgs[i].msg_len;
	bool offload = atomic_load(&link->offload) != 0;
	struct frame_meta meta;
	struct pkt *pkt;

	/* No header, or segments that nobody has asked for. */
	if (len < sizeof(slot->vnet) || (msg->msg_flags & MSG_TRUNC) ||
	    (!offload && slot->vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE)) {
		device_count_oversize(link->owner);
		return NULL;
	}
	len -= sizeof(slot->vnet);
	read_meta(msg, &slot->vnet, &meta);
	if (meta.needs_csum && !offload)
		frame_finish_csum(slot->frame, len, &meta);
	if (frame_to_pkt(slot->frame, len, &meta, link->kind == DEV_TAP, &pkt) <
	    0) {
		device_count_oversize(link->owner);
		return NULL;
	}
	/* The host asks only as long as nobody has put IFF_NOARP back. */
	if (link->kind == DEV_TUN && pkt->proto == htons(ETH_P_ARP)) {
		pkt_free(pkt);
		return NULL;
	}
	if (offload) {
		pkt->vnet = slot->vnet;
		if (link->kind == DEV_TUN)
			vnet_shift(&pkt->vnet, -ETH_HLEN);
		else if (meta.has_vlan)
			vnet_add_tag(&pkt->vnet);
	}
	return pkt;
}

/* In a flood it is cheaper for all if the kernel throws packets away. */
static bool is_flood(struct host_link *link, unsigned int n, unsigned int full)
{
	bool flood;

	link->n_received += n;
	link->n_full += full;
	if (link->n_received < FLOOD)
		return false;
	flood = link->n_full >= FLOOD / 2;
	link->n_received = 0;
	link->n_full = 0;
	return flood;
}

static void receive(struct host_link *link)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct pkt *pkts[BATCH];
		unsigned int n_pkts = 0;
		unsigned int full;
		int n;

		for (unsigned int i = 0; i < BATCH; i++)
			prepare_slot(i);
		n = recvmmsg(link->packet_fd, pump.msgs, BATCH, MSG_DONTWAIT,
			     NULL);
		/* An error, as when the link goes down, is gone once read. */
		if (n <= 0)
			return;
		for (unsigned int i = 0; i < (unsigned int)n; i++) {
			struct pkt *pkt = take_slot(link, i);

			if (pkt)
				pkts[n_pkts++] = pkt;
		}
		full = device_input(link->owner, pkts, n_pkts);
		if (is_flood(link, (unsigned int)n, full)) {
			device_pause(link->owner);
			return;
		}
		if (n < BATCH)
			return;
	}
}

static int watch_for(struct host_link *link, int op, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = link->handle};

	return epoll_ctl(pump.epoll_fd, op, link->packet_fd, &event) < 0
		       ? -errno
		       : 0;
}

/*
 * Adds to what is waited for, and takes away. Of two threads that do so at
 * once the one that comes last to the kernel sees that it is, and what the
 * other has changed.
 */
static int change_watch(struct host_link *link, uint32_t add, uint32_t remove)
{
	uint32_t events;
	int r;

	atomic_fetch_or(&link->events, add);
	atomic_fetch_and(&link->events, ~remove);
	do {
		events = atomic_load(&link->events);
		r = watch_for(link, EPOLL_CTL_MOD, events);
	} while (r == 0 && atomic_load(&link->events) != events);
	return r;
}

/* Throws away what the socket has. */
static void discard(struct host_link *link)
{
	struct virtio_net_hdr vnet;
	struct iovec iov = {&vnet, sizeof(vnet)};
	struct mmsghdr msgs[BATCH];
	int n;

	for (unsigned int i = 0; i < BATCH; i++)
		msgs[i].msg_hdr =
			(struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	do {
		n = recvmmsg(link->packet_fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n > 0)
			device_count_full(link->owner, (unsigned int)n);
		/* The interface's going down is told before the packets. */
	} while (n == BATCH || (n < 0 && errno == ENETDOWN));
}

/* What the kernel has thrown away; it forgets that when it tells. */
static unsigned int take_drops(const struct host_link *link)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	return getsockopt(link->packet_fd, SOL_PACKET, PACKET_STATISTICS,
			  &stats, &len) == 0
		       ? stats.tp_drops
		       : 0;
}

uint64_t pump_drops(struct host_link *link)
{
	/* Those of a pause are counted at its end. */
	if (atomic_load(&link->events) & EPOLLIN)
		atomic_fetch_add(&link->socket_drops, take_drops(link));
	return atomic_load(&link->socket_drops);
}

/*
 * The kernel throws away and counts what a socket has no room for, at a small
 * part of the cost of receiving it.
 */
void pump_pause(struct host_link *link)
{
	pump_drops(link);
	change_watch(link, 0, EPOLLIN);
	link_set_buffer(link->packet_fd, 0);
	discard(link);
}

void pump_settle(struct host_link *link)
{
	discard(link);
	device_count_full(link->owner, take_drops(link));
}

void pump_resume(struct host_link *link)
{
	int r;

	/* The smallest buffer has room for a few, which came too early. */
	discard(link);
	link_set_buffer(link->packet_fd, LINK_RECEIVE_BUFFER);
	device_count_full(link->owner, take_drops(link));
	r = change_watch(link, EPOLLIN, 0);
	/* It may be on its way out. */
	if (r < 0 && r != -ENOENT)
		log_error("cannot receive any more: %s", strerror(-r));
}

/* As when the interface goes down: it is gone once read. */
static void forget_error(struct host_link *link)
{
	socklen_t len = sizeof(int);
	int error;

	getsockopt(link->packet_fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

static void handle_event(const struct epoll_event *event)
{
	struct host_link *link =
		handle_get(&net_links, (uint32_t)event->data.u64);
	struct device *dev;

	if (!link)
		return;
	dev = link->owner;
	/* An error is told of in a pause, too: nothing is received then. */
	if (event->events & EPOLLIN)
		receive(link);
	else if (event->events & (EPOLLERR | EPOLLHUP))
		forget_error(link);
	if (event->events & EPOLLOUT) {
		change_watch(link, 0, EPOLLOUT);
		device_can_send(dev);
	}
	device_unref(dev);
}

static void *pump_run(void *arg)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int n = epoll_wait(pump.epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 == STOP_HANDLE)
				return NULL;
			handle_event(&events[i]);
		}
	}
}

int pump_start(void)
{
	struct epoll_event stop = {.events = EPOLLIN, .data.u64 = STOP_HANDLE};
	int r;

	pump.slots = calloc(BATCH, sizeof(*pump.slots));
	pump.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	pump.stop_fd = eventfd(0, EFD_CLOEXEC);
	if (!pump.slots)
		return -ENOMEM;
	if (pump.epoll_fd < 0 || pump.stop_fd < 0 ||
	    epoll_ctl(pump.epoll_fd, EPOLL_CTL_ADD, pump.stop_fd, &stop) < 0)
		return -errno;
	r = thread_start(&pump.thread, "tund-pump", pump_run, NULL);
	return r;
}

void pump_stop(void)
{
	eventfd_write(pump.stop_fd, 1);
	pthread_join(pump.thread, NULL);
	close(pump.stop_fd);
	close(pump.epoll_fd);
	free(pump.slots);
}

int pump_add(struct host_link *link)
{
	atomic_store(&link->events, EPOLLIN);
	return watch_for(link, EPOLL_CTL_ADD, EPOLLIN);
}

void pump_del(struct host_link *link)
{
	epoll_ctl(pump.epoll_fd, EPOLL_CTL_DEL, link->packet_fd, NULL);
}

void pump_want_send(struct host_link *link)
{
	int r = change_watch(link, EPOLLOUT, 0);

	/* Nobody would ever send what is queued. */
	if (r < 0)
		log_error("cannot wait for a packet socket: %s", strerror(-r));
}

_Static_assert(PKT_HEAD_ROOM == sizeof(struct virtio_net_hdr) + ETH_HLEN,
	       "room for both headers");

/* Puts the headers in front of the packet. */
static int prepare(struct host_link *link, struct pkt *pkt,
		   struct iovec *ret_iov)
{
	uint64_t mac = atomic_load_explicit(&link->mac, memory_order_relaxed);
	struct virtio_net_hdr vnet = pkt->vnet;
	uint8_t *end = pkt->head + sizeof(pkt->head);
	uint8_t *begin = end;
	uint8_t to[sizeof(mac)];

	if (link->kind == DEV_TUN) {
		begin -= ETH_HLEN;
		memcpy(to, &mac, sizeof(mac));
		frame_build_header(begin, to, pkt->proto);
		if (!vnet_shift(&vnet, ETH_HLEN))
			return -EINVAL;
	}
	begin -= sizeof(vnet);
	memcpy(begin, &vnet, sizeof(vnet));
	*ret_iov = (struct iovec){begin, (size_t)(end - begin) + pkt->len};
	return 0;
}

static int send_several(struct host_link *link, struct iovec *iovs,
			unsigned int n)
{
	struct mmsghdr msgs[HOST_SEND_MAX];
	int r;

	for (unsigned int i = 0; i < n; i++)
		msgs[i].msg_hdr =
			(struct msghdr){.msg_iov = &iovs[i], .msg_iovlen = 1};
	r = sendmmsg(link->packet_fd, msgs, n, MSG_DONTWAIT);
	return r < 0 ? -errno : r;
}

/* For the kernel an eighth cheaper than as the only one of several. */
static int send_one(struct host_link *link, const struct iovec *iov)
{
	return send(link->packet_fd, iov->iov_base, iov->iov_len,
		    MSG_DONTWAIT) < 0
		       ? -errno
		       : 1;
}

int pump_send(struct host_link *link, struct pkt *const *pkts, unsigned int n)
{
	struct iovec iovs[HOST_SEND_MAX];
	unsigned int ready = 0;
	int r = 0;

	while (ready < n && (r = prepare(link, pkts[ready], &iovs[ready])) == 0)
		ready++;
	if (ready == 0)
		return r;
	return ready == 1 ? send_one(link, iovs)
			  : send_several(link, iovs, ready);
}
