/* SPDX-License-Identifier: MIT */
/*
 * config_keys.c - every key of every section, and what a section must have.
 * tund.conf(5) has them all: a test compares the two.
 */
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config_reading.h"
#include <tund/abi.h>

#define MIN_MTU	     68
#define MIN_IPV6_MTU 1280
#define MAX_MTU	     65535

/* The largest packet must have room. */
#define MIN_QUEUED_BYTES (128u << 10)

struct key {
	enum section_kind section;
	const char *name;
	void (*set)(struct reading *reading, const struct config_value *v);
};

static const struct value_bit kinds[] = {
	{"tun", POLICY_TUN},
	{"tap", POLICY_TAP},
};

static bool one_id(const struct config_value *v, enum ids ids, uint32_t *ret_id)
{
	struct id_set set = {0};
	bool ok = value_ids(v, ids | IDS_ONE, &set);

	if (ok && (set.n != 1 || set.ranges[0].first != set.ranges[0].last)) {
		config_mistake(v->reading, "%s=%s: one name or number, no more",
			       v->key, v->text);
		ok = false;
	}
	if (ok)
		*ret_id = set.ranges[0].first;
	free(set.ranges);
	return ok;
}

/* ---- [Daemon] ---- */

static void set_mount(struct reading *reading, const struct config_value *v)
{
	if (value_path(v))
		strcpy(reading->config->mount, v->text);
}

static void set_log_level(struct reading *reading, const struct config_value *v)
{
	int level = log_level_from_name(v->text);

	if (level < 0)
		config_mistake(reading,
			       "LogLevel=%s: not one of " LOG_LEVEL_NAMES,
			       v->text);
	else
		reading->config->log_level = (enum log_level)level;
}

static void set_files_per_user(struct reading *reading,
			       const struct config_value *v)
{
	value_number(v, 1, UINT32_MAX, &reading->config->policy->limits.files);
}

static void set_devices_per_user(struct reading *reading,
				 const struct config_value *v)
{
	value_number(v, 0, UINT32_MAX,
		     &reading->config->policy->limits.devices);
}

static void set_queued_bytes(struct reading *reading,
			     const struct config_value *v)
{
	value_size(v, MIN_QUEUED_BYTES,
		   &reading->config->policy->limits.queued_bytes);
}

static void set_capture_group(struct reading *reading,
			      const struct config_value *v)
{
	struct policy_set *set = reading->config->policy;
	uint32_t group;

	if (!one_id(v, IDS_GROUP, &group))
		return;
	set->has_capture_group = true;
	set->capture_group = group;
}

/* ---- what [Device] and [Policy] share ---- */

static struct dev_setup *setup_of(struct reading *reading)
{
	return reading->section == SECTION_DEVICE ? &reading->device->setup
						  : &reading->rule->setup;
}

static void set_kind(struct reading *reading, const struct config_value *v)
{
	unsigned int *kind = reading->section == SECTION_DEVICE
				     ? &reading->device->kind
				     : &reading->rule->kinds;

	/* A device is of one kind: the last one counts. */
	if (reading->section == SECTION_DEVICE)
		*kind = 0;
	/* What was told of is not missing, too. */
	if (!value_bits(v, kinds, ARRAY_SIZE(kinds), kind))
		*kind = POLICY_TUN;
	if (reading->section == SECTION_DEVICE)
		reading->device->kind_line = reading->line;
	if (reading->section == SECTION_DEVICE &&
	    *kind == (POLICY_TUN | POLICY_TAP))
		config_mistake(reading,
			       "Kind=%s: a device is either: write Kind=tun "
			       "or Kind=tap",
			       v->text);
}

static void set_mtu(struct reading *reading, const struct config_value *v)
{
	uint64_t mtu;

	if (value_number(v, MIN_MTU, MAX_MTU, &mtu))
		reading->mtu = (unsigned int)mtu;
	reading->mtu_line = reading->line;
}

static void set_address(struct reading *reading, const struct config_value *v)
{
	value_address(v, setup_of(reading), &reading->has_ipv6);
}

