/* SPDX-License-Identifier: MIT */
/*
 * test-dev-declare.c - declared devices, dev/declare.h: made, found again, and
 * what their programs may not change.
 */
#include <errno.h>
#include <string.h>

#include "dev/declare.h"
#include "dev/knob.h"
#include "fake.h"

static char file[] = "tund.conf";

static struct dev_declaration declaration(const char *name, unsigned int kind)
{
	static struct dev_step steps[] = {
		{{.what = TUND_CONFIG_MTU, .value = 1400}, 8},
		{{.what = TUND_CONFIG_UP, .value = 1}, 7},
	};
	struct dev_declaration d = {
		.file = file,
		.line = 7,
		.kind = kind,
		.owner = 1000,
		.group = (gid_t)-1,
		.queues = 1,
		.offloads = ~0u,
		.setup = {steps, LENGTH(steps)},
	};

	strncpy(d.name, name, IFNAMSIZ - 1);
	return d;
}

static char said[4096];

static void say(const char *message)
{
	assert_null(strchr(message, '\n'));
	strncat(said, message, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in: %s", text, said);
}

static void declare(const struct dev_declaration *d)
{
	said[0] = '\0';
	dev_declare(table, d, say);
}

static int attach_as_user(struct opened *o, const char *name,
			  unsigned int flags, uid_t uid)
{
	const struct dev_caller caller = {.uid = uid};
	char in[IFNAMSIZ] = "", out[IFNAMSIZ];
	int r;

	strncpy(in, name, IFNAMSIZ - 1);
	for (;;) {
		unsigned int left = counter_value(&fake.left);

		r = dev_file_attach(o->file, in, flags, &caller, UINT64_MAX,
				    out);
		if (r != DEV_ATTACH_AGAIN ||
		    !counter_wait(&fake.left, left + 1))
			return r;
	}
}

static void it_waits_for_its_owner(void **state)
{
	const struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o;

	declare(&d);
	assert_int_equal(fake_links(), 1);
	assert_int_equal(fake.spec.kind, DEV_TUN);
	assert_false(fake_link("vpn0")->carrier);
	assert_int_equal(fake_link("vpn0")->configured, 2);
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1001), -EPERM);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TAP, 1000), -EINVAL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
		assert_true(fake_link("vpn0")->carrier);
		close_file(&o);
		assert_true(fake_has("vpn0"));
		open_file(&o);
	}
	close_file(&o);
}

static void programs_do_not_change_it(void **state)
{
	const struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o;

	declare(&d);
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	assert_int_equal(dev_set_persist(o.file, true), 0);
	assert_int_equal(dev_set_persist(o.file, false), -EPERM);
	assert_int_equal(dev_set_owner(o.file, 1000), -EPERM);
	assert_int_equal(dev_set_owner(o.file, (uid_t)-1), -EINVAL);
	assert_int_equal(dev_set_group(o.file, 5), -EPERM);
	close_file(&o);
	assert_true(fake_has("vpn0"));
}

static void offloads_are_those_allowed(void **state)
{
	struct dev_declaration d = declaration("tap0", POLICY_TAP);
	struct opened o;

	d.offloads = TUN_F_CSUM | TUN_F_TSO4;
	declare(&d);
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "tap0", IFF_TAP, 1000), 0);
	assert_int_equal(dev_set_offload(o.file, TUN_F_CSUM | TUN_F_TSO4), 0);
	assert_int_equal(dev_set_offload(o.file, TUN_F_CSUM | TUN_F_TSO6),
			 -EINVAL);
	assert_int_equal(dev_set_offload(o.file, 0), 0);
	close_file(&o);
}

static void as_many_queues_as_declared(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	unsigned int flags = IFF_TUN | IFF_MULTI_QUEUE;
	struct opened o[3];

	d.queues = 2;
	declare(&d);
	for (size_t i = 0; i < LENGTH(o); i++)
		open_file(&o[i]);
	assert_int_equal(attach_as_user(&o[0], "vpn0", IFF_TUN, 1000), -EINVAL);
	assert_int_equal(attach_as_user(&o[0], "vpn0", flags, 1000), 0);
	assert_int_equal(attach_as_user(&o[1], "vpn0", flags, 1000), 0);
	assert_int_equal(attach_as_user(&o[2], "vpn0", flags, 1000), -E2BIG);
	for (size_t i = 0; i < LENGTH(o); i++)
		close_file(&o[i]);
}

/* As by a reload. */
static void declared_again(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o, other;

	declare(&d);
	open_file(&o);
	open_file(&other);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	d.owner = 1001;
	declare(&d);
	assert_int_equal(fake_links(), 1);
	/* Who is attached is left alone, and so is the interface. */
	assert_true(dev_file_attached(o.file));
	assert_int_equal(fake_link("vpn0")->configured, 2);
	close_file(&o);
	assert_int_equal(attach_as_user(&other, "vpn0", IFF_TUN, 1000), -EPERM);
	assert_int_equal(attach_as_user(&other, "vpn0", IFF_TUN, 1001), 0);
	/* Done when the first has left, and once. */
	assert_int_equal(fake_link("vpn0")->configured, 4);
	close_file(&other);
	open_file(&other);
	assert_int_equal(attach_as_user(&other, "vpn0", IFF_TUN, 1001), 0);
	assert_int_equal(fake_link("vpn0")->configured, 4);
	close_file(&other);
	/* Deleted by root, and made anew. */
	fake_delete("vpn0");
	assert_true(counter_wait(&fake.stops, 1));
	declare(&d);
	assert_true(fake_has("vpn0"));
}

