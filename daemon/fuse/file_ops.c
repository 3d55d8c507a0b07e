/* SPDX-License-Identifier: MIT */
/*
 * file_ops.c - what programs do with the open device file, but for ioctl. No
 * call here waits for a packet: it is answered, or parked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdlib.h>

#include "dev/io.h"
#include "fuse/caller.h"
#include "fuse/private.h"

/* Newer than the headers of Debian 12. */
#ifndef FOPEN_STREAM
#define FOPEN_STREAM (1 << 4)
#endif
#ifndef FOPEN_PARALLEL_DIRECT_WRITES
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

/*
 * Without STREAM a thread blocked in read() would block every write() on the
 * same descriptor: the two would share the lock of a file position.
 */
#define OPEN_FLAGS                                                             \
	(FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE | FOPEN_STREAM |                  \
	 FOPEN_PARALLEL_DIRECT_WRITES)

/* A read or write that is being answered, perhaps much later. */
struct request {
	struct dev_io io;
	fuse_req_t req;
};

static struct fs_server *server_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* ---- open files ---- */

static void fs_file_wake(void *cookie)
{
	struct fs_file *file = cookie;
	struct fuse_pollhandle *ph = atomic_load(&file->pollhandle);

	/* Who was told asks before he waits again: once is enough. */
	if (ph && atomic_exchange(&file->asked, false))
		fuse_lowlevel_notify_poll(ph);
}

static void fs_file_free(void *cookie)
{
	struct fs_file *file = cookie;
	struct fuse_pollhandle *ph = atomic_load(&file->pollhandle);

	if (ph)
		fuse_pollhandle_destroy(ph);
	free(file);
}

