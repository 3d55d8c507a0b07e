/* SPDX-License-Identifier: MIT */
/*
 * io.c - the packet's path between an open file and the device's queues, and
 * on to the host. What an interface does beside that is device.c's.
 */
#include "dev/io.h"

#include <endian.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device.h"
#include "dev/file.h"
#include "packet/frame.h"
#include "packet/vnet.h"

/* A veth accepts its MTU and one VLAN tag more. */
#define VETH_SLACK 4

/* Packets that one call sends for others, before its own answer is due. */
#define SEND_BUDGET 64

/* The headers of a packet that fit here need no memory of their own. */
#define SHORT_HEAD 64

static void answer(struct dev_io *io, ssize_t result)
{
	struct dev_queue *queue = io->queue;

	io->done(io, result);
	if (queue)
		dev_queue_unref(queue);
}

/* What precedes a packet in a read or write of the device's file. */
struct head {
	bool with_pi, with_vnet;
	bool swap; /* the vnet header is little-endian, and the host is not */
	size_t pi, vnet;
};

static struct head head_of(struct device *dev)
{
	struct head head = {
		.with_pi = !(dev->flags & IFF_NO_PI),
		.with_vnet = dev->flags & IFF_VNET_HDR,
	};

	if (head.with_pi)
		head.pi = sizeof(struct tun_pi);
	if (head.with_vnet) {
		lock_acquire(&dev->lock);
		head.vnet = (size_t)dev->knobs.vnet_hdr_size;
		head.swap = dev->knobs.vnet_le && htole16(1) != 1;
		lock_release(&dev->lock);
	}
	return head;
}

/* ---- reading ---- */

/* A failed read takes its packet with it, as with the kernel's TUN. */
static void refuse(struct dev_io *io, struct pkt *pkt, int error)
{
	device_count_drop(io->queue->dev, TUND_DROP_TOO_SMALL, 1);
	pkt_free(pkt);
	answer(io, error);
}

static void fill_head(uint8_t *ret_bytes, const struct head *head,
		      const struct pkt *pkt, bool stripped)
{
	struct tun_pi pi = {
		.flags = stripped ? TUN_PKT_STRIP : 0,
		.proto = pkt->proto,
	};
	struct virtio_net_hdr vnet = pkt->vnet;

	if (head->with_pi)
		memcpy(ret_bytes, &pi, sizeof(pi));
	if (head->swap)
		vnet_swap(&vnet);
	if (head->with_vnet)
		memcpy(ret_bytes + head->pi, &vnet, sizeof(vnet));
}

/* Hands the bytes to the reader; they and the packet are gone afterwards. */
static void hand_over(struct dev_io *io, uint8_t *head, size_t head_len,
		      struct pkt *pkt, size_t len)
{
	struct dev_queue *queue = io->queue;
	struct device *dev = queue->dev;
	struct iovec iov[] = {
		{.iov_base = head, .iov_len = head_len},
		{.iov_base = pkt->data, .iov_len = len},
	};
	int first = head_len > 0 ? 0 : 1;

	/*
	 * The whole packet counts, as with the kernel's TUN, and before the
	 * program has it: it may ask for the counters at once.
	 */
	dev->tx_packets++;
	dev->tx_bytes += pkt->len;
	if (io->deliver(io, iov + first, 2 - first) < 0) {
		dev->tx_packets--;
		dev->tx_bytes -= pkt->len;
		if (!pktq_unpop(&queue->to_app, pkt))
			device_count_drop(dev, TUND_DROP_DETACHED, 1);
		dev_queue_wake(queue);
	} else {
		pkt_free(pkt);
	}
	dev_queue_unref(queue);
}

static void deliver(struct dev_io *io, struct pkt *pkt)
{
	struct head head = head_of(io->queue->dev);
	size_t head_len = head.pi + head.vnet;
	uint8_t on_stack[SHORT_HEAD] = {0};
	uint8_t *bytes = on_stack;
	size_t room;

	if (io->size < head_len) {
		refuse(io, pkt, -EINVAL);
		return;
	}
	if (head_len > sizeof(on_stack))
		bytes = calloc(1, head_len);
	if (!bytes) {
		refuse(io, pkt, -ENOMEM);
		return;
	}
	room = io->size - head_len;
	fill_head(bytes, &head, pkt, room < pkt->len);
	hand_over(io, bytes, head_len, pkt, room < pkt->len ? room : pkt->len);
	if (bytes != on_stack)
		free(bytes);
}

static void read_complete(struct pktq_waiter *waiter, struct pkt *pkt,
			  int error)
{
	struct dev_io *io = container_of(waiter, struct dev_io, waiter);

	if (error)
		answer(io, error);
	else
		deliver(io, pkt);
}

