/* SPDX-License-Identifier: MIT */
/*
 * process.h - what /proc says of a process, for people to read. Nothing is
 * decided by it. The process's memory is not touched: it could make us wait.
 */
#ifndef TUND_CTL_PROCESS_H
#define TUND_CTL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "dev/file.h"

struct ctl_process {
	bool alive; /* the very one, and no other with its number */
	char cgroup[1024];
	char container[128]; /* "": in none that is known */
};

void ctl_process_look_up(const struct dev_opener *opener,
			 struct ctl_process *ret_process);

/* The container's name or number that a control group's path tells of. */
void ctl_container_of(const char *cgroup, char *ret_name, size_t size);

#endif
