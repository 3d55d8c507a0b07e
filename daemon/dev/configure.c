/* SPDX-License-Identifier: MIT */
/*
 * configure.c - checks what is asked for, and whether a policy allows it; when
 * that is asked is the caller's matter, and how it is done net/'s.
 */
#include "dev/configure.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/device.h"
#include "dev/file.h"
#include "dev/grant.h"

/* AF_INET and AF_INET6: this floor knows no sockets. */
enum {
	FAMILY_IPV4 = 2,
	FAMILY_IPV6 = 10,
};

static int check_network(const struct tund_config *config)
{
	switch (config->family) {
	case FAMILY_IPV4:
		return config->prefix <= 32 ? 0 : -EINVAL;
	case FAMILY_IPV6:
		return config->prefix <= 128 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static int check(const struct device *dev, const struct tund_config *config)
{
	static const uint8_t zero[sizeof(config->reserved)];

	if (memcmp(config->reserved, zero, sizeof(zero)) != 0)
		return -EINVAL;
	switch (config->what) {
	case TUND_CONFIG_UP:
		return config->value <= 1 ? 0 : -EINVAL;
	case TUND_CONFIG_MTU:
		return 0;
	case TUND_CONFIG_MAC:
		return dev->kind == DEV_TAP ? 0 : -EOPNOTSUPP;
	case TUND_CONFIG_ADDRESS_ADD:
	case TUND_CONFIG_ADDRESS_DEL:
	case TUND_CONFIG_ROUTE_ADD:
	case TUND_CONFIG_ROUTE_DEL:
		return check_network(config);
	default:
		return -EINVAL;
	}
}

int dev_file_configure(struct dev_file *file, const struct tund_config *config,
		       const struct host_permit *permit)
{
	struct device *dev = dev_file_device(file);
	int r;

	if (!dev)
		return -EBADFD;
	r = check(dev, config);
	if (r == 0)
		r = dev->host->configure(dev->link, dev_file_home_ns(file, dev),
					 permit, config);
	/* As the kernel says it. */
	if (r == HOST_SAME)
		r = -EEXIST;
	/* Perhaps it was deleted meanwhile. */
	if (r == -ENODEV)
		dev->host->sync(dev->link);
	if (r == -ENODEV && !dev_file_attached(file))
		r = -EBADFD;
	device_unref(dev);
	return r;
}

/* Of an interface that was moved, no policy of here has been asked. */
static bool is_at_home(const struct dev_file *file, const struct device *dev,
		       int ns_fd)
{
	struct stat st;

	return dev_file_home_ns(file, dev) >= 0 && fstat(ns_fd, &st) == 0 &&
	       st.st_ino == dev->ns_id;
}

int dev_file_may_configure(struct dev_file *file,
			   const struct dev_caller *caller, int ns_fd)
{
	struct device *dev = dev_file_device(file);
	struct host_state state;
	int r = -EPERM;

	if (!dev)
		return -EBADFD;
	/* Rules are about the name that it has now. */
	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	if (is_at_home(file, dev, ns_fd)) {
		const struct policy_request request = {
			.what = POLICY_CONFIGURE,
			.kind = dev->kind == DEV_TUN ? POLICY_TUN : POLICY_TAP,
			.name = state.name,
			.ns_id = dev->ns_id,
			.by_kernels_rule = caller->net_admin,
		};

		r = dev_grant_check_configure(dev_file_table(file), caller,
					      &request);
	}
	device_unref(dev);
	return r;
}

static int anywhere(void *arg, int ns_fd)
{
	return 0;
}

int dev_set_up(struct dev_table *table, uint64_t id, bool up)
{
	static const struct host_permit permit = {.ask = anywhere};
	const struct tund_config config = {
		.what = TUND_CONFIG_UP,
		.value = up,
	};
	struct device *dev = dev_table_next(table, id - 1);
	int r = -ENODEV;

	if (!dev)
		return r;
	if (dev->id == id)
		r = dev->host->configure(dev->link, -1, &permit, &config);
	dev->host->sync(dev->link);
	device_unref(dev);
	return r;
}

int dev_file_link(struct dev_file *file, struct tund_link *ret_link)
{
	struct device *dev = dev_file_device(file);
	struct host_state state;

	if (!dev)
		return -EBADFD;
	dev->host->sync(dev->link);
	device_get_state(dev, &state);
	*ret_link = (struct tund_link){
		.ifindex = (uint32_t)state.ifindex,
		.mtu = state.mtu,
		.flags = state.up ? TUND_LINK_UP : 0,
	};
	memcpy(ret_link->name, state.name, IFNAMSIZ);
	/* That of a TUN is the veth's: the kernel's has none. */
	if (dev->kind == DEV_TAP)
		memcpy(ret_link->mac, state.mac, ETH_ALEN);
	lock_acquire(&dev->lock);
	ret_link->link_type = dev->knobs.link_type;
	lock_release(&dev->lock);
	device_unref(dev);
	return dev_file_attached(file) ? 0 : -EBADFD;
}
