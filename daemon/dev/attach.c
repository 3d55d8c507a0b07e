/* SPDX-License-Identifier: MIT */
/*
 * attach.c - to which device a file is attached, or that it may not be, in the
 * order of checks that the kernel's TUN has.
 */
#include "dev/attach.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>

#include "dev/device.h"
#include "dev/file.h"
#include "dev/grant.h"

/*
 * What a device remembers of the flags. IFF_ONE_QUEUE, IFF_NAPI and
 * IFF_NAPI_FRAGS have no effect.
 */
#define KEPT_FLAGS                                                             \
	(IFF_NO_PI | IFF_ONE_QUEUE | IFF_VNET_HDR | IFF_MULTI_QUEUE |          \
	 IFF_NAPI | IFF_NAPI_FRAGS)

/* Names of one pattern that are looked through. */
#define MAX_NAME_NUMBER 4096

/* The kernel's own, in which the kind of interface is one number. */
#define TYPE_MASK 0x000f

bool dev_may_attach(struct device *dev, const struct dev_caller *caller)
{
	bool owner_ok, group_ok;

	lock_acquire(&dev->lock);
	owner_ok = !dev->knobs.by_rule &&
		   (!dev->knobs.has_owner || dev->knobs.owner == caller->uid);
	group_ok = !dev->knobs.has_group;
	for (size_t i = 0; i < caller->n_groups && !group_ok; i++)
		group_ok = dev->knobs.group == caller->groups[i];
	lock_release(&dev->lock);
	return (owner_ok && group_ok) || caller->net_admin;
}

/* 0, or -EPERM; `dev` is there already, or NULL. */
static int ask(struct dev_file *file, const struct dev_caller *caller,
	       const char *name, unsigned int flags, struct device *dev)
{
	const struct policy_request request = {
		.what = dev ? POLICY_ATTACH : POLICY_CREATE,
		/* IFF_TUN wins if both are asked for. */
		.kind = flags & IFF_TUN ? POLICY_TUN : POLICY_TAP,
		.name = name,
		.ns_id = dev_file_ns_id(file),
		.by_kernels_rule =
			dev ? dev_may_attach(dev, caller) : caller->net_admin,
	};

	int r = dev_grant_ask(dev_file_table(file), caller, &request,
			      dev_file_grant(file));

	return r < 0 ? r
		     : dev_grant_check_files(dev_file_grant(file),
					     dev_file_table(file), caller->uid,
					     caller->account);
}

/* Attaches to a device of ours, as far as the kernel's TUN would allow it. */
static int attach_device(struct device *dev, struct dev_file *file,
			 const char *name, unsigned int flags,
			 const struct dev_caller *caller,
			 struct dev_queue **ret_queue)
{
	unsigned int kind = dev->kind == DEV_TUN ? IFF_TUN : IFF_TAP;
	int r;

	if (flags & IFF_TUN_EXCL)
		return -EBUSY;
	/* IFF_TUN wins if both are asked for. */
	if ((flags & IFF_TUN ? IFF_TUN : flags & IFF_TAP) != kind)
		return -EINVAL;
	if ((flags ^ dev->flags) & IFF_MULTI_QUEUE)
		return -EINVAL;
	r = ask(file, caller, name, flags, dev);
	if (r < 0)
		return r;
	return device_attach(dev, file, flags & KEPT_FLAGS,
			     !(flags & IFF_NO_CARRIER), ret_queue);
}

/* The device whose interface it is: made here, or come from elsewhere. */
static struct device *find_device(struct dev_file *file, int ifindex)
{
	struct device *dev = dev_table_find(dev_file_table(file),
					    dev_file_ns_id(file), ifindex);
	uint64_t id = 0;

	while (!dev && (dev = dev_table_next(dev_file_table(file), id))) {
		struct host_state state;

		id = dev->id;
		/* Perhaps it has only just come. */
		dev->host->sync(dev->link);
		device_get_state(dev, &state);
		if (state.ifindex == ifindex &&
		    device_is_in(dev, dev_file_ns_id(file)))
			break;
		device_unref(dev);
		dev = NULL;
	}
	return dev;
}

/* Nobody's that was found: it may be one that has ended meanwhile. */
static bool has_changed(struct dev_file *file, struct host_ns *ns,
			const char *name, int ifindex)
{
	int now;

	return dev_file_table(file)->host->find(ns, name, &now) != HOST_OK ||
	       now != ifindex;
}

static bool may_end_soon(struct device *dev, enum dev_patience patience)
{
	return (patience != DEV_WAIT_NOT && device_is_leaving(dev)) ||
	       (patience == DEV_WAIT_ANY && device_closing(dev));
}

/*
 * Attaches to the present owner of the name. Returns ATTACH_NEW when the name
 * is free, DEV_ATTACH_AGAIN when it may soon be, else as attach_device().
 */
enum { ATTACH_NEW = 2 };

static int attach_existing(struct dev_file *file, struct host_ns *ns,
			   const char *name, unsigned int flags,
			   const struct dev_caller *caller,
			   enum dev_patience patience,
			   struct dev_queue **ret_queue)
{
	struct device *dev;
	int r, ifindex;

