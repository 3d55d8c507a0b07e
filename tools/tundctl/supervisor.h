/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the process that is told of the program's TUN ioctls. It lives
 * as long as a process does that came of the program.
 */
#ifndef TUNDCTL_SUPERVISOR_H
#define TUNDCTL_SUPERVISOR_H

#include "carry.h"

struct supervisor_options {
	enum plane plane;
};

/*
 * In a process of its own. Through `socket` it sends its pid, receives the
 * listener, and sends its pid again when it listens. `log` may be -1. Keeps
 * nothing else of its caller: no descriptor, no terminal, no directory.
 */
_Noreturn void supervisor_run(const struct supervisor_options *options,
			      int socket, int log);

#endif
