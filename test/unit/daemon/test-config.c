/* SPDX-License-Identifier: MIT */
/* test-config.c - the configuration, config.h: every key, as it is taken. */
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <string.h>

#include "conf.h"
#include <tund/abi.h>

static void an_empty_file_has_the_usual_values(void **state)
{
	struct config *config = conf_take("# nothing\n; at all\n\n");

	assert_string_equal(config->mount, "/run/tund/dev");
	assert_int_equal(config->log_level, LOG_LEVEL_NOTICE);
	assert_int_equal(config->n_devices, 0);
	assert_int_equal(config->policy->n, 0);
	assert_int_equal(config->policy->needs, 0);
	assert_true(config->policy->host_ns > 0);
	assert_int_equal(config->policy->limits.devices, 1024);
	assert_int_equal(config->policy->limits.files, 8192);
	assert_int_equal(config->policy->limits.queued_bytes, 16 << 20);
	config_free(config);
}

static void daemon_keys(void **state)
{
	struct config *config =
		conf_take("[Daemon]\r\n# c\nMount = /a b \nLogLevel = warning\n"
			  "MaxFilesPerUser=7\nMaxDevicesPerUser=0\n"
			  "MaxQueuedBytes=2M\nCaptureGroup=42\n"
			  "[Daemon]\nLogLevel=debug");

	assert_string_equal(config->mount, "/a b");
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->policy->limits.files, 7);
	assert_int_equal(config->policy->limits.devices, 0);
	assert_int_equal(config->policy->limits.queued_bytes, 2 << 20);
	assert_true(config->policy->has_capture_group);
	assert_int_equal(config->policy->capture_group, 42);
	config_free(config);
	/* Nobody, unless it is written. */
	config = conf_take("[Daemon]\n");
	assert_false(config->policy->has_capture_group);
	config_free(config);
}

static void assert_step(const struct dev_setup *setup, size_t i,
			unsigned int what, const char *address,
			unsigned int prefix, const char *peer, uint32_t value)
{
	const struct tund_config *step = &setup->steps[i].config;
	char text[64] = "";

	assert_true(i < setup->n);
	assert_int_equal(step->what, what);
	assert_int_equal(step->value, value);
	if (!address)
		return;
	inet_ntop(step->family, step->address, text, sizeof(text));
	assert_string_equal(text, address);
	assert_int_equal(step->prefix, prefix);
	inet_ntop(step->family, step->peer, text, sizeof(text));
	assert_string_equal(text, peer);
}

static void device_keys(void **state)
{
	struct config *config = conf_take(
		"[Device vpn0]\nRoute=10.0.0.0/8 via 10.8.0.1 metric 7\n"
		"Address=10.8.0.2/24\nAddress=fd00::2/64\nRoute=default\n"
		"Address=10.9.0.2/32 peer 10.9.0.1\nMTU=1400\nKind=tun\n"
		"Owner=1000\nGroup=root\nQueues=4\nOffloads=csum tso4\n"
		"NetworkNamespacePath=/run/netns/a b\n"
		"[Device tap0]\nKind=tap\nOffloads=none\n"
		"[Device both]\nKind=tap\nGroup=5\nOffloads=uso tso6 ecn\n"
		"[Device vpn0]\nKind=tun\n");
	const struct dev_declaration *d = config->devices;

	assert_int_equal(config->n_devices, 4);
	assert_string_equal(d[0].name, "vpn0");
	assert_string_equal(d[0].file, conf_path);
	assert_int_equal(d[0].line, 1);
	assert_int_equal(d[0].kind, POLICY_TUN);
	assert_int_equal(d[0].owner, 1000);
	assert_int_equal(d[0].group, 0);
	assert_int_equal(d[0].queues, 4);
	assert_int_equal(d[0].offloads, TUN_F_CSUM | TUN_F_TSO4);
	assert_string_equal(d[0].ns_path, "/run/netns/a b");
	assert_int_equal(d[0].setup.n, 7);
	assert_step(&d[0].setup, 0, TUND_CONFIG_MTU, NULL, 0, NULL, 1400);
	assert_step(&d[0].setup, 1, TUND_CONFIG_ADDRESS_ADD, "10.8.0.2", 24,
		    "0.0.0.0", 0);
	assert_step(&d[0].setup, 2, TUND_CONFIG_ADDRESS_ADD, "fd00::2", 64,
		    "::", 0);
	assert_step(&d[0].setup, 3, TUND_CONFIG_ADDRESS_ADD, "10.9.0.2", 32,
		    "10.9.0.1", 0);
	assert_step(&d[0].setup, 4, TUND_CONFIG_UP, NULL, 0, NULL, 1);
	/* A gateway may be at hand through one without. */
	assert_step(&d[0].setup, 5, TUND_CONFIG_ROUTE_ADD, "0.0.0.0", 0,
		    "0.0.0.0", 0);
	assert_step(&d[0].setup, 6, TUND_CONFIG_ROUTE_ADD, "10.0.0.0", 8,
		    "10.8.0.1", 7);
	assert_int_equal(d[0].setup.steps[0].line, 7);
	assert_int_equal(d[0].setup.steps[6].line, 2);
	/* Root's own, where nobody is named. */
	assert_int_equal(d[1].owner, 0);
	assert_int_equal(d[1].group, (gid_t)-1);
	assert_int_equal(d[1].queues, 1);
	assert_int_equal(d[1].offloads, 0);
	assert_null(d[1].ns_path);
	assert_int_equal(d[1].setup.n, 1);
	assert_int_equal(d[2].owner, (uid_t)-1);
	assert_int_equal(d[2].group, 5);
	assert_int_equal(d[2].offloads,
			 TUN_F_CSUM | TUN_F_TSO6 | TUN_F_TSO_ECN | 0x60);
	config_free(config);
}

