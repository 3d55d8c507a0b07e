/* SPDX-License-Identifier: MIT */
/* policy.c - the first rule that fits. */
#include "dev/policy.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dev/file.h"
#include <tund/abi.h>

/* What no ordinary user comes near, and what a machine can still bear. */
#define USUAL_DEVICES	   1024
#define USUAL_FILES	   8192
#define USUAL_QUEUED_BYTES (16u << 20)

#define LOG_INTERVAL_MS	   1000

/* ---- sets ---- */

int policy_set_new(uint64_t host_ns, struct policy_set **ret_set)
{
	struct policy_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->refs = 1;
	set->host_ns = host_ns;
	set->limits = (struct policy_limits){
		.devices = USUAL_DEVICES,
		.files = USUAL_FILES,
		.queued_bytes = USUAL_QUEUED_BYTES,
	};
	*ret_set = set;
	return 0;
}

void policy_set_ref(struct policy_set *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
}

static void free_words(struct word_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->words[i]);
	free(list->words);
}

static void free_rule(struct policy_rule *rule)
{
	free(rule->name);
	free(rule->file);
	free(rule->users.ranges);
	free(rule->groups.ranges);
	free_words(&rule->cgroups);
	free_words(&rule->executables);
	free_words(&rule->ns_paths);
	free_words(&rule->names);
	free(rule->setup.steps);
	free(rule->sources.prefixes);
}

