/* SPDX-License-Identifier: MIT */
/*
 * test-dev-policy.c - policies at the attach, dev/grant.h: what they allow and
 * refuse there, and what a device attached by one can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/direct.h"
#include "dev/knob.h"
#include "dev/policy.h"
#include "fake.h"

enum {
	HERE = 1, /* the test's namespace is the daemon's own */
	ELSEWHERE = 0,
};

static struct policy_set *begin_policy(int where)
{
	struct policy_set *set;
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(policy_set_new(st.st_ino + (where == ELSEWHERE), &set),
			 0);
	return set;
}

static struct policy_rule *add_rule(struct policy_set *set, const char *glob,
				    unsigned int allow)
{
	struct policy_rule *rule = policy_set_add(set);

	assert_non_null(rule);
	rule->name = strdup("rule");
	rule->file = strdup("tund.conf");
	rule->allow = allow;
	if (glob) {
		rule->names.words = must_alloc(sizeof(char *));
		rule->names.words[0] = strdup(glob);
		rule->names.n = 1;
	}
	return rule;
}

static const struct dev_caller user = {.uid = 1000, .account = 1000};
static const struct dev_caller admin = {.uid = 0, .net_admin = true};

static void assert_name(struct opened *o, const char *name)
{
	char told[IFNAMSIZ];
	unsigned int flags;

	assert_int_equal(dev_file_describe(o->file, told, &flags), 0);
	assert_string_equal(told, name);
}

/* ---- who ---- */

static void a_user_has_what_a_policy_allows(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened o;

	open_file(&o);
	assert_int_equal(attach_by(&o, "vpn0", IFF_TUN, &user), -EPERM);
	add_rule(set, "vpn0", POLICY_CREATE)->kinds = POLICY_TUN;
	dev_table_set_policy(table, set);
	assert_int_equal(attach_by(&o, "vpn1", IFF_TUN, &user), -EPERM);
	assert_int_equal(attach_by(&o, "vpn0", IFF_TAP, &user), -EPERM);
	assert_int_equal(attach_by(&o, "vpn0", 0, &user), -EPERM);
	assert_int_equal(fake_links(), 0);
	assert_int_equal(attach_by(&o, "vpn0", IFF_TUN, &user), 0);
	assert_name(&o, "vpn0");
	close_file(&o);
}

static void a_policy_refuses_root_elsewhere_and_not_here(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened o;

	open_file(&o);
	add_rule(set, NULL, 0);
	dev_table_set_policy(table, set);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &admin), -EPERM);
	set = begin_policy(HERE);
	add_rule(set, NULL, 0);
	dev_table_set_policy(table, set);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &user), -EPERM);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &admin), 0);
	close_file(&o);
}

static void make_persistent(const char *name, uid_t owner)
{
	struct opened o;

	open_file(&o);
	attach_up(&o, name, IFF_TUN);
	assert_int_equal(dev_set_owner(o.file, owner), 0);
	assert_int_equal(dev_set_persist(o.file, true), 0);
	close_file(&o);
}

static int attach_idle(struct opened *o, const char *name,
		       const struct dev_caller *caller)
{
	char out[IFNAMSIZ], in[IFNAMSIZ] = "";
	int r;

	strncpy(in, name, IFNAMSIZ - 1);
	for (;;) {
		unsigned int left = counter_value(&fake.left);

		r = dev_file_attach(o->file, in, IFF_TUN, caller, UINT64_MAX,
				    out);
		if (r != DEV_ATTACH_AGAIN ||
		    !counter_wait(&fake.left, left + 1))
			return r;
	}
}

static void a_policy_and_the_owner(void **state)
{
	struct policy_set *set;
	struct opened o;

	make_persistent("t0", 0);
	make_persistent("t1", user.uid);
	open_file(&o);
	assert_int_equal(attach_idle(&o, "t0", &user), -EPERM);
	/* To create is not to attach. */
	set = begin_policy(ELSEWHERE);
	add_rule(set, "t0", POLICY_CREATE);
	dev_table_set_policy(table, set);
	assert_int_equal(attach_idle(&o, "t0", &user), -EPERM);
	set = begin_policy(ELSEWHERE);
	add_rule(set, "t0", POLICY_ATTACH);
	add_rule(set, "t1", 0);
	dev_table_set_policy(table, set);
	assert_int_equal(attach_idle(&o, "t1", &user), -EPERM);
	assert_int_equal(attach_idle(&o, "t0", &user), 0);
	assert_name(&o, "t0");
	close_file(&o);
}

