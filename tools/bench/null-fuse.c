/* SPDX-License-Identifier: MIT */
/*
 * null-fuse.c - a FUSE server that does nothing: one device file whose reads
 * are answered at once with so many bytes, and whose writes are swallowed. It
 * is the limit of what a file served through FUSE can do, and knows
 * nothing of tund, but for how that places its threads.
 *
 *     null-fuse [--size BYTES] [--threads N] [--cpu CPU] [--spin] [--tund] FILE
 *
 * FILE is a regular file, over which it mounts itself; it prints "ready" and
 * serves in the foreground until SIGTERM or SIGINT. Placements:
 *
 *     null-fuse FILE               libfuse's own loop, one thread
 *     null-fuse --cpu 0 FILE       the same, on the processor of the client
 *     null-fuse --spin FILE        it asks for requests without a pause
 *     null-fuse --threads 4 FILE   so many threads that wait for requests
 *     null-fuse --tund FILE        tund's own threads and their placement
 *
 * What it is compared with is measured by file-time.
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <getopt.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/workers.h"

/* Newer than the headers of Debian 12. */
#define STREAM		       (1 << 4)
#define PARALLEL_DIRECT_WRITES (1 << 6)

#define MAX_READ	       (128 * 1024)
#define MAX_THREADS	       64
#define FOREVER		       1e9

static char payload[MAX_READ];
static size_t read_size = 1400;

static void fill_stat(struct stat *ret_st)
{
	*ret_st = (struct stat){
		.st_ino = FUSE_ROOT_ID,
		.st_mode = S_IFREG | 0666,
		.st_nlink = 1,
		.st_size = MAX_READ, /* or writes take turns */
	};
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	conn->want &=
		~(unsigned int)(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_SPLICE_READ |
				FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct stat st;

	fill_stat(&st);
	fuse_reply_attr(req, &st, FOREVER);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fuse_open_out out = {
		.open_flags = FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE | STREAM |
			      PARALLEL_DIRECT_WRITES,
	};

	fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	fuse_reply_buf(req, payload, size < read_size ? size : read_size);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
		     size_t size, off_t off, struct fuse_file_info *fi)
{
	fuse_reply_write(req, size);
}

static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLOUT);
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.poll = op_poll,
};

static void *serve(void *arg)
{
	struct fuse_session *session = arg;
	struct fuse_buf buf = {0};

	while (!fuse_session_exited(session)) {
		int r = fuse_session_receive_buf(session, &buf);

		if (r == -EINTR || r == -EAGAIN)
			continue;
		if (r <= 0)
			break;
		fuse_session_process_buf(session, &buf);
	}
	free(buf.mem);
	fuse_session_exit(session);
	return NULL;
}

static void serve_in_threads(struct fuse_session *session, int n)
{
	pthread_t threads[MAX_THREADS];

	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, serve, session) != 0)
			exit(1);
	/* A signal cuts the sleep short. */
	while (!fuse_session_exited(session))
		sleep(1);
}

static void end(void *arg)
{
	fuse_session_exit(arg);
}

static void serve_as_tund(struct fuse_session *session)
{
	struct workers *workers;

	if (workers_start(session, end, session, &workers) < 0)
		exit(1);
	while (!fuse_session_exited(session))
		sleep(1);
	workers_stop(workers);
}

static int run(const char *path, int n_threads, bool spin, bool tund)
{
	char *argv[] = {(char *)"null-fuse", (char *)"-oallow_other", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(2, argv);
	struct fuse_session *session =
		fuse_session_new(&args, &ops, sizeof(ops), NULL);

	if (!session || fuse_set_signal_handlers(session) < 0 ||
	    fuse_session_mount(session, path) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	if (tund) {
		serve_as_tund(session);
	} else if (spin) {
		fcntl(fuse_session_fd(session), F_SETFL, O_RDWR | O_NONBLOCK);
		serve(session);
	} else if (n_threads > 0) {
		serve_in_threads(session, n_threads);
	} else {
		fuse_session_loop(session);
	}
	fuse_session_unmount(session);
	/* Threads that still wait for a request end with the process. */
	return 0;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0) {
		perror("null-fuse: --cpu");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"size", required_argument, NULL, 's'},
		{"threads", required_argument, NULL, 't'},
		{"cpu", required_argument, NULL, 'c'},
		{"spin", no_argument, NULL, 'p'},
		{"tund", no_argument, NULL, 'u'},
		{NULL, 0, NULL, 0},
	};
	int n_threads = 0;
	bool spin = false;
	bool tund = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			read_size = strtoul(optarg, NULL, 0);
		else if (c == 't')
			n_threads = atoi(optarg);
		else if (c == 'c')
			pin(atoi(optarg));
		else if (c == 'p')
			spin = true;
		else if (c == 'u')
			tund = true;
		else
			return 2;
	}
	if (optind != argc - 1 || read_size > MAX_READ || n_threads < 0 ||
	    n_threads > MAX_THREADS) {
		fprintf(stderr, "usage: null-fuse [--size BYTES] [--threads N] "
				"[--cpu CPU] [--spin] [--tund] FILE\n");
		return 2;
	}
	return run(argv[optind], n_threads, spin, tund);
}
