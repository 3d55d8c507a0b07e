/* SPDX-License-Identifier: MIT */
/*
 * test-policy.c - who may have which interface, dev/policy.h: rules that fit
 * and rules that do not, the kernel's rule, and what root may.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/file.h"
#include "dev/policy.h"
#include "unit.h"

#define HOST_NS	 4026531840u
#define OTHER_NS 4026532000u

static struct policy_set *set;
static uint64_t own_ns;
static struct stat own_exe;

static int set_up(void **state)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st) < 0 ||
	    stat("/proc/self/exe", &own_exe) < 0)
		return -1;
	own_ns = st.st_ino;
	return policy_set_new(HOST_NS, &set);
}

static int tear_down(void **state)
{
	policy_set_unref(set);
	return 0;
}

static char **words(const char *a, const char *b, size_t *ret_n)
{
	char **list = must_alloc(2 * sizeof(*list));

	*ret_n = 0;
	if (a)
		list[(*ret_n)++] = strdup(a);
	if (b)
		list[(*ret_n)++] = strdup(b);
	return list;
}

static void add_ids(struct id_set *ids, uint32_t first, uint32_t last)
{
	ids->ranges = realloc(ids->ranges, (ids->n + 1) * sizeof(*ids->ranges));
	assert_non_null(ids->ranges);
	ids->ranges[ids->n++] = (struct id_range){first, last};
}

static struct policy_rule *add_rule(const char *name, unsigned int allow)
{
	struct policy_rule *rule = policy_set_add(set);

	assert_non_null(rule);
	rule->name = strdup(name);
	rule->allow = allow;
	return rule;
}

static const gid_t groups[] = {1000, 27};

static struct dev_caller user(uid_t uid)
{
	return (struct dev_caller){
		.uid = uid,
		.groups = groups,
		.n_groups = LENGTH(groups),
	};
}

static struct policy_request ask(const char *name, unsigned int what)
{
	return (struct policy_request){
		.what = what,
		.kind = POLICY_TUN,
		.name = name,
		.ns_id = HOST_NS,
	};
}

static void assert_decides(const struct dev_caller *caller,
			   const struct policy_request *request,
			   enum policy_verdict verdict, const char *rule)
{
	struct policy_decision decision;

	policy_decide(set, caller, request, &decision);
	assert_int_equal(decision.verdict, verdict);
	assert_string_equal(decision.rule ? decision.rule->name : "none", rule);
}

/* Whether the one rule is about the caller. */
static bool fits(const struct dev_caller *caller, uint64_t ns_id)
{
	struct policy_request request = ask("tun0", POLICY_CREATE);
	struct policy_decision decision;

	request.ns_id = ns_id;
	policy_decide(set, caller, &request, &decision);
	return decision.rule;
}

/* ---- who ---- */

static void nobody_in_particular(void **state)
{
	struct dev_caller caller = user((uid_t)-1);

	assert_false(fits(&caller, HOST_NS));
	add_rule("all", POLICY_CREATE);
	assert_true(fits(&caller, HOST_NS));
	assert_true(fits(&caller, OTHER_NS));
}

static void users(void **state)
{
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	static const struct {
		uid_t uid;
		bool fits;
	} cases[] = {{0, false},	{999, false},  {1000, true},
		     {1001, false},	{1999, false}, {2000, true},
		     {2500, true},	{2999, true},  {3000, false},
		     {(uid_t)-1, false}};

	add_ids(&rule->users, 1000, 1000);
	add_ids(&rule->users, 2000, 2999);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct dev_caller caller = user(cases[i].uid);

		if (fits(&caller, HOST_NS) != cases[i].fits)
			fail_msg("user %u", cases[i].uid);
	}
}

static void nobody_is_in_no_range(void **state)
{
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user((uid_t)-1);

	add_ids(&rule->users, 0, (uid_t)-1);
	assert_false(fits(&caller, HOST_NS));
}

static void one_of_the_groups(void **state)
{
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user(1000);

	add_ids(&rule->groups, 26, 26);
	assert_false(fits(&caller, HOST_NS));
	add_ids(&rule->groups, 27, 27);
	assert_true(fits(&caller, HOST_NS));
	caller.n_groups = 0;
	assert_false(fits(&caller, HOST_NS));
}

/* User= and Group= and the others must all fit. */
static void all_keys_must_fit(void **state)
{
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user(1000);

	add_ids(&rule->groups, 27, 27);
	add_ids(&rule->users, 1001, 1001);
	assert_false(fits(&caller, HOST_NS));
	caller.uid = 1001;
	assert_true(fits(&caller, HOST_NS));
	rule->ns_kinds = POLICY_NS_OTHER;
	assert_false(fits(&caller, HOST_NS));
}

