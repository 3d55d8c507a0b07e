/* SPDX-License-Identifier: MIT */
/* client-lib/batch.h - sending several packets, for the rings, too. */
#ifndef TUNCLIENT_BATCH_H
#define TUNCLIENT_BATCH_H

#include "client.h"

/* tunclient_send_batch() of an attached handle, without a sentence. */
int tunclient_send_packets_(struct tunclient *client,
			    const struct tunclient_packet *packets,
			    unsigned int n);

#endif
