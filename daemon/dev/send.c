/* SPDX-License-Identifier: MIT */
/*
 * send.c - from a device's queue to the host, by whoever has the turn. What a
 * program may write is io.c's and batch.c's.
 */
#include <errno.h>

#include "dev/device.h"
#include "dev/path.h"
#include "dev/tapped.h"

/* A veth accepts its MTU and one VLAN tag more. */
#define VETH_SLACK 4

/* Packets that one call sends for others, before its own answer is due. */
#define SEND_BUDGET 64

uint64_t dev_send_tag(void)
{
	static _Atomic uint64_t next_tag = 1;

	return atomic_fetch_add_explicit(&next_tag, 1, memory_order_relaxed);
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
static int refused(struct device *dev, const struct pkt *pkt, int error,
		   enum tund_drop *ret_reason)
{
	size_t payload = pkt->len - (dev->kind == DEV_TAP ? ETH_HLEN : 0);
	struct host_state state;

	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	/* ENETDOWN is the hidden end's: the interface has no carrier. */
	if (!state.up || error == -ENETDOWN) {
		*ret_reason = TUND_DROP_DOWN;
		return -EIO;
	}
	/* What is to be cut may be larger. */
	if (pkt->vnet.gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	    payload > state.mtu + VETH_SLACK) {
		*ret_reason = TUND_DROP_MTU;
		return -EMSGSIZE;
	}
	/* It does not look at what the header is about: the host drops it. */
	if (has_vnet(pkt)) {
		*ret_reason = TUND_DROP_ERROR;
		return 0;
	}
	*ret_reason = error == -ENOBUFS ? TUND_DROP_NOBUFS : TUND_DROP_ERROR;
	return error;
}

/* Takes the run's first packet, which is freed. */
static struct pkt *first_of(struct list *run)
{
	struct pkt *pkt = list_entry(run->next, struct pkt, node);

	list_del(&pkt->node);
	return pkt;
}

static bool is_own(const struct dev_sent *sent, const struct pkt *pkt)
{
	return sent->tag && pkt->tag == sent->tag;
}

static void count_sent(struct device *dev, struct dev_sent *sent,
		       struct list *run, unsigned int n)
{
	uint64_t bytes = 0;

	dev->rx_packets += n;
	for (unsigned int i = 0; i < n; i++) {
		struct pkt *pkt = first_of(run);

		bytes += pkt->len;
		if (is_own(sent, pkt))
			sent->n++;
		pkt_free(pkt);
	}
	dev->rx_bytes += bytes;
}

/* Nothing of a write goes on behind a packet that failed. */
static void stop_own(struct device *dev, struct dev_sent *sent,
		     struct list *run, int error)
{
	sent->error = error;
	list_for_each_safe (it, tmp, run) {
		struct pkt *pkt = list_entry(it, struct pkt, node);

		if (is_own(sent, pkt)) {
			list_del(&pkt->node);
			pkt_free(pkt);
		}
	}
	pktq_forget(&dev->to_host, sent->tag);
}

/*
 * The host does not take the run's first packet. It is not dropped if its
 * program hears that it was not taken: it is the program's again.
 */
static void not_sent(struct device *dev, struct dev_sent *sent,
		     struct list *run, int error)
{
	struct pkt *pkt = list_entry(run->next, struct pkt, node);
	bool own = is_own(sent, pkt);
	enum tund_drop reason;

	error = refused(dev, pkt, error, &reason);
	if (error == 0 || !own || (sent->n == 0 && !sent->not_first)) {
		device_count_drop(dev, reason, 1);
		dev_tapped_unsent(dev, pkt, reason);
	}
	if (error == 0) {
		count_sent(dev, sent, run, 1);
		return;
	}
	pkt_free(first_of(run));
	if (own)
		stop_own(dev, sent, run, error);
}

/* Returns false, and leaves the rest in the run, if the host has no room. */
static bool send_run(struct device *dev, struct dev_sent *sent,
		     struct list *run)
{
	while (!list_empty(run)) {
		uint64_t when = dev_tapped_when(dev);
		struct pkt *pkts[HOST_SEND_MAX];
		unsigned int n = 0;
		int r;

		list_for_each (it, run)
			pkts[n++] = list_entry(it, struct pkt, node);
		r = dev->host->send(dev->link, pkts, n);
		if (r == -EAGAIN)
			return false;
		dev_tapped_sent(dev, pkts, r, when);
		if (r > 0)
			count_sent(dev, sent, run, (unsigned int)r);
		else
			not_sent(dev, sent, run, r);
	}
	return true;
}

void device_send_queued(struct device *dev, bool have_turn,
			struct dev_sent *sent)
{
	struct pktq *q = &dev->to_host;
	unsigned int others = 0;
	struct list run;

	list_init(&run);
	while (others < SEND_BUDGET) {
		if (pktq_pop_turn_run(q, have_turn, HOST_SEND_MAX, &run) !=
		    PKTQ_DONE)
			return;
		have_turn = true;
		list_for_each (it, &run)
			if (!is_own(sent, list_entry(it, struct pkt, node)))
				others++;
		if (!send_run(dev, sent, &run)) {
			unsigned int n = 0;

			list_for_each (it, &run)
				n++;
			if (!pktq_unpop_run(q, &run))
				device_count_drop(dev, TUND_DROP_DOWN, n);
			break;
		}
	}
	/* The turn goes to device_can_send(), in the pump's thread. */
	dev->host->want_send(dev->link);
}

void device_can_send(struct device *dev)
{
	struct dev_sent nobody = {0};

	device_send_queued(dev, true, &nobody);
	/* There may be room again. */
	device_wake(dev);
}