static const struct dev_caller someone = {.uid = 1001, .account = 1001};

/* Nobody gets round a rule by the gift of whom it is for. */
static void what_a_policy_gives_is_not_handed_on(void **state)
{
	static const char *const names[] = {"t0", "t1", "t2"};
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct id_range *range = must_alloc(sizeof(*range));
	struct opened o;

	make_persistent("t0", 0);
	make_persistent("t1", user.uid);
	*range = (struct id_range){user.uid, user.uid};
	add_rule(set, NULL, POLICY_CREATE | POLICY_ATTACH)->users =
		(struct id_set){range, 1};
	dev_table_set_policy(table, set);
	for (size_t i = 0; i < LENGTH(names); i++) {
		open_file(&o);
		assert_int_equal(attach_idle(&o, names[i], &user), 0);
		assert_int_equal(dev_set_persist(o.file, true), 0);
		/* It has an owner, of whom another word is needed. */
		assert_int_equal(dev_set_owner(o.file, someone.uid),
				 i < 2 ? -EPERM : 0);
		if (i < 2)
			assert_int_equal(dev_set_group(o.file, 1), -EPERM);
		close_file(&o);
		open_file(&o);
		assert_int_equal(attach_idle(&o, names[i], &someone), -EPERM);
		assert_int_equal(attach_idle(&o, names[i], &admin), 0);
		/* It is, by root's word. */
		assert_int_equal(dev_set_owner(o.file, someone.uid), 0);
		close_file(&o);
		open_file(&o);
		assert_int_equal(attach_idle(&o, names[i], &someone), 0);
		close_file(&o);
	}
}

/* Whoever is attached stays so, and the next one is asked anew. */
static void another_policy_is_for_the_next(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened o, other;

	add_rule(set, NULL, POLICY_CREATE);
	dev_table_set_policy(table, set);
	open_file(&o);
	open_file(&other);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &user), 0);
	set = begin_policy(ELSEWHERE);
	add_rule(set, NULL, 0);
	dev_table_set_policy(table, set);
	assert_int_equal(attach_by(&other, "t1", IFF_TUN, &user), -EPERM);
	assert_name(&o, "t0");
	close_file(&other);
	close_file(&o);
}

/* ---- what is set for the program ---- */

static struct dev_step *steps_of(struct policy_rule *rule)
{
	rule->setup.steps = must_alloc(2 * sizeof(struct dev_step));
	rule->setup.n = 2;
	memset(rule->setup.steps, 0, 2 * sizeof(struct dev_step));
	rule->setup.steps[0].config.what = TUND_CONFIG_MTU;
	rule->setup.steps[0].config.value = 1400;
	rule->setup.steps[1].config.what = TUND_CONFIG_UP;
	rule->setup.steps[1].config.value = 1;
	return rule->setup.steps;
}

static void the_interface_is_set_up(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened o;

	steps_of(add_rule(set, "t0", POLICY_CREATE));
	add_rule(set, "t1", POLICY_CREATE);
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &user), 0);
	assert_int_equal(fake_link("t0")->configured, 2);
	close_file(&o);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t1", IFF_TUN, &user), 0);
	assert_int_equal(fake_link("t1")->configured, 0);
	/* What is there already keeps nobody out; all else does. */
	close_file(&o);
	open_file(&o);
	fake.configure_error = HOST_SAME;
	assert_int_equal(attach_idle(&o, "t0", &user), 0);
	close_file(&o);
	open_file(&o);
	fake.configure_error = -EEXIST;
	assert_int_equal(attach_idle(&o, "t0", &user), 0);
	close_file(&o);
	open_file(&o);
	fake.configure_error = -EADDRINUSE;
	assert_int_equal(attach_idle(&o, "t0", &user), -EADDRINUSE);
	assert_false(dev_file_attached(o.file));
	fake.configure_error = 0;
	assert_int_equal(attach_idle(&o, "t0", &user), 0);
	close_file(&o);
}

