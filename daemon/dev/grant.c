/* SPDX-License-Identifier: MIT */
/* grant.c - the policy's decisions, and the words about them. */
#include "dev/grant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/util.h"
#include "dev/device.h"
#include "dev/file.h"
#include "dev/table.h"
#include "packet/frame.h"
#include "packet/vnet.h"

#define IPV4_HLEN 20
#define IPV6_HLEN 40

static void describe(const struct policy_decision *decision, char *ret_text,
		     size_t size)
{
	const struct policy_rule *rule = decision->rule, *near = decision->near;

	if (rule)
		snprintf(ret_text, size,
			 "[Policy %s] at %s:%u does not allow "
			 "it",
			 rule->name, rule->file, rule->line);
	else if (near)
		snprintf(ret_text, size,
			 "no policy allows it; the first that "
			 "is about this program is [Policy %s] at %s:%u",
			 near->name, near->file, near->line);
	else
		snprintf(ret_text, size, "no policy is about this program");
}

/* The counter beside the rule changes, the rule does not. */
static struct policy_log *log_of(struct policy_set *set,
				 const struct policy_rule *rule)
{
	return rule ? &set->rules[rule - set->rules].log : &set->log;
}

/* Whether it may be told of, and of how many others that was not so. */
static bool may_tell(struct policy_set *set, const struct policy_rule *rule,
		     char *ret_others, size_t size)
{
	unsigned int untold;

	if (!policy_may_log(log_of(set, rule), now_ms(), &untold))
		return false;
	ret_others[0] = '\0';
	if (untold)
		snprintf(ret_others, size,
			 " (%u more were refused since the last message)",
			 untold);
	return true;
}

static const char *verb(unsigned int what)
{
	switch (what) {
	case POLICY_CREATE:
		return "create";
	case POLICY_ATTACH:
		return "attach to";
	default:
		return "configure";
	}
}

static void tell(struct policy_set *set, const struct dev_caller *caller,
		 const struct policy_request *request,
		 const struct policy_decision *decision)
{
	char why[400], others[64];

	if (!may_tell(set, decision->rule ? decision->rule : decision->near,
		      others, sizeof(others)))
		return;
	describe(decision, why, sizeof(why));
	log_notice("user %u may not %s \"%s\" (%s): %s%s", caller->uid,
		   verb(request->what), request->name,
		   request->kind == POLICY_TAP ? "tap" : "tun", why, others);
}

/* The limit is the rule's, or that of [Daemon]. */
static void tell_limit(struct policy_set *set, const struct policy_rule *rule,
		       uid_t uid, const char *key, uint64_t limit)
{
	char others[64];

	if (!may_tell(set, rule, others, sizeof(others)))
		return;
	if (rule)
		log_notice("user %u has all that %s=%llu of [Policy %s] at "
			   "%s:%u allows%s",
			   uid, key, (unsigned long long)limit, rule->name,
			   rule->file, rule->line, others);
	else
		log_notice("user %u has all that %s=%llu of [Daemon] allows%s",
			   uid, key, (unsigned long long)limit, others);
}

static int judge(struct policy_set *set, const struct dev_caller *caller,
		 const struct policy_request *request,
		 struct policy_decision *ret_decision)
{
	int r = policy_judge(set, caller, request, ret_decision);

	/* Without any policy it is as with the kernel's TUN. */
	if (r < 0 && set->n > 0)
		tell(set, caller, request, ret_decision);
	return r;
}

int dev_grant_ask(struct dev_table *table, const struct dev_caller *caller,
		  const struct policy_request *request, struct dev_grant *grant)
{
	struct policy_set *set = dev_table_policy(table);
	struct policy_decision decision;
	int r;

	r = judge(set, caller, request, &decision);
	if (r < 0) {
		policy_set_unref(set);
		return r;
	}
	dev_grant_put(grant);
	*grant = (struct dev_grant){
		.set = set,
		.rule = decision.verdict == POLICY_ALLOWED ? decision.rule
							   : NULL,
		.exempt = caller->net_admin && request->ns_id == set->host_ns,
		.stands_in = decision.verdict == POLICY_ALLOWED &&
			     !caller->net_admin,
		.account = caller->account,
	};
	return 0;
}

int dev_grant_check_configure(struct dev_table *table,
			      const struct dev_caller *caller,
			      const struct policy_request *request)
{
	struct policy_set *set = dev_table_policy(table);
	struct policy_decision decision;
	int r = judge(set, caller, request, &decision);

	policy_set_unref(set);
	return r;
}

