/* SPDX-License-Identifier: MIT */
/* direct.h - what the tests of dev/direct.h share: one device, one file. */
#ifndef TUND_TEST_DIRECT_H
#define TUND_TEST_DIRECT_H

#include "fake.h"

extern struct opened o;
extern struct host_link *lnk;
extern struct device *dev;

/* With a reference to the device, as net/ has one. */
void attach_device(unsigned int flags);
void put_device(void);
/* After a test that has failed, too. */
int direct_tear_down(void **state);

/* Hands it over; the descriptor is only a descriptor. */
void go_direct(void);

ssize_t reads(struct opened *of);
void assert_plane(enum tund_plane plane);

#endif
