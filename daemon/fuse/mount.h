/* SPDX-License-Identifier: MIT */
/*
 * mount.h - puts the FUSE file system in its place and takes it away. It
 * speaks no FUSE: see server.h.
 */
#ifndef TUND_FUSE_MOUNT_H
#define TUND_FUSE_MOUNT_H

#include <stdbool.h>

/* What the mount point is decides what is mounted on it. */
enum mount_shape {
	MOUNT_TREE, /* a directory: the tree with net/tun */
	MOUNT_FILE, /* anything else: the one device file */
};

/*
 * Mounts on `path`, in place of a dead mount if there is one. Every failure is
 * logged with its remedy. Returns the /dev/fuse descriptor.
 */
int mount_open(const char *path, int *ret_fd, enum mount_shape *ret_shape);

/* Takes the mount away. Does not wait for those who have files open. */
void mount_close(const char *path);

#endif
