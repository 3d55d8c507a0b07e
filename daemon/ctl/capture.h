/* SPDX-License-Identifier: MIT */
/*
 * capture.h - the command capture: who may look at a device's packets, and the
 * socket through which they are shown. Where they are seen is dev/'s matter.
 */
#ifndef TUND_CTL_CAPTURE_H
#define TUND_CTL_CAPTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct ctl_capture;
struct ctl_error;
struct dev_report;
struct dev_table;

/* Who asks. */
struct ctl_who {
	pid_t pid;
	uid_t uid;
	bool trusted;  /* root, or whose the daemon is */
	bool looks;    /* may see what there is */
	gid_t *groups; /* of his process; from malloc */
	size_t n_groups;
};

/* Whether he may see the packets of that device. */
bool ctl_capture_may(const struct ctl_who *who, struct dev_table *table,
		     const struct dev_report *report);

/* 0, or a negative number and the error. Slow. */
int ctl_capture_begin(struct dev_table *table, const struct dev_report *report,
		      const struct ctl_who *who,
		      struct ctl_capture **ret_capture,
		      struct ctl_error *error);

/* The client's end, which is the caller's from now on. */
int ctl_capture_take_fd(struct ctl_capture *capture);

/* Ours, which stays the capture's. */
int ctl_capture_fd(const struct ctl_capture *capture);

/*
 * Ends it, once, and tells what became of it; NULL: no memory. `why` is for the
 * case that it has not ended by itself, since the device is gone or the right.
 */
json_t *ctl_capture_end(struct ctl_capture *capture, const char *why);

/* One that has ended; NULL is taken. */
void ctl_capture_free(struct ctl_capture *capture);

#endif
