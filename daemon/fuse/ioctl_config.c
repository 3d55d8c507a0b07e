/* SPDX-License-Identifier: MIT */
/*
 * ioctl_config.c - TUND_IOC_CONFIG and TUND_IOC_LINK. Who may configure is
 * decided here, and only here.
 */
#include "dev/configure.h"
#include "dev/host.h"
#include "dev/table.h"
#include "fuse/caller.h"
#include "fuse/ioctl.h"

/*
 * Who administers the namespace that the interface is in, or is allowed to by a
 * policy. It is asked before anything is done, and the answer holds for that
 * namespace alone.
 */
static int may_configure(void *arg, int ns_fd)
{
	const struct call *c = arg;
	const struct fs_server *server = fuse_req_userdata(c->req);
	struct dev_caller caller;
	int r = caller_look_up(c->thread.tid, ns_fd, &caller);

	if (r == 0 && !caller.net_admin) {
		r = caller_look_closer(c->thread.tid,
				       dev_table_policy_needs(server->table),
				       &caller);
		if (r == 0)
			r = dev_file_may_configure(c->file->dev_file, &caller,
						   ns_fd);
	}
	caller_forget(&caller);
	return r;
}

int ioctl_configure(const struct call *c)
{
	const struct host_permit permit = {
		.ask = may_configure,
		.arg = (void *)(uintptr_t)c,
	};

	return dev_file_configure(c->file->dev_file, &c->in.config, &permit);
}

int ioctl_get_link(const struct call *c, struct answer *a)
{
	a->size = sizeof(a->out.link);
	return dev_file_link(c->file->dev_file, &a->out.link);
}
