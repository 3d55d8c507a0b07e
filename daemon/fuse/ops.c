/* SPDX-License-Identifier: MIT */
/*
 * ops.c - libfuse's operations on names and attributes, and the table of all.
 * What is done with an open device file is in file_ops.c and ioctl.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/private.h"

/* Names and attributes change only through us. */
#define FOREVER 1e9

static struct fs_server *server_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	/*
	 * ATOMIC_O_TRUNC would let an open with O_TRUNC set the size to 0 for
	 * everybody. Splicing is dearer than copying for packets.
	 */
	conn->want &=
		~(unsigned int)(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_SPLICE_READ |
				FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	/*
	 * Reads of kernel AIO are requests in the background, of which only so
	 * many may be out: with the default of 12, twelve parked ones would
	 * hold up everybody's RELEASE.
	 */
	conn->max_background = 65535;
	conn->congestion_threshold = 65535;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct nodes *nodes = &server_of(req)->nodes;
	struct fuse_entry_param entry = {
		.attr_timeout = FOREVER,
		.entry_timeout = FOREVER,
	};

	entry.ino = node_lookup(nodes, parent, name);
	if (!entry.ino || !node_stat(nodes, entry.ino, &entry.attr))
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &entry);
}

static void reply_attr(fuse_req_t req, fuse_ino_t ino)
{
	struct stat st;

	if (node_stat(&server_of(req)->nodes, ino, &st))
		fuse_reply_attr(req, &st, FOREVER);
	else
		fuse_reply_err(req, ENOENT);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	reply_attr(req, ino);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
		       int to_set, struct fuse_file_info *fi)
{
	struct nodes *nodes = &server_of(req)->nodes;

	/* An open with O_TRUNC comes without a file, ftruncate() with one. */
	if ((to_set & FUSE_SET_ATTR_SIZE) && fi) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (node_is_device(nodes, ino))
		node_set_owner(
			nodes,
			to_set & FUSE_SET_ATTR_MODE ? attr->st_mode
						    : (mode_t)-1,
			to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1,
			to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1);
	reply_attr(req, ino);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct nodes *nodes = &server_of(req)->nodes;
	char buf[512];
	size_t used = 0;
	const char *name;
	struct stat st;
	uint64_t entry;

	if (size > sizeof(buf))
		size = sizeof(buf);
	while ((name = node_entry(nodes, ino, (unsigned int)off, &entry))) {
		size_t need;

		node_stat(nodes, entry, &st);
		need = fuse_add_direntry(req, buf + used, size - used, name,
					 &st, off + 1);
		if (need > size - used)
			break;
		used += need;
		off++;
	}
	fuse_reply_buf(req, buf, used);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st = {.f_bsize = 4096, .f_namemax = 255};

	fuse_reply_statfs(req, &st);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	fuse_reply_err(req, EINVAL);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
			 off_t length, struct fuse_file_info *fi)
{
	fuse_reply_err(req, ENODEV);
}

const struct fuse_lowlevel_ops fs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readdir = op_readdir,
	.statfs = op_statfs,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.poll = op_poll,
	.flush = op_flush,
	.release = op_release,
	.ioctl = op_ioctl,
};
