/* SPDX-License-Identifier: MIT */
/* node.c - three nodes and their names, as a table. */
#include "fuse/node.h"

#include <string.h>

#include "base/util.h"
#include <tund/abi.h>

/* 1 is FUSE's root, whatever its shape. */
enum {
	NODE_ROOT = 1,
	NODE_NET = 2,
	NODE_TUN = 3,
};

static const struct {
	uint64_t parent;
	uint64_t ino;
	const char *name;
} entries[] = {
	{NODE_ROOT, NODE_ROOT, "."},  {NODE_ROOT, NODE_ROOT, ".."},
	{NODE_ROOT, NODE_NET, "net"}, {NODE_NET, NODE_NET, "."},
	{NODE_NET, NODE_ROOT, ".."},  {NODE_NET, NODE_TUN, "tun"},
};

/*
 * The kernel takes a write beyond the end for one that grows the file, and
 * lets only one of those run at a time; a read there is an end of file to
 * io_uring. So the file is larger than any packet.
 */
_Static_assert(TUND_FILE_SIZE > 2 * TUND_MAX_PACKET, "writes must stay inside");

void nodes_init(struct nodes *nodes, enum mount_shape shape)
{
	nodes->shape = shape;
	lock_init(&nodes->lock, LOCK_RANK_FILE, "nodes");
	/* What udev gives /dev/net/tun: the right is judged at TUNSETIFF. */
	nodes->mode = 0666;
	nodes->uid = 0;
	nodes->gid = 0;
}

void nodes_destroy(struct nodes *nodes)
{
	lock_destroy(&nodes->lock);
}

bool node_is_device(const struct nodes *nodes, uint64_t ino)
{
	return ino == (nodes->shape == MOUNT_TREE ? NODE_TUN : NODE_ROOT);
}

static bool is_directory(const struct nodes *nodes, uint64_t ino)
{
	return nodes->shape == MOUNT_TREE &&
	       (ino == NODE_ROOT || ino == NODE_NET);
}

bool node_stat(struct nodes *nodes, uint64_t ino, struct stat *ret_st)
{
	*ret_st = (struct stat){.st_ino = ino};
	if (is_directory(nodes, ino)) {
		ret_st->st_mode = S_IFDIR | 0755;
		ret_st->st_nlink = ino == NODE_ROOT ? 3 : 2;
		return true;
	}
	if (!node_is_device(nodes, ino))
		return false;
	lock_acquire(&nodes->lock);
	ret_st->st_mode = S_IFREG | nodes->mode;
	ret_st->st_uid = nodes->uid;
	ret_st->st_gid = nodes->gid;
	lock_release(&nodes->lock);
	ret_st->st_nlink = 1;
	ret_st->st_size = TUND_FILE_SIZE;
	return true;
}

uint64_t node_lookup(const struct nodes *nodes, uint64_t parent,
		     const char *name)
{
	if (!is_directory(nodes, parent))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (entries[i].parent == parent &&
		    strcmp(entries[i].name, name) == 0)
			return entries[i].ino;
	return 0;
}

const char *node_entry(const struct nodes *nodes, uint64_t dir,
		       unsigned int index, uint64_t *ret_ino)
{
	if (!is_directory(nodes, dir))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		if (entries[i].parent != dir || index-- > 0)
			continue;
		*ret_ino = entries[i].ino;
		return entries[i].name;
	}
	return NULL;
}

void node_set_owner(struct nodes *nodes, mode_t mode, uid_t uid, gid_t gid)
{
	lock_acquire(&nodes->lock);
	if (mode != (mode_t)-1)
		nodes->mode = mode & 07777;
	if (uid != (uid_t)-1)
		nodes->uid = uid;
	if (gid != (gid_t)-1)
		nodes->gid = gid;
	lock_release(&nodes->lock);
}
