/* SPDX-License-Identifier: MIT */
/*
 * client-lib/packet.h - what all ways to move packets do with an error: find
 * the cause, leave a sentence, return what the program is to see.
 */
#ifndef TUNCLIENT_PACKET_H
#define TUNCLIENT_PACKET_H

#include "client.h"

int tunclient_receive_failed_(struct tunclient *client, int error);
int tunclient_send_failed_(struct tunclient *client, int error);

#endif
