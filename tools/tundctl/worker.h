/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one notification: looks at the descriptor that it is about, does
 * what is to be done, and answers.
 */
#ifndef TUNDCTL_WORKER_H
#define TUNDCTL_WORKER_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor.h"

/* A device file whose place in the program a packet socket has taken. */
struct kept {
	uint64_t inode; /* of the socket */
	int file;	/* -1: none */
};

struct worker_context {
	enum plane plane;
	int listener;
	int supervisor; /* takes a file to be kept, answers with a result */
	int proc;	/* the /proc that was there at the start */
	int log;	/* or -1 */
	const struct kept *kept;
	size_t n_kept;
};

/* In a process of its own. */
_Noreturn void worker_run(const struct worker_context *context,
			  const struct seccomp_notif *request);

#endif
