/* SPDX-License-Identifier: MIT */
/* policy.c - the decision of dev/check.h, in words. */
#include "ctl/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "ctl/request.h"
#include "dev/check.h"
#include "dev/file.h"

/* ---- the question ---- */

static bool read_id(const json_t *value, uint32_t *ret_id)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number >= UINT32_MAX)
		return false;
	*ret_id = (uint32_t)number;
	return true;
}

static int read_uid(const json_t *value, struct ctl_check *check,
		    struct ctl_error *error)
{
	if (!read_id(value, &check->uid))
		return ctl_fail(error, "invalid",
				"\"uid\" must be a user's number");
	check->has_uid = true;
	return 1;
}

static int read_groups(const json_t *value, struct ctl_check *check,
		       struct ctl_error *error)
{
	bool good = json_is_array(value) &&
		    json_array_size(value) <= CTL_MAX_GROUPS;

	check->n_groups = good ? json_array_size(value) : 0;
	for (size_t i = 0; i < check->n_groups && good; i++)
		good = read_id(json_array_get(value, i), &check->groups[i]);
	if (!good)
		return ctl_fail(error, "invalid",
				"\"groups\" must be a list of groups' numbers, "
				"%d at most",
				CTL_MAX_GROUPS);
	return 1;
}

/* One of two words, which stand for 1 and 2. */
static int read_word(const char *key, const json_t *value,
		     const char *const words[2], unsigned int *ret_bit,
		     struct ctl_error *error)
{
	const char *word = json_string_value(value);

	for (unsigned int i = 0; word && i < 2; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_bit = 1u << i;
			return 1;
		}
	}
	return ctl_fail(error, "invalid", "\"%s\" must be \"%s\" or \"%s\"",
			key, words[0], words[1]);
}

static const char *const kinds[] = {"tun", "tap"};
static const char *const planes[] = {"file", "direct"};

int ctl_check_read(const char *key, const json_t *value,
		   struct ctl_check *check, struct ctl_error *error)
{
	if (strcmp(key, "uid") == 0)
		return read_uid(value, check, error);
	if (strcmp(key, "groups") == 0)
		return read_groups(value, check, error);
	if (strcmp(key, "kind") == 0)
		return read_word(key, value, kinds, &check->kind, error);
	if (strcmp(key, "plane") == 0)
		return read_word(key, value, planes, &check->plane, error);
	return 0;
}

/* ---- the answer ---- */

#define ANY_PLANE (POLICY_FILE_PLANE | POLICY_DIRECT_PLANE)

static json_t *describe_rule(const struct policy_rule *rule)
{
	if (!rule)
		return json_null();
	return json_pack("{s:o, s:o, s:i}", "name", ctl_text(rule->name),
			 "file", ctl_text(rule->file), "line", (int)rule->line);
}

static void name_rule(const struct policy_rule *rule, char *ret_text,
		      size_t size)
{
	snprintf(ret_text, size, "[Policy %s] at %s:%u", rule->name, rule->file,
		 rule->line);
}

static const char *verb_of(const struct dev_check *check)
{
	return check->what == POLICY_CREATE ? "create" : "attach";
}

/* Where no rule decides. */
static void kernels_reason(const struct dev_check *check, uid_t uid,
			   char *ret_text, size_t size)
{
	const char *why;

	if (uid == 0)
		why = "root has CAP_NET_ADMIN";
	else if (check->what == POLICY_CREATE)
		why = "it takes CAP_NET_ADMIN over the network namespace";
	else if (check->by_kernels_rule)
		why = "the interface's owner and group allow it";
	else
		why = "the interface's owner and group do not allow it (one "
		      "that a policy's user has made has none), and "
		      "so it takes CAP_NET_ADMIN over the network namespace";
	snprintf(ret_text, size,
		 "no policy is about it, and by the kernel's rule %s", why);
}

