/* SPDX-License-Identifier: MIT */
/*
 * test-dev-attach.c - TUNSETIFF and its relatives in dev/file.h: what is asked
 * of the host, what is answered, and in which order it is checked. A name whose
 * holder is closing is test-dev-closing.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fake.h"

static unsigned int flags_of(struct opened *o)
{
	char name[IFNAMSIZ];
	unsigned int flags = 0;

	assert_int_equal(dev_file_describe(o->file, name, &flags), 0);
	return flags;
}

static void assert_name(struct opened *o, const char *expected)
{
	char name[IFNAMSIZ] = "";
	unsigned int flags;

	assert_int_equal(dev_file_describe(o->file, name, &flags), 0);
	assert_string_equal(name, expected);
}

static void assert_unattached(struct opened *o)
{
	char name[IFNAMSIZ];
	unsigned int flags;
	struct tund_stats stats;

	assert_false(dev_file_attached(o->file));
	assert_int_equal(dev_file_describe(o->file, name, &flags), -EBADFD);
	assert_int_equal(dev_file_stats(o->file, &stats), -EBADFD);
}

/* ---- what is asked of the host ---- */

static void attach_makes_the_interface(void **state)
{
	char name[IFNAMSIZ] = "";
	struct opened o;

	open_file(&o);
	assert_unattached(&o);
	assert_int_equal(attach_as(&o, "vpn7", IFF_TUN, true, 0, name), 0);
	assert_string_equal(name, "vpn7");
	assert_true(dev_file_attached(o.file));
	assert_name(&o, "vpn7");
	assert_true(fake_link("vpn7")->started);
	assert_int_equal(fake.spec.kind, DEV_TUN);
	assert_string_equal(fake.spec_name, "vpn7");
	assert_int_equal(fake.spec.ifindex, 0);
	assert_true(fake.spec.carrier);
	assert_int_equal(fake.spec.queue_len, 500);
	/* Whoever polls has to look again. */
	assert_true(counter_value(&o.wakes) > 0);
	assert_int_equal(fake.open_ns, 0);
	close_file(&o);
}

static void names_and_kinds(void **state)
{
	static const struct {
		const char *name;
		unsigned int flags;
		const char *asked, *given;
		enum dev_kind kind;
		unsigned int queue_len;
	} cases[] = {
		{"", IFF_TUN, "tun%d", "tun0", DEV_TUN, 500},
		{"", IFF_TAP, "tap%d", "tap0", DEV_TAP, 1000},
		{"", IFF_TUN | IFF_TAP, "tun%d", "tun0", DEV_TUN, 500},
		{"foo%d", IFF_TUN, "foo%d", "foo0", DEV_TUN, 500},
		{"tap9", IFF_TUN, "tap9", "tap9", DEV_TUN, 500},
		{"fifteen-letters", IFF_TAP, "fifteen-letters",
		 "fifteen-letters", DEV_TAP, 1000},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct opened o;

		open_file(&o);
		assert_int_equal(attach(&o, cases[i].name, cases[i].flags), 0);
		assert_string_equal(fake.spec_name, cases[i].asked);
		assert_name(&o, cases[i].given);
		assert_int_equal(fake.spec.kind, cases[i].kind);
		assert_int_equal(fake.spec.queue_len, cases[i].queue_len);
		close_file(&o);
	}
}

/* A name that is no one's own is for the host to judge. */
static void host_judges_the_name(void **state)
{
	struct opened o;

	open_file(&o);
	fake.new_error = -EINVAL;
	assert_int_equal(attach(&o, "a/b", IFF_TUN), -EINVAL);
	fake.new_error = 0;
	assert_int_equal(attach(&o, "a/b", IFF_TUN), 0);
	assert_string_equal(fake.spec_name, "a/b");
	close_file(&o);
}

