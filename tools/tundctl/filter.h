/* SPDX-License-Identifier: MIT */
/*
 * filter.h - the seccomp filter under which the program runs: TUN's ioctls are
 * told to a supervisor, everything else goes its way.
 */
#ifndef TUNDCTL_FILTER_H
#define TUNDCTL_FILTER_H

/*
 * For the calling process and all that come of it, for good. Sets no_new_privs
 * if the kernel wants that. Returns the listener, close-on-exec, or -1 after a
 * complaint.
 */
int filter_install(void);

#endif
