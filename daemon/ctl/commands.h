/* SPDX-License-Identifier: MIT */
/*
 * commands.h - answers requests with what dev/ reports. Who may ask is decided
 * before.
 */
#ifndef TUND_CTL_COMMANDS_H
#define TUND_CTL_COMMANDS_H

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "ctl/capture.h"
#include "ctl/ctl.h"
#include "ctl/request.h"

struct ctl_context {
	struct ctl_options options;
	uid_t owner;
	time_t started;
	atomic_uint n_connections;
};

/*
 * The text of the answer, which the caller frees; NULL when there is no memory.
 * `who` is needed where the right is CTL_CAPTURE; `ret_capture` has begun, and
 * is the caller's to end. Slow: it may wait for the kernel's configuration
 * lock.
 */
char *ctl_run(const struct ctl_context *context,
	      const struct ctl_request *request, const struct ctl_who *who,
	      struct ctl_capture **ret_capture);

/* The refusal for who may not ask. */
void ctl_refuse_peer(uid_t uid, const struct ctl_request *request,
		     struct ctl_error *ret_error);

#endif
