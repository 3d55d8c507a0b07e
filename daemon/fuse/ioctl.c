/* SPDX-License-Identifier: MIT */
/*
 * ioctl.c - the ioctls of the device file, in the kernel's order of checks.
 * What the kernel keeps from a FUSE server is listed in tund(4).
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/caller.h"
#include "fuse/callermem.h"
#include "fuse/private.h"
#include <tund/abi.h>

#define FEATURES                                                               \
	(IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE | IFF_NO_CARRIER)

/* struct ifreq as the caller has it: only its size depends on the program. */
#define IFREQ_SIZE	  40
#define IFREQ_SIZE_COMPAT 32

struct raw_ifreq {
	char name[IFNAMSIZ];
	int16_t flags;
	uint8_t rest[IFREQ_SIZE - IFNAMSIZ - 2];
};

_Static_assert(sizeof(struct raw_ifreq) == IFREQ_SIZE, "no padding");

/* One ioctl in progress. */
struct call {
	fuse_req_t req;
	struct fs_file *file;
	pid_t tid;
	uint64_t arg;
	const void *in;
	size_t in_size;
	size_t ifreq_size;
};

static void reply(fuse_req_t req, int result, const void *out, size_t size)
{
	if (result < 0)
		fuse_reply_err(req, -result);
	else
		fuse_reply_ioctl(req, result, out, size);
}

static int read_ifreq(const struct call *c, struct raw_ifreq *ret_ifr)
{
	memset(ret_ifr, 0, sizeof(*ret_ifr));
	return callermem_read(c->tid, c->arg, ret_ifr, c->ifreq_size);
}

/* ---- those that wait for the kernel, in a thread that may ---- */

struct slow_call {
	struct work work;
	struct call call;
	/* TUNSETIFF's, read once. */
	struct raw_ifreq ifr;
	struct dev_caller caller;
	uint64_t deadline_ms;
};

static struct fs_server *server_of(const struct slow_call *slow)
{
	return fuse_req_userdata(slow->call.req);
}

static void end_call(struct slow_call *slow, int result, const void *out,
		     size_t size)
{
	reply(slow->call.req, result, out, size);
	fs_file_put(slow->call.file);
	free(slow);
}

static int set_iff(struct slow_call *slow)
{
	bool stopping = server_of(slow)->stopping;
	const struct call *c = &slow->call;
	char name[IFNAMSIZ];
	int r;

	r = dev_file_attach(c->file->dev_file, slow->ifr.name,
			    (uint16_t)slow->ifr.flags, &slow->caller,
			    stopping ? 0 : slow->deadline_ms, name);
	if (r != DEV_ATTACHED)
		return r;
	/* What was behind the name stays, as with the kernel. */
	strcpy(slow->ifr.name, name);
	/* The device stays when its name cannot be told. */
	return callermem_write(c->tid, c->arg, &slow->ifr, c->ifreq_size);
}

static void set_iff_run(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	int r = set_iff(slow);

	if (r == DEV_ATTACH_AGAIN)
		work_put_later(server_of(slow)->slow_calls, work,
			       slow->deadline_ms);
	else
		end_call(slow, r, NULL, 0);
}

static void set_iff_begin(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	const struct call *c = &slow->call;
	int r = read_ifreq(c, &slow->ifr);

	if (r < 0) {
		end_call(slow, r, NULL, 0);
		return;
	}
	/* A name that is too long is cut off, as the kernel does. */
	slow->ifr.name[IFNAMSIZ - 1] = '\0';
	slow->caller.net_admin =
		caller_net_admin(c->tid, dev_file_ns(c->file->dev_file));
	slow->deadline_ms = now_ms() + DEV_ATTACH_MS;
	slow->work.run = set_iff_run;
	set_iff_run(work);
}

static void get_stats_run(struct work *work)
{
	struct slow_call *slow = container_of(work, struct slow_call, work);
	struct tund_stats stats;
	int r = dev_file_stats(slow->call.file->dev_file, &stats);

	end_call(slow, r, &stats, sizeof(stats));
}

