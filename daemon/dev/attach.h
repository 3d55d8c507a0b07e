/* SPDX-License-Identifier: MIT */
/* attach.h - TUNSETIFF, for one file and one time. Private to dev/. */
#ifndef TUND_DEV_ATTACH_H
#define TUND_DEV_ATTACH_H

#include <stdbool.h>

struct dev_caller;
struct dev_file;
struct dev_queue;
struct device;

/*
 * As dev_file_attach(); `final`: it is not to come again. At success the device
 * has the file, and the caller a reference.
 */
int dev_attach(struct dev_file *file, const char *name, unsigned int flags,
	       const struct dev_caller *caller, bool final, int ifindex,
	       struct dev_queue **ret_queue);

/* The kernel's rule for who may attach to a device that is there. */
bool dev_may_attach(struct device *dev, const struct dev_caller *caller);

#endif
