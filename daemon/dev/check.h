/* SPDX-License-Identifier: MIT */
/*
 * check.h - what TUNSETIFF would say to somebody, and by which rule, for who
 * wants to know before he tries. Nothing is made, changed or logged.
 */
#ifndef TUND_DEV_CHECK_H
#define TUND_DEV_CHECK_H

#include "dev/policy.h"

struct dev_table;

struct dev_check {
	struct policy_set *set; /* a reference, which keeps the rules */
	unsigned int what;	/* POLICY_CREATE, or POLICY_ATTACH to ours */
	unsigned int kind;	/* of the interface, if it is there */
	uint64_t ns_id;
	bool by_kernels_rule; /* whether that would allow it */
	bool exempt;	      /* he administers the daemon's own namespace */
	int result;	      /* 0, -EPERM, or -EINVAL for another kind */
	struct policy_decision decision;
	/*
	 * A rule before the one that decides: it would be the one, if the
	 * program were in its control group and were its executable. Or NULL.
	 */
	const struct policy_rule *unless;
};

/*
 * `kind` may be 0: that of the interface, or TUN. `ns_id` may be 0: the
 * daemon's own. dev_check_put() ends it. Slow.
 */
void dev_check(struct dev_table *table, const struct dev_caller *caller,
	       const char *name, unsigned int kind, uint64_t ns_id,
	       struct dev_check *ret_check);
void dev_check_put(struct dev_check *check);

#endif
