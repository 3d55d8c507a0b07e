/* SPDX-License-Identifier: MIT */
/*
 * knob.c - checks and keeps; the carrier, the address and the offloads reach
 * the host.
 */
#include "dev/knob.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <string.h>
#include <unistd.h>

#include "dev/device.h"
#include "dev/file.h"
#include "dev/tapped.h"

/* Newer than the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#define F_UDP_TUNNEL_GSO      0x80
#define F_UDP_TUNNEL_GSO_CSUM 0x100

void dev_knobs_init(struct dev_knobs *ret_knobs, bool tap)
{
	*ret_knobs = (struct dev_knobs){
		.vnet_hdr_size = sizeof(struct virtio_net_hdr),
		.link_type = tap ? ARPHRD_ETHER : ARPHRD_NONE,
		.max_queues = HOST_MAX_QUEUES,
		.may_offload = ~0u,
	};
}

/* The file's device with its lock held, or NULL. */
static struct device *lock_device(struct dev_file *file)
	TUND_TSA(no_thread_safety_analysis)
{
	struct device *dev = dev_file_device(file);

	if (dev)
		lock_acquire(&dev->lock);
	return dev;
}

static void unlock_device(struct device *dev)
	TUND_TSA(no_thread_safety_analysis)
{
	lock_release(&dev->lock);
	device_unref(dev);
}

/* Whose it is may be another matter now. */
static void unlock_device_of_others(struct device *dev)
	TUND_TSA(no_thread_safety_analysis)
{
	lock_release(&dev->lock);
	dev_taps_judge(dev);
	device_unref(dev);
}

/* Whether who is attached is so by a rule, in place of CAP_NET_ADMIN. */
static bool is_by_rule(struct dev_file *file)
{
	struct dev_queue *queue = dev_file_queue(file);
	bool by_rule = !queue || queue->grant.stands_in;

	if (queue)
		dev_queue_unref(queue);
	return by_rule;
}

/*
 * Not who has it by a rule alone, if it was not made so: the owner may attach,
 * and see its packets. Under the device's lock.
 */
static bool may_give_locked(const struct device *dev, bool by_rule)
{
	return !dev->knobs.declared && (!by_rule || dev->knobs.by_rule);
}

int dev_set_persist(struct dev_file *file, bool on)
{
	struct device *dev = lock_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	if (!on && dev->knobs.declared)
		r = -EPERM;
	else
		dev->knobs.persist = on;
	unlock_device(dev);
	return r;
}

int dev_set_owner(struct dev_file *file, uid_t owner)
{
	bool by_rule = is_by_rule(file);
	struct device *dev = lock_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	if (owner == (uid_t)-1) {
		r = -EINVAL;
	} else if (!may_give_locked(dev, by_rule)) {
		r = -EPERM;
	} else {
		dev->knobs.owner = owner;
		dev->knobs.has_owner = true;
		dev->knobs.by_rule = by_rule;
	}
	unlock_device_of_others(dev);
	return r;
}

int dev_set_group(struct dev_file *file, gid_t group)
{
	bool by_rule = is_by_rule(file);
	struct device *dev = lock_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	if (group == (gid_t)-1) {
		r = -EINVAL;
	} else if (!may_give_locked(dev, by_rule)) {
		r = -EPERM;
	} else {
		dev->knobs.group = group;
		dev->knobs.has_group = true;
		dev->knobs.by_rule = by_rule;
	}
	unlock_device_of_others(dev);
	return r;
}

int dev_set_sndbuf(struct dev_file *file, int bytes)
{
	struct device *dev = lock_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	if (bytes <= 0)
		r = -EINVAL;
	/* Queues that are switched off, or come later, do not get it. */
	for (unsigned int i = 0; r == 0 && i < dev->queues.n_on; i++)
		dev->queues.on[i]->sndbuf = bytes;
	unlock_device(dev);
	return r;
}

int dev_get_sndbuf(struct dev_file *file, int *ret_bytes)
{
	struct dev_queue *queue = dev_file_queue(file);

	if (!queue)
		return -EBADFD;
	lock_acquire(&queue->dev->lock);
	*ret_bytes = queue->sndbuf;
	lock_release(&queue->dev->lock);
	dev_queue_unref(queue);
	return 0;
}

int dev_set_vnet_hdr_size(struct dev_file *file, int bytes)
{
	struct device *dev = lock_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	if (bytes < (int)sizeof(struct virtio_net_hdr))
		r = -EINVAL;
	else
		dev->knobs.vnet_hdr_size = bytes;
	unlock_device(dev);
	return r;
}

int dev_get_vnet_hdr_size(struct dev_file *file, int *ret_bytes)
{
	struct device *dev = lock_device(file);

	if (!dev)
		return -EBADFD;
	*ret_bytes = dev->knobs.vnet_hdr_size;
	unlock_device(dev);
	return 0;
}