static void set_route(struct reading *reading, const struct config_value *v)
{
	value_route(v, setup_of(reading));
}

/* ---- [Device] ---- */

static void set_owner(struct reading *reading, const struct config_value *v)
{
	one_id(v, IDS_USER, &reading->device->owner);
}

static void set_group(struct reading *reading, const struct config_value *v)
{
	one_id(v, IDS_GROUP, &reading->device->group);
}

static void set_queues(struct reading *reading, const struct config_value *v)
{
	uint64_t queues;

	if (value_number(v, 1, HOST_MAX_QUEUES, &queues))
		reading->device->queues = (unsigned int)queues;
}

static void set_offloads(struct reading *reading, const struct config_value *v)
{
	/* Newer than the headers of Debian 12. */
	static const struct value_bit offloads[] = {
		{"none", VALUE_NONE},
		{"csum", TUN_F_CSUM},
		{"tso4", TUN_F_CSUM | TUN_F_TSO4},
		{"tso6", TUN_F_CSUM | TUN_F_TSO6},
		{"ecn", TUN_F_CSUM | TUN_F_TSO_ECN},
		{"uso", TUN_F_CSUM | 0x20 | 0x40},
	};

	if (value_bits(v, offloads, ARRAY_SIZE(offloads), &reading->offloads))
		reading->device->offloads = reading->offloads & ~VALUE_NONE;
}

static void set_ns_path(struct reading *reading, const struct config_value *v)
{
	if (!value_path(v))
		return;
	free(reading->device->ns_path);
	reading->device->ns_path = strdup(v->text);
	reading->device->ns_line = reading->line;
	reading->no_memory |= !reading->device->ns_path;
}

/* ---- [Policy]: who ---- */

static void set_users(struct reading *reading, const struct config_value *v)
{
	value_ids(v, IDS_USER, &reading->rule->users);
}

static void set_groups(struct reading *reading, const struct config_value *v)
{
	value_ids(v, IDS_GROUP, &reading->rule->groups);
}

static void set_cgroup(struct reading *reading, const struct config_value *v)
{
	value_cgroup(v, &reading->rule->cgroups);
	reading->config->policy->needs |= POLICY_NEEDS_CGROUP;
}

static void set_executable(struct reading *reading,
			   const struct config_value *v)
{
	value_paths(v, &reading->rule->executables);
	reading->config->policy->needs |= POLICY_NEEDS_EXECUTABLE;
}

static void set_ns(struct reading *reading, const struct config_value *v)
{
	struct policy_rule *rule = reading->rule;

	if (strcmp(v->text, "host") == 0)
		rule->ns_kinds |= POLICY_NS_HOST;
	else if (strcmp(v->text, "other") == 0)
		rule->ns_kinds |= POLICY_NS_OTHER;
	else if (v->text[0] == '/')
		value_paths(v, &rule->ns_paths);
	else
		config_mistake(reading,
			       "NetworkNamespace=%s: host (the daemon's own), "
			       "other, or an absolute path such as "
			       "/run/netns/NAME",
			       v->text);
}

/* ---- [Policy]: what ---- */

static void set_names(struct reading *reading, const struct config_value *v)
{
	value_names(v, &reading->rule->names);
}

static void set_allow(struct reading *reading, const struct config_value *v)
{
	static const struct value_bit allow[] = {
		{"none", VALUE_NONE},
		{"create", POLICY_CREATE},
		{"attach", POLICY_ATTACH},
	};

	/* Told of already, if it is wrong. */
	reading->rule->has_allow = true;
	if (value_bits(v, allow, ARRAY_SIZE(allow), &reading->allow))
		reading->rule->allow = reading->allow & ~VALUE_NONE;
}

static void set_plane(struct reading *reading, const struct config_value *v)
{
	static const struct value_bit planes[] = {
		{"file", POLICY_FILE_PLANE},
		{"direct", POLICY_DIRECT_PLANE},
	};

	/* Not to the default, which is both. */
	if (value_bits(v, planes, ARRAY_SIZE(planes), &reading->planes))
		reading->rule->planes = reading->planes;
}

