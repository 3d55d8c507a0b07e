/* SPDX-License-Identifier: MIT */
/*
 * batch.c - reads and writes that carry records, several packets in one call:
 * see struct tund_record. The packet's way is that of a single one.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device.h"
#include "dev/file.h"
#include "dev/limit.h"
#include "dev/path.h"
#include "dev/tapped.h"
#include "packet/vnet.h"

/* Packets of a write that are in the queue at once. */
#define CHUNK 64

#define HEAD  sizeof(struct tund_record)

_Static_assert(sizeof(struct virtio_net_hdr) ==
		       sizeof(((struct tund_record *)NULL)->vnet),
	       "a record has the whole header");

/* ---- reading ---- */

static struct pkt *pkt_of(struct list *node)
{
	return list_entry(node, struct pkt, node);
}

static void fill_record(struct tund_record *ret_record, const struct pkt *pkt,
			size_t room)
{
	size_t len = pkt->len < room ? pkt->len : room;

	*ret_record = (struct tund_record){
		.len = (uint32_t)len,
		.flags = len < pkt->len ? TUND_RECORD_CUT : 0,
	};
	memcpy(&ret_record->vnet, &pkt->vnet, sizeof(pkt->vnet));
}

/* One after the other in memory that the caller frees, or NULL. */
static uint8_t *gather(struct list *run, size_t *ret_len)
{
	size_t len = 0, begin = 0;
	uint8_t *bytes;

	list_for_each (it, run) {
		begin = len;
		len += TUND_RECORD_SPACE(pkt_of(it)->len);
	}
	bytes = malloc(len);
	if (!bytes)
		return NULL;
	*ret_len = begin + HEAD + pkt_of(run->prev)->len;
	len = 0;
	list_for_each (it, run) {
		const struct pkt *pkt = pkt_of(it);
		size_t space = TUND_RECORD_SPACE(pkt->len);
		struct tund_record record;

		fill_record(&record, pkt, SIZE_MAX);
		memcpy(bytes + len, &record, HEAD);
		memcpy(bytes + len + HEAD, pkt->data, pkt->len);
		memset(bytes + len + HEAD + pkt->len, 0,
		       space - HEAD - pkt->len);
		len += space;
	}
	return bytes;
}

static int deliver_one(struct dev_io *io, struct pkt *pkt)
{
	struct tund_record record;
	struct iovec iov[] = {
		{.iov_base = &record, .iov_len = HEAD},
		{.iov_base = pkt->data},
	};

	fill_record(&record, pkt, io->size - HEAD);
	iov[1].iov_len = record.len;
	return io->deliver(io, iov, record.len > 0 ? 2 : 1);
}

static int deliver_several(struct dev_io *io, uint8_t *bytes, size_t len)
{
	struct iovec iov = {.iov_base = bytes, .iov_len = len};
	int r = io->deliver(io, &iov, 1);

	free(bytes);
	return r;
}

/* The packets wait for another reader, in their old order. */
static void put_back(struct dev_queue *queue, struct list *run, unsigned int n)
{
	if (!pktq_unpop_run(&queue->to_app, run))
		dev_count_drop(queue, TUND_DROP_DETACHED, n);
	dev_queue_wake(queue);
}

static void free_run(struct list *run)
{
	list_for_each_safe (it, tmp, run)
		pkt_free(pkt_of(it));
}

/* As a single packet is handed over: all of them, or none. */
static void hand_over(struct dev_io *io, struct list *run, unsigned int n,
		      uint8_t *bytes, size_t len)
{
	struct dev_queue *queue = io->queue;
	uint64_t total = 0;
	int r;

	list_for_each (it, run)
		total += pkt_of(it)->len;
	dev_count_tx(queue, n, total);
	r = n == 1 ? deliver_one(io, pkt_of(run->next))
		   : deliver_several(io, bytes, len);
	if (r < 0) {
		dev_uncount_tx(queue, n, total);
		put_back(queue, run, n);
	} else {
		free_run(run);
	}
	dev_queue_unref(queue);
}

static void deliver(struct dev_io *io, struct list *run)
{
	uint8_t *bytes = NULL;
	unsigned int n = 0;
	size_t len = 0;

	list_for_each (it, run)
		n++;
	if (n > 1)
		bytes = gather(run, &len);
	if (n > 1 && !bytes) {
		put_back(io->queue, run, n);
		dev_io_answer(io, -ENOMEM);
		return;
	}
	hand_over(io, run, n, bytes, len);
}

