/* SPDX-License-Identifier: MIT */
/*
 * ioctl_slow.c - ioctls that wait for the kernel's configuration lock, or touch
 * the caller's memory, in threads that may wait. What they do, where they need
 * no more than one call, is in ioctl.c.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>

#include "dev/knob.h"
#include "dev/table.h"
#include "fuse/caller.h"
#include "fuse/ioctl.h"
#include <tund/abi.h>

struct slow_call {
	struct work work;
	struct call call;
	/* The caller's, read once. */
	struct raw_ifreq ifr;
	struct dev_caller caller;
	unsigned int looked; /* POLICY_NEEDS_* that the caller has */
	uint64_t deadline_ms;
};

static struct fs_server *server_of(const struct slow_call *slow)
{
	return fuse_req_userdata(slow->call.req);
}

static struct work_queue *queue_of(struct fs_server *server,
				   const struct call *c)
{
	return server->slow_calls[slow_queue_of(c->thread.uid)];
}

static void end_call(struct slow_call *slow, int result, const void *out,
		     size_t size)
{
	ioctl_reply(&slow->call, result, out, size);
	caller_forget(&slow->caller);
	free(slow);
}

/* ---- TUNSETIFF ---- */

/* Rules that have come meanwhile may ask for more. */
static int look_closer(struct slow_call *slow)
{
	unsigned int needs =
		dev_table_policy_needs(server_of(slow)->table) & ~slow->looked;

	slow->looked |= needs;
	return caller_look_closer(slow->call.thread.tid, needs, &slow->caller);
}

static int set_iff(struct slow_call *slow)
{
	bool stopping = server_of(slow)->stopping;
	const struct call *c = &slow->call;
	char name[IFNAMSIZ];
	int r;

	r = look_closer(slow);
	if (r < 0)
		return r;
	r = dev_file_attach(c->file->dev_file, slow->ifr.name,
			    (uint16_t)slow->ifr.u.flags, &slow->caller,
			    stopping ? 0 : slow->deadline_ms, name);
	if (r != DEV_ATTACHED)
		return r;
	/* What was behind the name stays, as with the kernel. */
	strcpy(slow->ifr.name, name);
	/* The device stays when its name cannot be told. */
	return ioctl_write_ifreq(c, &slow->ifr);
}

static void set_iff_again(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	struct work_queue *queue = queue_of(server_of(slow), &slow->call);
	uint64_t wakes = work_wakes(queue);
	/* Not after it: the time may have passed that it still had. */
	uint64_t due_ms = dev_attach_due_ms(slow->deadline_ms);
	int r = set_iff(slow);

	if (r == DEV_ATTACH_AGAIN)
		work_put_later(queue, work, wakes, due_ms);
	else
		end_call(slow, r, NULL, 0);
}

static void set_iff_begin(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	const struct call *c = &slow->call;
	int r = ioctl_read_ifreq(c, &slow->ifr);

	/* A name that is too long is cut off, as the kernel does. */
	slow->ifr.name[IFNAMSIZ - 1] = '\0';
	if (r == 0)
		r = caller_look_up(c->thread.tid,
				   dev_file_ns(c->file->dev_file),
				   &slow->caller);
	if (r < 0) {
		end_call(slow, r, NULL, 0);
		return;
	}
	slow->deadline_ms = now_ms() + DEV_ATTACH_MS;
	slow->work.run = set_iff_again;
	set_iff_again(work);
}

/* ---- the others ---- */

static void set_carrier(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	int r = dev_set_carrier(slow->call.file->dev_file,
				slow->call.in.number != 0);

	end_call(slow, r, NULL, 0);
}

static void set_mac(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	int r = ioctl_read_ifreq(&slow->call, &slow->ifr);

	if (r == 0)
		r = dev_set_mac(slow->call.file->dev_file,
				slow->ifr.u.hwaddr.family,
				slow->ifr.u.hwaddr.data);
	end_call(slow, r, NULL, 0);
}

static void call_once(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);

	ioctl_call(&slow->call);
	free(slow);
}

static void (*slow_function(unsigned int cmd))(struct work *work)
{
	switch (cmd) {
	case TUNSETIFF:
		return set_iff_begin;
	case TUNSETCARRIER:
		return set_carrier;
	case SIOCSIFHWADDR:
		return set_mac;
	case TUNGETIFF:
	case TUNSETQUEUE:
	case TUNATTACHFILTER:
	case TUNSETTXFILTER:
	case TUNSETSTEERINGEBPF:
	case TUNSETFILTEREBPF:
	case TUND_IOC_STATS:
	case TUND_IOC_VALUE:
	case TUND_IOC_FD:
	case TUND_IOC_DEVICE:
	case TUND_IOC_CONFIG:
		return call_once;
	case SIOCGSKNS:
		return NULL;
	default:
		/* All that have to do with interfaces bring a struct ifreq. */
		return _IOC_TYPE(cmd) == 0x89 || tund_is_by_value(cmd)
			       ? call_once
			       : NULL;
	}
}

bool ioctl_is_slow(unsigned int cmd)
{
	return slow_function(cmd) != NULL;
}

void ioctl_slow(const struct call *c)
{
	struct fs_server *server = fuse_req_userdata(c->req);
	struct slow_call *slow = calloc(1, sizeof(*slow));

	if (!slow) {
		ioctl_reply(c, -ENOMEM, NULL, 0);
		return;
	}
	slow->call = *c;
	slow->work.run = slow_function(c->cmd);
	work_put(queue_of(server, c), &slow->work);
}
