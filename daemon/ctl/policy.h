/* SPDX-License-Identifier: MIT */
/*
 * policy.h - the command policy-check: what it is asked with, and its answer.
 * The rules are dev/'s.
 */
#ifndef TUND_CTL_POLICY_H
#define TUND_CTL_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ctl_error;
struct ctl_request;
struct dev_table;

enum { CTL_MAX_GROUPS = 256 };

/* Who asks for what, beside the name and the network namespace. */
struct ctl_check {
	bool has_uid;
	uid_t uid;
	size_t n_groups;
	gid_t groups[CTL_MAX_GROUPS];
	unsigned int kind;  /* POLICY_TUN or POLICY_TAP; 0: none is given */
	unsigned int plane; /* POLICY_*_PLANE, or 0 */
};

/* One member of the request: 1, 0 if it is another's, or the error. */
int ctl_check_read(const char *key, const json_t *value,
		   struct ctl_check *check, struct ctl_error *error);

/* The result; NULL: no memory. Slow. */
json_t *ctl_check_policy(struct dev_table *table,
			 const struct ctl_request *request);

#endif
