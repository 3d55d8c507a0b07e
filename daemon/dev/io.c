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
#include "dev/limit.h"
#include "dev/path.h"
#include "dev/tapped.h"
#include "packet/frame.h"
#include "packet/vnet.h"

/* The headers of a packet that fit here need no memory of their own. */
#define SHORT_HEAD 64

void dev_io_answer(struct dev_io *io, ssize_t result)
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
	dev_count_drop(io->queue, TUND_DROP_TOO_SMALL, 1);
	dev_tapped_unread(io->queue->dev, io->queue, pkt, TUND_DROP_TOO_SMALL);
	pkt_free(pkt);
	dev_io_answer(io, error);
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
	struct iovec iov[] = {
		{.iov_base = head, .iov_len = head_len},
		{.iov_base = pkt->data, .iov_len = len},
	};
	int first = head_len > 0 ? 0 : 1;

	/*
	 * The whole packet counts, as with the kernel's TUN, and before the
	 * program has it: it may ask for the counters at once.
	 */
	dev_count_tx(queue, 1, pkt->len);
	if (io->deliver(io, iov + first, 2 - first) < 0) {
		dev_uncount_tx(queue, 1, pkt->len);
		if (!pktq_unpop(&queue->to_app, pkt))
			dev_count_drop(queue, TUND_DROP_DETACHED, 1);
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

	if (error) {
		dev_io_answer(io, error);
		return;
	}
	dev_count_no_waits(io->queue, 1);
	deliver(io, pkt);
}

int dev_read_not_done(struct dev_io *io, int r)
{
	switch (r) {
	case PKTQ_PARKED:
		return DEV_PARKED;
	case PKTQ_EMPTY:
		dev_io_answer(io, -EAGAIN);
		return DEV_ANSWERED;
	default:
		/* It was closed before we waited: no longer attached. */
		dev_io_answer(io, r == -EBUSY || r == -EPERM ? r : -EBADFD);
		return DEV_ANSWERED;
	}
}

static int read_one(struct dev_io *io, bool nonblock)
{
	struct pktq *q = &io->queue->to_app;
	struct list run;
	struct pkt *pkt;
	int r;

	io->waiter.complete = read_complete;
	if (nonblock)
		r = pktq_pop(q, &pkt);
	else
		r = pktq_pop_or_park(q, &io->waiter, &pkt);
	if (r != PKTQ_DONE)
		return dev_read_not_done(io, r);
	list_init(&run);
	list_add_tail(&run, &pkt->node);
	dev_count_waits(io->queue, &run);
	list_del(&pkt->node);
	device_has_read(io->queue->dev);
	deliver(io, pkt);
	return DEV_ANSWERED;
}

