/* SPDX-License-Identifier: MIT */
/* actor.c - a limb that becomes the thread, makes the ioctl and ends. */
#include "actor.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <tund/abi.h>

#include "carry.h"
#include "fetch.h"
#include "identity.h"
#include "limb.h"
#include "tundctl.h"

/* The daemon needs a few seconds at most, for a name that is in use. */
#define ACTOR_SECONDS 30

struct act {
	const struct call *call;
	unsigned int cmd;
	void *arg;
	bool as_thread;
	struct {
		bool taken;
		int result;
	} * shared;
};

static void act(void *context)
{
	const struct act *a = context;
	const struct call *c = a->call;
	int r;

	/* What the thread's user might reach in us is not his. */
	close(c->context->supervisor);
	if (a->as_thread && identity_take(c->context->proc, c->tid) < 0)
		return;
	a->shared->taken = true;
	close(c->context->listener);
	r = ioctl(c->file, a->cmd, a->arg);
	a->shared->result = r < 0 ? -errno : r;
}

static int run(struct act *a, int *ret_result)
{
	int r;

	a->shared = limb_memory(sizeof(*a->shared));
	if (!a->shared)
		return -1;
	a->shared->result = -EIO;
	r = limb_run(act, a, ACTOR_SECONDS);
	if (!a->shared->taken) {
		call_log(a->call, "its rights cannot be taken over");
		return -1;
	}
	*ret_result = r < 0 ? r : a->shared->result;
	return 0;
}

int actor_ioctl(const struct call *c, unsigned int cmd, void *shared,
		int *ret_result)
{
	struct act a = {
		.call = c,
		.cmd = cmd,
		.arg = shared,
		.as_thread = true,
	};

	return run(&a, ret_result);
}

int actor_value(const struct call *c, unsigned int cmd, uint64_t value,
		int *ret_result)
{
	struct tund_value v = {.cmd = cmd, .value = value};

	return actor_ioctl(c, TUND_IOC_VALUE, &v, ret_result);
}

struct fd_call {
	const struct call *call;
	bool as_thread;
	int r;
};

static int ask_fd(void *context, struct tund_fd *request)
{
	struct fd_call *f = context;
	struct act a = {
		.call = f->call,
		.cmd = TUND_IOC_FD,
		.arg = request,
		.as_thread = f->as_thread,
	};
	int result = -EPERM;

	f->r = run(&a, &result);
	return result;
}

int actor_fd(const struct call *c, unsigned int what, unsigned int flags,
	     bool as_thread, int *ret_result)
{
	struct fd_call f = {.call = c, .as_thread = as_thread, .r = -1};
	int result = tunclient_fetch_fd_(what, flags, ask_fd, &f);

	if (f.r == 0)
		*ret_result = result;
	return f.r;
}