static void no_carrier(void **state)
{
	struct opened o;

	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN | IFF_NO_CARRIER), 0);
	assert_false(fake.spec.carrier);
	close_file(&o);
}

static void index_is_asked_for_once(void **state)
{
	struct opened o;

	open_file(&o);
	assert_int_equal(dev_file_set_ifindex(o.file, -1), -EINVAL);
	assert_int_equal(dev_file_set_ifindex(o.file, 700), 0);
	assert_int_equal(dev_file_set_ifindex(o.file, 777), 0);
	/* A failure leaves the wish alone. */
	fake.new_error = -EBUSY;
	assert_int_equal(attach(&o, "t0", IFF_TUN), -EBUSY);
	fake.new_error = 0;
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	assert_int_equal(fake.spec.ifindex, 777);
	assert_int_equal(dev_file_set_ifindex(o.file, 5), -EPERM);
	assert_int_equal(dev_file_set_ifindex(o.file, -5), -EPERM);

	fake_delete("t0");
	assert_int_equal(attach(&o, "t1", IFF_TUN), 0);
	assert_int_equal(fake.spec.ifindex, 0);
	close_file(&o);
}

/* ---- TUNGETIFF ---- */

static void flags_are_those_of_the_kernel(void **state)
{
	static const struct {
		unsigned int asked, told;
	} cases[] = {
		/* IFF_NOFILTER has the value of IFF_NO_PI. */
		{IFF_TUN, 0x1001},
		{IFF_TUN | IFF_NO_PI, 0x1001},
		{IFF_TAP | IFF_NO_PI, 0x1002},
		{IFF_TUN | IFF_NO_PI | IFF_ONE_QUEUE, 0x3001},
		{IFF_TUN | IFF_TAP, 0x1001},
		/* Never told. */
		{IFF_TUN | IFF_NO_CARRIER, 0x1001},
		{IFF_TAP | IFF_TUN_EXCL, 0x1002},
		{IFF_TAP | IFF_PERSIST, 0x1002},
		{IFF_TUN | 0x0008, 0x1001},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct opened o;

		open_file(&o);
		assert_int_equal(attach(&o, "", cases[i].asked), 0);
		assert_int_equal(flags_of(&o), cases[i].told);
		close_file(&o);
	}
}

static void rename_now(struct host_link *link)
{
	struct host_state now = link->state;

	snprintf(now.name, sizeof(now.name), "new");
	device_state(link->owner, &now);
}

/* The news may not have been read yet: describing asks for it. */
static void description_follows_a_rename(void **state)
{
	struct opened o;

	open_file(&o);
	assert_int_equal(attach(&o, "old", IFF_TUN), 0);
	assert_name(&o, "old");
	fake.on_sync = rename_now;
	assert_name(&o, "new");
	fake.on_sync = NULL;
	close_file(&o);
}

static void delete_now(struct host_link *link)
{
	fake.on_sync = NULL;
	fake_delete(link->state.name);
}

static void description_of_what_was_just_deleted(void **state)
{
	char name[IFNAMSIZ];
	unsigned int flags;
	struct opened o;

	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	fake.on_sync = delete_now;
	assert_int_equal(dev_file_describe(o.file, name, &flags), -EBADFD);
	close_file(&o);
}

/* ---- the order of checks ---- */

/*
 * Names: "free", "mine" and "mytap" (living devices), "other" (no device of
 * ours).
 */
