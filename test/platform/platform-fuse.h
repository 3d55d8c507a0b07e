/* SPDX-License-Identifier: MIT */
/* A FUSE server of one file, in a process of its own, that a test directs. */
#ifndef PLATFORM_FUSE_H
#define PLATFORM_FUSE_H

#define FUSE_USE_VERSION 314

#include "platform.h"

#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>

/* Not in the headers of every system that we build on. */
#ifndef FOPEN_STREAM
#define FOPEN_STREAM (1 << 4)
#endif
#ifndef FOPEN_PARALLEL_DIRECT_WRITES
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif
#define PLATFORM_NOTIFY_RESEND	  7	       /* FUSE_NOTIFY_RESEND */
#define PLATFORM_INIT2_HAS_RESEND (1 << 7)     /* FUSE_HAS_RESEND >> 32 */
#define PLATFORM_UNIQUE_RESEND	  (1ULL << 63) /* FUSE_UNIQUE_RESEND */

/* What tund opens its files with. */
#define PLATFORM_OPEN_TUND                                                     \
	(FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE | FOPEN_STREAM |                  \
	 FOPEN_PARALLEL_DIRECT_WRITES)

/* More than the largest packet, so that no write ever extends the file. */
#define PLATFORM_BIG (1ULL << 40)

/* What a read of the file returns. */
#define PLATFORM_PACKET "a packet"

/* One request, as the kernel wrote it, in the order in which it was read. */
struct platform_request {
	struct fuse_in_header header;
	union {
		struct fuse_open_in open;
		struct fuse_read_in read;
		struct fuse_write_in write;
		struct fuse_flush_in flush;
		struct fuse_release_in release;
		struct fuse_ioctl_in ioctl;
		struct fuse_poll_in poll;
	} in;
};

enum {
	PLATFORM_REQUESTS_MAX = 2048,
	PLATFORM_INIT_MAX = 512,
};

/* Shared between the test and its server. */
struct platform_fuse {
	/* The test may set these at any time. */
	atomic_uint open_flags;
	atomic_ullong size;
	atomic_uint mode;
	atomic_ullong hold; /* mask of opcodes that are left unanswered */
	atomic_bool ignore_interrupts;

	/* The server reports here. */
	atomic_uint count;
	struct platform_request requests[PLATFORM_REQUESTS_MAX];
	atomic_int server; /* its process */
	atomic_uint generation;
	atomic_int resend_error; /* negative errno, 0, or 1 before the try */
	struct fuse_init_in init;

	/* Between them. */
	int command_fds[2];
	size_t init_size;
	char init_bytes[PLATFORM_INIT_MAX];
};

#define PLATFORM_HOLD(opcode) (1ULL << (opcode))

struct platform_fuse_setup {
	const char *path;     /* is created when it does not exist */
	const char *rootmode; /* NULL: a regular file */
	bool no_default_permissions;

	/* Instead of the server's own; all run in the server's process. */
	void (*open)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
	void (*ioctl)(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		      void *arg, struct fuse_file_info *fi, unsigned int flags,
		      const void *in, size_t in_size, size_t out_size);
	void (*custom)(void);
};

/* The steps of platform_fuse_start(), for a server that is replaced. */
struct platform_fuse *platform_fuse_new(void);
int platform_fuse_mount(const struct platform_fuse_setup *setup);
void platform_fuse_serve(struct platform_fuse *fuse,
			 const struct platform_fuse_setup *setup, int dev_fd)
	__attribute__((noreturn));

/* Until it is served; ends with the child's verdict if that ends first. */
void platform_fuse_await(const struct platform_fuse *fuse, pid_t child);

/* Mounts the file and serves it until the test ends. */
struct platform_fuse *
platform_fuse_start(const struct platform_fuse_setup *setup);

int platform_fuse_open(const struct platform_fuse_setup *setup, int flags);

/* How many requests of that kind were read so far, and the one numbered n. */
unsigned int platform_fuse_count(const struct platform_fuse *fuse,
				 unsigned int opcode);
const struct platform_request *
platform_fuse_request(const struct platform_fuse *fuse, unsigned int opcode,
		      unsigned int n);

/* Each of these returns when the server has done it. */
void platform_fuse_put(struct platform_fuse *fuse);
void platform_fuse_answer(struct platform_fuse *fuse, unsigned int opcode);
void platform_fuse_answer_interrupted(struct platform_fuse *fuse);
void platform_fuse_custom(struct platform_fuse *fuse);

/* For a hook: answers OPEN as the server's own handler does. */
void platform_fuse_reply_open(fuse_req_t req, uint64_t fh);

#endif
