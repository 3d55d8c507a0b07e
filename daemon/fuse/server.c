/* SPDX-License-Identifier: MIT */
/*
 * server.c - the FUSE session: its mount, its beginning and its end.
 */
#include "fuse/server.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "dev/table.h"
#include "fuse/callermem.h"
#include "fuse/channel.h"
#include "fuse/private.h"
#include "fuse/workers.h"

/* An attach takes some milliseconds. */
#define N_SLOW 2

/* More than are ever left of those that came too late. */
#define N_LATE_INTERRUPTS 64

static void file_ref(void *object)
{
	struct fs_file *file = object;

	dev_file_ref(file->dev_file);
}

static void tell_unmounted(void *arg)
{
	struct fs_server *server = arg;

	if (!server->stopping &&
	    !atomic_flag_test_and_set(&server->told_unmounted))
		server->unmounted(server->arg);
}

static int open_session(struct fs_server *server, int fd)
{
	char *argv[] = {(char *)"tund", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	int r;

	server->session =
		fuse_session_new(&args, &fs_ops, sizeof(fs_ops), server);
	fuse_opt_free_args(&args);
	if (!server->session) {
		log_error("libfuse refuses to make a session");
		return -ENOMEM;
	}
	/* From here on the descriptor is the session's. */
	r = channel_open(server->session, fd);
	if (r < 0)
		log_error("libfuse refuses descriptor %d: %s", fd,
			  strerror(-r));
	return r;
}

/*
 * The kernel knows a file's size only when it has asked once; until then it
 * would take every write for one that grows the file.
 */
static int look_once(const struct fs_server *server)
{
	char path[4096];
	struct stat st;
	int r;

	r = snprintf(path, sizeof(path), "%s%s", server->path,
		     server->nodes.shape == MOUNT_TREE ? "/net/tun" : "");
	if (r >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &st) == 0)
		return 0;
	r = -errno;
	log_error("%s does not answer: %s", path, strerror(-r));
	return r;
}

/* An attach that had to wait may succeed now. */
static void device_left(void *arg)
{
	struct fs_server *server = arg;

	for (int i = 0; i < N_SLOW_QUEUES; i++)
		work_wake(server->slow_calls[i]);
}

static int start(struct fs_server *server, int fd)
{
	int r;

	r = open_session(server, fd);
	if (r < 0)
		return r;
	for (int i = 0; i < N_SLOW_QUEUES && r == 0; i++)
		r = work_queue_new("tund-slow", N_SLOW, &server->slow_calls[i]);
	if (r < 0)
		return r;
	dev_table_on_left(server->table, device_left, server);
	r = workers_start(server->session, tell_unmounted, server,
			  &server->workers);
	if (r < 0)
		return r;
	return look_once(server);
}

int fs_server_start(const struct fs_server_options *options,
		    struct fs_server **ret_server)
{
	struct fs_server *server = calloc(1, sizeof(*server));
	enum mount_shape shape;
	int fd, r;

	if (!server)
		return -ENOMEM;
	server->path = options->path;
	server->table = options->table;
	server->abilities = options->abilities;
	server->unmounted = options->unmounted;
	server->arg = options->arg;
	atomic_flag_clear(&server->told_unmounted);

	r = mount_open(server->path, &fd, &shape);
	if (r < 0) {
		free(server);
		return r;
	}
	nodes_init(&server->nodes, shape);
	handle_table_init(&server->files, "files", file_ref);
	r = start(server, fd);
	if (r < 0) {
		dev_table_on_left(server->table, NULL, NULL);
		fs_server_stop(server);
		fs_server_free(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

void fs_server_stop(struct fs_server *server)
{
	server->stopping = true;
	mount_close(server->path);
	/* What is touched for a slow call may be a mapping of our own file. */
	callermem_give_up();
	workers_stop(server->workers);
	server->workers = NULL;
	/* It is still told of devices that leave. */
	for (int i = 0; i < N_SLOW_QUEUES; i++)
		if (server->slow_calls[i])
			work_queue_stop(server->slow_calls[i]);
}

/*
 * An interrupt that a worker reads before its request is answered, and handles
 * after, stays with libfuse 3.14: each request that follows frees one, but
 * fuse_session_destroy() none. So some follow here, which ask for nothing and
 * want no answer.
 */
static void forget_interrupts(struct fuse_session *session)
{
	struct {
		struct fuse_in_header head;
		struct fuse_forget_in forget;
	} nothing = {
		.head =
			{
				.len = sizeof(nothing),
				.opcode = FUSE_FORGET,
				.unique = UINT64_MAX - 1, /* nobody has it */
				.nodeid = FUSE_ROOT_ID,
			},
	};
	const struct fuse_buf buf = {
		.mem = &nothing,
		.size = sizeof(nothing),
	};

	/* It would tell of every answer that the kernel does not want. */
	fuse_session_exit(session);
	for (int i = 0; i < N_LATE_INTERRUPTS; i++)
		fuse_session_process_buf(session, &buf);
}

void fs_server_free(struct fs_server *server)
{
	struct fs_file *file;

	while ((file = handle_remove_any(&server->files))) {
		dev_file_close(file->dev_file);
		fs_file_put(file);
	}
	for (int i = 0; i < N_SLOW_QUEUES; i++)
		work_queue_free(server->slow_calls[i]);
	if (server->session) {
		forget_interrupts(server->session);
		fuse_session_destroy(server->session);
	}
	handle_table_destroy(&server->files);
	nodes_destroy(&server->nodes);
	free(server);
}
