/* SPDX-License-Identifier: MIT */
/*
 * test-dev-configure.c - dev/configure.h: what is asked of the host, who is
 * asked first, and what the file says of the interface.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/configure.h"
#include "dev/knob.h"
#include "dev/policy.h"
#include "direct.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	TAP = IFF_TAP | IFF_NO_PI,
};

/* What may() was asked, and answers. */
static struct {
	unsigned int n;
	int answer;
	ino_t ns;
} asked;

static int may(void *arg, int ns_fd)
{
	struct stat st;

	assert_ptr_equal(arg, &asked);
	assert_int_equal(fstat(ns_fd, &st), 0);
	asked.n++;
	asked.ns = st.st_ino;
	return asked.answer;
}

static const struct host_permit permit = {.ask = may, .arg = &asked};

static int set_up(void **state)
{
	memset(&asked, 0, sizeof(asked));
	return fake_set_up(state);
}

static int configure(const struct tund_config *config)
{
	return dev_file_configure(o.file, config, &permit);
}

static void arguments(void **state)
{
	static const struct {
		struct tund_config config;
		int tun, tap;
	} cases[] = {
		{{.what = 0}, -EINVAL, -EINVAL},
		{{.what = TUND_CONFIG_ROUTE_DEL + 1}, -EINVAL, -EINVAL},
		{{.what = UINT32_MAX}, -EINVAL, -EINVAL},
		{{.what = TUND_CONFIG_UP}, 0, 0},
		{{.what = TUND_CONFIG_UP, .value = 1}, 0, 0},
		{{.what = TUND_CONFIG_UP, .value = 2}, -EINVAL, -EINVAL},
		{{.what = TUND_CONFIG_MTU, .value = 0}, 0, 0},
		{{.what = TUND_CONFIG_MTU, .reserved = {[5] = 1}},
		 -EINVAL,
		 -EINVAL},
		{{.what = TUND_CONFIG_MAC, .address = {2}}, -EOPNOTSUPP, 0},
		{{.what = TUND_CONFIG_ADDRESS_ADD}, -EINVAL, -EINVAL},
		{{.what = TUND_CONFIG_ADDRESS_ADD,
		  .family = AF_INET,
		  .prefix = 32},
		 0,
		 0},
		{{.what = TUND_CONFIG_ADDRESS_DEL,
		  .family = AF_INET,
		  .prefix = 33},
		 -EINVAL,
		 -EINVAL},
		{{.what = TUND_CONFIG_ADDRESS_DEL,
		  .family = AF_INET6,
		  .prefix = 128},
		 0,
		 0},
		{{.what = TUND_CONFIG_ROUTE_ADD,
		  .family = AF_INET6,
		  .prefix = 129},
		 -EINVAL,
		 -EINVAL},
		{{.what = TUND_CONFIG_ROUTE_ADD, .family = AF_UNIX},
		 -EINVAL,
		 -EINVAL},
		{{.what = TUND_CONFIG_ROUTE_ADD,
		  .family = AF_INET,
		  .prefix = 0},
		 0,
		 0},
		{{.what = TUND_CONFIG_ROUTE_DEL,
		  .family = AF_INET,
		  .prefix = 8,
		  .reserved = {1}},
		 -EINVAL,
		 -EINVAL},
	};

	for (size_t i = 0; i < 2 * LENGTH(cases); i++) {
		const struct tund_config *config = &cases[i / 2].config;
		int want = i % 2 ? cases[i / 2].tap : cases[i / 2].tun;

		attach_device(i % 2 ? TAP : TUN);
		asked.n = 0;
		if (configure(config) != want)
			fail_msg("case %zu", i / 2);
		/* Nobody is asked about what is wrong. */
		assert_int_equal(asked.n, want == 0);
		assert_int_equal(lnk->configured, want == 0);
		if (want == 0)
			assert_memory_equal(&lnk->config, config,
					    sizeof(*config));
		put_device();
		close_file(&o);
	}
}

static void file_without_a_device(void **state)
{
	const struct tund_config config = {.what = TUND_CONFIG_UP};
	const struct tund_config wrong = {.what = 0};
	struct tund_link link;

	open_file(&o);
	assert_int_equal(configure(&config), -EBADFD);
	assert_int_equal(configure(&wrong), -EBADFD);
	assert_int_equal(dev_file_link(o.file, &link), -EBADFD);
	assert_int_equal(asked.n, 0);
	close_file(&o);
}

static void who_may_not_changes_nothing(void **state)
{
	const struct tund_config config = {.what = TUND_CONFIG_UP, .value = 1};
	struct stat st;

	attach_device(TUN);
	asked.answer = -EPERM;
	assert_int_equal(configure(&config), -EPERM);
	assert_int_equal(asked.n, 1);
	assert_int_equal(fstat(dev_file_ns(o.file), &st), 0);
	assert_int_equal(asked.ns, st.st_ino);
	assert_int_equal(lnk->configured, 0);
	put_device();
	close_file(&o);
}

static void delete_it(struct host_link *link)
{
	fake.on_sync = NULL;
	fake_delete("t0");
}

