/* SPDX-License-Identifier: MIT */
/*
 * setup.h - configures an interface as the administrator has written it down,
 * for whoever attaches. Nobody is asked whether he may. Private to dev/.
 */
#ifndef TUND_DEV_SETUP_H
#define TUND_DEV_SETUP_H

#include "dev/policy.h"
#include "dev/warn.h"

struct device;

/*
 * What is there already stays. A step that fails is told of, as one of `file`;
 * the others are done nevertheless, and the first error returned, but not that
 * a route would be where another one is. `home_ns_fd` as in host.h. Slow.
 */
int device_set_up(struct device *dev, int home_ns_fd, const char *file,
		  const struct dev_setup *setup, dev_warn_fn *warn);

/* What is to be done once nobody is attached; all of it is a copy. */
struct dev_pending;

/* NULL: no memory is left. */
struct dev_pending *dev_pending_new(const char *file,
				    const struct dev_setup *setup);
void dev_pending_free(struct dev_pending *pending);

/*
 * Puts it, or NULL, in the place of what the device has still to do, and
 * returns whether nobody is attached: then the caller does it.
 */
bool device_set_pending(struct device *dev, struct dev_pending *pending);

/* Does it, if there is any. Slow. */
void device_do_pending(struct device *dev, int home_ns_fd, dev_warn_fn *warn);

/*
 * For one that is parting, to which whoever attaches next waits: does it, after
 * which the device is idle. Returns false if it was ended. Slow.
 */
bool device_become_idle(struct device *dev, int home_ns_fd);

#endif