static void set_up(struct reading *reading, const struct config_value *v)
{
	reading->has_up = value_bool(v, &reading->up);
}

static void set_configure(struct reading *reading, const struct config_value *v)
{
	value_bool(v, &reading->configure);
}

static void set_max_devices(struct reading *reading,
			    const struct config_value *v)
{
	value_number(v, 0, UINT32_MAX, &reading->rule->max_devices);
}

static void set_max_files(struct reading *reading, const struct config_value *v)
{
	value_number(v, 1, UINT32_MAX, &reading->rule->max_files);
}

static void set_rule_queued_bytes(struct reading *reading,
				  const struct config_value *v)
{
	value_size(v, MIN_QUEUED_BYTES, &reading->rule->max_queued_bytes);
}

static void set_packet_rate(struct reading *reading,
			    const struct config_value *v)
{
	value_number(v, 1, RATE_MAX, &reading->rule->max_packet_rate);
}

static void set_sources(struct reading *reading, const struct config_value *v)
{
	value_prefixes(v, &reading->rule->sources);
}

static const struct key keys[] = {
	{SECTION_DAEMON, "Mount", set_mount},
	{SECTION_DAEMON, "LogLevel", set_log_level},
	{SECTION_DAEMON, "MaxFilesPerUser", set_files_per_user},
	{SECTION_DAEMON, "MaxDevicesPerUser", set_devices_per_user},
	{SECTION_DAEMON, "MaxQueuedBytes", set_queued_bytes},
	{SECTION_DAEMON, "CaptureGroup", set_capture_group},

	{SECTION_DEVICE, "Kind", set_kind},
	{SECTION_DEVICE, "MTU", set_mtu},
	{SECTION_DEVICE, "Address", set_address},
	{SECTION_DEVICE, "Route", set_route},
	{SECTION_DEVICE, "Owner", set_owner},
	{SECTION_DEVICE, "Group", set_group},
	{SECTION_DEVICE, "Queues", set_queues},
	{SECTION_DEVICE, "Offloads", set_offloads},
	{SECTION_DEVICE, "NetworkNamespacePath", set_ns_path},

	{SECTION_POLICY, "User", set_users},
	{SECTION_POLICY, "Group", set_groups},
	{SECTION_POLICY, "ControlGroup", set_cgroup},
	{SECTION_POLICY, "Executable", set_executable},
	{SECTION_POLICY, "NetworkNamespace", set_ns},
	{SECTION_POLICY, "Name", set_names},
	{SECTION_POLICY, "Kind", set_kind},
	{SECTION_POLICY, "Allow", set_allow},
	{SECTION_POLICY, "Plane", set_plane},
	{SECTION_POLICY, "MTU", set_mtu},
	{SECTION_POLICY, "Address", set_address},
	{SECTION_POLICY, "Route", set_route},
	{SECTION_POLICY, "Up", set_up},
	{SECTION_POLICY, "Configure", set_configure},
	{SECTION_POLICY, "MaxDevices", set_max_devices},
	{SECTION_POLICY, "MaxFiles", set_max_files},
	{SECTION_POLICY, "MaxQueuedBytes", set_rule_queued_bytes},
	{SECTION_POLICY, "MaxPacketsPerSecond", set_packet_rate},
	{SECTION_POLICY, "SourceAddress", set_sources},
};

static void unknown_key(struct reading *reading, const char *name)
{
	char known[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].section == reading->section)
			used += (size_t)snprintf(
				known + used, sizeof(known) - used,
				"%s %s=", used ? "," : "", keys[i].name);
	config_mistake(reading, "unknown key %s=: [%s] has%s", name,
		       reading->header, known);
}

void config_set_key(struct reading *reading, const char *name,
		    const char *value)
{
	const struct config_value v = {reading, name, value};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].section != reading->section ||
		    strcmp(keys[i].name, name) != 0)
			continue;
		if (value[0])
			keys[i].set(reading, &v);
		else
			config_mistake(reading,
				       "%s= says nothing: give it a value, or "
				       "leave it out",
				       name);
		return;
	}
	unknown_key(reading, name);
}

/* ---- what a section must have ---- */