static void read_complete(struct pktq_waiter *waiter, struct pkt *pkt,
			  int error)
{
	struct dev_io *io = container_of(waiter, struct dev_io, waiter);
	struct list run;
	unsigned int n = 0;

	if (error) {
		dev_io_answer(io, error);
		return;
	}
	/* The request is freed before its packets. */
	list_init(&run);
	list_splice_tail(&run, &waiter->run);
	list_for_each (it, &run)
		n++;
	dev_count_no_waits(io->queue, n);
	deliver(io, &run);
}

int dev_batch_read(struct dev_io *io, unsigned int max_records, bool nonblock)
{
	const struct pktq_room room = {
		.packets = max_records ? max_records : UINT_MAX,
		.bytes = io->size,
		.head = HEAD,
		.align = TUND_RECORD_ALIGN,
	};
	struct pktq *q = &io->queue->to_app;
	struct list run;
	int r;

	if (io->size < HEAD) {
		dev_io_answer(io, -EINVAL);
		return DEV_ANSWERED;
	}
	list_init(&run);
	io->waiter.complete = read_complete;
	if (nonblock)
		r = pktq_pop_run(q, &room, &run);
	else
		r = pktq_pop_run_or_park(q, &room, &io->waiter, &run);
	if (r != PKTQ_DONE)
		return dev_read_not_done(io, r);
	dev_count_waits(io->queue, &run);
	device_has_read(io->queue->dev);
	deliver(io, &run);
	return DEV_ANSWERED;
}

/* ---- writing ---- */

/* The packets of a write that are on their way together. */
struct chunk {
	unsigned int n;
	struct pkt *pkts[CHUNK];
	size_t ends[CHUNK]; /* the bytes of the write up to and with each */
	size_t lens[CHUNK]; /* of the packets */
	int error;	    /* why there is none behind them, or 0 */
};

/* A write in progress. */
struct writing {
	struct dev_queue *queue;
	const uint8_t *data;
	size_t len;
	size_t done; /* bytes of it that were taken */
};

/* The drop is counted if the program hears of it, and not before. */
static int bad_record(const struct writing *w, size_t begin, size_t len,
		      enum tund_drop reason, int error)
{
	if (begin == 0) {
		device_count_drop(w->queue->dev, reason, 1);
		dev_tapped_unwritten(w->queue, w->data + HEAD, len, reason);
	}
	return error;
}

/* An outcome of parse_record(): the packet may not pass now. */
enum { OVER_RATE = 1 };

/* Makes the packet of the record at `begin`; there is a byte at least. */
static int parse_record(const struct writing *w, size_t begin,
			struct pkt **ret_pkt, size_t *ret_len, size_t *ret_end)
{
	struct device *dev = w->queue->dev;
	const uint8_t *data = w->data + begin + HEAD;
	size_t left = w->len - begin;
	struct tund_record record;
	struct virtio_net_hdr vnet;
	uint16_t proto;
	struct pkt *pkt;

	if (left < HEAD)
		return -EINVAL;
	memcpy(&record, w->data + begin, HEAD);
	if (record.flags || record.len > left - HEAD)
		return -EINVAL;
	memcpy(&vnet, &record.vnet, sizeof(vnet));
	if (vnet_check(&vnet, record.len, record.len, dev->kind == DEV_TAP) < 0)
		return -EINVAL;
	if (dev_check_packet(dev, data, record.len, &proto) < 0)
		return dev->kind == DEV_TAP
			       ? -EINVAL
			       : bad_record(w, begin, record.len,
					    TUND_DROP_INVALID, -EINVAL);
	if (!dev_grant_may_send(&w->queue->grant, dev->kind, data, record.len,
				proto, &vnet))
		return bad_record(w, begin, record.len, TUND_DROP_SOURCE,
				  -EPERM);
	*ret_end = begin + TUND_RECORD_SPACE(record.len);
	if (*ret_end > w->len)
		*ret_end = w->len;
	*ret_len = record.len;
	if (!dev_limit_take(w->queue, &vnet, record.len))
		return OVER_RATE;
	pkt = pkt_new(record.len);
	if (!pkt)
		return bad_record(w, begin, record.len, TUND_DROP_NOBUFS,
				  -ENOMEM);
	memcpy(pkt->data, data, record.len);
	pkt->proto = proto;
	pkt->vnet = vnet;
	*ret_pkt = pkt;
	return 0;
}