int dev_read(struct dev_file *file, struct dev_io *io, bool nonblock)
{
	struct tund_mode mode;

	io->queue = dev_file_queue(file);
	if (!io->queue) {
		dev_io_answer(io, -EBADFD);
		return DEV_ANSWERED;
	}
	io->queue->dev->host->sync(io->queue->dev->link);
	dev_file_get_mode(file, &mode);
	return mode.flags & TUND_MODE_BATCH
		       ? dev_batch_read(io, mode.max_records, nonblock)
		       : read_one(io, nonblock);
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

int dev_check_packet(const struct device *dev, const uint8_t *data, size_t len,
		     uint16_t *ret_proto)
{
	if (dev->kind == DEV_TAP && len < ETH_HLEN)
		return -EINVAL;
	*ret_proto = dev->kind == DEV_TAP ? frame_proto(data, len)
					  : frame_ip_proto(data, len);
	return *ret_proto || dev->kind == DEV_TAP ? 0 : -EINVAL;
}

/* What packet information says of a TUN's packet is not looked at. */
static int check_packet(struct dev_queue *queue, const struct head *head,
			const uint8_t *data, size_t len, uint16_t *proto)
{
	struct device *dev = queue->dev;
	int r;

	if (dev->kind == DEV_TUN && head->with_pi)
		return 0;
	r = dev_check_packet(dev, data, len, proto);
	if (r < 0 && dev->kind == DEV_TUN) {
		device_count_drop(dev, TUND_DROP_INVALID, 1);
		dev_tapped_unwritten(queue, data, len, TUND_DROP_INVALID);
	}
	return r;
}

/* Makes the packet that is to go to the host from what the program wrote. */
static int parse_write(struct dev_queue *queue, const uint8_t *data, size_t len,
		       struct pkt **ret_pkt)
{
	struct device *dev = queue->dev;
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
	r = check_packet(queue, &head, data, len, &pi.proto);
	if (r < 0)
		return r;
	pkt = pkt_new(len);
	if (!pkt) {
		device_count_drop(dev, TUND_DROP_NOBUFS, 1);
		dev_tapped_unwritten(queue, data, len, TUND_DROP_NOBUFS);
		return -ENOMEM;
	}
	memcpy(pkt->data, data, len);
	pkt->proto = pi.proto;
	pkt->vnet = vnet;
	*ret_pkt = pkt;
	return 0;
}

static void write_complete(struct pktq_waiter *waiter, struct pkt *pkt,
			   int error)
{
	struct dev_io *io = container_of(waiter, struct dev_io, waiter);

	pkt_free(pkt);
	if (!error)
		dev_count_rx(io->queue, 1, io->packet_len);
	dev_io_answer(io, error ? error : (ssize_t)io->size);
}

int dev_check_writable(struct dev_queue *queue)
{
	if (!dev_grant_has_plane(&queue->grant, POLICY_FILE_PLANE))
		return queue->direct ? -EBUSY : -EPERM;
	/* The kernel's hands packets over in the queue's turn, and has none. */
	return queue->direct || (queue->dev->flags & IFF_NAPI &&
				 !dev_queue_is_on(queue))
		       ? -EBUSY
		       : 0;
}

static int write_one(struct dev_file *file, struct dev_io *io,
		     const uint8_t *data, bool nonblock)
{
	struct device *dev = io->queue->dev;
	struct dev_sent sent = {0};
	struct pkt *pkt;
	size_t len;
	int r;

	io->waiter.complete = write_complete;
	r = parse_write(io->queue, data, io->size, &pkt);
	if (r < 0) {
		dev_io_answer(io, r);
		return DEV_ANSWERED;
	}
	if (!dev_grant_may_send(&io->queue->grant, dev->kind, pkt->data,
				pkt->len, pkt->proto, &pkt->vnet)) {
		device_count_drop(dev, TUND_DROP_SOURCE, 1);
		dev_tapped_unwritten(io->queue, pkt->data, pkt->len,
				     TUND_DROP_SOURCE);
		pkt_free(pkt);
		dev_io_answer(io, -EPERM);
		return DEV_ANSWERED;
	}
	if (!dev_limit_take(io->queue, &pkt->vnet, pkt->len)) {
		dev_limit_drop(io->queue, pkt->len);
		dev_tapped_unwritten(io->queue, pkt->data, pkt->len,
				     TUND_DROP_RATE);
		pkt_free(pkt);
		dev_io_answer(io, (ssize_t)io->size);
		return DEV_ANSWERED;
	}
	len = io->packet_len = pkt->len;
	dev_queues_learn(io->queue, pkt);
	sent.tag = pkt->tag = dev_send_tag();
	if (nonblock)
		r = pktq_push(&dev->to_host, pkt, NULL);
	else
		r = pktq_push_or_park(&dev->to_host, pkt, &io->waiter);
	if (r == PKTQ_PARKED)
		return DEV_PARKED;
	if (r == PKTQ_DONE) {
		device_send_queued(dev, false, &sent);
		r = sent.error;
	} else {
		dev_limit_give_back(io->queue, &pkt->vnet, len);
		pkt_free(pkt);
		r = r == PKTQ_FULL ? -EAGAIN : -EBADFD;
	}
	/* Of two answers, "deleted" is the truer one. */
	if (r < 0 && !dev_file_attached(file))
		r = -EBADFD;
	if (r == 0)
		dev_count_rx(io->queue, 1, len);
	dev_io_answer(io, r < 0 ? r : (ssize_t)io->size);
	return DEV_ANSWERED;
}

int dev_write(struct dev_file *file, struct dev_io *io, const void *data,
	      size_t len, bool nonblock)
{
	struct tund_mode mode;
	int r;

	io->queue = dev_file_queue(file);
	io->size = len;
	r = io->queue ? dev_check_writable(io->queue) : -EBADFD;
	if (r < 0) {
		dev_io_answer(io, r);
		return DEV_ANSWERED;
	}
	dev_file_get_mode(file, &mode);
	return mode.flags & TUND_MODE_BATCH
		       ? dev_batch_write(file, io, data, len, nonblock)
		       : write_one(file, io, data, nonblock);
}

/* ---- both ---- */

void dev_io_arm(struct dev_io *io)
{
	struct dev_queue *queue = io->queue;
	bool writer = io->waiter.pkt != NULL;
	struct dev_sent nobody = {0};

	dev_queue_ref(queue);
	if (!writer) {
		pktq_arm(&queue->to_app, &io->waiter);
		/* It may have taken all that came while it was parked. */
		device_has_read(queue->dev);
	} else {
		pktq_arm(&queue->dev->to_host, &io->waiter);
		/* The turn may have ended while the packet was parked. */
		device_send_queued(queue->dev, false, &nobody);
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
