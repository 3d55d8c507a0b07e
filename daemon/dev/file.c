/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files and their attachment, in the order of checks that the
 * kernel's TUN has.
 */
#include "dev/file.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/device.h"

/* The kernel's bounds for a new interface. */
#define TUN_QUEUE_LEN 500
#define TAP_QUEUE_LEN 1000

/* Asked for, these would change the format or the meaning of what is read. */
#define UNSUPPORTED_FLAGS (IFF_VNET_HDR | IFF_MULTI_QUEUE | IFF_NAPI_FRAGS)

/* What an attached file remembers of its flags. */
#define KEPT_FLAGS (IFF_NO_PI | IFF_ONE_QUEUE)

struct dev_file {
	struct lock lock;
	atomic_uint refs;
	struct dev_table *table;
	int ns_fd;
	uint64_t ns_id;
	void (*wake)(void *cookie);
	void (*release)(void *cookie);
	void *cookie;
	atomic_bool closing;

	struct device *dev GUARDED_BY(lock); /* a reference, or NULL */
	bool attaching GUARDED_BY(lock);
	int ifindex GUARDED_BY(lock); /* 0, or what TUNSETIFINDEX asked for */
};

int dev_file_new(struct dev_table *table, int ns_fd, void (*wake)(void *cookie),
		 void (*release)(void *cookie), void *cookie,
		 struct dev_file **ret_file)
{
	struct dev_file *file;
	struct stat st;

	if (fstat(ns_fd, &st) < 0)
		return -errno;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	lock_init(&file->lock, LOCK_RANK_FILE, "file");
	file->refs = 1;
	file->table = table;
	file->ns_fd = ns_fd;
	file->ns_id = st.st_ino;
	file->wake = wake;
	file->release = release;
	file->cookie = cookie;
	*ret_file = file;
	return 0;
}

void dev_file_ref(struct dev_file *file)
{
	atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
}

void dev_file_unref(struct dev_file *file)
{
	if (atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) !=
	    1)
		return;
	file->release(file->cookie);
	close(file->ns_fd);
	lock_destroy(&file->lock);
	free(file);
}

int dev_file_ns(const struct dev_file *file)
{
	return file->ns_fd;
}

struct device *dev_file_device(struct dev_file *file)
{
	struct device *dev;

	lock_acquire(&file->lock);
	dev = file->dev;
	if (dev)
		device_ref(dev);
	lock_release(&file->lock);
	return dev;
}

void dev_file_clear(struct dev_file *file, struct device *dev)
{
	bool mine;

	lock_acquire(&file->lock);
	mine = file->dev == dev;
	if (mine)
		file->dev = NULL;
	lock_release(&file->lock);
	if (mine)
		device_unref(dev);
}

bool dev_file_attached(struct dev_file *file)
{
	bool attached;

	lock_acquire(&file->lock);
	attached = file->dev != NULL;
	lock_release(&file->lock);
	return attached;
}

void dev_file_wake(struct dev_file *file)
{
	file->wake(file->cookie);
}

void dev_file_set_closing(struct dev_file *file, bool closing)
{
	/* Written by every call: only a change is worth the cache line. */
	if (atomic_load_explicit(&file->closing, memory_order_relaxed) !=
	    closing)
		atomic_store(&file->closing, closing);
}

bool dev_file_closing(struct dev_file *file)
{
	return atomic_load(&file->closing);
}

/* The kernel's rule for who may attach to a device that is there. */
static bool may_attach(struct device *dev, const struct dev_caller *caller)
{
	bool owner_ok, group_ok;

	lock_acquire(&dev->lock);
	owner_ok = !dev->knobs.has_owner || dev->knobs.owner == caller->uid;
	group_ok = !dev->knobs.has_group;
	for (size_t i = 0; i < caller->n_groups && !group_ok; i++)
		group_ok = dev->knobs.group == caller->groups[i];
	lock_release(&dev->lock);
	return (owner_ok && group_ok) || caller->net_admin;
}

