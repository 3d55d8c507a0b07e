/* SPDX-License-Identifier: MIT */
/* capture_order.c - a list by time: nearly everything belongs at its end. */
#include "capture_order.h"

#include <stdlib.h>
#include <string.h>

/* So many wait at most. */
#define MAX_WAITING 4096

#define WINDOW_NS   (CAPTURE_ORDER_MS * UINT64_C(1000000))

bool capture_order_put(struct capture_order *order, const void *message,
		       size_t len)
{
	struct captured *packet, *at = order->last;
	size_t data_len = len - sizeof(packet->head);

	packet = malloc(sizeof(*packet) + data_len);
	if (!packet)
		return false;
	memcpy(&packet->head, message, sizeof(packet->head));
	packet->len = data_len;
	memcpy(packet->data, (const uint8_t *)message + sizeof(packet->head),
	       data_len);
	while (at && at->head.time > packet->head.time)
		at = at->before;
	packet->before = at;
	packet->after = at ? at->after : order->first;
	*(packet->before ? &packet->before->after : &order->first) = packet;
	*(packet->after ? &packet->after->before : &order->last) = packet;
	order->n++;
	if (packet->head.time > order->newest)
		order->newest = packet->head.time;
	return true;
}

struct captured *capture_order_get(struct capture_order *order, bool all)
{
	struct captured *packet = order->first;

	if (!packet || (!all && order->n <= MAX_WAITING &&
			order->newest - packet->head.time < WINDOW_NS))
		return NULL;
	order->first = packet->after;
	*(packet->after ? &packet->after->before : &order->last) = NULL;
	order->n--;
	/* The clock may have been set back. */
	if (!order->first)
		order->newest = 0;
	return packet;
}
