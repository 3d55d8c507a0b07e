/* SPDX-License-Identifier: MIT */
/*
 * carry.h - what `tundctl run`, from outside, and libtunclient-preload.so,
 * from inside, do alike to carry TUN's ioctls past the kernel and a packet
 * socket into the place of tund's file. It is no part of libtunclient.
 */
#ifndef TUNCLIENT_CARRY_H
#define TUNCLIENT_CARRY_H

#include <stdbool.h>

#include <tund/abi.h>

/* Where the packets go. */
enum plane {
	PLANE_AUTO,
	PLANE_DIRECT,
	PLANE_FILE,
};

/* Whether it is the name of one. */
bool carry_read_plane(const char *word, enum plane *ret_plane);

/* All ioctls of the kernel's TUN. */
enum { CARRY_IOCTLS = 31 };
extern const unsigned int carry_ioctls[CARRY_IOCTLS];

/* Whether a file with these flags, of F_GETFL, can become a socket. */
bool carry_may_be_direct(int flags);

/*
 * TUNSETVNETHDRSZ, as far as it is the socket's matter: 0, also if the socket
 * has no such header, or -EINVAL.
 */
int carry_set_vnet_header_size(int socket, int size);

#endif