static void control_groups(void **state)
{
	static const struct {
		const char *pattern, *cgroup;
		bool fits;
	} cases[] = {
		{"/a.slice", "/a.slice", true},
		{"/a.slice", "/a.slice/b.service", true},
		{"/a.slice", "/a.slicer", false},
		{"/a.slice", "/", false},
		{"/a.slice", NULL, false},
		{"/", "/a.slice", true},
		{"/", "/", true},
		{"/", NULL, false},
		{"/s/v@*.service", "/s/v@x.service", true},
		{"/s/v@*.service", "/s/v@x.service/sub", true},
		{"/s/v@*.service", "/s/v@x/y.service", false},
		{"/s/v@*.service", "/t/s/v@x.service", false},
		{"/s/v\\x2dw.slice", "/s/v\\x2dw.slice/a", true},
		{"/s/v\\x2dw.slice", "/s/vx2dw.slice", false},
	};
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user(1000);

	rule->cgroups.words = words("", NULL, &rule->cgroups.n);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		free(rule->cgroups.words[0]);
		rule->cgroups.words[0] = strdup(cases[i].pattern);
		caller.cgroup = cases[i].cgroup;
		if (fits(&caller, HOST_NS) != cases[i].fits)
			fail_msg("%s: %s", cases[i].pattern, cases[i].cgroup);
	}
}

/* The file, not its name. */
static void executables(void **state)
{
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user(1000);

	rule->executables.words =
		words("/nowhere", "/proc/self/exe", &rule->executables.n);
	assert_false(fits(&caller, HOST_NS));
	caller.exe_dev = own_exe.st_dev;
	caller.exe_ino = own_exe.st_ino;
	assert_true(fits(&caller, HOST_NS));
	caller.exe_ino++;
	assert_false(fits(&caller, HOST_NS));
	caller.exe_ino--;
	caller.exe_dev++;
	assert_false(fits(&caller, HOST_NS));
}

static void network_namespaces(void **state)
{
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user(1000);

	rule->ns_kinds = POLICY_NS_HOST;
	assert_true(fits(&caller, HOST_NS));
	assert_false(fits(&caller, OTHER_NS));
	rule->ns_kinds = POLICY_NS_OTHER;
	assert_false(fits(&caller, HOST_NS));
	assert_true(fits(&caller, OTHER_NS));
	rule->ns_kinds = 0;
	rule->ns_paths.words =
		words("/nowhere", "/proc/self/ns/net", &rule->ns_paths.n);
	assert_true(fits(&caller, own_ns));
	assert_false(fits(&caller, own_ns + 1));
	rule->ns_kinds = POLICY_NS_HOST;
	assert_true(fits(&caller, own_ns));
	assert_true(fits(&caller, HOST_NS));
}

/* ---- what ---- */

static void names_and_kinds(void **state)
{
	static const struct {
		const char *name;
		unsigned int kind;
		bool fits;
	} cases[] = {
		{"vpn0", POLICY_TUN, true},  {"vpn0", POLICY_TAP, false},
		{"vpn1", POLICY_TUN, false}, {"vpn00", POLICY_TUN, false},
		{"wg", POLICY_TUN, true},    {"wg7", POLICY_TUN, true},
		{"awg7", POLICY_TUN, false}, {"", POLICY_TUN, false},
	};
	struct policy_rule *rule = add_rule("a", POLICY_CREATE);
	struct dev_caller caller = user(1000);

	rule->names.words = words("vpn0", "wg*", &rule->names.n);
	rule->kinds = POLICY_TUN;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct policy_request request =
			ask(cases[i].name, POLICY_CREATE);
		struct policy_decision decision;

		request.kind = cases[i].kind;
		policy_decide(set, &caller, &request, &decision);
		if ((decision.rule != NULL) != cases[i].fits)
			fail_msg("%s", cases[i].name);
		/* It is about the caller, at least. */
		assert_ptr_equal(decision.near,
				 cases[i].fits ? NULL : set->rules);
	}
}

static void create_and_attach_are_two_things(void **state)
{
	struct policy_request create = ask("t", POLICY_CREATE);
	struct policy_request attach = ask("t", POLICY_ATTACH);
	struct policy_rule *rule = add_rule("a", 0);
	struct dev_caller caller = user(1000);

	assert_decides(&caller, &create, POLICY_REFUSED, "a");
	assert_decides(&caller, &attach, POLICY_REFUSED, "a");
	rule->allow = POLICY_CREATE;
	assert_decides(&caller, &create, POLICY_ALLOWED, "a");
	assert_decides(&caller, &attach, POLICY_REFUSED, "a");
	rule->allow = POLICY_ATTACH;
	assert_decides(&caller, &create, POLICY_REFUSED, "a");
	assert_decides(&caller, &attach, POLICY_ALLOWED, "a");
}

