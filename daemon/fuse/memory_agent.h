/* SPDX-License-Identifier: MIT */
/*
 * memory_agent.h - the process that has other processes' memory touched, and
 * what is said to it. Private to callermem.c.
 */
#ifndef TUND_FUSE_MEMORY_AGENT_H
#define TUND_FUSE_MEMORY_AGENT_H

#include <stdbool.h>

#include "fuse/callermem.h"

/* Who has not answered by then is stuck. */
#define MEMORY_ANSWER_MS 1000

/* Comes with the descriptor of a socket for the answer. */
struct memory_call {
	pid_t tid;
	uid_t uid;
	uint64_t address;
	uint32_t len;
	bool write;
	uint8_t data[CALLERMEM_MAX];
};

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
