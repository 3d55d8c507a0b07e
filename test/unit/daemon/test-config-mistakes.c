/* SPDX-License-Identifier: MIT */
/*
 * test-config-mistakes.c - what a configuration must not say, config.h: each is
 * told with its place and the remedy.
 */
#include <stdio.h>
#include <string.h>

#include "conf.h"

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
		{"[Daemon\n", 1, "[Daemon: the section's name lacks its ]"},
		{"[Device a ; b]\nKind=tun\n", 1, "lacks its ]"},
		{"[Daemon]\nMount ; =/a\n", 2, "neither a [section]"},
		{"[Daemon]\n\033[31m\n", 2, "?[31m: neither a [section]"},
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
		{DEVICE "MTU=1279\nAddress=fd00::1/64\n", 3,
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
		{"[Daemon]\nMount=/a # b\n", 2, "a line of its own"},
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
		 "there is no user \"no-such-user\": add it, or write a "
		 "number\n"},
		{DEVICE "Owner=0 1\n", 3, "one name or number, no more"},
		{DEVICE "Owner=0-9\n", 3, "one name or number, no more"},
		{DEVICE "Group=no-such-group\n", 3, "there is no group"},
		{DEVICE "Group=4294967295\n", 3, "is no number of a group\n"},
		{DEVICE "Owner=1-\n", 3, "is no number of a user\n"},
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
		{POLICY "ControlGroup=/a # b\n", 3, "a line of its own"},
		{POLICY "ControlGroup=/a /b\n", 3, "needs a line ControlG"},
		{POLICY "ControlGroup=/a[b/c]\n", 3, "lacks its ]"},
		{POLICY "ControlGroup=/sys/fs/cgroup/a\n", 3,
		 "as /proc/PID/cgroup has it: without /sys/fs/cgroup"},
		{POLICY "ControlGroup=/a//b\n", 3, "as /proc/PID/cgroup"},
		{POLICY "ControlGroup=/a/..\n", 3, "as /proc/PID/cgroup"},
		{POLICY "ControlGroup=/./a\n", 3, "as /proc/PID/cgroup"},
		{POLICY "Executable=/a # b\n", 3, "a line of its own"},
		{POLICY "Executable=/a /b\n", 3,
		 "more than one path: each needs a line Executable= of"},
		{POLICY "Executable=/a,/b\n", 3, "more than one path"},
		{POLICY "Executable=/a, /b\n", 3, "more than one path"},
		{POLICY "Executable=\"/a\"\n", 3, "without quotes"},
		{POLICY "NetworkNamespace=/a # b\n", 3, "a line of its own"},
		{POLICY "NetworkNamespace=/a /b\n", 3, "more than one path"},
		{POLICY "NetworkNamespace=host other\n", 3, "host (the da"},
		{POLICY "Name=a/b\n", 3, "no interface has a \"/\""},
		{POLICY "Name=a:1\n", 3, "no interface has a \":\""},
		{POLICY "Name=tun%d\n", 3, "write tun* for tun%d"},
		{POLICY "Name=\"vpn0\"\n", 3, "write it without quotes"},
		{POLICY "Name='vpn0'\n", 3, "write it without quotes"},
		{POLICY "Name=a vpn0,vpn1\n", 3, "write vpn0 vpn1"},
		{POLICY "Name=[abc\n", 3, "the [ in \"[abc\" lacks its ]"},
		{POLICY "Name=a[]\n", 3, "lacks its ]"},
		{POLICY "Name=a[[:digit:]\n", 3, "lacks its ]"},
		{POLICY "Name=\\\n", 3, "a \\ neither quotes nor continues"},
		{POLICY "Name=..\n", 3, "no interface has that name"},
		{POLICY "Name=0123456789012345\n", 3,
		 "at most 15 characters: shorten it, or end it with *"},
		{POLICY "Name=0123456789?[ab]*2345\n", 3, "at most 15 char"},
		{POLICY "Name=a # not b*\n", 3, "a line of its own"},
		{POLICY "Kind=veth\n", 3, "none of tun, tap"},
		{"[Policy a]\nAllow=all\n", 2, "none of none, create, attach"},
		{"[Policy a]\nAllow=none attach\n", 2, "none, or something"},
		{POLICY "Allow=none\n", 3, "none, or something"},
		{"[Policy a]\nAllow=none\nAllow=create\n", 3, "none, or"},
		{DEVICE "Offloads=none\nOffloads=csum\n", 4, "none, or"},
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

		conf_write(conf_path, cases[i].text);
		if (conf_load())
			fail_msg("case %zu is taken: %s", i, cases[i].text);
		snprintf(place, sizeof(place), "%s:%d: ", conf_path,
			 cases[i].line);
		if (strncmp(conf_said, place, strlen(place)) != 0 ||
		    !strstr(conf_said, cases[i].message))
			fail_msg("case %zu, \"%s\" is not in: %s", i,
				 cases[i].message, conf_said);
		if (strchr(conf_said, '\n') !=
		    conf_said + strlen(conf_said) - 1)
			fail_msg("case %zu is told twice: %s", i, conf_said);
	}
}

