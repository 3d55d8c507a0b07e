/* SPDX-License-Identifier: MIT */
/* capture_link.h - what a device's packets are, before they are captured. */
#ifndef TUNDCTL_CAPTURE_LINK_H
#define TUNDCTL_CAPTURE_LINK_H

#include "control.h"

/* LINK_ETHERNET or LINK_RAW, from what the daemon says of a device. */
unsigned int capture_link_of(const json_t *device);

/*
 * The same of the one that is wanted, which is asked for; 0 if it is not among
 * those that are shown. -1 after a complaint.
 */
int capture_link_find(const struct control_options *wanted,
		      unsigned int *ret_link);

#endif