/* Its owner had it from the configuration, which does not say so any more. */
static void not_declared_any_more(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o, other;

	dev_declare_begin(table);
	declare(&d);
	dev_declare_end(table);
	open_file(&o);
	open_file(&other);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	dev_declare_begin(table);
	declare(&d);
	dev_declare_end(table);
	close_file(&o);
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	dev_declare_begin(table);
	declare(&d);
	dev_declare_end(table);
	dev_declare_begin(table);
	dev_declare_end(table);
	assert_true(dev_file_attached(o.file));
	close_file(&o);
	assert_int_equal(attach_as_user(&other, "vpn0", IFF_TUN, 1000), -EPERM);
	assert_int_equal(attach_as_user(&other, "vpn0", IFF_TUN, 0), 0);
	/* At the first and when the first program left, no more. */
	assert_int_equal(fake_link("vpn0")->configured, 4);
	/* And he may give it away. */
	assert_int_equal(dev_set_persist(other.file, false), 0);
	close_file(&other);
}

static void begin_anew(const struct dev_declaration *d)
{
	dev_declare_begin(table);
	declare(d);
	dev_declare_end(table);
}

static void of_another_kind(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o;

	begin_anew(&d);
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	d.kind = POLICY_TAP;
	d.kind_line = 9;
	d.owner = 1001;
	begin_anew(&d);
	assert_said("tund.conf:9: vpn0: Kind=tap: Device or resource busy; a "
		    "program is attached, and the device stays as it was");
	close_file(&o);
	/* It is still its first owner's. */
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	assert_int_equal(dev_set_persist(o.file, false), -EPERM);
	close_file(&o);
	/* An attach of another kind waits until it is idle. */
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TAP, 1000), -EINVAL);
	begin_anew(&d);
	assert_string_equal(said, "");
	assert_int_equal(fake_links(), 1);
	assert_int_equal(fake.spec.kind, DEV_TAP);
	assert_int_equal(fake_link("vpn0")->configured, 2);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TAP, 1000), -EPERM);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TAP, 1001), 0);
	close_file(&o);
}

static void its_namespace_is_not_found(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o;

	d.ns_path = (char[]){"/proc/self/ns/net"};
	begin_anew(&d);
	fake.ns_error = -EINVAL;
	begin_anew(&d);
	assert_said("/proc/self/ns/net: Invalid argument; the device is where "
		    "that was, and stays as it was: mend");
	fake.ns_error = 0;
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), 0);
	close_file(&o);
	/* One of another path is another one. */
	fake.ns_error = -EINVAL;
	d.ns_path = (char[]){"/proc/self/ns/../ns/net"};
	begin_anew(&d);
	assert_said("it is no network namespace");
	fake.ns_error = 0;
	open_file(&o);
	assert_int_equal(attach_as_user(&o, "vpn0", IFF_TUN, 1000), -EPERM);
	close_file(&o);
}

static void what_is_in_the_way(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);
	struct opened o;

	fake.foreign = "vpn0";
	declare(&d);
	assert_int_equal(fake_links(), 0);
	assert_said("tund.conf:7: vpn0: another interface is there: File "
		    "exists; remove that with");
	fake.foreign = NULL;
	d.ns_path = (char[]){"/nowhere"};
	d.ns_line = 9;
	declare(&d);
	assert_int_equal(fake_links(), 0);
	assert_said("tund.conf:9: vpn0: NetworkNamespacePath=/nowhere: No such "
		    "file or directory; make it with");
	d.ns_path = NULL;
	fake.new_error = -ENOSPC;
	declare(&d);
	assert_said("tund.conf:7: vpn0: cannot make it: No space left");
	fake.new_error = 0;
	fake.start_error = -EINVAL;
	declare(&d);
	assert_said("Invalid argument; the kernel takes no interface of that");
	assert_true(counter_wait(&fake.stops, 1));
	fake.start_error = 0;
	assert_int_equal(fake_links(), 0);
	assert_int_equal(fake.open_ns, 0);
	/* Another kind of ours. */
	open_file(&o);
	attach_up(&o, "vpn0", IFF_TAP);
	declare(&d);
	assert_said("another interface is there");
	assert_int_equal(dev_set_persist(o.file, false), 0);
	close_file(&o);
	assert_true(counter_wait(&fake.stops, 2));
}

/* It is there nevertheless. */
static void what_cannot_be_set(void **state)
{
	struct dev_declaration d = declaration("vpn0", POLICY_TUN);

	fake.configure_error = -EINVAL;
	declare(&d);
	assert_true(fake_has("vpn0"));
	assert_string_equal(
		said, "tund.conf:8: vpn0: MTU=1400: Invalid argument; write "
		      "another MTU=\n"
		      "tund.conf:7: vpn0: setting it up: Invalid argument; "
		      "mend that and reload\n");
	fake.configure_error = 0;
	declare(&d);
	assert_string_equal(said, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_waits_for_its_owner),
		TEST(programs_do_not_change_it),
		TEST(offloads_are_those_allowed),
		TEST(as_many_queues_as_declared),
		TEST(declared_again),
		TEST(not_declared_any_more),
		TEST(of_another_kind),
		TEST(its_namespace_is_not_found),
		TEST(what_is_in_the_way),
		TEST(what_cannot_be_set),
	};

	return cmocka_run_group_tests_name("dev-declare", tests, NULL, NULL);
}