int dev_set_vnet_le(struct dev_file *file, bool on)
{
	struct device *dev = lock_device(file);

	if (!dev)
		return -EBADFD;
	dev->knobs.vnet_le = on;
	unlock_device(dev);
	return 0;
}

int dev_get_vnet_le(struct dev_file *file, int *ret_on)
{
	struct device *dev = lock_device(file);

	if (!dev)
		return -EBADFD;
	*ret_on = dev->knobs.vnet_le;
	unlock_device(dev);
	return 0;
}

/* Takes off what goes together; what is left over is not known. */
static bool valid_offload(uint64_t flags)
{
	uint64_t left = flags;
	uint64_t uso = TUN_F_USO4 | TUN_F_USO6;
	uint64_t tso = TUN_F_TSO4 | TUN_F_TSO6;

	if (left & TUN_F_CSUM) {
		bool segments = left & tso || (left & uso) == uso;

		left &= ~(uint64_t)TUN_F_CSUM;
		if (left & tso)
			left &= ~(TUN_F_TSO_ECN | tso);
		left &= ~(uint64_t)TUN_F_UFO;
		if ((left & uso) == uso)
			left &= ~uso;
		/* The second of these is nothing without the first. */
		if (segments && left & F_UDP_TUNNEL_GSO)
			left &= ~(uint64_t)(F_UDP_TUNNEL_GSO |
					    F_UDP_TUNNEL_GSO_CSUM);
	}
	return left == 0;
}

int dev_set_offload(struct dev_file *file, uint64_t flags)
{
	struct device *dev = dev_file_device(file);
	unsigned int may_offload;
	int r = 0;

	if (!dev)
		return -EBADFD;
	lock_acquire(&dev->lock);
	may_offload = dev->knobs.may_offload;
	lock_release(&dev->lock);
	if (!valid_offload(flags) || (flags & ~(uint64_t)may_offload))
		r = -EINVAL;
	/* Without IFF_VNET_HDR, too: it is the program that asks for that. */
	if (r == 0)
		r = dev->host->set_offload(dev->link,
					   dev_file_home_ns(file, dev),
					   (unsigned int)flags);
	if (r == 0) {
		lock_acquire(&dev->lock);
		dev->knobs.offload = (unsigned int)flags;
		lock_release(&dev->lock);
	}
	device_unref(dev);
	return r;
}

int dev_set_link_type(struct dev_file *file, unsigned int type)
{
	struct device *dev = dev_file_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	dev->host->sync(dev->link);
	lock_acquire(&dev->lock);
	if (dev->state.up)
		r = -EBUSY;
	else
		dev->knobs.link_type = (uint16_t)type;
	lock_release(&dev->lock);
	device_unref(dev);
	return r;
}

int dev_set_carrier(struct dev_file *file, bool on)
{
	struct device *dev = dev_file_device(file);
	int r = 0;

	if (!dev)
		return -EBADFD;
	/* All its queues are switched off. */
	lock_acquire(&dev->lock);
	if (on && dev->queues.n_on == 0)
		r = -EPERM;
	lock_release(&dev->lock);
	if (r == 0)
		r = dev->host->set_carrier(dev->link, on);
	device_unref(dev);
	return r;
}

static int set_mac(struct device *dev, int home_ns_fd, const uint8_t mac[6])
{
	const struct host_ops *host = dev->host;
	struct host_state state;
	struct host_ns *ns;
	int ns_fd, r;

	host->sync(dev->link);
	r = host->open_ns(dev->link, home_ns_fd, &ns_fd);
	if (r < 0)
		return r;
	device_get_state(dev, &state);
	r = host->ns_open(ns_fd, &ns);
	if (r == 0) {
		r = host->set_mac(ns, state.ifindex, mac);
		host->ns_close(ns);
	}
	close(ns_fd);
	return r;
}

int dev_set_mac(struct dev_file *file, unsigned int family,
		const uint8_t mac[6])
{
	static const uint8_t zero[6];
	struct device *dev = dev_file_device(file);
	int r;

	if (!dev)
		return -EBADFD;
	if (dev->kind == DEV_TUN)
		r = -EOPNOTSUPP;
	else if (family != ARPHRD_ETHER)
		r = -EINVAL;
	else if ((mac[0] & 1) || memcmp(mac, zero, sizeof(zero)) == 0)
		r = -EADDRNOTAVAIL;
	else
		r = set_mac(dev, dev_file_home_ns(file, dev), mac);
	device_unref(dev);
	return r;
}

int dev_get_mac(struct dev_file *file, unsigned int *ret_family,
		uint8_t ret_mac[6])
{
	struct device *dev = dev_file_device(file);

	if (!dev)
		return -EBADFD;
	dev->host->sync(dev->link);
	lock_acquire(&dev->lock);
	*ret_family = dev->knobs.link_type;
	if (dev->kind == DEV_TAP)
		memcpy(ret_mac, dev->state.mac, 6);
	else
		memset(ret_mac, 0, 6);
	lock_release(&dev->lock);
	device_unref(dev);
	return 0;
}
