/* SPDX-License-Identifier: MIT */
/*
 * offload.h - what the visible end may leave to "hardware", which here is the
 * program that reads. It decides nothing.
 */
#ifndef TUND_NET_OFFLOAD_H
#define TUND_NET_OFFLOAD_H

/*
 * Turns on the checksum and segmentation offloads that TUN_F_* in `offload`
 * stand for, and all others off: with 0 packets come finished. `fd` is any
 * socket in the interface's namespace.
 */
int offload_set(int fd, const char *name, unsigned int offload);

#endif
