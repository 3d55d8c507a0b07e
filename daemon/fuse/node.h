/* SPDX-License-Identifier: MIT */
/*
 * node.h - the names in the mount and their attributes: a tree with net/tun,
 * or the device file alone. Node numbers are constants. Nothing is opened here.
 */
#ifndef TUND_FUSE_NODE_H
#define TUND_FUSE_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/lock.h"
#include "fuse/mount.h"

struct nodes {
	enum mount_shape shape;
	struct lock lock;
	/* The device file's own, which chmod and chown change. */
	mode_t mode GUARDED_BY(lock);
	uid_t uid GUARDED_BY(lock);
	gid_t gid GUARDED_BY(lock);
};

void nodes_init(struct nodes *nodes, enum mount_shape shape);
void nodes_destroy(struct nodes *nodes);

bool node_is_device(const struct nodes *nodes, uint64_t ino);

/* False if there is no such node. */
bool node_stat(struct nodes *nodes, uint64_t ino, struct stat *ret_st);

/* The node of that name in a directory, or 0. */
uint64_t node_lookup(const struct nodes *nodes, uint64_t parent,
		     const char *name);

/* The index-th entry of a directory, from 0; NULL at the end. */
const char *node_entry(const struct nodes *nodes, uint64_t dir,
		       unsigned int index, uint64_t *ret_ino);

/* Changes the device file's mode bits and owners; -1 leaves one alone. */
void node_set_owner(struct nodes *nodes, mode_t mode, uid_t uid, gid_t gid);

#endif