/*
 * What may not pass is dropped if there is nothing before it; else it waits
 * for its turn, with which the time has gone on.
 */
static void parse_chunk(struct writing *w, uint64_t tag,
			struct chunk *ret_chunk)
{
	struct chunk *c = ret_chunk;
	size_t begin = w->done;

	c->n = 0;
	c->error = 0;
	while (c->n < CHUNK && begin < w->len) {
		size_t len, end;
		int r = parse_record(w, begin, &c->pkts[c->n], &len, &end);

		if (r == OVER_RATE && c->n == 0) {
			dev_limit_drop(w->queue, len);
			dev_tapped_unwritten(w->queue, w->data + begin + HEAD,
					     len, TUND_DROP_RATE);
			begin = w->done = end;
			continue;
		}
		if (r < 0)
			c->error = r;
		if (r != 0)
			break;
		c->pkts[c->n]->tag = tag;
		c->lens[c->n] = len;
		c->ends[c->n++] = end;
		begin = end;
	}
}

/* They will be parsed anew, now or with another write. */
static void give_up_from(struct writing *w, struct chunk *c, unsigned int first)
{
	for (unsigned int i = first; i < c->n; i++) {
		dev_limit_give_back(w->queue, &c->pkts[i]->vnet, c->lens[i]);
		pkt_free(c->pkts[i]);
	}
}

/*
 * Queues the chunk's packets, or parks the request with the first of them if
 * nothing of the write could be taken: PKTQ_PARKED. Else PKTQ_DONE and how many
 * were taken, PKTQ_FULL if that is none, or a negative errno.
 */
static int push_chunk(struct writing *w, struct chunk *c, struct dev_io *io,
		      bool nonblock, unsigned int *ret_taken)
{
	struct pktq *q = &w->queue->dev->to_host;
	int r;

	for (unsigned int i = 0; i < c->n; i++)
		dev_queues_learn(w->queue, c->pkts[i]);
	r = pktq_push_run(q, c->pkts, c->n, NULL);
	*ret_taken = r > 0 ? (unsigned int)r : 0;
	if (r > 0) {
		r = PKTQ_DONE;
	} else if (r == 0) {
		r = PKTQ_FULL;
		if (w->done == 0 && !nonblock) {
			io->size = c->ends[0];
			io->packet_len = c->lens[0];
			r = pktq_push_or_park(q, c->pkts[0], &io->waiter);
			*ret_taken = 1;
		}
	}
	if (r < 0)
		*ret_taken = 0;
	give_up_from(w, c, *ret_taken);
	return r;
}

static void count_taken(struct dev_queue *queue, const struct chunk *c,
			unsigned int taken)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < taken; i++)
		bytes += c->lens[i];
	dev_count_rx(queue, taken, bytes);
}

/* Returns PKTQ_DONE if there may be more to write, as push_chunk() otherwise.
 */
static int write_chunk(struct writing *w, struct dev_io *io, bool nonblock)
{
	struct dev_sent sent = {.tag = dev_send_tag()};
	unsigned int taken;
	struct chunk c;
	int r;

	parse_chunk(w, sent.tag, &c);
	if (c.n == 0)
		return c.error;
	sent.not_first = w->done > 0;
	r = push_chunk(w, &c, io, nonblock, &taken);
	if (r != PKTQ_DONE)
		return r;
	device_send_queued(w->queue->dev, false, &sent);
	if (sent.error)
		taken = sent.n;
	if (taken > 0)
		w->done = c.ends[taken - 1];
	count_taken(w->queue, &c, taken);
	if (sent.error)
		return sent.error;
	return taken < c.n ? PKTQ_FULL : c.error;
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

int dev_batch_write(struct dev_file *file, struct dev_io *io,
		    const uint8_t *data, size_t len, bool nonblock)
{
	struct writing w = {.queue = io->queue, .data = data, .len = len};
	int r;

	io->waiter.complete = write_complete;
	do
		r = write_chunk(&w, io, nonblock);
	while (r == PKTQ_DONE && w.done < len);
	if (r == PKTQ_PARKED)
		return DEV_PARKED;
	if (r == PKTQ_FULL)
		r = -EAGAIN;
	/* Of two answers, "deleted" is the truer one. */
	if (r < 0 && !dev_file_attached(file))
		r = -EBADFD;
	dev_io_answer(io, w.done > 0 ? (ssize_t)w.done : r);
	return DEV_ANSWERED;
}
