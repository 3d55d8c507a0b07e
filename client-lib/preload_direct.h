/* SPDX-License-Identifier: MIT */
/*
 * preload_direct.h - the packet socket in the place of tund's file. Results are
 * those of the ioctl, below 0 a negative errno.
 */
#ifndef TUNCLIENT_PRELOAD_DIRECT_H
#define TUNCLIENT_PRELOAD_DIRECT_H

/* After a TUNSETIFF on tund's file that was successful. */
int direct_attach(int fd);

/* An ioctl of TUN, or of tund, on the socket; `file` is kept for it. */
int direct_ioctl(int socket, int file, unsigned int cmd, void *arg);

/* One by value, on the file. */
int direct_value(int file, unsigned int cmd, const void *arg);

/* SIOCGSKNS or TUNGETDEVNETNS, on the file. */
int direct_netns(int file, unsigned int cmd);

#endif
