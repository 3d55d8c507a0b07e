/* SPDX-License-Identifier: MIT */
/*
 * direct.h - puts a packet socket in the place of tund's file, and makes TUN's
 * ioctls on the one work as they did on the other. Each function answers.
 */
#ifndef TUNDCTL_DIRECT_H
#define TUNDCTL_DIRECT_H

#include "call.h"

/* TUNSETIFF on the file. */
_Noreturn void direct_attach(struct call *c);

/* TUNDETACHFILTER on the socket. */
_Noreturn void direct_detach_filter(struct call *c);

/* Any other on the socket that takes an address. */
_Noreturn void direct_ioctl(struct call *c);

#endif