/* ---- names ---- */

static void patterns_become_names_first(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened a, b, c;

	add_rule(set, "vpn3", 0);
	add_rule(set, "vpn*", POLICY_CREATE);
	dev_table_set_policy(table, set);
	fake.foreign = "vpn1";
	open_file(&a);
	open_file(&b);
	open_file(&c);
	assert_int_equal(attach_by(&a, "", IFF_TUN, &user), -EPERM);
	assert_int_equal(attach_by(&a, "vpn%d", IFF_TUN, &user), 0);
	assert_name(&a, "vpn0");
	assert_int_equal(attach_by(&b, "vpn%d", IFF_TUN, &user), 0);
	assert_name(&b, "vpn2");
	/* The next would be one that is refused. */
	assert_int_equal(attach_by(&c, "vpn%d", IFF_TUN, &user), -EPERM);
	assert_int_equal(attach_by(&c, "vpn%d", IFF_TAP, &admin), -EPERM);
	assert_int_equal(attach_by(&c, "", IFF_TAP, &admin), 0);
	assert_name(&c, "tap0");
	close_file(&c);
	close_file(&b);
	close_file(&a);
}

static unsigned int looks;

/* Between the look and the making, the first time; before, it is "vpn%d". */
static void take_name(void)
{
	fake.new_error = ++looks == 2 ? -EEXIST : 0;
}

static void a_name_that_was_just_taken(void **state)
{
	struct policy_set *set = begin_policy(HERE);
	struct opened o;

	add_rule(set, "vpn*", POLICY_CREATE);
	dev_table_set_policy(table, set);
	open_file(&o);
	fake.on_find = take_name;
	assert_int_equal(attach_by(&o, "vpn%d", IFF_TUN, &user), 0);
	assert_name(&o, "vpn1");
	close_file(&o);
}

/* ---- planes and queues ---- */

static void the_file_plane_alone(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened o;
	int fd;

	add_rule(set, NULL, POLICY_CREATE)->planes = POLICY_FILE_PLANE;
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN | IFF_NO_PI, &user), 0);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EOPNOTSUPP);
	fake_set_up_down(fake_link("t0"), true);
	assert_int_equal(write_now(&o, "\x45 a packet", 10), 10);
	close_file(&o);
}

static void the_direct_plane_alone(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct answer answer;
	struct opened o;
	int fd;

	add_rule(set, NULL, POLICY_CREATE)->planes = POLICY_DIRECT_PLANE;
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN | IFF_NO_PI, &user), 0);
	fake_set_up_down(fake_link("t0"), true);
	assert_int_equal(write_now(&o, "\x45 a packet", 10), -EPERM);
	assert_int_equal(read_now(&o, 100, &answer), -EPERM);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_int_equal(write_now(&o, "\x45 a packet", 10), -EBUSY);
	close(fd);
	fake_direct_close(fake_link("t0"));
	close_file(&o);
}

static void as_many_bytes_as_allowed(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct tund_stats stats;
	struct host_link *link;
	struct opened o;
	int fd;

	set->limits.queued_bytes = 1 << 20;
	add_rule(set, "t0", POLICY_CREATE)->max_queued_bytes = 128 << 10;
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN | IFF_NO_PI, &user), 0);
	link = fake_link("t0");
	for (uint32_t i = 0; i < 5; i++)
		fake_input(link, i, 60000);
	assert_int_equal(dev_file_stats(o.file, &stats), 0);
	assert_int_equal(stats.queued, 2);
	assert_int_equal(stats.drops[TUND_DROP_QUEUE_FULL], 3);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_int_equal(link->how.queued_bytes, 128 << 10);
	close(fd);
	fake_direct_close(link);
	close_file(&o);
	/* By no rule, as much as usual. */
	open_file(&o);
	assert_int_equal(attach_by(&o, "t1", IFF_TUN | IFF_NO_PI, &admin), 0);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_int_equal(fake_link("t1")->how.queued_bytes, 1 << 20);
	close(fd);
	fake_direct_close(fake_link("t1"));
	close_file(&o);
}

