/* SPDX-License-Identifier: MIT */
/*
 * task_group.h - whether the kernel's scheduler counts a program and the daemon
 * as one: a group's processor time is shared among its tasks, and groups share
 * the processor. It changes nothing.
 */
#ifndef TUND_FUSE_TASK_GROUP_H
#define TUND_FUSE_TASK_GROUP_H

#include <stdbool.h>

#include "base/process.h"

/*
 * May be true when in doubt: the kernel tells of no task group. It has one for
 * each control group with the controller of processors and, of those that are
 * in none, for each session (autogroup, sched(7)).
 */
bool task_group_is_ours(pid_t tid, const struct process_stat *stat);

#endif
