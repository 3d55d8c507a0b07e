/* SPDX-License-Identifier: MIT */
/* check.c - asks as attach.c does, and goes no further. */
#include "dev/check.h"

#include <errno.h>
#include <string.h>

#include "dev/attach.h"
#include "dev/device.h"
#include "dev/file.h"

/* With a reference, or NULL. */
static struct device *find(struct dev_table *table, const char *name,
			   uint64_t ns_id)
{
	struct device *dev = NULL;
	struct host_state state;
	uint64_t id = 0;

	while ((dev = dev_table_next(table, id))) {
		id = dev->id;
		dev->host->sync(dev->link);
		device_get_state(dev, &state);
		if (strcmp(state.name, name) == 0 && device_is_in(dev, ns_id))
			break;
		device_unref(dev);
	}
	return dev;
}

/* Whether it fits, whatever it wants of the program itself. */
static bool fits_otherwise(const struct policy_set *set,
			   const struct policy_rule *rule,
			   const struct dev_caller *caller,
			   const struct policy_request *request)
{
	struct policy_rule other = *rule;
	const struct policy_set alone = {
		.rules = &other,
		.n = 1,
		.host_ns = set->host_ns,
	};
	struct policy_decision decision;

	other.cgroups.n = other.executables.n = 0;
	policy_decide(&alone, caller, request, &decision);
	return decision.rule;
}

static const struct policy_rule *
find_unless(const struct policy_set *set, const struct dev_caller *caller,
	    const struct policy_request *request,
	    const struct policy_rule *decides)
{
	for (size_t i = 0; i < set->n && &set->rules[i] != decides; i++)
		if (fits_otherwise(set, &set->rules[i], caller, request))
			return &set->rules[i];
	return NULL;
}

void dev_check(struct dev_table *table, const struct dev_caller *caller,
	       const char *name, unsigned int kind, uint64_t ns_id,
	       struct dev_check *ret_check)
{
	struct policy_set *set = dev_table_policy(table);
	struct policy_request request = {
		.what = POLICY_CREATE,
		.kind = kind ? kind : POLICY_TUN,
		.name = name,
		.ns_id = ns_id ? ns_id : set->host_ns,
		.by_kernels_rule = caller->net_admin,
	};
	struct device *dev = find(table, name, request.ns_id);

	*ret_check = (struct dev_check){.set = set, .ns_id = request.ns_id};
	if (dev) {
		request.what = POLICY_ATTACH;
		request.kind = dev->kind == DEV_TUN ? POLICY_TUN : POLICY_TAP;
		request.by_kernels_rule = dev_may_attach(dev, caller);
		device_unref(dev);
	}
	ret_check->what = request.what;
	ret_check->kind = request.kind;
	ret_check->by_kernels_rule = request.by_kernels_rule;
	ret_check->exempt = caller->net_admin && request.ns_id == set->host_ns;
	ret_check->result =
		policy_judge(set, caller, &request, &ret_check->decision);
	/* That comes first, as with the kernel's TUN. */
	if (kind && kind != request.kind)
		ret_check->result = -EINVAL;
	ret_check->unless =
		find_unless(set, caller, &request, ret_check->decision.rule);
}

void dev_check_put(struct dev_check *check)
{
	policy_set_unref(check->set);
}