/* ---- sources ---- */

/* A UDP packet of that source, as far as anybody looks. */
static size_t packet_from(uint8_t *data, uint8_t version, uint8_t last)
{
	memset(data, 0, 48);
	data[0] = (uint8_t)(version << 4);
	if (version == 4)
		memcpy(data + 12, (uint8_t[]){10, 8, 0, last}, 4);
	else
		memcpy(data + 8, (uint8_t[]){0xfd, 0, 0, last}, 4);
	return 48;
}

static void only_from_these_sources(void **state)
{
	static const struct {
		uint8_t version, last;
		size_t cut; /* bytes left of it, if not 0 */
		ssize_t result;
	} cases[] = {
		{4, 1, 0, 48},	    {4, 3, 0, 48},	{4, 4, 0, -EPERM},
		{4, 2, 19, -EPERM}, {4, 2, 20, 20},	{6, 0, 0, 48},
		{6, 1, 0, -EPERM},  {6, 0, 39, -EPERM},
	};
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct policy_rule *rule = add_rule(set, NULL, POLICY_CREATE);
	struct opened o, free_one;
	uint64_t refused = 0;
	uint8_t data[48];

	rule->sources.prefixes = must_alloc(2 * sizeof(struct ip_prefix));
	rule->sources.prefixes[0] =
		(struct ip_prefix){AF_INET, 30, {10, 8, 0, 0}};
	rule->sources.prefixes[1] =
		(struct ip_prefix){AF_INET6, 32, {0xfd, 0, 0, 0}};
	rule->sources.n = 2;
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN | IFF_NO_PI, &user), 0);
	fake_set_up_down(fake_link("t0"), true);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		size_t len = packet_from(data, cases[i].version, cases[i].last);
		struct tund_stats stats;

		len = cases[i].cut ? cases[i].cut : len;
		if (write_now(&o, data, len) != cases[i].result)
			fail_msg("case %zu", i);
		refused += cases[i].result < 0;
		assert_int_equal(dev_file_stats(o.file, &stats), 0);
		assert_int_equal(stats.drops[TUND_DROP_SOURCE], refused);
	}
	close_file(&o);
	/* Whoever is allowed by another rule, or none, sends what he likes. */
	dev_table_set_policy(table, begin_policy(ELSEWHERE));
	open_file(&free_one);
	assert_int_equal(
		attach_by(&free_one, "t1", IFF_TUN | IFF_NO_PI, &admin), 0);
	fake_set_up_down(fake_link("t1"), true);
	assert_int_equal(write_now(&free_one, data, packet_from(data, 4, 200)),
			 48);
	close_file(&free_one);
}

/* The type beside a packet must be its own. */
static void packet_information_does_not_help(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct policy_rule *rule = add_rule(set, NULL, POLICY_CREATE);
	uint8_t data[4 + 48] = {0, 0, 0x08, 0x00};
	struct opened o;

	rule->sources.prefixes = must_alloc(sizeof(struct ip_prefix));
	rule->sources.prefixes[0] =
		(struct ip_prefix){AF_INET, 30, {10, 8, 0, 0}};
	rule->sources.n = 1;
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0", IFF_TUN, &user), 0);
	fake_set_up_down(fake_link("t0"), true);
	packet_from(data + 4, 4, 1);
	assert_int_equal(write_now(&o, data, sizeof(data)), sizeof(data));
	data[3] = 0x06; /* ARP */
	assert_int_equal(write_now(&o, data, sizeof(data)), -EPERM);
	data[2] = 0x86;
	data[3] = 0xdd;
	assert_int_equal(write_now(&o, data, sizeof(data)), -EPERM);
	close_file(&o);
}

