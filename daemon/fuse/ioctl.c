/* SPDX-License-Identifier: MIT */
/*
 * ioctl.c - the ioctls of the device file, in the kernel's order of checks.
 * What the kernel keeps from a FUSE server is listed in tund(4).
 */
#include "fuse/ioctl.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>

#include "dev/filter.h"
#include "dev/knob.h"
#include "fuse/caller.h"
#include <tund/abi.h>

#define FEATURES                                                               \
	(IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE | IFF_NO_CARRIER |      \
	 IFF_MULTI_QUEUE | IFF_NAPI | IFF_NAPI_FRAGS)

void ioctl_reply(const struct call *c, int result, const void *out, size_t size)
{
	if (result < 0)
		fuse_reply_err(c->req, -result);
	else
		fuse_reply_ioctl(c->req, result, out, size);
	fs_file_put(c->file);
}

int ioctl_read_ifreq(const struct call *c, struct raw_ifreq *ret_ifr)
{
	memset(ret_ifr, 0, sizeof(*ret_ifr));
	return callermem_read(&c->thread, c->arg, ret_ifr, c->ifreq_size);
}

int ioctl_write_ifreq(const struct call *c, const struct raw_ifreq *ifr)
{
	return callermem_write(&c->thread, c->arg, ifr, c->ifreq_size);
}

/* ---- the number is the argument ---- */

/* (uint32_t)-1 is the kernel's "no such user", as well as ours. */
static uint32_t map_id(const struct call *c, const char *map, uint64_t value)
{
	return caller_map_id(c->thread.tid, map, (uint32_t)value);
}

static int call_by_value(const struct call *c, unsigned int cmd, uint64_t value)
{
	struct dev_file *file = c->file->dev_file;

	if (!dev_file_attached(file))
		return -EBADFD;
	switch (cmd) {
	case TUNSETNOCSUM:
	case TUNSETDEBUG:
		/* Neither has an effect on the kernel's TUN. */
		return 0;
	case TUNSETPERSIST:
		return dev_set_persist(file, value != 0);
	case TUNSETOWNER:
		return dev_set_owner(file, map_id(c, "uid_map", value));
	case TUNSETGROUP:
		return dev_set_group(file, map_id(c, "gid_map", value));
	case TUNSETLINK:
		return dev_set_link_type(file, (unsigned int)value);
	case TUNSETOFFLOAD:
		return dev_set_offload(file, value);
	default:
		/* TUNDETACHFILTER. */
		return dev_filter_set(file, NULL, 0);
	}
}

static int call_value(const struct call *c)
{
	const struct tund_value *value = &c->in.value;

	if (!tund_is_by_value(value->cmd) || value->reserved != 0)
		return -EINVAL;
	return call_by_value(c, value->cmd, value->value);
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
	ifr.u.flags = (int16_t)flags;
	return ioctl_write_ifreq(c, &ifr);
}

static int get_mac(const struct call *c)
{
	struct raw_ifreq ifr;
	unsigned int family;
	uint8_t mac[6];
	int r;

	r = ioctl_read_ifreq(c, &ifr);
	if (r < 0)
		return r;
	r = dev_get_mac(c->file->dev_file, &family, mac);
	if (r < 0)
		return r;
	memset(&ifr.u.hwaddr, 0, sizeof(ifr.u.hwaddr));
	ifr.u.hwaddr.family = (uint16_t)family;
	memcpy(ifr.u.hwaddr.data, mac, sizeof(mac));
	return ioctl_write_ifreq(c, &ifr);
}

static int set_ifindex(const struct call *c)
{
	if (dev_file_attached(c->file->dev_file))
		return -EPERM;
	return dev_file_set_ifindex(c->file->dev_file, c->in.number);
}

static int get_info(const struct call *c, struct answer *a)
{
	struct fs_server *server = fuse_req_userdata(c->req);

	a->out.info = (struct tund_info){
		.abi_version = TUND_ABI_VERSION,
		.max_packet = TUND_MAX_PACKET,
		.abilities = TUND_ABILITY_BATCH | TUND_ABILITY_CONFIG |
			     server->abilities,
	};
	a->size = sizeof(a->out.info);
	return 0;
}

static int next_device(const struct call *c, struct answer *a)
{
	struct tund_device *device = &a->out.device;
	pid_t tid = c->thread.tid;
	int r;

	*device = c->in.device;
	r = dev_file_next_device(c->file->dev_file, device);
	if (r < 0)
		return r;
	if (device->owner != TUND_NO_ID)
		device->owner = caller_unmap_id(tid, "uid_map", device->owner);
	if (device->group != TUND_NO_ID)
		device->group = caller_unmap_id(tid, "gid_map", device->group);
	a->size = sizeof(*device);
	return 0;
}

static int get_stats(const struct call *c, struct answer *a)
{
	a->size = sizeof(a->out.stats);
	return dev_file_stats(c->file->dev_file, &a->out.stats);
}

