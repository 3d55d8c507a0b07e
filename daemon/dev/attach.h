/* SPDX-License-Identifier: MIT */
/* attach.h - TUNSETIFF, for one file and one time. Private to dev/. */
#ifndef TUND_DEV_ATTACH_H
#define TUND_DEV_ATTACH_H

#include <stdbool.h>

struct dev_caller;
struct dev_file;
struct dev_queue;
struct device;

/* For what an attach is put aside. */
enum dev_patience {
	DEV_WAIT_NOT,
	DEV_WAIT_LEAVING, /* the end of the device that has the name */
	DEV_WAIT_ANY,	  /* anything after which the answer may be another */
};

/*
 * As dev_file_attach(). At success the device has the file, and the caller a
 * reference.
 */
int dev_attach(struct dev_file *file, const char *name, unsigned int flags,
	       const struct dev_caller *caller, enum dev_patience patience,
	       int ifindex, struct dev_queue **ret_queue);

/* The kernel's rule for who may attach to a device that is there. */
bool dev_may_attach(struct device *dev, const struct dev_caller *caller);

#endif
