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
 * the others are done nevertheless, and the first error returned. `home_ns_fd`
 * as in host.h. Slow.
 */
int device_set_up(struct device *dev, int home_ns_fd, const char *file,
		  const struct dev_setup *setup, dev_warn_fn *warn);

#endif
