/* SPDX-License-Identifier: MIT */
/*
 * test-config.c - the configuration files, config.h: every key, taken and
 * refused, with the place and the remedy; fragments and their order.
 */
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "unit.h"
#include <tund/abi.h>

static char dir[] = "/tmp/tund-test-config-XXXXXX";
static char main_path[128], fragments[128];
static char said[65536];

static int set_up(void **state)
{
	char *made = mkdtemp(dir);

	snprintf(main_path, sizeof(main_path), "%s/tund.conf", dir);
	snprintf(fragments, sizeof(fragments), "%s/tund.conf.d", dir);
	return made ? 0 : -1;
}

static int tear_down(void **state)
{
	unlink(main_path);
	rmdir(fragments);
	rmdir(dir);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void say(const char *message)
{
	assert_null(strchr(message, '\n'));
	strncat(said, message, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static struct config *load(void)
{
	struct config *config = NULL;

	said[0] = '\0';
	if (config_load(main_path, true, say, &config) < 0)
		return NULL;
	assert_string_equal(said, "");
	return config;
}

/* Must be taken; config_free() is the caller's. */
static struct config *take(const char *text)
{
	struct config *config;

	write_file(main_path, text);
	config = load();
	if (!config)
		fail_msg("refused: %s\n%s", text, said);
	return config;
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in: %s", text, said);
}

/* ---- what is taken ---- */

static void an_empty_file_has_the_usual_values(void **state)
{
	struct config *config = take("# nothing\n; at all\n\n");

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
		take("[Daemon]\r\n# c\nMount = /a b \nLogLevel = warning\n"
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
	config = take("[Daemon]\n");
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
	struct config *config =
		take("[Device vpn0]\nRoute=10.0.0.0/8 via 10.8.0.1 metric 7\n"
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
	assert_string_equal(d[0].file, main_path);
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
	struct config *config =
		take("[Policy a]\nAllow=none\nUser=root 7\nUser=100-199\n"
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

static void what_keys(void **state)
{
	struct config *config =
		take("[Policy a]\nAllow=attach create\nName=vpn0 t?n[0-3]\n"
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

/* ---- what is refused ---- */

#define DEVICE "[Device vpn0]\nKind=tun\n"
#define POLICY "[Policy a]\nAllow=attach\n"

static void bad_lines_are_told(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *message; /* with the remedy */
	} cases[] = {
		/* Lines. */
		{"[Daemon]\nMount\n", 2, "neither a [section] nor a Key="},
		{"[Daemon\n", 1, "neither a [section]"},
		{"Mount=/a\n", 1, "Mount= belongs to no section: write [D"},
		{"[Daemon] [Device x]\n", 1, "more behind the section's ]"},
		{"[Daemon]x=/a\n", 1, "more behind the section's ]"},
		/* Sections. */
		{"\n[Other]\nMount=/a\n", 2,
		 "[Other]: sections are [Daemon], [Device NAME]"},
		{"[Daemonx]\n", 1, "sections are"},
		{"[Devices x]\n", 1, "sections are"},
		{"[Device]\n", 1, "the name is missing, as in [Device vpn0]"},
		{"[Policy ]\n", 1, "the name is missing"},
		{"[Device sixteen-letters1]\n", 1, "at most 15 characters"},
		{"[Device a/b]\n", 1, "no name of an interface"},
		{"[Device tun%d]\n", 1, "no name of an interface"},
		{"[Device ..]\n", 1, "no name of an interface"},
		{"[Device lo]\n", 1, "kernel has that name for itself"},
		{"[Device all]\n", 1, "give the device another one"},
		{"[Device default]\n", 1, "has that name for itself"},
		{DEVICE DEVICE, 3, "there already, at "},
		{POLICY POLICY, 3, "give this one another name"},
		{"[Policy 0123456789012345678901234567890123456789"
		 "012345678901234567890]\nAllow=none\n",
		 1, "too long: at most 63"},
		/* Missing. */
		{"\n[Device vpn0]\nMTU=1400\n", 2, "write Kind=tun or Kind="},
		{"[Policy a]\nUser=0\n", 1, "write Allow=create attach,"},
		{"[Policy a]\nAllow=none\nMTU=1400\n", 1,
		 "leave that out, or write Allow=attach"},
		{"[Policy a]\nAllow=none\nUp=yes\n", 1, "leave that out"},
		{"[Policy a]\nConfigure=yes\nAllow=none\n", 1, "leave that"},
		{POLICY "Configure=create\n", 3, "neither yes nor no"},
		{DEVICE "MTU=1279\nAddress=fd00::1/64\n", 1,
		 "IPv6 addresses need 1280 at least"},
		/* Keys. */
		{"[Daemon]\nMuont=/a\n", 2,
		 "unknown key Muont=: [Daemon] has Mount=, LogLevel=, Max"},
		{"[Daemon]\nmount=/a\n", 2, "unknown key mount="},
		{DEVICE "Allow=none\n", 3, "[Device vpn0] has Kind=, MTU="},
		{POLICY "Owner=0\n", 3, "[Policy a] has User=, Group="},
		{"[Daemon]\nMount=\n", 2, "Mount= says nothing: give it"},
		{POLICY "User=\n", 3, "User= says nothing"},
		/* [Daemon] */
		{"[Daemon]\nMount=relative\n", 2, "not an absolute path"},
		{"[Daemon]\nLogLevel=loud\n", 2, "error, warning, notice"},
		{"[Daemon]\nMaxFilesPerUser=0\n", 2, "number from 1 to 42949"},
		{"[Daemon]\nMaxFilesPerUser=many\n", 2, "not a number"},
		{"[Daemon]\nMaxDevicesPerUser=-1\n", 2, "number from 0 to 4"},
		{"[Daemon]\nMaxDevicesPerUser=4294967296\n", 2, "not a num"},
		{"[Daemon]\nCaptureGroup=1 2\n", 2, "one name or number"},
		{"[Daemon]\nCaptureGroup=no-such\n", 2, "no-such"},
		{"[Daemon]\nMaxQueuedBytes=1K\n", 2, "from 128K to below 4G"},
		{"[Daemon]\nMaxQueuedBytes=4G\n", 2, "to below 4G"},
		{"[Daemon]\nMaxQueuedBytes=M\n", 2, "to below 4G"},
		{"[Daemon]\nMaxQueuedBytes=1MB\n", 2, "with or without K"},
		/* [Device] */
		{"[Device a]\nKind=veth\n", 2, "\"veth\" is none of tun, tap"},
		{"[Device a]\nKind=tun tap\n", 2, "a device is either"},
		{DEVICE "MTU=67\n", 3, "number from 68 to 65535"},
		{DEVICE "MTU=65536\n", 3, "number from 68 to 65535"},
		{DEVICE "Address=10.8.0.2\n", 3, "write it as 10.8.0.2/24"},
		{DEVICE "Address=10.8.0.2/33\n", 3, "write it as 10.8.0.2/24"},
		{DEVICE "Address=10.8.0/24\n", 3, "write it as"},
		{DEVICE "Address=fd00::1/129\n", 3, "write it as"},
		{DEVICE "Address=10.8.0.2/24 10.9.0.1\n", 3, "write it as"},
		{DEVICE "Address=10.8.0.2/24 peer\n", 3, "write it as"},
		{DEVICE "Address=10.8.0.2/24 peer fd00::1\n", 3, "write it"},
		{DEVICE "Address=10.8.0.2/24 peer 10.8.0.1 x\n", 3, "write it"},
		{DEVICE "Route=10.0.0.1/8\n", 3, "behind its /8: set them to"},
		{DEVICE "Route=everywhere\n", 3, "write it as 10.8.0.0/24"},
		{DEVICE "Route=10.0.0.0/8 via\n", 3, "\"via ADDRESS\" of the"},
		{DEVICE "Route=10.0.0.0/8 via fd00::1\n", 3, "same family"},
		{DEVICE "Route=10.0.0.0/8 metric x\n", 3, "\"metric NUMBER\""},
		{DEVICE "Route=10.0.0.0/8 dev lo\n", 3, "no more"},
		{DEVICE "Owner=no-such-user\n", 3,
		 "there is no user \"no-such-user\": add it, or write a num"},
		{DEVICE "Owner=0 1\n", 3, "one name or number, no more"},
		{DEVICE "Owner=0-9\n", 3, "one name or number, no more"},
		{DEVICE "Group=no-such-group\n", 3, "there is no group"},
		{DEVICE "Group=4294967295\n", 3, "no number of a group"},
		{DEVICE "Queues=0\n", 3, "number from 1 to 256"},
		{DEVICE "Queues=257\n", 3, "number from 1 to 256"},
		{DEVICE "Offloads=lro\n", 3, "none of none, csum, tso4, tso6"},
		{DEVICE "Offloads=none csum\n", 3, "none, or something"},
		{DEVICE "NetworkNamespacePath=blue\n", 3, "not an absolute"},
		/* [Policy] */
		{POLICY "User=no-such-user\n", 3, "there is no user"},
		{POLICY "User=9-8\n", 3, "as in 100000-165535"},
		{POLICY "User=1-\n", 3, "as in 100000-165535"},
		{POLICY "User=1x\n", 3, "\"1x\" is no number of a user"},
		{POLICY "Group=no-such-group\n", 3, "there is no group"},
		{POLICY "ControlGroup=a.slice\n", 3, "not an absolute path"},
		{POLICY "Executable=openvpn\n", 3, "not an absolute path"},
		{POLICY "NetworkNamespace=mine\n", 3,
		 "host (the daemon's own)"},
		{POLICY "Name=a/b\n", 3, "no interface has a \"/\""},
		{POLICY "Name=a # not b*\n", 3, "a line of its own"},
		{POLICY "Kind=veth\n", 3, "none of tun, tap"},
		{"[Policy a]\nAllow=all\n", 2, "none of none, create, attach"},
		{"[Policy a]\nAllow=none attach\n", 2, "none, or something"},
		{POLICY "Plane=fast\n", 3, "none of file, direct"},
		{POLICY "MTU=0\n", 3, "number from 68"},
		{POLICY "Address=x\n", 3, "write it as"},
		{POLICY "Route=x\n", 3, "write it as"},
		{POLICY "Up=maybe\n", 3, "neither yes nor no"},
		{POLICY "MaxDevices=x\n", 3, "not a number from 0"},
		{POLICY "MaxFiles=0\n", 3, "not a number from 1"},
		{POLICY "MaxQueuedBytes=5\n", 3, "from 128K"},
		{POLICY "MaxPacketsPerSecond=0\n", 3, "from 1 to 10000000"},
		{POLICY "MaxPacketsPerSecond=10000001\n", 3, "to 10000000"},
		{POLICY "MaxPacketsPerSecond=1K\n", 3, "not a number"},
		{"[Daemon]\nMaxPacketsPerSecond=1\n", 2, "unknown key"},
		{POLICY "SourceAddress=10.0.0.1/8\nKind=tun\n", 3,
		 "behind its /8"},
		{POLICY "SourceAddress=me\nKind=tun\n", 3, "is no network"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		char place[160];

		write_file(main_path, cases[i].text);
		if (load())
			fail_msg("case %zu is taken: %s", i, cases[i].text);
		snprintf(place, sizeof(place), "%s:%d: ", main_path,
			 cases[i].line);
		if (strncmp(said, place, strlen(place)) != 0 ||
		    !strstr(said, cases[i].message))
			fail_msg("case %zu, \"%s\" is not in: %s", i,
				 cases[i].message, said);
		if (strchr(said, '\n') != said + strlen(said) - 1)
			fail_msg("case %zu is told twice: %s", i, said);
	}
}

static void every_mistake_is_told(void **state)
{
	write_file(main_path, "[Daemon]\nLogLevel=x\nMount=y\nnonsense\n"
			      "[Device a]\n[Policy b]\nUser=?\n");
	assert_null(load());
	assert_said("tund.conf:2: LogLevel=x");
	assert_said("tund.conf:3: Mount=y");
	assert_said("tund.conf:4: neither");
	assert_said("tund.conf:5: [Device a]");
	assert_said("tund.conf:6: [Policy b]");
	assert_said("tund.conf:7: User=?");
}

static void long_lines_are_told(void **state)
{
	char text[1000] = "[Policy a]\nAllow=none\nName=";

	for (int i = 0; i < 200; i++)
		strcat(text, "ab ");
	strcat(text, "\nKind=veth\n");
	write_file(main_path, text);
	assert_null(load());
	assert_said("tund.conf:3: the line is longer than 198 characters: "
		    "write the key several times");
	assert_said("tund.conf:4: Kind=veth");
	assert_ptr_equal(strstr(said, "Kind"), strrchr(said, 'K'));
}

/* An editor's, and whatever a file has that was not written to its end. */
static void blanks_and_marks_in_front(void **state)
{
	struct config *config =
		take("\xef\xbb\xbf[Policy a]\n\tName=vpn0\n\tPlane=file\n"
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

static void write_bytes(const char *bytes, size_t n)
{
	FILE *f = fopen(main_path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void nuls_are_told(void **state)
{
	static const char zeros[450];
	static const char inside[] = "[Policy a]\nAllow=none\n\0User=1\nX=1\n";

	write_bytes(zeros, sizeof(zeros));
	assert_null(load());
	assert_said("tund.conf:1: there is a NUL character");
	assert_null(strstr(strstr(said, "NUL") + 1, "NUL"));
	write_bytes(inside, sizeof(inside) - 1);
	assert_null(load());
	assert_said("tund.conf:3: there is a NUL character");
	assert_said("tund.conf:4: unknown key X=");
}

static void too_many_networks(void **state)
{
	char text[4096] = POLICY "Kind=tun\n";

	for (int i = 0; i < POLICY_MAX_SOURCES; i++)
		strcat(text, "SourceAddress=10.0.0.0/8\n");
	config_free(take(text));
	strcat(text, "SourceAddress=10.0.0.0/8\n");
	write_file(main_path, text);
	assert_null(load());
	assert_said("more than 64 networks; name larger ones");
}

/* ---- files ---- */

static void write_fragment(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", fragments, name);
	mkdir(fragments, 0755);
	if (text)
		write_file(path, text);
	else
		unlink(path);
}

static void fragments_come_in_their_order(void **state)
{
	struct config *config;

	write_fragment("20-b.conf", "[Policy b]\nAllow=none\n"
				    "[Daemon]\nLogLevel=debug\n");
	write_fragment("10-a.conf", "[Policy c]\nAllow=none\n"
				    "[Daemon]\nLogLevel=error\n");
	write_fragment("30.conf.bak", "nonsense\n");
	write_fragment(".hidden.conf", "nonsense\n");
	config = take("[Daemon]\nMount=/a\nLogLevel=info\n" POLICY);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(config->mount, "/a");
	assert_int_equal(config->policy->n, 3);
	assert_string_equal(config->policy->rules[0].name, "a");
	assert_string_equal(config->policy->rules[1].name, "c");
	assert_string_equal(config->policy->rules[2].name, "b");
	assert_non_null(strstr(config->policy->rules[2].file, "20-b.conf"));
	config_free(config);

	write_fragment("20-b.conf", "[Policy a]\nAllow=none\n");
	assert_null(load());
	assert_said("20-b.conf:1: [Policy a] is there already, at ");
	assert_said("tund.conf:4: give");
	write_fragment("20-b.conf", NULL);
	write_fragment("10-a.conf", NULL);
	write_fragment("30.conf.bak", NULL);
	write_fragment(".hidden.conf", NULL);
	rmdir(fragments);
}

static void a_pipe_is_not_waited_for(void **state)
{
	char path[160];

	write_file(main_path, "");
	snprintf(path, sizeof(path), "%s/a.conf", fragments);
	assert_int_equal(mkdir(fragments, 0755), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(load());
	assert_said("tund.conf.d/a.conf: it is a pipe");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(fragments), 0);
}

static void missing_files(void **state)
{
	struct config *config;

	unlink(main_path);
	assert_null(load());
	assert_said("No such file");
	assert_int_equal(config_load(main_path, false, say, &config), 0);
	config_free(config);
	/* Only a missing one may be missing. */
	said[0] = '\0';
	assert_true(config_load("/dev/null/x", false, say, &config) < 0);
	assert_said("/dev/null/x: Not a directory");
	said[0] = '\0';
	assert_true(config_load("/", true, say, &config) < 0);
	assert_said("/: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_has_the_usual_values),
		cmocka_unit_test(daemon_keys),
		cmocka_unit_test(device_keys),
		cmocka_unit_test(who_keys),
		cmocka_unit_test(what_keys),
		cmocka_unit_test(bad_lines_are_told),
		cmocka_unit_test(every_mistake_is_told),
		cmocka_unit_test(long_lines_are_told),
		cmocka_unit_test(blanks_and_marks_in_front),
		cmocka_unit_test(nuls_are_told),
		cmocka_unit_test(too_many_networks),
		cmocka_unit_test(fragments_come_in_their_order),
		cmocka_unit_test(a_pipe_is_not_waited_for),
		cmocka_unit_test(missing_files),
	};

	return cmocka_run_group_tests_name("config", tests, set_up, tear_down);
}
