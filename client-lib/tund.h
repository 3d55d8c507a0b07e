/* SPDX-License-Identifier: MIT */
/*
 * client-lib/tund.h - what tund's file answers beside packets, for all planes
 * that it is open on.
 */
#ifndef TUNCLIENT_TUND_H
#define TUNCLIENT_TUND_H

#include "client.h"

/* Of TUNCLIENT_ABILITY_*, those that depend on the daemon. */
unsigned int tunclient_tund_abilities_(const struct tunclient *client);

/* As in struct tunclient_plane. */
int tunclient_tund_set_value_(struct tunclient *client, unsigned int cmd,
			      unsigned long value);
int tunclient_tund_configure_(struct tunclient *client,
			      const struct tund_config *config);
int tunclient_tund_link_(struct tunclient *client, struct tund_link *ret_link);
int tunclient_tund_stats_(struct tunclient *client,
			  struct tunclient_stats *ret_stats);

#endif