static void who_keys(void **state)
{
	struct config *config = conf_take(
		"[Policy a]\nAllow=none\nUser=root 7\nUser=100-199\n"
		"Group=3-4 root\nControlGroup=/a.slice/b@*.service/\n"
		"Executable=/usr/sbin/open vpn\nExecutable=/bin/sh\n"
		"NetworkNamespace=host\nNetworkNamespace=/run/netns/x\n");
	const struct policy_rule *rule = config->policy->rules;

	assert_string_equal(rule->name, "a");
	assert_int_equal(rule->line, 1);
	assert_int_equal(rule->users.n, 3);
	assert_int_equal(rule->users.ranges[0].last, 0);
	assert_int_equal(rule->users.ranges[1].first, 7);
	assert_int_equal(rule->users.ranges[2].first, 100);
	assert_int_equal(rule->users.ranges[2].last, 199);
	assert_int_equal(rule->groups.n, 2);
	assert_string_equal(rule->cgroups.words[0], "/a.slice/b@*.service");
	assert_int_equal(rule->executables.n, 2);
	assert_string_equal(rule->executables.words[0], "/usr/sbin/open vpn");
	assert_int_equal(rule->ns_kinds, POLICY_NS_HOST);
	assert_string_equal(rule->ns_paths.words[0], "/run/netns/x");
	assert_int_equal(config->policy->needs,
			 POLICY_NEEDS_CGROUP | POLICY_NEEDS_EXECUTABLE);
	assert_int_equal(rule->allow, 0);
	config_free(config);
}

/* What looks odd and can fit something. */
static void odd_patterns(void **state)
{
	struct config *config = conf_take(
		"[Policy a]\nAllow=none\nName=a#b *012345678901234* x[]]\n"
		"Name=y[!]a] z[[:alpha:]0] [,] ????????????[0-9]ab \xc3\xa4\n"
		"ControlGroup=/\nControlGroup=/a b/c\\x2dd.service/[!a]\n"
		"ControlGroup=/.a/...\nControlGroup=/sys/fs/cgroups\n"
		"Executable=/opt/a b, c#d/e\n"
		"NetworkNamespace=/run/netns/a b\n");
	const struct policy_rule *rule = config->policy->rules;

	assert_int_equal(rule->names.n, 8);
	assert_int_equal(rule->cgroups.n, 4);
	assert_string_equal(rule->cgroups.words[0], "/");
	assert_string_equal(rule->executables.words[0], "/opt/a b, c#d/e");
	config_free(config);
}

static void what_keys(void **state)
{
	struct config *config = conf_take(
		"[Policy a]\nAllow=attach create\nName=vpn0 t?n[0-3]\n"
		"Name=x*\nKind=tun\nPlane=direct\nMTU=1300\n"
		"Address=10.8.0.2/24\nRoute=::/0\nMaxDevices=2\n"
		"MaxFiles=3\nMaxQueuedBytes=131072\n"
		"MaxPacketsPerSecond=5000\n"
		"SourceAddress=10.8.0.2 10.8.1.0/24\n"
		"SourceAddress=fd00::/64\n[Policy b]\nAllow=attach\n"
		"Up=yes\n[Policy c]\nConfigure=yes\nAllow=attach\n"
		"MTU=1300\nSourceAddress=10.8.0.0/24\n"
		"[Policy d]\nAllow=create\nAddress=10.8.0.2/24\nUp=no\n");
	const struct policy_rule *rule = config->policy->rules;

	assert_int_equal(config->policy->n, 4);
	assert_int_equal(rule->allow, POLICY_CREATE | POLICY_ATTACH);
	assert_int_equal(rule->names.n, 3);
	assert_string_equal(rule->names.words[1], "t?n[0-3]");
	assert_int_equal(rule->kinds, POLICY_TUN);
	assert_int_equal(rule->planes, POLICY_DIRECT_PLANE);
	assert_int_equal(rule->max_devices, 2);
	assert_int_equal(rule->max_files, 3);
	assert_int_equal(rule->max_queued_bytes, 128 << 10);
	assert_int_equal(rule->max_packet_rate, 5000);
	assert_true(rule[1].max_packet_rate == POLICY_NO_LIMIT);
	assert_int_equal(rule->sources.n, 3);
	assert_int_equal(rule->sources.prefixes[0].bits, 32);
	assert_int_equal(rule->sources.prefixes[2].family, AF_INET6);
	assert_int_equal(rule->setup.n, 4);
	assert_step(&rule->setup, 2, TUND_CONFIG_UP, NULL, 0, NULL, 1);
	assert_int_equal(rule[2].kinds, 0);
	assert_int_equal(rule[2].sources.n, 1);
	/* Up by itself where there is an address or a route. */
	assert_int_equal(rule[1].setup.n, 1);
	assert_step(&rule[1].setup, 0, TUND_CONFIG_UP, NULL, 0, NULL, 1);
	assert_int_equal(rule[1].planes,
			 POLICY_FILE_PLANE | POLICY_DIRECT_PLANE);
	assert_true(rule[1].max_files == POLICY_NO_LIMIT);
	assert_int_equal(rule[2].setup.n, 1);
	assert_int_equal(rule[2].allow, POLICY_ATTACH | POLICY_CONFIGURE);
	assert_int_equal(rule[3].setup.n, 1);
	config_free(config);
}