/* The call is answered later; its file goes along. */
static void call_later(const struct call *c, void (*run)(struct work *work))
{
	struct fs_server *server = fuse_req_userdata(c->req);
	struct slow_call *slow = calloc(1, sizeof(*slow));

	if (!slow) {
		reply(c->req, -ENOMEM, NULL, 0);
		fs_file_put(c->file);
		return;
	}
	slow->call = *c;
	slow->work.run = run;
	work_put(server->slow_calls, &slow->work);
}

/* ---- the others ---- */

static int get_iff(const struct call *c)
{
	struct raw_ifreq ifr = {0};
	unsigned int flags;
	int r;

	r = dev_file_describe(c->file->dev_file, ifr.name, &flags);
	if (r < 0)
		return r;
	ifr.flags = (int16_t)flags;
	return callermem_write(c->tid, c->arg, &ifr, c->ifreq_size);
}

static int set_ifindex(const struct call *c)
{
	int32_t ifindex;

	if (dev_file_attached(c->file->dev_file))
		return -EPERM;
	if (c->in_size < sizeof(ifindex))
		return -EFAULT;
	memcpy(&ifindex, c->in, sizeof(ifindex));
	return dev_file_set_ifindex(c->file->dev_file, ifindex);
}

static bool is_socket_ioctl(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == 0x89 && cmd != SIOCGSKNS;
}

/* Answers in `out`; the result is what the ioctl returns. */
static int call_now(const struct call *c, unsigned int cmd, void *out,
		    size_t *ret_size)
{
	static const struct tund_info info = {
		.abi_version = TUND_ABI_VERSION,
		.max_packet = TUND_MAX_PACKET,
	};
	static const uint32_t features = FEATURES;
	struct raw_ifreq ifr;
	int r;

	/* The kernel copies the ifreq before it looks at anything else. */
	if (cmd == TUNSETQUEUE || is_socket_ioctl(cmd)) {
		r = read_ifreq(c, &ifr);
		if (r < 0)
			return r;
	}
	switch (cmd) {
	case TUNGETFEATURES:
		memcpy(out, &features, sizeof(features));
		*ret_size = sizeof(features);
		return 0;
	case TUNSETQUEUE:
		/* No device has queues to attach or detach. */
		return -EINVAL;
	case SIOCGSKNS:
		/* A FUSE server cannot give its client a descriptor. */
		return -EOPNOTSUPP;
	case TUND_IOC_INFO:
		memcpy(out, &info, sizeof(info));
		*ret_size = sizeof(info);
		return 0;
	case TUNSETIFINDEX:
		return set_ifindex(c);
	case TUNGETIFF:
		return get_iff(c);
	default:
		return dev_file_attached(c->file->dev_file) ? -EINVAL : -EBADFD;
	}
}

void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	      size_t in_size, size_t out_size)
{
	union {
		struct tund_info info;
		uint32_t number;
	} out;
	struct call c = {
		.req = req,
		.tid = fuse_req_ctx(req)->pid,
		.arg = (uintptr_t)arg,
		.in = in_buf,
		.in_size = in_size,
		.ifreq_size = flags & FUSE_IOCTL_COMPAT ? IFREQ_SIZE_COMPAT
							: IFREQ_SIZE,
	};
	size_t size = 0;
	int r;

	c.file = fs_file_get(fuse_req_userdata(req), fi);
	if (!c.file) {
		reply(req, -EBADF, NULL, 0);
		return;
	}
	switch (cmd) {
	case TUNSETIFF:
		call_later(&c, set_iff_begin);
		return;
	case TUND_IOC_STATS:
		call_later(&c, get_stats_run);
		return;
	default:
		r = call_now(&c, cmd, &out, &size);
		reply(req, r, &out, r < 0 ? 0 : size);
		fs_file_put(c.file);
	}
}
