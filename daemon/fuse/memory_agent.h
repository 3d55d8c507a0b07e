/* SPDX-License-Identifier: MIT */
/*
 * memory_agent.h - the process that has other processes' memory touched, and
 * what is said to it. Private to callermem.c.
 */
#ifndef TUND_FUSE_MEMORY_AGENT_H
#define TUND_FUSE_MEMORY_AGENT_H

#include <stdbool.h>

#include "fuse/callermem.h"

/* Who is blocked for so long is stuck. */
#define MEMORY_ANSWER_MS 1000

enum memory_what {
	MEMORY_READ,
	MEMORY_WRITE,
	MEMORY_SOCKET, /* can a descriptor be sent through this one? */
	MEMORY_SEND,   /* send the one that comes with the call */
};

/*
 * Comes with the descriptor of a socket for the answer, and perhaps one more.
 * `pid` is the thread's process, `address` a descriptor for the last two.
 */
struct memory_call {
	pid_t tid, pid;
	uid_t uid;
	uint64_t address;
	uint32_t len;
	enum memory_what what;
	uint8_t data[CALLERMEM_MAX];
};

/* Before it comes a pid_t: the child that is about to touch the memory. */
struct memory_answer {
	int32_t result;
	uint8_t data[CALLERMEM_MAX];
};

/*
 * The agent's whole life, in a process that was just forked, perhaps from one
 * with threads: it calls nothing that is not safe in a signal handler.
 */
_Noreturn void memory_agent_run(int fd);

#endif