static void lists_are_added_to(void **state)
{
	struct config *config = conf_take(
		"[Policy a]\nAllow=create\nAllow=attach\nUser=1\nUser=2\n"
		"Group=1\nGroup=2\nControlGroup=/a\nControlGroup=/b\n"
		"Executable=/a\nExecutable=/b\nNetworkNamespace=host\n"
		"NetworkNamespace=/a\nNetworkNamespace=/b\nName=a\nName=b\n"
		"Kind=tun\nKind=tap\nPlane=direct\nPlane=file\n"
		"Address=10.0.0.1/24\nAddress=10.0.1.1/24\n"
		"Route=10.1.0.0/16\nRoute=10.2.0.0/16\n"
		"SourceAddress=10.1.0.0/16\nSourceAddress=10.2.0.0/16\n"
		"[Policy b]\nAllow=attach\nPlane=direct\n"
		"[Policy c]\nAllow=none\nAllow=none\n"
		"[Device a]\nKind=tap\nOffloads=tso4\nOffloads=ecn\n"
		"Address=10.0.0.1/24\nAddress=10.0.1.1/24\n"
		"Route=10.1.0.0/16\nRoute=10.2.0.0/16\n"
		"[Device b]\nKind=tap\nKind=tun\nOffloads=none\n");
	const struct policy_rule *rule = config->policy->rules;
	const struct dev_declaration *device = config->devices;

	assert_int_equal(rule->allow, POLICY_CREATE | POLICY_ATTACH);
	assert_int_equal(rule->users.n, 2);
	assert_int_equal(rule->groups.n, 2);
	assert_int_equal(rule->cgroups.n, 2);
	assert_int_equal(rule->executables.n, 2);
	assert_int_equal(rule->ns_kinds, POLICY_NS_HOST);
	assert_int_equal(rule->ns_paths.n, 2);
	assert_int_equal(rule->names.n, 2);
	assert_int_equal(rule->kinds, POLICY_TUN | POLICY_TAP);
	assert_int_equal(rule->planes, POLICY_FILE_PLANE | POLICY_DIRECT_PLANE);
	assert_int_equal(rule->setup.n, 5);
	assert_int_equal(rule->sources.n, 2);
	/* Not to those of the section before. */
	assert_int_equal(rule[1].allow, POLICY_ATTACH);
	assert_int_equal(rule[1].planes, POLICY_DIRECT_PLANE);
	assert_int_equal(rule[2].allow, 0);
	assert_int_equal(device->offloads,
			 TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN);
	assert_int_equal(device->setup.n, 5);
	/* No list. */
	assert_int_equal(device[1].kind, POLICY_TUN);
	assert_int_equal(device[1].offloads, 0);
	config_free(config);
}

/* An editor's, and whatever a file has that was not written to its end. */
static void blanks_and_marks_in_front(void **state)
{
	struct config *config =
		conf_take("\xef\xbb\xbf[Policy a]\n\tName=vpn0\n\tPlane=file\n"
			  "  Allow=create\n \n  [Policy b] ; c\n Allow=none\n");
	const struct policy_rule *rule = config->policy->rules;

	assert_int_equal(config->policy->n, 2);
	assert_int_equal(rule[0].names.n, 1);
	assert_int_equal(rule[0].planes, POLICY_FILE_PLANE);
	assert_int_equal(rule[0].allow, POLICY_CREATE);
	assert_true(rule[1].has_allow);
	assert_int_equal(rule[1].allow, 0);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_has_the_usual_values),
		cmocka_unit_test(daemon_keys),
		cmocka_unit_test(device_keys),
		cmocka_unit_test(who_keys),
		cmocka_unit_test(odd_patterns),
		cmocka_unit_test(what_keys),
		cmocka_unit_test(lists_are_added_to),
		cmocka_unit_test(blanks_and_marks_in_front),
	};

	return cmocka_run_group_tests_name("config", tests, conf_set_up,
					   conf_tear_down);
}