static void errors_come_in_the_kernels_order(void **state)
{
	enum {
		ADMIN = true,
		USER = false,
	};
	static const struct {
		const char *name;
		unsigned int flags;
		bool admin;
		int error;
	} cases[] = {
		/* A free name: permission, then type. */
		{"free", 0, ADMIN, -EINVAL},
		{"free", IFF_NO_PI, ADMIN, -EINVAL},
		{"free", 0, USER, -EPERM},
		{"free", IFF_TUN, USER, -EPERM},
		{"", IFF_TAP, USER, -EPERM},
		{"free", IFF_TUN | IFF_TUN_EXCL, USER, -EPERM},
		{"free", IFF_TUN | IFF_VNET_HDR, USER, -EPERM},
		/* Before all: only who administers everything. */
		{"", IFF_TAP | IFF_NAPI | IFF_NAPI_FRAGS, ADMIN, -EPERM},
		/* Somebody else's interface. */
		{"other", IFF_TUN, ADMIN, -EINVAL},
		{"other", IFF_TUN, USER, -EINVAL},
		{"other", 0, USER, -EINVAL},
		{"other", IFF_TUN | IFF_TUN_EXCL, ADMIN, -EBUSY},
		{"other", IFF_TUN | IFF_TUN_EXCL, USER, -EBUSY},
		/* A living device of ours: EXCL, type, queues, holder. */
		{"mine", IFF_TAP | IFF_TUN_EXCL, USER, -EBUSY},
		{"mine", IFF_TUN | IFF_TUN_EXCL, ADMIN, -EBUSY},
		{"mine", IFF_TAP, ADMIN, -EINVAL},
		{"mine", 0, ADMIN, -EINVAL},
		{"mine", 0, USER, -EINVAL},
		{"mine", IFF_TUN | IFF_MULTI_QUEUE, ADMIN, -EINVAL},
		{"mine", IFF_TUN, ADMIN, -EBUSY},
		{"mine", IFF_TUN | IFF_TAP, ADMIN, -EBUSY},
		{"mine", IFF_TUN | IFF_VNET_HDR, ADMIN, -EBUSY},
		{"mytap", IFF_TAP, ADMIN, -EBUSY},
		{"mytap", IFF_TUN, ADMIN, -EINVAL},
		/* TUN wins. */
		{"mytap", IFF_TUN | IFF_TAP, ADMIN, -EINVAL},
		/* It is nobody's in particular: no permission is needed. */
		{"mine", IFF_TUN, USER, -EBUSY},
	};
	struct opened holder, tap_holder, o;

	fake.foreign = "other";
	open_file(&holder);
	attach_up(&holder, "mine", IFF_TUN);
	open_file(&tap_holder);
	attach_up(&tap_holder, "mytap", IFF_TAP);
	open_file(&o);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char out[IFNAMSIZ] = "untouched";
		int r;

		r = attach_as(&o, cases[i].name, cases[i].flags, cases[i].admin,
			      UINT64_MAX, out);
		if (r != cases[i].error)
			fail_msg("case %zu (%s, 0x%x): %d", i, cases[i].name,
				 cases[i].flags, r);
		assert_string_equal(out, "untouched");
		assert_unattached(&o);
		assert_int_equal(fake_links(), 2);
		assert_int_equal(fake.open_ns, 0);
	}
	/* None of them has hurt. */
	assert_int_equal(attach(&o, "free", IFF_TUN), 0);
	close_file(&o);
	close_file(&tap_holder);
	close_file(&holder);
}

static void attached_file_is_refused_first(void **state)
{
	char out[IFNAMSIZ];
	struct opened o;

	open_file(&o);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	fake.ns_error = -EMFILE;
	assert_int_equal(attach(&o, "t1", IFF_TUN), -EEXIST);
	assert_int_equal(attach_as(&o, "t0", 0, false, 0, out), -EEXIST);
	assert_name(&o, "t0");
	fake.ns_error = 0;
	close_file(&o);
}

static struct opened *second;
static const char *second_name;
static int second_result;

static void attach_second(void)
{
	fake.on_new = NULL;
	second_result = attach(second, second_name, IFF_TUN);
}

static void attach_while_attaching(void **state)
{
	struct opened o;

	open_file(&o);
	second = &o;
	second_name = "t1";
	fake.on_new = attach_second;
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	assert_int_equal(second_result, -EEXIST);
	assert_name(&o, "t0");
	close_file(&o);
}