static void sources_of_several_queues(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct policy_rule *rule = add_rule(set, NULL, POLICY_CREATE);
	struct opened o;
	int fd;

	rule->sources.prefixes = must_alloc(sizeof(struct ip_prefix));
	rule->sources.prefixes[0] = (struct ip_prefix){AF_INET, 0, {0}};
	rule->sources.n = 1;
	dev_table_set_policy(table, set);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t0",
				   IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
				   &user),
			 0);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), -EOPNOTSUPP);
	close_file(&o);
	open_file(&o);
	assert_int_equal(attach_by(&o, "t1", IFF_TUN | IFF_NO_PI, &user), 0);
	assert_int_equal(dev_file_direct(o.file, 0, &fd), 0);
	assert_int_equal(fake_link("t1")->how.n_sources, 1);
	close(fd);
	fake_direct_close(fake_link("t1"));
	close_file(&o);
}

/* ---- limits ---- */

static void as_many_devices_as_allowed(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened a, b, c;

	set->limits.devices = 2;
	add_rule(set, "one*", POLICY_CREATE)->max_devices = 1;
	add_rule(set, "more*", POLICY_CREATE);
	dev_table_set_policy(table, set);
	open_file(&a);
	open_file(&b);
	open_file(&c);
	assert_int_equal(attach_by(&a, "one0", IFF_TUN, &user), 0);
	assert_int_equal(attach_by(&b, "one1", IFF_TUN, &user), -ENOSPC);
	assert_int_equal(fake_links(), 1);
	assert_int_equal(attach_by(&b, "more1", IFF_TUN, &user), 0);
	assert_int_equal(attach_by(&c, "more2", IFF_TUN, &user), -ENOSPC);
	/* What could not be made is not counted; nor is what is gone. */
	close_file(&b);
	open_file(&b);
	fake.new_error = -EIO;
	for (int i = 0; i < 3; i++)
		assert_int_equal(attach_idle(&c, "more2", &user), -EIO);
	fake.new_error = 0;
	assert_int_equal(attach_idle(&c, "more2", &user), 0);
	assert_int_equal(attach_idle(&b, "more3", &user), -ENOSPC);
	fake_delete("more2");
	assert_int_equal(attach_idle(&b, "more3", &user), 0);
	/* Another one. */
	assert_int_equal(attach_by(&c, "more4", IFF_TUN, &admin), 0);
	close_file(&c);
	close_file(&b);
	close_file(&a);
}

static int open_as(struct opened *o, uint64_t account)
{
	const struct dev_opener opener = {.account = account};
	int ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	assert_true(ns_fd >= 0);
	r = dev_file_new(table, ns_fd, &opener, NULL, NULL, NULL, &o->file);
	close(ns_fd);
	return r;
}

static void as_many_files_as_allowed(void **state)
{
	struct policy_set *set = begin_policy(ELSEWHERE);
	struct opened root[3], other;

	set->limits.files = 3;
	add_rule(set, NULL, POLICY_CREATE)->max_files = 2;
	dev_table_set_policy(table, set);
	for (size_t i = 0; i < LENGTH(root); i++)
		open_file(&root[i]);
	assert_int_equal(open_as(&other, 0), -EMFILE);
	/* By the rule less than that. */
	assert_int_equal(attach_by(&root[0], "t0", IFF_TUN, &admin), -EMFILE);
	assert_int_equal(attach_by(&root[0], "t0", IFF_TUN, &user), 0);
	close_file(&root[2]);
	assert_int_equal(attach_by(&root[1], "t1", IFF_TUN, &admin), 0);
	open_file(&root[2]);
	for (size_t i = 0; i < LENGTH(root); i++)
		close_file(&root[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_user_has_what_a_policy_allows),
		TEST(a_policy_refuses_root_elsewhere_and_not_here),
		TEST(a_policy_and_the_owner),
		TEST(what_a_policy_gives_is_not_handed_on),
		TEST(another_policy_is_for_the_next),
		TEST(the_interface_is_set_up),
		TEST(patterns_become_names_first),
		TEST(a_name_that_was_just_taken),
		TEST(the_file_plane_alone),
		TEST(the_direct_plane_alone),
		TEST(as_many_bytes_as_allowed),
		TEST(only_from_these_sources),
		TEST(packet_information_does_not_help),
		TEST(sources_of_several_queues),
		TEST(as_many_devices_as_allowed),
		TEST(as_many_files_as_allowed),
	};

	return cmocka_run_group_tests_name("dev-policy", tests, NULL, NULL);
}
