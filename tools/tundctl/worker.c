/* SPDX-License-Identifier: MIT */
/*
 * worker.c - decides what becomes of a notified ioctl. On tund's file the
 * daemon serves most by itself; on a socket that has taken its place all are
 * made on the file that is kept for it.
 */
#include "worker.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <tund/abi.h>

#include "actor.h"
#include "call.h"
#include "direct.h"
#include "tundctl.h"

/* All ioctls come through, so the daemon may offer what needs them. */
static void set_mode(const struct call *c)
{
	struct tund_mode mode = {.flags = TUND_MODE_ALL_IOCTLS};

	/* A daemon that does not know it offers less, and that works, too. */
	if (ioctl(c->file, TUND_IOC_MODE, &mode) < 0)
		return;
}

static unsigned int what_netns(unsigned int cmd)
{
	return cmd == SIOCGSKNS ? TUND_FD_NETNS : TUND_FD_DEVICE_NETNS;
}

/* SIOCGSKNS, TUNGETDEVNETNS: a FUSE server cannot return a descriptor. */
static _Noreturn void give_netns(struct call *c)
{
	int fd;

	if (actor_fd(c, what_netns(c->cmd), 0, true, &fd) < 0)
		call_answer(c, -EPERM);
	if (fd < 0)
		call_answer(c, fd);
	call_give(c, fd);
}

static _Noreturn void do_value(struct call *c)
{
	int result;

	/* What the kernel does without us is no more than it may. */
	if (actor_value(c, c->cmd, c->arg, &result) < 0)
		call_answer(c, -EPERM);
	call_log(c, "ioctl %#x of %#llx on descriptor %d: %d", c->cmd,
		 (unsigned long long)c->arg, c->number, result);
	call_answer(c, result);
}

static _Noreturn void do_on_file(struct call *c)
{
	if (tund_is_by_value(c->cmd))
		do_value(c);
	switch (c->cmd) {
	case TUNGETDEVNETNS:
	case SIOCGSKNS:
		give_netns(c);
	case TUNSETIFF:
		set_mode(c);
		if (c->context->plane != PLANE_FILE)
			direct_attach(c);
		call_continue(c);
	case TUNGETFEATURES:
		set_mode(c);
		call_continue(c);
	default:
		call_continue(c);
	}
}

static _Noreturn void do_on_socket(struct call *c)
{
	switch (c->cmd) {
	case TUNGETDEVNETNS:
	case SIOCGSKNS:
		give_netns(c);
	case TUNDETACHFILTER:
		direct_detach_filter(c);
	default:
		if (tund_is_by_value(c->cmd))
			do_value(c);
		direct_ioctl(c);
	}
}

_Noreturn void worker_run(const struct worker_context *context,
			  const struct seccomp_notif *request)
{
	struct call c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (call_open(context, request, &c)) {
	case CALL_FILE:
		do_on_file(&c);
	case CALL_DIRECT:
		do_on_socket(&c);
	default:
		call_continue(&c);
	}
}
