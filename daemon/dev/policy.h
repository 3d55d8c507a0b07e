/* SPDX-License-Identifier: MIT */
/*
 * policy.h - who may have which interface, as the administrator has written it
 * down: rules in their order, of which the first that fits decides. It reads no
 * configuration, knows no device and does nothing: see grant.h.
 */
#ifndef TUND_DEV_POLICY_H
#define TUND_DEV_POLICY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dev/host.h"
#include <tund/abi.h>

struct dev_caller;

/* Every number from `first` to `last`. */
struct id_range {
	uint32_t first, last;
};

struct id_set {
	struct id_range *ranges;
	size_t n;
};

struct word_list {
	char **words;
	size_t n;
};

/* What a BPF program can look through. */
#define POLICY_MAX_SOURCES 64

struct ip_prefixes {
	struct ip_prefix *prefixes;
	size_t n;
};

struct dev_step {
	struct tund_config config;
	unsigned int line; /* of the configuration file */
};

/* What is done to an interface for its program, in this order. */
struct dev_setup {
	struct dev_step *steps;
	size_t n;
};

enum {
	POLICY_NS_HOST = 1 << 0, /* the daemon's own */
	POLICY_NS_OTHER = 1 << 1,
};

enum {
	POLICY_TUN = 1 << 0,
	POLICY_TAP = 1 << 1,
};

enum {
	POLICY_FILE_PLANE = 1 << 0,
	POLICY_DIRECT_PLANE = 1 << 1,
};

enum {
	POLICY_CREATE = 1 << 0,
	POLICY_ATTACH = 1 << 1, /* to what is there */
	POLICY_CONFIGURE = 1 << 2,
};

/* What a rule's words ask of a caller that costs a look. */
enum {
	POLICY_NEEDS_CGROUP = 1 << 0,
	POLICY_NEEDS_EXECUTABLE = 1 << 1,
};

#define POLICY_NO_LIMIT UINT64_MAX

/* How often something was refused that was not told of. */
struct policy_log {
	_Atomic uint64_t next_ms;
	atomic_uint untold;
};

/* One section. An empty list, or 0 where bits are wanted, is anybody or any. */
struct policy_rule {
	char *name, *file;
	unsigned int line;

	struct id_set users, groups;
	struct word_list cgroups, executables, ns_paths;
	unsigned int ns_kinds; /* POLICY_NS_* */

	struct word_list names; /* globs */
	unsigned int kinds;	/* POLICY_TUN, POLICY_TAP */

	bool has_allow;
	unsigned int allow; /* POLICY_CREATE and the like; 0: none */
	unsigned int planes;
	struct dev_setup setup;
	struct ip_prefixes sources;
	/* POLICY_NO_LIMIT: it says nothing. */
	uint64_t max_devices, max_files, max_queued_bytes, max_packet_rate;

	struct policy_log log;
};

/* Limits for whoever no rule says otherwise of. */
struct policy_limits {
	uint64_t devices, files; /* of one user */
	uint64_t queued_bytes;	 /* of one queue */
};

/* Numbers that a user has beside his own. */
struct policy_subuids {
	uint32_t first, count;
	uid_t owner;
};

/* Does not change once it is in use. */
struct policy_set {
	atomic_uint refs;
	struct policy_rule *rules;
	size_t n;
	struct policy_limits limits;
	/* Whose members may look at the packets of every device. */
	bool has_capture_group;
	gid_t capture_group;
	struct policy_subuids *subuids;
	size_t n_subuids;
	unsigned int needs; /* POLICY_NEEDS_* */
	uint64_t host_ns;   /* the inode of the daemon's network namespace */
	struct policy_log log;
};

/* Without rules, with the usual limits; the reference is the caller's. */
int policy_set_new(uint64_t host_ns, struct policy_set **ret_set);
void policy_set_ref(struct policy_set *set);
void policy_set_unref(struct policy_set *set);

/* While it is made: a new rule at the end, which nobody else has, or NULL. */
struct policy_rule *policy_set_add(struct policy_set *set);

/* While it is made. Returns 0, or -ENOMEM. */
int policy_set_add_subuids(struct policy_set *set,
			   const struct policy_subuids *subuids);

/* The account of whom such a number belongs to, or the same one. */
uint64_t policy_account(const struct policy_set *set, uint64_t account);

/* What is asked for. */
struct policy_request {
	unsigned int what;    /* POLICY_CREATE or another */
	unsigned int kind;    /* POLICY_TUN or POLICY_TAP */
	const char *name;     /* of an interface */
	uint64_t ns_id;	      /* the inode of its network namespace */
	bool by_kernels_rule; /* whether that would allow it */
};

enum policy_verdict {
	POLICY_NO_RULE, /* the kernel's rule decides */
	POLICY_ALLOWED,
	POLICY_REFUSED,
};

struct policy_decision {
	enum policy_verdict verdict;
	/* The one that decided, or NULL. */
	const struct policy_rule *rule;
	/*
	 * Without one: the first that is about this caller, but not about this
	 * name or kind.
	 */
	const struct policy_rule *near;
};

/* The rules alone: not the kernel's, and not what root may do. */
void policy_decide(const struct policy_set *set,
		   const struct dev_caller *caller,
		   const struct policy_request *request,
		   struct policy_decision *ret_decision);

/*
 * All of it: 0, or -EPERM. Who administers the daemon's own network namespace
 * is not refused anything there.
 */
int policy_judge(const struct policy_set *set, const struct dev_caller *caller,
		 const struct policy_request *request,
		 struct policy_decision *ret_decision);

/* Whether it is time to tell, and how many were not told of before. */
bool policy_may_log(struct policy_log *log, uint64_t now,
		    unsigned int *ret_untold);

bool ip_prefix_has(const struct ip_prefix *prefix, uint8_t family,
		   const uint8_t *address);

#endif