/* Attaches to a device of ours, as far as the kernel's TUN would allow it. */
static int attach_device(struct device *dev, struct dev_file *file,
			 unsigned int flags, const struct dev_caller *caller)
{
	unsigned int kind = dev->kind == DEV_TUN ? IFF_TUN : IFF_TAP;

	if (flags & IFF_TUN_EXCL)
		return -EBUSY;
	/* IFF_TUN wins if both are asked for. */
	if ((flags & IFF_TUN ? IFF_TUN : flags & IFF_TAP) != kind)
		return -EINVAL;
	/* No device of ours has several queues. */
	if (flags & IFF_MULTI_QUEUE)
		return -EINVAL;
	if (!may_attach(dev, caller))
		return -EPERM;
	if ((flags & UNSUPPORTED_FLAGS) && device_is_idle(dev))
		return -EINVAL;
	return device_attach(dev, file, flags & KEPT_FLAGS,
			     !(flags & IFF_NO_CARRIER));
}

/*
 * Attaches to the present owner of the name. Returns ATTACH_NEW when the name
 * is free, DEV_ATTACH_AGAIN when it may soon be, else as attach_device().
 */
enum { ATTACH_NEW = 2 };

static int attach_existing(struct dev_file *file, struct host_ns *ns,
			   const char *name, unsigned int flags,
			   const struct dev_caller *caller, bool final,
			   struct device **ret_dev)
{
	struct device *dev;
	int r, ifindex;

	r = file->table->host->find(ns, name, &ifindex);
	if (r == HOST_NONE)
		return ATTACH_NEW;
	if (r < 0)
		return r;
	dev = dev_table_find(file->table, file->ns_id, ifindex);
	if (!dev && !final && dev_table_any_making(file->table))
		return DEV_ATTACH_AGAIN;
	if (!dev)
		return flags & IFF_TUN_EXCL ? -EBUSY : -EINVAL;
	if (!final && device_closing(dev))
		r = DEV_ATTACH_AGAIN;
	else
		r = attach_device(dev, file, flags, caller);
	if (final && r == DEV_ATTACH_AGAIN)
		r = -EBUSY;
	if (r == 0)
		*ret_dev = dev;
	else
		device_unref(dev);
	return r;
}

static int attach_new(struct dev_file *file, struct host_ns *ns,
		      const char *name, unsigned int flags,
		      const struct dev_caller *caller, int ifindex,
		      struct device **ret_dev)
{
	bool tun = flags & IFF_TUN;
	const char *pattern = tun ? "tun%d" : "tap%d";
	struct host_spec spec = {
		.kind = tun ? DEV_TUN : DEV_TAP,
		.name = name[0] ? name : pattern,
		.ifindex = ifindex,
		.carrier = !(flags & IFF_NO_CARRIER),
		.queue_len = tun ? TUN_QUEUE_LEN : TAP_QUEUE_LEN,
	};

	if (!caller->net_admin)
		return -EPERM;
	if (!(flags & (IFF_TUN | IFF_TAP)) || (flags & UNSUPPORTED_FLAGS))
		return -EINVAL;
	return device_new(file->table, ns, file->ns_id, &spec,
			  flags & KEPT_FLAGS, file, ret_dev);
}

/* At success the device has the file, and the caller a reference. */
static int attach(struct dev_file *file, const char *name, unsigned int flags,
		  const struct dev_caller *caller, bool final, int ifindex,
		  struct device **ret_dev)
{
	const struct host_ops *host = file->table->host;
	struct host_ns *ns;
	int r;

	/* Whoever has closed a device may count on its name. */
	if (!final && dev_table_any_leaving(file->table, file->ns_id))
		return DEV_ATTACH_AGAIN;
	r = host->ns_open(file->ns_fd, &ns);
	if (r < 0)
		return r;
	r = ATTACH_NEW;
	if (name[0])
		r = attach_existing(file, ns, name, flags, caller, final,
				    ret_dev);
	if (r == ATTACH_NEW)
		r = attach_new(file, ns, name, flags, caller, ifindex, ret_dev);
	host->ns_close(ns);
	return r;
}

