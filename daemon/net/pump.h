/* SPDX-License-Identifier: MIT */
/*
 * pump.h - the thread that receives from every link's packet socket, and the
 * sending through it, which is done by whoever has a packet. Private to net/.
 */
#ifndef TUND_NET_PUMP_H
#define TUND_NET_PUMP_H

#include "net/link.h"

int pump_start(void);
void pump_stop(void);

/* The link must have its handle. */
int pump_add(struct host_link *link);
void pump_del(struct host_link *link);

/* See dev/host.h. */
int pump_send(struct host_link *link, struct pkt *const *pkts, unsigned int n);
void pump_want_send(struct host_link *link);
void pump_pause(struct host_link *link);
void pump_settle(struct host_link *link);
void pump_resume(struct host_link *link);

/* Packets that found no room in the socket, but for those of pauses. */
uint64_t pump_drops(struct host_link *link);

#endif