int dev_read(struct dev_file *file, struct dev_io *io, bool nonblock)
{
	struct dev_queue *queue = dev_file_queue(file);
	struct pkt *pkt;
	int r;

	io->queue = queue;
	if (queue)
		queue->dev->host->sync(queue->dev->link);
	if (!queue) {
		answer(io, -EBADFD);
		return DEV_ANSWERED;
	}
	io->waiter.complete = read_complete;
	if (nonblock)
		r = pktq_pop(&queue->to_app, &pkt);
	else
		r = pktq_pop_or_park(&queue->to_app, &io->waiter, &pkt);

	switch (r) {
	case PKTQ_DONE:
		deliver(io, pkt);
		return DEV_ANSWERED;
	case PKTQ_PARKED:
		return DEV_PARKED;
	case PKTQ_EMPTY:
		answer(io, -EAGAIN);
		return DEV_ANSWERED;
	default:
		/* It was closed before we waited: no longer attached. */
		answer(io, r == -EBUSY ? r : -EBADFD);
		return DEV_ANSWERED;
	}
}

/* ---- writing ---- */

/* Takes the vnet header off what the program wrote. */
static int parse_vnet(const struct device *dev, const struct head *head,
		      const uint8_t *data, size_t len,
		      struct virtio_net_hdr *ret_vnet)
{
	if (len < head->vnet)
		return -EINVAL;
	memcpy(ret_vnet, data, sizeof(*ret_vnet));
	if (head->swap)
		vnet_swap(ret_vnet);
	return vnet_check(ret_vnet, len - head->vnet, len - sizeof(*ret_vnet),
			  dev->kind == DEV_TAP);
}

/*
 * Whether the packet can be what the descriptor is for; tells its Ethernet
 * type, unless the packet information has done so.
 */
static int check_packet(struct device *dev, const struct head *head,
			const uint8_t *data, size_t len, uint16_t *proto)
{
	if (dev->kind == DEV_TAP) {
		if (len < ETH_HLEN)
			return -EINVAL;
		*proto = frame_proto(data, len);
	} else if (!head->with_pi) {
		*proto = frame_ip_proto(data, len);
		if (!*proto) {
			device_count_drop(dev, TUND_DROP_INVALID, 1);
			return -EINVAL;
		}
	}
	return 0;
}

/* Makes the packet that is to go to the host from what the program wrote. */
static int parse_write(struct device *dev, const uint8_t *data, size_t len,
		       struct pkt **ret_pkt)
{
	struct virtio_net_hdr vnet = {0};
	struct head head = head_of(dev);
	struct tun_pi pi = {0};
	struct pkt *pkt;
	int r;

	if (len < head.pi)
		return -EINVAL;
	if (head.with_pi)
		memcpy(&pi, data, sizeof(pi));
	data += head.pi;
	len -= head.pi;
	r = head.with_vnet ? parse_vnet(dev, &head, data, len, &vnet) : 0;
	if (r < 0)
		return r;
	data += head.vnet;
	len -= head.vnet;
	r = check_packet(dev, &head, data, len, &pi.proto);
	if (r < 0)
		return r;
	pkt = pkt_new(len);
	if (!pkt) {
		device_count_drop(dev, TUND_DROP_NOBUFS, 1);
		return -ENOMEM;
	}
	memcpy(pkt->data, data, len);
	pkt->proto = pi.proto;
	pkt->vnet = vnet;
	*ret_pkt = pkt;
	return 0;
}