int dev_file_attach(struct dev_file *file, const char name[IFNAMSIZ],
		    unsigned int flags, const struct dev_caller *caller,
		    uint64_t deadline_ms, char ret_name[IFNAMSIZ])
{
	bool final = now_ms() >= deadline_ms;
	struct device *dev = NULL;
	struct host_state state;
	bool taken;
	int ifindex;
	int r;

	lock_acquire(&file->lock);
	taken = file->dev || file->attaching;
	if (!taken)
		file->attaching = true;
	ifindex = file->ifindex;
	lock_release(&file->lock);
	if (taken)
		return -EEXIST;

	r = attach(file, name, flags, caller, final, ifindex, &dev);

	lock_acquire(&file->lock);
	file->attaching = false;
	if (r == 0) {
		device_ref(dev);
		file->dev = dev;
		file->ifindex = 0;
	}
	lock_release(&file->lock);
	if (r != 0)
		return r;
	/* It may have been deleted before the file knew it. */
	if (!device_has_file(dev, file))
		dev_file_clear(file, dev);
	device_get_state(dev, &state);
	memcpy(ret_name, state.name, IFNAMSIZ);
	device_unref(dev);
	dev_file_wake(file);
	return 0;
}

int dev_file_set_ifindex(struct dev_file *file, int ifindex)
{
	int r = 0;

	lock_acquire(&file->lock);
	if (file->dev)
		r = -EPERM;
	else if (ifindex < 0)
		r = -EINVAL;
	else
		file->ifindex = ifindex;
	lock_release(&file->lock);
	return r;
}

int dev_file_describe(struct dev_file *file, char ret_name[IFNAMSIZ],
		      unsigned int *ret_flags)
{
	struct device *dev = dev_file_device(file);
	struct host_state state;

	if (!dev)
		return -EBADFD;
	file->table->host->sync(dev->link);
	device_get_state(dev, &state);
	memcpy(ret_name, state.name, IFNAMSIZ);
	/*
	 * IFF_NOFILTER has the value of IFF_NO_PI: it is always there as long
	 * as no filter can be attached.
	 */
	*ret_flags = (dev->kind == DEV_TUN ? IFF_TUN : IFF_TAP) | dev->flags |
		     IFF_NOFILTER;
	lock_acquire(&dev->lock);
	if (dev->knobs.persist)
		*ret_flags |= IFF_PERSIST;
	lock_release(&dev->lock);
	device_unref(dev);
	return dev_file_attached(file) ? 0 : -EBADFD;
}

int dev_file_stats(struct dev_file *file, struct tund_stats *ret_stats)
{
	struct device *dev = dev_file_device(file);

	if (!dev)
		return -EBADFD;
	*ret_stats = (struct tund_stats){
		.rx_packets = dev->rx_packets,
		.rx_bytes = dev->rx_bytes,
		.tx_packets = dev->tx_packets,
		.tx_bytes = dev->tx_bytes,
		.queued = pktq_length(&dev->to_app),
	};
	for (size_t i = 0; i < TUND_DROP_MAX; i++)
		ret_stats->drops[i] = dev->drops[i];
	file->table->host->drops(
		dev->link, (uint64_t *)&ret_stats->drops[TUND_DROP_SOCKET],
		(uint64_t *)&ret_stats->drops[TUND_DROP_BACKLOG]);
	device_unref(dev);
	return 0;
}

void dev_file_close(struct dev_file *file)
{
	struct device *dev;

	lock_acquire(&file->lock);
	dev = file->dev;
	file->dev = NULL;
	lock_release(&file->lock);
	if (!dev)
		return;
	device_detach(dev);
	device_unref(dev);
}