static int get_features(const struct call *c)
{
	struct tund_mode mode;

	dev_file_get_mode(c->file->dev_file, &mode);
	return mode.flags & TUND_MODE_ALL_IOCTLS ? FEATURES | IFF_VNET_HDR
						 : FEATURES;
}

static int answer_number(struct answer *a, int result, int number)
{
	a->out.number = number;
	a->size = sizeof(a->out.number);
	return result;
}

/* Those that need no device; `ifr` is the caller's, for TUNSETQUEUE. */
static int call_any(const struct call *c, const struct raw_ifreq *ifr,
		    struct answer *a)
{
	switch (c->cmd) {
	case TUNGETFEATURES:
		return answer_number(a, 0, get_features(c));
	case TUNSETQUEUE:
		return dev_file_set_queue(c->file->dev_file,
					  (uint16_t)ifr->u.flags);
	case SIOCGSKNS:
		/* A FUSE server cannot give its client a descriptor. */
		return -EOPNOTSUPP;
	case TUNSETIFINDEX:
		return set_ifindex(c);
	case TUND_IOC_INFO:
		return get_info(c, a);
	case TUND_IOC_MODE:
		return dev_file_set_mode(c->file->dev_file, &c->in.mode);
	case TUND_IOC_FD:
		return ioctl_send_fd(c);
	case TUND_IOC_DEVICE:
		return next_device(c, a);
	default:
		return 1;
	}
}

static int call_attached(const struct call *c, struct answer *a)
{
	struct dev_file *file = c->file->dev_file;
	int number = 0, r;

	switch (c->cmd) {
	case TUNGETIFF:
		return get_iff(c);
	case TUNGETSNDBUF:
		r = dev_get_sndbuf(file, &number);
		return answer_number(a, r, number);
	case TUNSETSNDBUF:
		return dev_set_sndbuf(file, c->in.number);
	case TUNGETVNETHDRSZ:
		r = dev_get_vnet_hdr_size(file, &number);
		return answer_number(a, r, number);
	case TUNSETVNETHDRSZ:
		return dev_set_vnet_hdr_size(file, c->in.number);
	case TUNGETVNETLE:
		r = dev_get_vnet_le(file, &number);
		return answer_number(a, r, number);
	case TUNSETVNETLE:
		return dev_set_vnet_le(file, c->in.number != 0);
	case SIOCGIFHWADDR:
		return get_mac(c);
	case TUNATTACHFILTER:
		return ioctl_attach_filter(c);
	case TUNGETFILTER:
		return ioctl_get_filter(c, a);
	case TUNSETTXFILTER:
		return ioctl_set_mac_filter(c);
	case TUNSETSTEERINGEBPF:
	case TUNSETFILTEREBPF:
		return ioctl_set_ebpf(c);
	case TUND_IOC_STATS:
		return get_stats(c, a);
	case TUND_IOC_VALUE:
		return call_value(c);
	case TUND_IOC_CONFIG:
		return ioctl_configure(c);
	case TUND_IOC_LINK:
		return ioctl_get_link(c, a);
	default:
		/* The number may be an address that is mapped by chance. */
		if (tund_is_by_value(c->cmd))
			return call_by_value(c, c->cmd, c->arg);
		return dev_file_attached(file) ? -EINVAL : -EBADFD;
	}
}

/* Before anything else is looked at, as the kernel does. */
static bool copies_ifreq(unsigned int cmd)
{
	return cmd == TUNSETQUEUE ||
	       (_IOC_TYPE(cmd) == 0x89 && cmd != SIOCGSKNS);
}

static int call(const struct call *c, struct answer *a)
{
	struct raw_ifreq ifr = {0};
	int r;

	if (copies_ifreq(c->cmd)) {
		r = ioctl_read_ifreq(c, &ifr);
		if (r < 0)
			return r;
	}
	r = call_any(c, &ifr, a);
	return r == 1 ? call_attached(c, a) : r;
}

void ioctl_call(const struct call *c)
{
	struct answer answer = {0};
	int r = call(c, &answer);

	ioctl_reply(c, r, &answer.out, r < 0 ? 0 : answer.size);
}

void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	      size_t in_size, size_t out_size)
{
	struct call c = {
		.req = req,
		.cmd = cmd,
		.thread = {fuse_req_ctx(req)->pid, fuse_req_ctx(req)->uid},
		.arg = (uintptr_t)arg,
		.in_size = in_size,
		.ifreq_size = flags & FUSE_IOCTL_COMPAT ? IFREQ_SIZE_COMPAT
							: IFREQ_SIZE,
	};

	if (in_size > 0)
		memcpy(&c.in, in_buf,
		       in_size < sizeof(c.in) ? in_size : sizeof(c.in));
	c.file = fs_file_get(fuse_req_userdata(req), fi);
	if (!c.file)
		fuse_reply_err(req, EBADF);
	else if (ioctl_is_slow(cmd))
		ioctl_slow(&c);
	else
		ioctl_call(&c);
}
