/* SPDX-License-Identifier: MIT */
/* control.c - finds the socket's place, and joins ctl/ to the event loop. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "ctl/ctl.h"
#include "ctl/listen.h"
#include "loop.h"
#include "net/net.h"
#include "notify.h"
#include "options.h"
#include "reload.h"
#include <tund/abi.h>

struct control {
	struct ctl_socket socket;
	struct ctl *ctl; /* NULL: nobody serves it */
};

static const char *remedy(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "another tund listens there; choose another place with "
		       "--control";
	case -ENAMETOOLONG:
		return "the path of a socket has at most 107 bytes; choose a "
		       "shorter one with --control";
	case -ENOENT:
	case -ENOTDIR:
		return "make its directory, or choose another place with "
		       "--control";
	default:
		return "choose another place with --control";
	}
}

int control_open(const struct options *options, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	*ret_control = control;
	control->socket.fd = notify_listen_fd();
	if (control->socket.fd >= 0)
		return 0;
	if (!options->control_given)
		mkdir("/run/tund", 0755);
	r = ctl_listen(options->control, &control->socket);
	if (r < 0)
		log_message(options->control_given ? LOG_LEVEL_ERROR
						   : LOG_LEVEL_WARNING,
			    "no control socket at %s: %s; %s", options->control,
			    strerror(-r), remedy(r));
	if (r < 0 && options->control_given) {
		free(control);
		*ret_control = NULL;
		return r;
	}
	return 0;
}

int control_start(struct control *control, const struct options *options,
		  struct dev_table *table, struct loop *loop)
{
	const struct ctl_options ctl_options = {
		.listen_fd = control->socket.fd,
		.table = table,
		.mount = options->mount,
		.reload = reload_for_control,
		.can_direct = net_abilities() & TUND_ABILITY_DIRECT,
	};
	int r;

	if (control->socket.fd < 0)
		return 0;
	r = ctl_start(&ctl_options, &control->ctl);
	if (r == 0)
		r = loop_add_fd(loop, ctl_fd(control->ctl), ctl_dispatch,
				control->ctl);
	if (r < 0)
		log_error("cannot serve the control socket: %s", strerror(-r));
	return r;
}

void control_stop(struct control *control)
{
	if (control && control->ctl)
		ctl_stop(control->ctl);
}

void control_close(struct control *control)
{
	if (!control)
		return;
	if (control->ctl)
		ctl_free(control->ctl);
	ctl_unlisten(&control->socket);
	free(control);
}
