/* SPDX-License-Identifier: MIT */
/* identity.h - makes a process have the rights of a thread of the program. */
#ifndef TUNDCTL_IDENTITY_H
#define TUNDCTL_IDENTITY_H

#include <sys/types.h>

/*
 * Takes over the thread's user namespace, effective user and group, groups, and
 * those of its effective capabilities that the caller has: never more than the
 * thread has. There is no way back. Returns 0, or -1 if that cannot be, after
 * which the caller must do nothing on the thread's behalf.
 */
int identity_take(int proc, pid_t tid);

#endif