void dev_grant_copy(const struct dev_grant *grant, struct dev_grant *ret_grant)
{
	*ret_grant = *grant;
	if (grant->set)
		policy_set_ref(grant->set);
}

void dev_grant_put(struct dev_grant *grant)
{
	policy_set_unref(grant->set);
	*grant = (struct dev_grant){0};
}

bool dev_grant_has_plane(const struct dev_grant *grant, unsigned int plane)
{
	return !grant->rule || (grant->rule->planes & plane);
}

static bool is_source(const struct ip_prefixes *sources, int version,
		      const uint8_t *address)
{
	for (size_t i = 0; i < sources->n; i++)
		if (ip_prefix_has(&sources->prefixes[i],
				  version == 4 ? AF_INET : AF_INET6, address))
			return true;
	return false;
}

static bool may_send_frame(const struct ip_prefixes *sources,
			   const uint8_t *data, size_t len,
			   const struct virtio_net_hdr *vnet)
{
	struct frame_sender sender;

	if (!frame_find_sender(data, len, &sender) ||
	    !vnet_leaves(vnet, sender.fixed))
		return false;
	for (unsigned int i = 0; i < sender.n; i++)
		if (!is_source(sources, sender.version, sender.addresses[i]))
			return false;
	return true;
}

bool dev_grant_may_send(const struct dev_grant *grant, enum dev_kind kind,
			const uint8_t *data, size_t len, uint16_t proto_be,
			const struct virtio_net_hdr *vnet)
{
	const struct ip_prefixes *sources;
	const uint8_t *address;
	int version;

	if (!grant->rule || grant->rule->sources.n == 0)
		return true;
	sources = &grant->rule->sources;
	if (kind == DEV_TAP)
		return may_send_frame(sources, data, len, vnet);
	address = frame_ip_source(data, len, proto_be, &version);
	return address && is_source(sources, version, address) &&
	       vnet_leaves(vnet, version == 4 ? IPV4_HLEN : IPV6_HLEN);
}

void dev_grant_rate(const struct dev_grant *grant, struct rate *ret_rate)
{
	*ret_rate = (struct rate){0};
	if (grant->rule && grant->rule->max_packet_rate != POLICY_NO_LIMIT)
		rate_init(ret_rate, grant->rule->max_packet_rate);
}

size_t dev_grant_queued_bytes(const struct dev_grant *grant)
{
	if (grant->rule && grant->rule->max_queued_bytes != POLICY_NO_LIMIT)
		return grant->rule->max_queued_bytes;
	return grant->set ? grant->set->limits.queued_bytes : DEV_QUEUE_BYTES;
}

int dev_grant_take_file(struct dev_table *table, uid_t uid, uint64_t account)
{
	struct policy_set *set = dev_table_policy(table);
	uint64_t limit = set->limits.files;
	int r = quota_take(&table->quota, account, QUOTA_FILES, limit);

	if (r == -EMFILE)
		tell_limit(set, NULL, uid, "MaxFilesPerUser", limit);
	policy_set_unref(set);
	return r;
}

int dev_grant_check_files(const struct dev_grant *grant,
			  struct dev_table *table, uid_t uid, uint64_t account)
{
	const struct policy_rule *rule = grant->rule;

	if (!rule || grant->exempt || rule->max_files == POLICY_NO_LIMIT ||
	    quota_count(&table->quota, account, QUOTA_FILES) <= rule->max_files)
		return 0;
	tell_limit(grant->set, rule, uid, "MaxFiles", rule->max_files);
	return -EMFILE;
}

int dev_grant_take_device(const struct dev_grant *grant,
			  struct dev_table *table, uid_t uid, uint64_t account,
			  bool *ret_counts)
{
	const struct policy_rule *rule = grant->rule;
	uint64_t limit = grant->set->limits.devices;
	int r;

	*ret_counts = false;
	if (grant->exempt)
		return 0;
	if (rule && rule->max_devices == POLICY_NO_LIMIT)
		rule = NULL;
	if (rule)
		limit = rule->max_devices;
	*ret_counts = true;
	r = quota_take(&table->quota, account, QUOTA_DEVICES, limit);
	if (r == -ENOSPC)
		tell_limit(grant->set, rule, uid,
			   rule ? "MaxDevices" : "MaxDevicesPerUser", limit);
	return r;
}
