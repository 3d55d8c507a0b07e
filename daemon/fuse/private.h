/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the files of fuse/ share. Nobody else includes it.
 */
#ifndef TUND_FUSE_PRIVATE_H
#define TUND_FUSE_PRIVATE_H

#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include <stdatomic.h>

#include "base/handle.h"
#include "base/work.h"
#include "dev/file.h"
#include "fuse/mount.h"
#include "fuse/node.h"

enum { N_SLOW_QUEUES = 8 };

/* Root has one for himself: no other user can make him wait. */
static inline unsigned int slow_queue_of(uid_t uid)
{
	return uid == 0 ? 0 : 1 + uid % (N_SLOW_QUEUES - 1);
}

struct fs_server {
	const char *path;
	struct dev_table *table;
	uint64_t abilities;
	void (*unmounted)(void *arg);
	void *arg;
	struct fuse_session *session;
	struct nodes nodes;
	/* Open files, by the number that the kernel knows them by. */
	struct handle_table files;
	/* What waits for the kernel's configuration: no FUSE worker may. */
	/* By user: who floods his own, waits for himself. */
	struct work_queue *slow_calls[N_SLOW_QUEUES];
	struct workers *workers;
	atomic_bool stopping;
	atomic_flag told_unmounted;
};

/* An open file as FUSE sees it; it lives as long as its dev_file. */
struct fs_file {
	struct dev_file *dev_file;
	/*
	 * The kernel's registration of pollers, made once for an open file and
	 * good until its end; every later handle says the same.
	 */
	_Atomic(struct fuse_pollhandle *) pollhandle;
	/* Somebody waits, who has asked since he was told the last time. */
	atomic_bool asked;
};

/* The open file with a reference to its dev_file, or NULL. */
struct fs_file *fs_file_get(struct fs_server *server,
			    const struct fuse_file_info *fi);
void fs_file_put(struct fs_file *file);

extern const struct fuse_lowlevel_ops fs_ops;

/* file_ops.c */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi);
void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *ph);
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* ioctl.c */
void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	      size_t in_size, size_t out_size);

#endif
