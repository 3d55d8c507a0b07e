/* SPDX-License-Identifier: MIT */
/*
 * setup.h - configures an interface as the administrator has written it down,
 * for whoever attaches. Nobody is asked whether he may. Private to dev/.
 */
#ifndef TUND_DEV_SETUP_H
#define TUND_DEV_SETUP_H

#include "dev/policy.h"

struct device;

/*
 * What is there already stays. A step that fails is logged; the others are done
 * nevertheless, and the first error returned. `home_ns_fd` as in host.h. Slow.
 */
int device_set_up(struct device *dev, int home_ns_fd,
		  const struct dev_setup *setup);

#endif