static void every_mistake_is_told(void **state)
{
	conf_write(conf_path, "[Daemon]\nLogLevel=x\nMount=y\nnonsense\n"
			      "[Device a]\n[Policy b]\nUser=?\n[Daemon\n"
			      "Mount=z\nAllow=w\nmore\n");
	assert_null(conf_load());
	assert_conf_said("tund.conf:2: LogLevel=x");
	assert_conf_said("tund.conf:3: Mount=y");
	assert_conf_said("tund.conf:4: nonsense: neither");
	assert_conf_said("tund.conf:5: [Device a]");
	assert_conf_said("tund.conf:6: [Policy b]");
	assert_conf_said("tund.conf:7: User=?");
	assert_conf_said("tund.conf:8: [Daemon: the section's name lacks");
	assert_conf_said("tund.conf:11: more: neither");
	/* Of what section they are is not known. */
	assert_null(strstr(conf_said, "tund.conf:9"));
	assert_null(strstr(conf_said, "tund.conf:10"));
	/* In their order. */
	assert_true(strstr(conf_said, ":4: ") < strstr(conf_said, ":7: "));
}

/* Not taken for each other, though they begin alike. */
static void long_names_are_told(void **state)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "[Policy %060d]\nAllow=none\n[Policy %060d]\nAllow=none\n", 1,
		 2);
	conf_write(conf_path, text);
	assert_null(conf_load());
	assert_conf_said("tund.conf:1: the section's name is too long");
	assert_conf_said("tund.conf:3: the section's name is too long");
	assert_null(strstr(conf_said, "already"));
}

/* It takes nothing back: a rule would fit everybody. */
static void empty_lists_are_told(void **state)
{
	static const char *const lists[] = {
		"User",
		"Group",
		"ControlGroup",
		"Executable",
		"NetworkNamespace",
		"Name",
		"Kind",
		"Allow",
		"Plane",
		"Address",
		"Route",
		"SourceAddress",
	};

	for (size_t i = 0; i < LENGTH(lists); i++) {
		char text[100];

		snprintf(text, sizeof(text), POLICY "%s=\n", lists[i]);
		conf_write(conf_path, text);
		assert_null(conf_load());
		assert_conf_said("tund.conf:3: ");
		assert_conf_said("= says nothing: give it a value, or leave");
	}
}

static void long_lines_are_told(void **state)
{
	char text[1000] = "[Policy a]\nAllow=none\nName=";

	for (int i = 0; i < 200; i++)
		strcat(text, "ab ");
	strcat(text, "\nKind=veth\n");
	conf_write(conf_path, text);
	assert_null(conf_load());
	assert_conf_said("tund.conf:3: the line is longer than 198 characters: "
			 "write the key several times");
	assert_conf_said("tund.conf:4: Kind=veth");
	assert_ptr_equal(strstr(conf_said, "Kind"), strrchr(conf_said, 'K'));
}

static void write_bytes(const char *bytes, size_t n)
{
	FILE *f = fopen(conf_path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void nuls_are_told(void **state)
{
	static const char zeros[450];
	static const char inside[] = "[Policy a]\nAllow=none\n\0User=1\nX=1\n";

	write_bytes(zeros, sizeof(zeros));
	assert_null(conf_load());
	assert_conf_said("tund.conf:1: there is a NUL character");
	assert_null(strstr(strstr(conf_said, "NUL") + 1, "NUL"));
	write_bytes(inside, sizeof(inside) - 1);
	assert_null(conf_load());
	assert_conf_said("tund.conf:3: there is a NUL character");
	assert_conf_said("tund.conf:4: unknown key X=");
}

static void too_many_networks(void **state)
{
	char text[4096] = POLICY "Kind=tun\n";

	for (int i = 0; i < POLICY_MAX_SOURCES; i++)
		strcat(text, "SourceAddress=10.0.0.0/8\n");
	config_free(conf_take(text));
	strcat(text, "SourceAddress=10.0.0.0/8\n");
	conf_write(conf_path, text);
	assert_null(conf_load());
	assert_conf_said("more than 64 networks; name larger ones");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_are_told),
		cmocka_unit_test(every_mistake_is_told),
		cmocka_unit_test(empty_lists_are_told),
		cmocka_unit_test(long_names_are_told),
		cmocka_unit_test(long_lines_are_told),
		cmocka_unit_test(nuls_are_told),
		cmocka_unit_test(too_many_networks),
	};

	return cmocka_run_group_tests_name("config-mistakes", tests,
					   conf_set_up, conf_tear_down);
}