static bool has_vnet(const struct pkt *pkt)
{
	return pkt->vnet.flags != 0 ||
	       pkt->vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/*
 * Why the host refused the packet, in the words of the kernel's TUN; 0 if that
 * would have taken it.
 */
static int refused(struct device *dev, const struct pkt *pkt, int error)
{
	size_t payload = pkt->len - (dev->kind == DEV_TAP ? ETH_HLEN : 0);
	struct host_state state;

	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	/* ENETDOWN is the hidden end's: the interface has no carrier. */
	if (!state.up || error == -ENETDOWN) {
		device_count_drop(dev, TUND_DROP_DOWN, 1);
		return -EIO;
	}
	/* It does not look at what the header is about: the host drops it. */
	if (has_vnet(pkt)) {
		device_count_drop(dev, TUND_DROP_ERROR, 1);
		return 0;
	}
	if (payload > state.mtu + VETH_SLACK) {
		device_count_drop(dev, TUND_DROP_MTU, 1);
		return -EMSGSIZE;
	}
	device_count_drop(
		dev, error == -ENOBUFS ? TUND_DROP_NOBUFS : TUND_DROP_ERROR, 1);
	return error;
}

static int send_one(struct device *dev, const struct pkt *pkt)
{
	int r = dev->host->send(dev->link, pkt);

	if (r == -EAGAIN)
		return r;
	if (r < 0)
		r = refused(dev, pkt, r);
	if (r < 0)
		return r;
	dev->rx_packets++;
	dev->rx_bytes += pkt->len;
	return 0;
}

/*
 * Sends what is queued, if the turn to do so is ours or free. Returns what
 * became of the packet with the tag `mine`: 0 when somebody else sends it.
 */
static int send_queued(struct device *dev, bool have_turn, uint64_t mine)
{
	struct pktq *q = &dev->to_host;
	struct pkt *pkt;
	int result = 0;

	for (int sent = 0; sent < SEND_BUDGET; sent++) {
		int r;

		if (pktq_pop_turn(q, have_turn, &pkt) != PKTQ_DONE)
			return result;
		have_turn = true;
		r = send_one(dev, pkt);
		if (r == -EAGAIN) {
			if (!pktq_unpop(q, pkt))
				device_count_drop(dev, TUND_DROP_DOWN, 1);
			break;
		}
		if (mine && pkt->tag == mine)
			result = r;
		pkt_free(pkt);
	}
	/* The turn goes to device_can_send(), in the pump's thread. */
	dev->host->want_send(dev->link);
	return result;
}

void device_can_send(struct device *dev)
{
	send_queued(dev, true, 0);
	/* There may be room again. */
	device_wake(dev);
}

static void write_complete(struct pktq_waiter *waiter, struct pkt *pkt,
			   int error)
{
	struct dev_io *io = container_of(waiter, struct dev_io, waiter);

	pkt_free(pkt);
	answer(io, error ? error : (ssize_t)io->size);
}

static int check_write(struct dev_queue *queue, const void *data, size_t len,
		       struct pkt **ret_pkt)
{
	if (!queue)
		return -EBADFD;
	/* The kernel's hands packets over in the queue's turn, and has none. */
	if (queue->direct ||
	    (queue->dev->flags & IFF_NAPI && !dev_queue_is_on(queue)))
		return -EBUSY;
	return parse_write(queue->dev, data, len, ret_pkt);
}

int dev_write(struct dev_file *file, struct dev_io *io, const void *data,
	      size_t len, bool nonblock)
{
	static _Atomic uint64_t next_tag = 1;
	struct dev_queue *queue = dev_file_queue(file);
	struct pkt *pkt = NULL;
	struct device *dev;
	uint64_t tag;
	int r;

	io->queue = queue;
	io->size = len;
	io->waiter.complete = write_complete;
	r = check_write(queue, data, len, &pkt);
	if (r < 0) {
		answer(io, r);
		return DEV_ANSWERED;
	}
	dev = queue->dev;
	dev_queues_learn(queue, pkt);
	pkt->tag = atomic_fetch_add(&next_tag, 1);
	tag = pkt->tag;
	if (nonblock)
		r = pktq_push(&dev->to_host, pkt, NULL);
	else
		r = pktq_push_or_park(&dev->to_host, pkt, &io->waiter);
	if (r == PKTQ_PARKED)
		return DEV_PARKED;
	if (r == PKTQ_DONE) {
		r = send_queued(dev, false, tag);
	} else {
		pkt_free(pkt);
		r = r == PKTQ_FULL ? -EAGAIN : -EBADFD;
	}
	/* Of two answers, "deleted" is the truer one. */
	if (r < 0 && !dev_file_attached(file))
		r = -EBADFD;
	answer(io, r < 0 ? r : (ssize_t)len);
	return DEV_ANSWERED;
}

/* ---- both ---- */

void dev_io_arm(struct dev_io *io)
{
	struct dev_queue *queue = io->queue;
	bool writer = io->waiter.pkt != NULL;

	dev_queue_ref(queue);
	if (!writer) {
		pktq_arm(&queue->to_app, &io->waiter);
	} else {
		pktq_arm(&queue->dev->to_host, &io->waiter);
		/* The turn may have ended while the packet was parked. */
		send_queued(queue->dev, false, 0);
	}
	dev_queue_unref(queue);
}

struct match {
	bool (*io)(const struct dev_io *io, const void *key);
	const void *key;
};

static bool match_waiter(const struct pktq_waiter *waiter, const void *key)
{
	const struct match *match = key;

	return match->io(container_of(waiter, const struct dev_io, waiter),
			 match->key);
}

void dev_io_interrupt(struct dev_file *file,
		      bool (*match)(const struct dev_io *io, const void *key),
		      const void *key)
{
	struct match m = {.io = match, .key = key};
	struct dev_queue *queue = dev_file_queue(file);

	if (!queue)
		return;
	if (!pktq_interrupt(&queue->to_app, match_waiter, &m))
		pktq_interrupt(&queue->dev->to_host, match_waiter, &m);
	dev_queue_unref(queue);
}

static unsigned int poll_queue(struct dev_queue *queue)
{
	struct device *dev = queue->dev;
	struct host_state state;
	unsigned int events = 0;

	/* It is the packet socket that is polled. */
	if (queue->direct)
		return 0;
	device_get_state(dev, &state);
	if (state.up && pktq_has_room(&dev->to_host))
		events |= POLLOUT | POLLWRNORM;
	if (pktq_length(&queue->to_app) > 0)
		events |= POLLIN | POLLRDNORM;
	return events;
}

unsigned int dev_poll(struct dev_file *file)
{
	struct dev_queue *queue = dev_file_queue(file);
	unsigned int events = POLLERR;

	if (!queue)
		return POLLERR;
	queue->dev->host->sync(queue->dev->link);
	if (dev_file_attached(file))
		events = poll_queue(queue);
	dev_queue_unref(queue);
	return events;
}