static unsigned int planes_of(const struct dev_check *check)
{
	const struct policy_rule *rule = check->decision.rule;

	if (check->result < 0)
		return 0;
	return check->decision.verdict == POLICY_ALLOWED ? rule->planes
							 : ANY_PLANE;
}

static void reason_of(const struct dev_check *check, const struct ctl_check *by,
		      bool allowed, char *ret_text, size_t size)
{
	const struct policy_rule *rule = check->decision.rule;
	bool refused = check->decision.verdict == POLICY_REFUSED;
	char name[400];

	if (rule)
		name_rule(rule, name, sizeof(name));
	if (check->result == -EINVAL)
		snprintf(ret_text, size, "the interface is there, and a %s",
			 kinds[check->kind == POLICY_TAP]);
	else if (check->result == 0 && !allowed)
		snprintf(ret_text, size, "%s does not allow the %s plane", name,
			 planes[by->plane == POLICY_DIRECT_PLANE]);
	else if (check->exempt && (!rule || refused))
		snprintf(ret_text, size,
			 "root is refused nothing in the daemon's own network "
			 "namespace");
	else if (rule)
		snprintf(ret_text, size, "%s %s to %s it", name,
			 refused ? "does not allow" : "allows",
			 check->what == POLICY_CREATE ? "create" : "attach to");
	else
		kernels_reason(check, by->uid, ret_text, size);
}

static const char *decider_of(const struct dev_check *check)
{
	if (check->exempt && check->decision.verdict != POLICY_ALLOWED)
		return "root";
	return check->decision.rule ? "policy" : "kernel";
}

static json_t *list_planes(unsigned int bits)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < ARRAY_SIZE(planes); i++)
		if (bits & 1u << i)
			json_array_append_new(list, json_string(planes[i]));
	return list;
}

static bool may_configure(const struct dev_check *check, uid_t uid)
{
	const struct policy_rule *rule = check->decision.rule;

	return uid == 0 || (rule && rule->allow & POLICY_CONFIGURE);
}

static json_t *packet_rate_of(const struct dev_check *check, bool allowed)
{
	const struct policy_rule *rule = check->decision.rule;

	return allowed && check->decision.verdict == POLICY_ALLOWED &&
			       rule->max_packet_rate != POLICY_NO_LIMIT
		       ? json_integer((json_int_t)rule->max_packet_rate)
		       : json_null();
}

static json_t *describe(const struct dev_check *check,
			const struct ctl_request *request)
{
	const struct ctl_check *by = &request->check;
	unsigned int usable = planes_of(check);
	bool allowed = by->plane ? usable & by->plane : usable != 0;
	const struct policy_rule *rule = check->decision.rule;
	char reason[600];

	reason_of(check, by, allowed, reason, sizeof(reason));
	return json_pack(
		"{s:o, s:s, s:I, s:I, s:s, s:b, s:s, s:o, s:o, s:o, "
		"s:o, s:o, s:b, s:o}",
		"name", ctl_text(request->name), "kind",
		kinds[check->kind == POLICY_TAP], "netns",
		(json_int_t)check->ns_id, "uid", (json_int_t)by->uid, "request",
		verb_of(check), "allowed", allowed, "decided_by",
		decider_of(check), "policy", describe_rule(rule), "near",
		describe_rule(rule ? NULL : check->decision.near), "unless",
		describe_rule(check->unless), "reason", ctl_text(reason),
		"planes", list_planes(usable), "configure",
		allowed && may_configure(check, by->uid),
		"max_packets_per_second", packet_rate_of(check, allowed));
}

json_t *ctl_check_policy(struct dev_table *table,
			 const struct ctl_request *request)
{
	const struct ctl_check *by = &request->check;
	const struct dev_caller caller = {
		.uid = by->uid,
		.groups = by->groups,
		.n_groups = by->n_groups,
		.net_admin = by->uid == 0,
	};
	struct dev_check check;
	json_t *result;

	dev_check(table, &caller, request->name, by->kind, request->netns,
		  &check);
	result = describe(&check, request);
	dev_check_put(&check);
	return result;
}
