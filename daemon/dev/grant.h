/* SPDX-License-Identifier: MIT */
/*
 * grant.h - by which rule a file is attached, and what that means for its
 * packets; asks the policy and tells of refusals. Private to dev/.
 */
#ifndef TUND_DEV_GRANT_H
#define TUND_DEV_GRANT_H

#include "dev/policy.h"
#include "packet/rate.h"

struct dev_file;
struct dev_queue;
struct dev_table;
struct virtio_net_hdr;

struct dev_grant {
	struct policy_set *set; /* a reference, or NULL: nothing is granted */
	const struct policy_rule *rule; /* of the set, or NULL: no policy */
	bool exempt;			/* root, whom no limit binds */
	bool stands_in;			/* the rule, for the capability */
	uint64_t account;		/* of who asked */
};

/*
 * 0, or -EPERM, which is logged. At success the grant is what was there before
 * is put.
 */
int dev_grant_ask(struct dev_table *table, const struct dev_caller *caller,
		  const struct policy_request *request,
		  struct dev_grant *grant);
/*
 * Whether a rule allows to configure the interface: 0, or -EPERM, which is
 * logged. What the kernel's rule says is part of the request.
 */
int dev_grant_check_configure(struct dev_table *table,
			      const struct dev_caller *caller,
			      const struct policy_request *request);
void dev_grant_copy(const struct dev_grant *grant, struct dev_grant *ret_grant);
void dev_grant_put(struct dev_grant *grant);

/* Whether packets may travel so: a bit of POLICY_*_PLANE. */
bool dev_grant_has_plane(const struct dev_grant *grant, unsigned int plane);

/*
 * Limits. Who has reached one is told of as of a refusal. One more file on the
 * account, whatever will be granted: 0, or -EMFILE.
 */
int dev_grant_take_file(struct dev_table *table, uid_t uid, uint64_t account);

/* -EMFILE if there are more files open on the account than that allows. */
int dev_grant_check_files(const struct dev_grant *grant,
			  struct dev_table *table, uid_t uid, uint64_t account);

/*
 * One more device on the account: 0, and whether it counts, or -ENOSPC. What
 * counts is given back, or given to device_count_for().
 */
int dev_grant_take_device(const struct dev_grant *grant,
			  struct dev_table *table, uid_t uid, uint64_t account,
			  bool *ret_counts);

/*
 * Whether the packet may come from where it says; that of a TUN is of that
 * type. The header was checked.
 */
bool dev_grant_may_send(const struct dev_grant *grant, enum dev_kind kind,
			const uint8_t *data, size_t len, uint16_t proto_be,
			const struct virtio_net_hdr *vnet);

/* How many packets it may write: all 0 if nothing is said. */
void dev_grant_rate(const struct dev_grant *grant, struct rate *ret_rate);

/* Of one queue. */
size_t dev_grant_queued_bytes(const struct dev_grant *grant);

#endif