static void errors_of_the_host(void **state)
{
	const struct tund_config config = {.what = TUND_CONFIG_UP, .value = 1};
	struct tund_link link;

	attach_device(TUN);
	fake.configure_error = -EEXIST;
	assert_int_equal(configure(&config), -EEXIST);
	fake.configure_error = HOST_SAME;
	assert_int_equal(configure(&config), -EEXIST);
	/* It is there, and yet was not found: so be it. */
	fake.configure_error = -ENODEV;
	assert_int_equal(configure(&config), -ENODEV);
	fake.on_sync = delete_it;
	assert_int_equal(configure(&config), -EBADFD);
	assert_int_equal(dev_file_link(o.file, &link), -EBADFD);
	put_device();
	close_file(&o);
}

static void link_as_it_is(void **state)
{
	static const uint8_t zero[8];
	struct host_state now;
	struct tund_link link;

	for (int i = 0; i < 2; i++) {
		attach_device(i ? TAP : TUN);
		now = lnk->state;
		now.mtu = 9000;
		now.up = true;
		now.ifindex = 77;
		memcpy(now.name, "other0", sizeof("other0"));
		memcpy(now.mac, "\2\0\0\0\0\7", sizeof(now.mac));
		fake_change(lnk, &now);
		assert_int_equal(dev_file_link(o.file, &link), 0);
		assert_int_equal(link.ifindex, 77);
		assert_int_equal(link.mtu, 9000);
		assert_int_equal(link.flags, TUND_LINK_UP);
		assert_int_equal(link.link_type,
				 i ? ARPHRD_ETHER : ARPHRD_NONE);
		assert_string_equal(link.name, "other0");
		assert_memory_equal(link.mac,
				    i ? "\2\0\0\0\0\7\0" : (char *)zero, 8);
		now.up = false;
		fake_change(lnk, &now);
		assert_int_equal(dev_set_link_type(o.file, ARPHRD_PPP), 0);
		assert_int_equal(dev_file_link(o.file, &link), 0);
		assert_int_equal(link.flags, 0);
		assert_int_equal(link.link_type, ARPHRD_PPP);
		put_device();
		close_file(&o);
	}
}

static void on_the_direct_plane(void **state)
{
	const struct tund_config config = {.what = TUND_CONFIG_UP, .value = 1};
	struct tund_link link;

	attach_device(TUN);
	go_direct();
	assert_int_equal(configure(&config), 0);
	assert_int_equal(lnk->configured, 1);
	assert_int_equal(dev_file_link(o.file, &link), 0);
	fake_direct_close(lnk);
	assert_int_equal(configure(&config), -EBADFD);
	put_device();
	close_file(&o);
}

static void add_rule(struct policy_set *set, uid_t uid, const char *glob,
		     unsigned int allow)
{
	struct policy_rule *rule = policy_set_add(set);

	assert_non_null(rule);
	rule->name = strdup("rule");
	rule->file = strdup("tund.conf");
	rule->allow = allow;
	rule->kinds = POLICY_TUN;
	rule->users.ranges = must_alloc(sizeof(struct id_range));
	rule->users.ranges[0] = (struct id_range){uid, uid};
	rule->users.n = 1;
	rule->names.words = must_alloc(sizeof(char *));
	rule->names.words[0] = strdup(glob);
	rule->names.n = 1;
}

static int by_policy(uid_t uid, int ns_fd)
{
	const struct dev_caller caller = {.uid = uid};

	return dev_file_may_configure(o.file, &caller, ns_fd);
}

static void what_policies_say(void **state)
{
	int elsewhere = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	struct policy_set *set;
	struct host_state now;

	assert_int_equal(policy_set_new(1, &set), 0);
	add_rule(set, 1000, "t*", POLICY_CREATE | POLICY_CONFIGURE);
	add_rule(set, 1001, "t*", POLICY_CREATE | POLICY_ATTACH);
	attach_device(TUN);
	assert_int_equal(by_policy(1000, dev_file_ns(o.file)), -EPERM);
	dev_table_set_policy(table, set);
	assert_int_equal(by_policy(1000, dev_file_ns(o.file)), 0);
	assert_int_equal(by_policy(1001, dev_file_ns(o.file)), -EPERM);
	assert_int_equal(by_policy(1002, dev_file_ns(o.file)), -EPERM);
	/* No policy of here is about what has gone. */
	assert_int_equal(by_policy(1000, elsewhere), -EPERM);
	/* By the name that it has now. */
	now = lnk->state;
	memcpy(now.name, "other0", sizeof("other0"));
	fake_change(lnk, &now);
	assert_int_equal(by_policy(1000, dev_file_ns(o.file)), -EPERM);
	put_device();
	close_file(&o);
	/* Of another kind. */
	attach_device(TAP);
	assert_int_equal(by_policy(1000, dev_file_ns(o.file)), -EPERM);
	put_device();
	close_file(&o);
	open_file(&o);
	assert_int_equal(by_policy(1000, dev_file_ns(o.file)), -EBADFD);
	close_file(&o);
	close(elsewhere);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, direct_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arguments),
		TEST(file_without_a_device),
		TEST(who_may_not_changes_nothing),
		TEST(errors_of_the_host),
		TEST(link_as_it_is),
		TEST(on_the_direct_plane),
		TEST(what_policies_say),
	};

	return cmocka_run_group_tests_name("dev-configure", tests, NULL, NULL);
}
