/* SPDX-License-Identifier: MIT */
/* client-lib/offload.h - which offloads are in use. It does none of them. */
#ifndef TUNCLIENT_OFFLOAD_H
#define TUNCLIENT_OFFLOAD_H

#include "client.h"

/* Takes of the options' offloads as many as can be had. */
int tunclient_negotiate_(struct tunclient *client);

#endif