void policy_set_unref(struct policy_set *set)
{
	if (!set ||
	    atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		free_rule(&set->rules[i]);
	free(set->rules);
	free(set->subuids);
	free(set);
}

struct policy_rule *policy_set_add(struct policy_set *set)
{
	struct policy_rule *rules =
		reallocarray(set->rules, set->n + 1, sizeof(*rules));

	if (!rules)
		return NULL;
	set->rules = rules;
	memset(&rules[set->n], 0, sizeof(*rules));
	rules[set->n].planes = POLICY_FILE_PLANE | POLICY_DIRECT_PLANE;
	rules[set->n].max_devices = POLICY_NO_LIMIT;
	rules[set->n].max_files = POLICY_NO_LIMIT;
	rules[set->n].max_queued_bytes = POLICY_NO_LIMIT;
	rules[set->n].max_packet_rate = POLICY_NO_LIMIT;
	return &rules[set->n++];
}

int policy_set_add_subuids(struct policy_set *set,
			   const struct policy_subuids *subuids)
{
	struct policy_subuids *all =
		reallocarray(set->subuids, set->n_subuids + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	set->subuids = all;
	all[set->n_subuids++] = *subuids;
	return 0;
}

uint64_t policy_account(const struct policy_set *set, uint64_t account)
{
	for (size_t i = 0; i < set->n_subuids; i++)
		if (account >= set->subuids[i].first &&
		    account - set->subuids[i].first < set->subuids[i].count)
			return set->subuids[i].owner;
	return account;
}

/* ---- who ---- */

static bool has_id(const struct id_set *set, uint32_t id)
{
	for (size_t i = 0; i < set->n; i++)
		if (id >= set->ranges[i].first && id <= set->ranges[i].last)
			return true;
	return false;
}

/* Nobody's is in no set. */
static bool is_user(const struct policy_rule *rule,
		    const struct dev_caller *caller)
{
	return rule->users.n == 0 ||
	       (caller->uid != (uid_t)-1 && has_id(&rule->users, caller->uid));
}

static bool is_in_group(const struct policy_rule *rule,
			const struct dev_caller *caller)
{
	for (size_t i = 0; i < caller->n_groups; i++)
		if (has_id(&rule->groups, caller->groups[i]))
			return true;
	return rule->groups.n == 0;
}

/* In it, or in one below it; systemd has names as "a\x2db.service". */
static bool is_in_cgroup(const struct policy_rule *rule,
			 const struct dev_caller *caller)
{
	for (size_t i = 0; i < rule->cgroups.n && caller->cgroup; i++)
		if (strcmp(rule->cgroups.words[i], "/") == 0 ||
		    fnmatch(rule->cgroups.words[i], caller->cgroup,
			    FNM_NOESCAPE | FNM_PATHNAME | FNM_LEADING_DIR) == 0)
			return true;
	return rule->cgroups.n == 0;
}

/*
 * The very file, as seen from here: a path of that name in another mount
 * namespace is another file.
 */
static bool is_executable(const struct policy_rule *rule,
			  const struct dev_caller *caller)
{
	struct stat st;

	for (size_t i = 0; i < rule->executables.n && caller->exe_ino; i++)
		if (stat(rule->executables.words[i], &st) == 0 &&
		    st.st_dev == caller->exe_dev &&
		    st.st_ino == caller->exe_ino)
			return true;
	return rule->executables.n == 0;
}

static bool is_in_ns(const struct policy_rule *rule, uint64_t host_ns,
		     uint64_t ns_id)
{
	unsigned int kind = ns_id == host_ns ? POLICY_NS_HOST : POLICY_NS_OTHER;
	struct stat st;

	if (rule->ns_kinds & kind)
		return true;
	for (size_t i = 0; i < rule->ns_paths.n; i++)
		if (stat(rule->ns_paths.words[i], &st) == 0 &&
		    st.st_ino == ns_id)
			return true;
	return rule->ns_kinds == 0 && rule->ns_paths.n == 0;
}

static bool is_about_caller(const struct policy_set *set,
			    const struct policy_rule *rule,
			    const struct dev_caller *caller, uint64_t ns_id)
{
	/* Those that need to ask come last. */
	return is_user(rule, caller) && is_in_group(rule, caller) &&
	       is_in_cgroup(rule, caller) &&
	       is_in_ns(rule, set->host_ns, ns_id) &&
	       is_executable(rule, caller);
}

/* ---- what ---- */

static bool is_about_request(const struct policy_rule *rule,
			     const struct policy_request *request)
{
	if (rule->kinds && !(rule->kinds & request->kind))
		return false;
	for (size_t i = 0; i < rule->names.n; i++)
		if (fnmatch(rule->names.words[i], request->name,
			    FNM_NOESCAPE) == 0)
			return true;
	return rule->names.n == 0;
}

void policy_decide(const struct policy_set *set,
		   const struct dev_caller *caller,
		   const struct policy_request *request,
		   struct policy_decision *ret_decision)
{
	*ret_decision = (struct policy_decision){.verdict = POLICY_NO_RULE};
	for (size_t i = 0; i < set->n; i++) {
		const struct policy_rule *rule = &set->rules[i];

		if (!is_about_caller(set, rule, caller, request->ns_id))
			continue;
		if (is_about_request(rule, request)) {
			ret_decision->rule = rule;
			ret_decision->verdict = rule->allow & request->what
							? POLICY_ALLOWED
							: POLICY_REFUSED;
			return;
		}
		if (!ret_decision->near)
			ret_decision->near = rule;
	}
}

int policy_judge(const struct policy_set *set, const struct dev_caller *caller,
		 const struct policy_request *request,
		 struct policy_decision *ret_decision)
{
	bool allowed;

	policy_decide(set, caller, request, ret_decision);
	if (caller->net_admin && request->ns_id == set->host_ns)
		return 0;
	switch (ret_decision->verdict) {
	case POLICY_ALLOWED:
		allowed = true;
		break;
	case POLICY_REFUSED:
		allowed = false;
		break;
	default:
		allowed = request->by_kernels_rule;
	}
	return allowed ? 0 : -EPERM;
}

/* ---- small things ---- */

bool policy_may_log(struct policy_log *log, uint64_t now,
		    unsigned int *ret_untold)
{
	uint64_t next = atomic_load(&log->next_ms);

	if (now < next ||
	    !atomic_compare_exchange_strong(&log->next_ms, &next,
					    now + LOG_INTERVAL_MS)) {
		atomic_fetch_add(&log->untold, 1);
		return false;
	}
	*ret_untold = atomic_exchange(&log->untold, 0);
	return true;
}

bool ip_prefix_has(const struct ip_prefix *prefix, uint8_t family,
		   const uint8_t *address)
{
	unsigned int bytes = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->family != family ||
	    memcmp(prefix->address, address, bytes) != 0)
		return false;
	return rest == 0 ||
	       ((prefix->address[bytes] ^ address[bytes]) >> (8 - rest)) == 0;
}
