/* SPDX-License-Identifier: MIT */
/*
 * direct.h - hands a device over to a packet socket of its program, and takes
 * it back when that was closed. The socket itself is net/'s.
 */
#ifndef TUND_DEV_DIRECT_H
#define TUND_DEV_DIRECT_H

#include <stdbool.h>

struct dev_file;
struct device;
struct host_counters;

/*
 * The socket that is the file's device from now on; `flags` are TUND_FD_*.
 * -EOPNOTSUPP if the format that the file is attached with cannot be carried
 * so, -EALREADY if there is one. Slow.
 */
int dev_file_direct(struct dev_file *file, unsigned int flags, int *ret_fd);

/* The network namespace of the file's device; the caller closes it. Slow. */
int dev_file_device_ns(struct dev_file *file, int *ret_fd);

/* For dev/: TUNSETQUEUE of a queue that may be direct. Slow. */
struct dev_queue;
void device_switch_direct(struct dev_queue *queue, bool on);

/* For dev/: the link carries packets through the daemon again. Slow. */
void device_end_direct(struct device *dev);

/* For dev/: what has gone past the daemon since; zero when nothing can. */
void device_direct_counters(struct device *dev,
			    struct host_counters *ret_counters);

#endif
