/* SPDX-License-Identifier: MIT */
/*
 * process.h - what /proc/PID/stat says of a process or a thread. It reads only
 * what the kernel itself answers: nothing of the process's memory.
 */
#ifndef TUND_BASE_PROCESS_H
#define TUND_BASE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_stat {
	char command[16]; /* as the program has named itself: any bytes */
	char state;	  /* 'R': it runs, or could */
	pid_t session;	  /* 0: begun outside of our pid namespace */
	unsigned long user, system; /* clock ticks that it has run */
	uint64_t started; /* clock ticks since boot, with which a pid is unique
			   */
	int cpu;	  /* where it ran last */
};

/* Returns 0, or a negative errno: there is none (-ENOENT, -ESRCH), and so on.
 */
int process_read_stat(pid_t pid, struct process_stat *ret_stat);

#endif
