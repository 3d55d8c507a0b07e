/* SPDX-License-Identifier: MIT */
/*
 * offload.h - what the visible end may leave to "hardware", which here is the
 * program that reads. It decides nothing.
 */
#ifndef TUND_NET_OFFLOAD_H
#define TUND_NET_OFFLOAD_H

/*
 * Turns every checksum and segmentation offload off, so that packets come
 * finished. `fd` is any socket in the interface's namespace.
 */
int offload_disable(int fd, const char *name);

#endif
