/* SPDX-License-Identifier: MIT */
/*
 * call.h - the program's side of a notified ioctl: its descriptor, its memory,
 * and the answer. All of it is hostile: it is read once.
 */
#ifndef TUNDCTL_CALL_H
#define TUNDCTL_CALL_H

#include <stdbool.h>
#include <sys/types.h>

#include "worker.h"

struct call {
	const struct worker_context *context;
	uint64_t id;
	pid_t tid;
	int pidfd;
	int number;	  /* of the descriptor, in the program */
	unsigned int cmd; /* of the ioctl */
	uint64_t arg;
	size_t ifreq_size; /* of the program's word size */
	int copy;	   /* of the descriptor; -1 when it is closed */
	int file;	   /* tund's: the copy, or what is kept for it */
};

/* What a descriptor is. */
enum call_kind {
	CALL_FOREIGN, /* not ours, or it cannot be seen */
	CALL_FILE,    /* tund's device file */
	CALL_DIRECT,  /* a socket that has taken the place of one */
};

/* Opens what is needed. Its copy is closed by call_close(). */
enum call_kind call_open(const struct worker_context *context,
			 const struct seccomp_notif *request,
			 struct call *ret_call);

/* Closes the copy: a packet socket held any longer delays a device's end. */
void call_close(struct call *c);

/*
 * Each of these answers and ends the worker. A result below 0 is a negative
 * errno. call_give() makes `fd` the result, close-on-exec, as a number in the
 * program.
 */
_Noreturn void call_continue(struct call *c);
_Noreturn void call_answer(struct call *c, int64_t result);
_Noreturn void call_give(struct call *c, int fd);

/* 0, or -EFAULT; the buffer must be of limb_memory(). */
int call_read(const struct call *c, uint64_t address, void *shared, size_t len);
int call_write(const struct call *c, uint64_t address, void *shared,
	       size_t len);

/* A copy of another descriptor of the program, or a negative errno. */
int call_copy(const struct call *c, int number);

/* Puts a descriptor at this number in the program: 0 or a negative errno. */
int call_put(const struct call *c, int fd, int number);

/* Appends a line to the log, if there is one. */
__attribute__((format(printf, 2, 3))) void call_log(const struct call *c,
						    const char *format, ...);

#endif