static void the_first_that_fits_decides(void **state)
{
	struct policy_request one = ask("one", POLICY_CREATE);
	struct policy_request two = ask("two", POLICY_CREATE);
	struct dev_caller caller = user(1000), other = user(1001);
	struct policy_rule *rule;

	rule = add_rule("first", POLICY_CREATE);
	add_ids(&rule->users, 1000, 1000);
	rule->names.words = words("one", NULL, &rule->names.n);
	rule = add_rule("second", 0);
	add_ids(&rule->users, 1000, 1000);
	add_rule("third", POLICY_CREATE);
	assert_decides(&caller, &one, POLICY_ALLOWED, "first");
	assert_decides(&caller, &two, POLICY_REFUSED, "second");
	assert_decides(&other, &one, POLICY_ALLOWED, "third");
}

/* ---- with the kernel's rule ---- */

static void who_has_the_last_word(void **state)
{
	enum { NONE, ALLOW, DENY };
	static const struct {
		int rule;
		bool kernel, admin;
		uint64_t ns_id;
		int result;
	} cases[] = {
		{NONE, false, false, HOST_NS, -EPERM},
		{NONE, true, false, HOST_NS, 0},
		{NONE, true, true, OTHER_NS, 0},
		{NONE, true, true, HOST_NS, 0},
		/* It stands in for the capability. */
		{ALLOW, false, false, HOST_NS, 0},
		{ALLOW, false, false, OTHER_NS, 0},
		{ALLOW, true, true, OTHER_NS, 0},
		/* An owner, and root in its own namespace. */
		{DENY, true, false, HOST_NS, -EPERM},
		{DENY, true, true, OTHER_NS, -EPERM},
		{DENY, false, false, OTHER_NS, -EPERM},
		/* Root here could do it without us. */
		{DENY, true, true, HOST_NS, 0},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct policy_request request = ask("t", POLICY_CREATE);
		struct dev_caller caller = user(1000);
		struct policy_decision decision;

		policy_set_unref(set);
		assert_int_equal(policy_set_new(HOST_NS, &set), 0);
		if (cases[i].rule != NONE)
			add_rule("a",
				 cases[i].rule == ALLOW ? POLICY_CREATE : 0);
		caller.net_admin = cases[i].admin;
		request.by_kernels_rule = cases[i].kernel;
		request.ns_id = cases[i].ns_id;
		if (policy_judge(set, &caller, &request, &decision) !=
		    cases[i].result)
			fail_msg("case %zu", i);
	}
}

/* ---- small things ---- */

static void told_once_a_second(void **state)
{
	struct policy_log log = {0};
	unsigned int untold = 77;

	assert_true(policy_may_log(&log, 5000, &untold));
	assert_int_equal(untold, 0);
	assert_false(policy_may_log(&log, 5001, &untold));
	assert_false(policy_may_log(&log, 5999, &untold));
	assert_true(policy_may_log(&log, 6000, &untold));
	assert_int_equal(untold, 2);
	assert_true(policy_may_log(&log, 7000, &untold));
	assert_int_equal(untold, 0);
}

static void prefixes(void **state)
{
	static const struct {
		const char *network;
		uint8_t bits;
		const char *address;
		bool has;
	} cases[] = {
		{"10.8.0.0", 24, "10.8.0.255", true},
		{"10.8.0.0", 24, "10.8.1.0", false},
		{"10.8.0.2", 32, "10.8.0.2", true},
		{"10.8.0.2", 32, "10.8.0.3", false},
		{"10.8.0.0", 21, "10.8.7.9", true},
		{"10.8.0.0", 21, "10.8.8.0", false},
		{"0.0.0.0", 0, "255.255.255.255", true},
		{"0.0.0.0", 0, "::", false},
		{"128.0.0.0", 1, "127.0.0.1", false},
		{"fd00::", 63, "fd00:0:0:1::1", true},
		{"fd00::", 63, "fd00:0:0:2::1", false},
		{"::", 0, "fe80::1", true},
		{"::", 0, "10.0.0.1", false},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint8_t family =
			strchr(cases[i].network, ':') ? AF_INET6 : AF_INET;
		uint8_t other =
			strchr(cases[i].address, ':') ? AF_INET6 : AF_INET;
		struct ip_prefix prefix = {
			.family = family,
			.bits = cases[i].bits,
		};
		uint8_t address[16] = {0};

		inet_pton(family, cases[i].network, prefix.address);
		inet_pton(other, cases[i].address, address);
		if (ip_prefix_has(&prefix, other, address) != cases[i].has)
			fail_msg("%s/%u: %s", cases[i].network, cases[i].bits,
				 cases[i].address);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_in_particular),
		TEST(users),
		TEST(nobody_is_in_no_range),
		TEST(one_of_the_groups),
		TEST(all_keys_must_fit),
		TEST(control_groups),
		TEST(executables),
		TEST(network_namespaces),
		TEST(names_and_kinds),
		TEST(create_and_attach_are_two_things),
		TEST(the_first_that_fits_decides),
		TEST(who_has_the_last_word),
		TEST(told_once_a_second),
		TEST(prefixes),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
