/* SPDX-License-Identifier: MIT */
/*
 * preload.h - what the files of libtunclient-preload.so share. All of it may be
 * called in a signal handler, in the child of a fork, and before main(): no
 * locks, no allocation. Functions that return a negative errno leave errno as
 * they found it.
 */
#ifndef TUNCLIENT_PRELOAD_H
#define TUNCLIENT_PRELOAD_H

#include <stdbool.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* Which file a descriptor is. */
struct file_id {
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint16_t mode;
};

/* ioctl(2) of the kernel itself: the result, or a negative errno. */
int preload_ioctl(int fd, unsigned long request, const void *arg);

/* 0, or a negative errno. */
int preload_identify(int fd, struct file_id *ret_id);

/* Whether the daemon is behind it. */
bool preload_is_tund(int fd);

#endif