	r = dev_file_table(file)->host->find(ns, name, &ifindex);
	if (r == HOST_NONE)
		return ATTACH_NEW;
	if (r < 0)
		return r;
	dev = find_device(file, ifindex);
	if (!dev && patience == DEV_WAIT_ANY &&
	    (dev_table_any_making(dev_file_table(file)) ||
	     has_changed(file, ns, name, ifindex)))
		return DEV_ATTACH_AGAIN;
	if (!dev)
		return flags & IFF_TUN_EXCL ? -EBUSY : -EINVAL;
	/* Perhaps whoever had a packet socket has just closed it. */
	dev->host->sync(dev->link);
	if (may_end_soon(dev, patience))
		r = DEV_ATTACH_AGAIN;
	else
		r = attach_device(dev, file, name, flags, caller, ret_queue);
	if (patience == DEV_WAIT_NOT && r == DEV_ATTACH_AGAIN)
		r = -EBUSY;
	device_unref(dev);
	return r;
}

static int attach_new(struct dev_file *file, struct host_ns *ns,
		      const char *name, unsigned int flags,
		      const struct dev_caller *caller, int ifindex,
		      struct dev_queue **ret_queue)
{
	bool tun = flags & IFF_TUN;
	struct host_spec spec = {
		.kind = tun ? DEV_TUN : DEV_TAP,
		.name = name,
		.ifindex = ifindex,
		.carrier = !(flags & IFF_NO_CARRIER),
		.queue_len = tun ? DEV_TUN_QUEUE_LEN : DEV_TAP_QUEUE_LEN,
	};
	bool counts;
	int r;

	r = ask(file, caller, name, flags, NULL);
	if (r < 0)
		return r;
	if (!(flags & (IFF_TUN | IFF_TAP)))
		return -EINVAL;
	r = dev_grant_take_device(dev_file_grant(file), dev_file_table(file),
				  caller->uid, caller->account, &counts);
	if (r < 0)
		return r;
	r = device_new(dev_file_table(file), ns, dev_file_ns_id(file), &spec,
		       flags & KEPT_FLAGS, file, ret_queue);
	if (counts && r == 0)
		device_count_for((*ret_queue)->dev, caller->account);
	else if (counts)
		quota_give(&dev_file_table(file)->quota, caller->account,
			   QUOTA_DEVICES);
	return r;
}

/*
 * Policies are about names, so that one is chosen here, where there are any;
 * else the kernel does it. The first that is free, as with the kernel.
 */
static int attach_pattern(struct dev_file *file, struct host_ns *ns,
			  const char *pattern, unsigned int flags,
			  const struct dev_caller *caller, int ifindex,
			  struct dev_queue **ret_queue)
{
	const char *number = strstr(pattern, "%d");
	char name[IFNAMSIZ + 16];
	int r, found;

	if (!dev_table_has_rules(dev_file_table(file)) ||
	    strchr(number + 1, '%'))
		return attach_new(file, ns, pattern, flags, caller, ifindex,
				  ret_queue);
	for (unsigned int i = 0; i < MAX_NAME_NUMBER; i++) {
		snprintf(name, sizeof(name), "%.*s%u%s",
			 (int)(number - pattern), pattern, i, number + 2);
		if (strlen(name) >= IFNAMSIZ)
			return -EINVAL;
		r = dev_file_table(file)->host->find(ns, name, &found);
		if (r == HOST_NONE)
			r = attach_new(file, ns, name, flags, caller, ifindex,
				       ret_queue);
		/* Somebody else has just taken it. */
		if (r != HOST_OK && r != -EEXIST)
			return r;
		if (*ret_queue)
			return 0;
	}
	return -ENFILE;
}

/* Only who has it everywhere may have this; it has no effect here. */
static int check_napi_frags(unsigned int flags, const struct dev_caller *caller)
{
	if (!(flags & IFF_NAPI_FRAGS))
		return 0;
	if (!caller->init_net_admin)
		return -EPERM;
	return flags & IFF_NAPI && (flags & TYPE_MASK) == IFF_TAP ? 0 : -EINVAL;
}

int dev_attach(struct dev_file *file, const char *name, unsigned int flags,
	       const struct dev_caller *by, enum dev_patience patience,
	       int ifindex, struct dev_queue **ret_queue)
{
	const struct host_ops *host = dev_file_table(file)->host;
	struct dev_caller counted = *by;
	const struct dev_caller *caller = &counted;
	const char *usual = flags & IFF_TUN ? "tun%d" : "tap%d";
	struct host_ns *ns;
	int r;

	r = check_napi_frags(flags, caller);
	if (r < 0)
		return r;
	counted.account = dev_table_account(dev_file_table(file), by->account);

	/* Whoever has closed a device may count on its name. */
	if (patience == DEV_WAIT_ANY &&
	    dev_table_any_leaving(dev_file_table(file), dev_file_ns_id(file)))
		return DEV_ATTACH_AGAIN;
	r = host->ns_open(dev_file_ns(file), &ns);
	if (r < 0)
		return r;
	r = ATTACH_NEW;
	if (name[0])
		r = attach_existing(file, ns, name, flags, caller, patience,
				    ret_queue);
	if (r == ATTACH_NEW && (!name[0] || strstr(name, "%d")))
		r = attach_pattern(file, ns, name[0] ? name : usual, flags,
				   caller, ifindex, ret_queue);
	else if (r == ATTACH_NEW)
		r = attach_new(file, ns, name, flags, caller, ifindex,
			       ret_queue);
	host->ns_close(ns);
	return r;
}