static int step_rank(const struct tund_config *step)
{
	switch (step->what) {
	case TUND_CONFIG_MTU:
		return 0;
	case TUND_CONFIG_ADDRESS_ADD:
		return 1;
	case TUND_CONFIG_UP:
		return 2;
	default:
		/* It needs an interface that is up, and its gateway a route. */
		return config_has_gateway(step) ? 4 : 3;
	}
}

/* Keeps the order of what is alike: a sort by insertion. */
static void sort_steps(struct dev_setup *setup)
{
	for (size_t i = 1; i < setup->n; i++) {
		struct dev_step step = setup->steps[i];
		int rank = step_rank(&step.config);
		size_t to = i;

		while (to > 0 &&
		       step_rank(&setup->steps[to - 1].config) > rank) {
			setup->steps[to] = setup->steps[to - 1];
			to--;
		}
		setup->steps[to] = step;
	}
}

static void end_setup(struct reading *reading, bool up)
{
	struct dev_setup *setup = setup_of(reading);
	unsigned int line = reading->line;
	const struct tund_config mtu = {.what = TUND_CONFIG_MTU,
					.value = reading->mtu};
	const struct tund_config set_it_up = {.what = TUND_CONFIG_UP,
					      .value = 1};

	reading->line = reading->mtu_line;
	if (reading->mtu && reading->mtu < MIN_IPV6_MTU && reading->has_ipv6)
		config_mistake(reading,
			       "MTU=%u: IPv6 addresses need %d at least",
			       reading->mtu, MIN_IPV6_MTU);
	if (reading->mtu)
		config_add_step(reading, setup, &mtu);
	reading->line = line;
	if (up)
		config_add_step(reading, setup, &set_it_up);
	sort_steps(setup);
}

static bool same_ns(const struct dev_declaration *a,
		    const struct dev_declaration *b)
{
	if (!a->ns_path || !b->ns_path)
		return a->ns_path == b->ns_path;
	return strcmp(a->ns_path, b->ns_path) == 0;
}

static void end_device(struct reading *reading)
{
	struct dev_declaration *device = reading->device;

	if (!device->kind)
		config_mistake(reading,
			       "[%s] does not say what it is: write Kind=tun "
			       "or Kind=tap",
			       reading->header);
	for (const struct dev_declaration *other = reading->config->devices;
	     other < device; other++)
		if (strcmp(other->name, device->name) == 0 &&
		    same_ns(other, device))
			config_mistake(reading,
				       "[%s] is there already, at %s:%u: give "
				       "this one another name or another "
				       "NetworkNamespacePath=",
				       reading->header, other->file,
				       other->line);
	/* As good as root's own, if nobody is named. */
	if (device->owner == (uid_t)-1 && device->group == (gid_t)-1)
		device->owner = 0;
	end_setup(reading, true);
	config_check_gateways(reading, &device->setup);
}

static void end_policy(struct reading *reading)
{
	struct policy_rule *rule = reading->rule;
	bool configures = rule->setup.n > 0 || reading->mtu;

	if (!rule->has_allow)
		config_mistake(reading,
			       "[%s] does not say what it allows: write "
			       "Allow=create attach, Allow=create, "
			       "Allow=attach or Allow=none",
			       reading->header);
	if (rule->has_allow && !rule->allow &&
	    (configures || reading->up || reading->configure ||
	     rule->sources.n > 0))
		config_mistake(reading,
			       "[%s] allows nothing and configures something: "
			       "leave that out, or write Allow=attach",
			       reading->header);
	if (reading->configure)
		rule->allow |= POLICY_CONFIGURE;
	end_setup(reading, reading->has_up ? reading->up : rule->setup.n > 0);
}

void config_end_section(struct reading *reading)
{
	unsigned int line = reading->line;

	if (reading->no_memory)
		return;
	/* What is missing is missing there. */
	reading->line = reading->section_line;
	if (reading->section == SECTION_DEVICE)
		end_device(reading);
	else if (reading->section == SECTION_POLICY)
		end_policy(reading);
	reading->section = SECTION_NONE;
	reading->line = line;
}
