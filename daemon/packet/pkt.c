/* SPDX-License-Identifier: MIT */
/* pkt.c - packets come from malloc, which keeps its own lists by size. */
#include "packet/pkt.h"

#include <stdlib.h>

struct pkt *pkt_new(size_t len)
{
	struct pkt *pkt = malloc(sizeof(*pkt) + len);

	if (!pkt)
		return NULL;
	list_init(&pkt->node);
	pkt->len = len;
	pkt->proto = 0;
	pkt->queue = UINT32_MAX;
	pkt->tag = 0;
	pkt->queued_us = 0;
	pkt->vnet = (struct virtio_net_hdr){0};
	return pkt;
}

void pkt_free(struct pkt *pkt)
{
	free(pkt);
}