static int fs_file_new(struct fs_server *server, fuse_req_t req,
		       struct fs_file **ret_file)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct dev_opener opener = {.uid = ctx->uid, .gid = ctx->gid};
	struct fs_file *file;
	int netns = -1;
	int r;

	r = caller_find_account(ctx->pid, ctx->uid, &opener.account);
	if (r == 0)
		r = caller_open_netns(ctx->pid, &netns);
	if (r < 0)
		return r;
	file = calloc(1, sizeof(*file));
	if (!file) {
		close(netns);
		return -ENOMEM;
	}
	caller_name(ctx->pid, &opener);
	r = dev_file_new(server->table, netns, &opener, fs_file_wake,
			 fs_file_free, file, &file->dev_file);
	if (r < 0) {
		close(netns);
		free(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

struct fs_file *fs_file_get(struct fs_server *server,
			    const struct fuse_file_info *fi)
{
	struct fs_file *file = handle_get(&server->files, (uint32_t)fi->fh);

	/* Every call on a file but flush shows that it is not closing. */
	if (file)
		dev_file_set_closing(file->dev_file, false);
	return file;
}

void fs_file_put(struct fs_file *file)
{
	dev_file_unref(file->dev_file);
}

static void fs_file_close(struct fs_file *file)
{
	dev_file_close(file->dev_file);
	fs_file_put(file);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_server *server = server_of(req);
	struct fuse_open_out out = {.open_flags = OPEN_FLAGS};
	struct fs_file *file;
	uint32_t handle;
	int r;

	if (!node_is_device(&server->nodes, ino)) {
		fuse_reply_err(req, EISDIR);
		return;
	}
	if (fi->flags & O_DIRECT) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	r = fs_file_new(server, req, &file);
	if (r == 0) {
		r = handle_add(&server->files, file, &handle);
		if (r < 0)
			fs_file_put(file);
	}
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	out.fh = handle;
	/* An open that was interrupted has no release. */
	if (fuse_reply_buf(req, (const char *)&out, sizeof(out)) < 0 &&
	    handle_remove(&server->files, handle))
		fs_file_close(file);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_file *file = fs_file_get(server_of(req), fi);

	/* A descriptor was closed: the last one, or a copy. */
	if (file) {
		dev_file_set_closing(file->dev_file, true);
		fs_file_put(file);
	}
	fuse_reply_err(req, 0);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_file *file =
		handle_remove(&server_of(req)->files, (uint32_t)fi->fh);

	if (file)
		fs_file_close(file);
	fuse_reply_err(req, 0);
}

/* ---- reading and writing ---- */

static int request_deliver(struct dev_io *io, const struct iovec *iov, int n)
{
	struct request *r = container_of(io, struct request, io);
	int result = fuse_reply_iov(r->req, iov, n);

	free(r);
	return result;
}

static void read_done(struct dev_io *io, ssize_t result)
{
	struct request *r = container_of(io, struct request, io);

	fuse_reply_err(r->req, (int)-result);
	free(r);
}

static void write_done(struct dev_io *io, ssize_t result)
{
	struct request *r = container_of(io, struct request, io);

	if (result < 0)
		fuse_reply_err(r->req, (int)-result);
	else
		fuse_reply_write(r->req, (size_t)result);
	free(r);
}

static bool is_request(const struct dev_io *io, const void *key)
{
	return container_of(io, const struct request, io)->req == key;
}

/*
 * libfuse calls this when a signal has come for the waiting thread. The data
 * is the file's number, not its address: it may be closed meanwhile.
 */
static void interrupted(fuse_req_t req, void *data)
{
	struct fs_server *server = server_of(req);
	struct fs_file *file =
		handle_get(&server->files, (uint32_t)(uintptr_t)data);

	if (!file)
		return;
	dev_io_interrupt(file->dev_file, is_request, req);
	fs_file_put(file);
}

static void park(fuse_req_t req, struct request *r,
		 const struct fuse_file_info *fi)
{
	fuse_req_interrupt_func(req, interrupted, (void *)(uintptr_t)fi->fh);
	dev_io_arm(&r->io);
}

static struct request *request_new(fuse_req_t req, off_t off,
				   const struct fuse_file_info *fi)
{
	struct request *r;

	/*
	 * A position other than 0 is the rest of a call with so many segments
	 * that the kernel had to split it: it would cut a packet in two. With
	 * O_APPEND every position is the file's end.
	 */
	if (off != 0 && !(fi->flags & O_APPEND)) {
		fuse_reply_err(req, EINVAL);
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	r->req = req;
	return r;
}

static struct fs_file *file_or_error(fuse_req_t req,
				     const struct fuse_file_info *fi)
{
	struct fs_file *file = fs_file_get(server_of(req), fi);

	if (!file)
		fuse_reply_err(req, EBADF);
	return file;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	struct fs_file *file = file_or_error(req, fi);
	struct request *r = NULL;

	/*
	 * With O_DIRECT the kernel's AIO does not wait: such a read holds up
	 * the end of its program, which no signal can hasten. The kernel's TUN
	 * does not know O_DIRECT, and so neither do we, at open or later.
	 *
	 * Only read(2) and its relatives say whose the read is. splice(2) and
	 * a mapping read through the page cache, which all who have the file
	 * open share: they would be shown other programs' packets.
	 */
	if (file && (fi->lock_owner == 0 || (fi->flags & O_DIRECT)))
		fuse_reply_err(req, EINVAL);
	else if (file)
		r = request_new(req, off, fi);
	if (r) {
		r->io.deliver = request_deliver;
		r->io.done = read_done;
		r->io.size = size;
		if (dev_read(file->dev_file, &r->io, fi->flags & O_NONBLOCK) ==
		    DEV_PARKED)
			park(req, r, fi);
	}
	if (file)
		fs_file_put(file);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi)
{
	struct fs_file *file = file_or_error(req, fi);
	struct request *r = file ? request_new(req, off, fi) : NULL;

	if (r) {
		r->io.done = write_done;
		if (dev_write(file->dev_file, &r->io, buf, size,
			      fi->flags & O_NONBLOCK) == DEV_PARKED)
			park(req, r, fi);
	}
	if (file)
		fs_file_put(file);
}

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *ph)
{
	struct fs_file *file = fs_file_get(server_of(req), fi);
	struct fuse_pollhandle *none = NULL;
	bool asked = ph != NULL;
	unsigned int events;

	/* Kept before the state is looked at: no change falls between. */
	if (ph && (!file || !atomic_compare_exchange_strong(&file->pollhandle,
							    &none, ph)))
		fuse_pollhandle_destroy(ph);
	if (file && asked)
		atomic_store(&file->asked, true);
	/* Never an error: the kernel would not ask this mount again. */
	events = file ? dev_poll(file->dev_file) : POLLERR;
	fuse_reply_poll(req, events);
	if (file)
		fs_file_put(file);
}
