/* SPDX-License-Identifier: MIT */
/*
 * direct_ioctl.c - TUN's ioctls on a socket: their arguments are carried
 * between the program's memory and ours, the kept file gets the call, and what
 * the daemon cannot do to the socket is done to it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "carry.h"
#include "direct.h"
#include "limb.h"
#include "tundctl.h"

enum {
	IN = 1,
	OUT = 2,
	IFREQ = 4, /* size: the program's struct ifreq */
};

static const struct argument {
	unsigned int cmd;
	int how;
	size_t size;
} arguments[] = {
	{TUNSETIFF, IN | IFREQ, 0},
	{TUNSETQUEUE, IN | IFREQ, 0},
	{TUNGETIFF, OUT | IFREQ, 0},
	{SIOCGIFHWADDR, IN | OUT | IFREQ, 0},
	{SIOCSIFHWADDR, IN | IFREQ, 0},
	{TUNGETFEATURES, OUT, 4},
	{TUNGETSNDBUF, OUT, 4},
	{TUNSETSNDBUF, IN, 4},
	{TUNGETVNETHDRSZ, OUT, 4},
	{TUNSETVNETHDRSZ, IN, 4},
	{TUNSETIFINDEX, IN, 4},
	{TUNGETVNETLE, OUT, 4},
	{TUNSETVNETLE, IN, 4},
	{TUNGETVNETBE, OUT, 4},
	{TUNSETVNETBE, IN, 4},
	{TUNSETCARRIER, IN, 4},
	{TUNSETSTEERINGEBPF, IN, 4},
	{TUNSETFILTEREBPF, IN, 4},
	{TUNATTACHFILTER, IN, sizeof(struct sock_fprog)},
	{TUNGETFILTER, OUT, sizeof(struct sock_fprog)},
	{TUNSETTXFILTER, IN, sizeof(struct tun_filter)},
};

static const struct argument *find(unsigned int cmd)
{
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
		if (arguments[i].cmd == cmd)
			return &arguments[i];
	return NULL;
}

static int act(struct call *c, void *shared)
{
	int result;

	return actor_ioctl(c, c->cmd, shared, &result) < 0 ? -EPERM : result;
}

/* ---- those that reach further than their argument ---- */

/* The addresses follow their number. */
static int set_tx_filter(struct call *c, const struct tun_filter *head)
{
	size_t size = sizeof(*head) + head->count * 6U;
	struct tun_filter *whole = limb_memory(size);
	unsigned int count = head->count;
	int r;

	if (!whole)
		return -ENOMEM;
	r = call_read(c, c->arg, whole, size);
	/* It may have been changed meanwhile. */
	whole->count = (__u16)count;
	return r < 0 ? r : act(c, whole);
}

static int attach_filter(struct call *c, struct sock_fprog *program)
{
	size_t size = program->len * sizeof(struct sock_filter);
	struct sock_filter *code = limb_memory(size);
	int r;

	if (!code)
		return -ENOMEM;
	r = call_read(c, (uintptr_t)program->filter, code, size);
	if (r < 0)
		return r;
	program->filter = code;
	r = act(c, program);
	if (r == 0 && setsockopt(c->copy, SOL_SOCKET, SO_ATTACH_FILTER, program,
				 sizeof(*program)) < 0)
		r = -errno;
	return r;
}

/* Our own number for the program's descriptor. */
static int set_bpf(struct call *c, int *number)
{
	int fd, r;

	if (*number == -1)
		return act(c, number);
	fd = call_copy(c, *number);
	if (fd < 0)
		return fd;
	*number = fd;
	r = act(c, number);
	close(fd);
	return r;
}

static int set_vnet_header_size(struct call *c, int *shared)
{
	int r = carry_set_vnet_header_size(c->copy, *shared);

	return r < 0 ? r : act(c, shared);
}

/* ---- */

static int make_call(struct call *c, void *shared)
{
	switch (c->cmd) {
	case TUNSETTXFILTER:
		return set_tx_filter(c, shared);
	case TUNATTACHFILTER:
		return attach_filter(c, shared);
	case TUNSETSTEERINGEBPF:
	case TUNSETFILTEREBPF:
		return set_bpf(c, shared);
	case TUNSETVNETHDRSZ:
		return set_vnet_header_size(c, shared);
	default:
		return act(c, shared);
	}
}

_Noreturn void direct_ioctl(struct call *c)
{
	const struct argument *a = find(c->cmd);
	size_t size = !a ? 0 : a->how & IFREQ ? c->ifreq_size : a->size;
	/* Ours is the larger one, whatever the program's. */
	void *shared = limb_memory(64);
	int r = 0;

	if (!a)
		call_continue(c);
	if (!shared)
		call_answer(c, -ENOMEM);
	if (a->how & IN)
		r = call_read(c, c->arg, shared, size);
	if (r == 0)
		r = make_call(c, shared);
	if (r >= 0 && a->how & OUT && call_write(c, c->arg, shared, size) < 0)
		r = -EFAULT;
	call_answer(c, r);
}

_Noreturn void direct_detach_filter(struct call *c)
{
	int result, unused = 0;

	if (actor_value(c, c->cmd, c->arg, &result) < 0)
		call_answer(c, -EPERM);
	if (result == 0)
		setsockopt(c->copy, SOL_SOCKET, SO_DETACH_FILTER, &unused,
			   sizeof(unused));
	call_answer(c, result);
}