/* Other files go on meanwhile. */
static void two_files_attach_at_once(void **state)
{
	struct opened a, b;

	open_file(&a);
	open_file(&b);
	second = &b;
	second_name = "t1";
	fake.on_new = attach_second;
	assert_int_equal(attach(&a, "t0", IFF_TUN), 0);
	assert_int_equal(second_result, 0);
	assert_name(&a, "t0");
	assert_name(&b, "t1");
	close_file(&a);
	close_file(&b);
}

/* ---- failures of the host ---- */

static void errors_of_the_host_are_passed_on(void **state)
{
	static int *const places[] = {&fake.ns_error, &fake.find_error,
				      &fake.new_error, &fake.start_error};
	static const int errors[] = {-EMFILE, -EIO, -ENFILE, -ENOSPC};
	struct opened o;

	open_file(&o);
	for (size_t i = 0; i < LENGTH(places); i++) {
		*places[i] = errors[i];
		assert_int_equal(attach(&o, "t0", IFF_TUN), errors[i]);
		*places[i] = 0;
		assert_unattached(&o);
		assert_int_equal(fake.open_ns, 0);
		/* It can be tried again, under the same name. */
		assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
		fake_delete("t0");
		assert_unattached(&o);
	}
	close_file(&o);
}

static void link_that_does_not_start_is_taken_away(void **state)
{
	struct opened o;

	open_file(&o);
	fake.start_error = -ENOSPC;
	assert_int_equal(attach(&o, "t0", IFF_TUN), -ENOSPC);
	assert_true(counter_wait(&fake.stops, 1));
	assert_false(fake_has("t0"));
	close_file(&o);
}

static void delete_at_start(struct host_link *link)
{
	fake_delete(link->state.name);
}

static void interface_deleted_at_once(void **state)
{
	struct opened o;

	open_file(&o);
	fake.on_start = delete_at_start;
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	assert_unattached(&o);
	fake.on_start = NULL;
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	close_file(&o);
}

/* ---- files ---- */

static void file_needs_a_namespace(void **state)
{
	const struct dev_opener opener = {0};
	struct dev_file *file = NULL;

	assert_int_equal(
		dev_file_new(table, -1, &opener, NULL, NULL, NULL, &file),
		-EBADF);
	assert_null(file);
}

static void file_owns_its_namespace(void **state)
{
	struct opened o;
	int ns_fd;

	open_file(&o);
	ns_fd = dev_file_ns(o.file);
	assert_true(fcntl(ns_fd, F_GETFD) >= 0);
	close_file(&o);
	assert_int_equal(fcntl(ns_fd, F_GETFD), -1);
}

static void closed_file_is_unattached(void **state)
{
	struct opened o;

	open_file(&o);
	attach_up(&o, "t0", IFF_TUN);
	dev_file_ref(o.file);
	dev_file_close(o.file);
	assert_unattached(&o);
	dev_file_close(o.file);
	dev_file_unref(o.file);
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 1));
	assert_false(fake_has("t0"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attach_makes_the_interface),
		TEST(names_and_kinds),
		TEST(host_judges_the_name),
		TEST(no_carrier),
		TEST(index_is_asked_for_once),
		TEST(flags_are_those_of_the_kernel),
		TEST(description_follows_a_rename),
		TEST(description_of_what_was_just_deleted),
		TEST(errors_come_in_the_kernels_order),
		TEST(attached_file_is_refused_first),
		TEST(attach_while_attaching),
		TEST(two_files_attach_at_once),
		TEST(errors_of_the_host_are_passed_on),
		TEST(link_that_does_not_start_is_taken_away),
		TEST(interface_deleted_at_once),
		TEST(file_needs_a_namespace),
		TEST(file_owns_its_namespace),
		TEST(closed_file_is_unattached),
	};

	return cmocka_run_group_tests_name("dev-attach", tests, NULL, NULL);
}
