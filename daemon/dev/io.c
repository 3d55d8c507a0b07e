/* SPDX-License-Identifier: MIT */
/*
 * io.c - the packet's path between an open file and the device's queues, and
 * on to the host. What an interface does beside that is device.c's.
 */
#include "dev/io.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <string.h>

#include "dev/device.h"
#include "dev/file.h"
#include "packet/frame.h"

/* A veth accepts its MTU and one VLAN tag more. */
#define VETH_SLACK 4

/* Packets that one call sends for others, before its own answer is due. */
#define SEND_BUDGET 64

static void answer(struct dev_io *io, ssize_t result)
{
	struct device *dev = io->dev;

	io->done(io, result);
	if (dev)
		device_unref(dev);
}

/* ---- reading ---- */

/* Hands the packet to the reader; both are gone afterwards. */
static void deliver(struct dev_io *io, struct pkt *pkt)
{
	struct device *dev = io->dev;
	bool with_pi = !(dev->flags & IFF_NO_PI);
	size_t head = with_pi ? sizeof(struct tun_pi) : 0;
	struct tun_pi pi = {.proto = pkt->proto};
	struct iovec iov[2];
	size_t room;

	if (io->size < head) {
		device_count_drop(dev, TUND_DROP_TOO_SMALL, 1);
		pkt_free(pkt);
		answer(io, -EINVAL);
		return;
	}
	room = io->size - head;
	if (room < pkt->len)
		pi.flags = TUN_PKT_STRIP;
	else
		room = pkt->len;
	iov[0] = (struct iovec){.iov_base = &pi, .iov_len = head};
	iov[1] = (struct iovec){.iov_base = pkt->data, .iov_len = room};

	/*
	 * The whole packet counts, as with the kernel's TUN, and before the
	 * program has it: it may ask for the counters at once.
	 */
	dev->tx_packets++;
	dev->tx_bytes += pkt->len;
	if (io->deliver(io, with_pi ? iov : iov + 1, with_pi ? 2 : 1) < 0) {
		dev->tx_packets--;
		dev->tx_bytes -= pkt->len;
		if (!pktq_unpop(&dev->to_app, pkt))
			device_count_drop(dev, TUND_DROP_DETACHED, 1);
		device_wake(dev);
	} else {
		pkt_free(pkt);
	}
	device_unref(dev);
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
	struct pkt *pkt;
	int r;

	io->dev = dev_file_device(file);
	if (io->dev)
		io->dev->host->sync(io->dev->link);
	if (!io->dev) {
		answer(io, -EBADFD);
		return DEV_ANSWERED;
	}
	io->waiter.complete = read_complete;
	if (nonblock)
		r = pktq_pop(&io->dev->to_app, &pkt);
	else
		r = pktq_pop_or_park(&io->dev->to_app, &io->waiter, &pkt);

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
		answer(io, -EBADFD);
		return DEV_ANSWERED;
	}
}

/* ---- writing ---- */

/* Makes the packet that is to go to the host from what the program wrote. */
static int parse_write(struct device *dev, const uint8_t *data, size_t len,
		       struct pkt **ret_pkt)
{
	bool with_pi = !(dev->flags & IFF_NO_PI);
	struct tun_pi pi = {0};
	struct pkt *pkt;

	if (with_pi) {
		if (len < sizeof(pi))
			return -EINVAL;
		memcpy(&pi, data, sizeof(pi));
		data += sizeof(pi);
		len -= sizeof(pi);
	}
	if (dev->kind == DEV_TAP) {
		if (len < ETH_HLEN)
			return -EINVAL;
		pi.proto = frame_proto(data, len);
	} else if (!with_pi) {
		pi.proto = frame_ip_proto(data, len);
		if (!pi.proto) {
			device_count_drop(dev, TUND_DROP_INVALID, 1);
			return -EINVAL;
		}
	}
	pkt = pkt_new(len);
	if (!pkt) {
		device_count_drop(dev, TUND_DROP_NOBUFS, 1);
		return -ENOMEM;
	}
	memcpy(pkt->data, data, len);
	pkt->proto = pi.proto;
	*ret_pkt = pkt;
	return 0;
}

/* Why the host refused the packet, in the words of the kernel's TUN. */
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
		return refused(dev, pkt, r);
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

int dev_write(struct dev_file *file, struct dev_io *io, const void *data,
	      size_t len, bool nonblock)
{
	static _Atomic uint64_t next_tag = 1;
	struct device *dev = dev_file_device(file);
	struct pkt *pkt = NULL;
	uint64_t tag;
	int r;

	io->dev = dev;
	io->size = len;
	io->waiter.complete = write_complete;
	r = dev ? parse_write(dev, data, len, &pkt) : -EBADFD;
	if (r < 0) {
		answer(io, r);
		return DEV_ANSWERED;
	}
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
	struct device *dev = io->dev;
	bool writer = io->waiter.pkt != NULL;

	device_ref(dev);
	if (!writer) {
		pktq_arm(&dev->to_app, &io->waiter);
	} else {
		pktq_arm(&dev->to_host, &io->waiter);
		/* The turn may have ended while the packet was parked. */
		send_queued(dev, false, 0);
	}
	device_unref(dev);
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
	struct device *dev = dev_file_device(file);

	if (!dev)
		return;
	if (!pktq_interrupt(&dev->to_app, match_waiter, &m))
		pktq_interrupt(&dev->to_host, match_waiter, &m);
	device_unref(dev);
}

unsigned int dev_poll(struct dev_file *file)
{
	struct device *dev = dev_file_device(file);
	struct host_state state;
	unsigned int events = 0;

	if (!dev)
		return POLLERR;
	dev->host->sync(dev->link);
	if (!dev_file_attached(file)) {
		device_unref(dev);
		return POLLERR;
	}
	device_get_state(dev, &state);
	if (state.up && pktq_has_room(&dev->to_host))
		events |= POLLOUT | POLLWRNORM;
	if (pktq_length(&dev->to_app) > 0)
		events |= POLLIN | POLLRDNORM;
	device_unref(dev);
	return events;
}
