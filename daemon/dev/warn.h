/* SPDX-License-Identifier: MIT */
/*
 * warn.h - a line for the administrator about what his configuration says and
 * cannot be done.
 */
#ifndef TUND_DEV_WARN_H
#define TUND_DEV_WARN_H

/* Gets a line without its end. */
typedef void dev_warn_fn(const char *message);

/* Where it is written, and about which interface. */
struct dev_place {
	const char *file;
	unsigned int line;
	const char *name;
};

/* `what` has failed with the error; the remedy is a half sentence. */
void dev_warn(dev_warn_fn *warn, const struct dev_place *place,
	      const char *what, int error, const char *remedy);

/* For whom nobody waits: into the log. */
void dev_warn_log(const char *message);

#endif
