/* SPDX-License-Identifier: MIT */
/*
 * test/unit/client/test-attach.c - libtunclient's attaching to interfaces and
 * their names. It moves no packets.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>
#include <tunclient.h>

#include "world.h"

static int open_device(void **state)
{
	struct tunclient *client;

	if (world_open(WORLD_DEVICE, TUNCLIENT_NONBLOCK, &client) < 0) {
		tunclient_close(client);
		return -1;
	}
	*state = client;
	return 0;
}

/* tund removes an interface after close() returned: the next test waits. */
static int close_device(void **state)
{
	char name[TUNCLIENT_NAME_SIZE];
	int named = tunclient_name(*state, name, sizeof(name)) == 0;

	tunclient_close(*state);
	if (named && !world_wait(world_no_interface, name))
		return -1;
	return 0;
}

static void assert_name(struct tunclient *client, const char *expected)
{
	char name[TUNCLIENT_NAME_SIZE];

	assert_int_equal(tunclient_name(client, name, sizeof(name)), 0);
	assert_string_equal(name, expected);
}

static void assert_refused(struct tunclient *client, const char *name,
			   unsigned int flags, int error, const char *sentence)
{
	assert_int_equal(tunclient_attach(client, name, flags), error);
	assert_string_equal(tunclient_error(client), sentence);
}

static struct tunclient *attached(const char *name, unsigned int flags)
{
	struct tunclient *client;

	assert_int_equal(world_open(WORLD_DEVICE, 0, &client), 0);
	assert_int_equal(tunclient_attach(client, name, flags), 0);
	return client;
}

static void given_name_is_taken(void **state)
{
	assert_int_equal(tunclient_attach(*state, "here", TUNCLIENT_TUN), 0);
	assert_name(*state, "here");
	assert_true(if_nametoindex("here") > 0);
}

static void longest_name_is_taken(void **state)
{
	assert_int_equal(
		tunclient_attach(*state, "abcdefghijklmno", TUNCLIENT_TUN), 0);
	assert_name(*state, "abcdefghijklmno");
}

static void without_a_name_the_kind_gives_it(void **state)
{
	struct tunclient *tap = attached("", TUNCLIENT_TAP);

	assert_int_equal(tunclient_attach(*state, NULL, TUNCLIENT_TUN), 0);
	assert_name(*state, "tun0");
	assert_name(tap, "tap0");
	close_device((void **)&tap);
}

static void pattern_counts(void **state)
{
	struct tunclient *first = attached("vpn%d", TUNCLIENT_TUN);

	assert_int_equal(tunclient_attach(*state, "vpn%d", TUNCLIENT_TUN), 0);
	assert_name(first, "vpn0");
	assert_name(*state, "vpn1");
	close_device((void **)&first);
}

static void flags_are_one_kind(void **state)
{
	static const unsigned int wrong[] = {0, TUNCLIENT_TUN | TUNCLIENT_TAP,
					     TUNCLIENT_NONBLOCK,
					     TUNCLIENT_TUN | 0x1000};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(*state, "x", wrong[i], -EINVAL,
			       "tunclient_attach() needs exactly one of "
			       "TUNCLIENT_TUN and TUNCLIENT_TAP");
	assert_int_equal(if_nametoindex("x"), 0);
}

static void bad_names_are_refused(void **state)
{
	static const char *const wrong[] = {"a/b", "a:b", "a b",  ".",
					    "..",  "a%s", "a%d%d"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
			tunclient_attach(*state, wrong[i], TUNCLIENT_TUN),
			-EINVAL);
}

static void too_long_a_name_is_refused(void **state)
{
	assert_refused(*state, "abcdefghijklmnop", TUNCLIENT_TUN, -ENAMETOOLONG,
		       "cannot attach to 'abcdefghijklmnop': the name is "
		       "longer than 15 bytes");
	assert_int_equal(if_nametoindex("abcdefghijklmno"), 0);
}

static void other_interface_is_refused(void **state)
{
	assert_refused(*state, "lo", TUNCLIENT_TUN, -EINVAL,
		       "cannot attach to 'lo' through " WORLD_DEVICE
		       ": the name is not valid, or an interface of another "
		       "kind has it");
}

static void other_kind_is_refused(void **state)
{
	struct tunclient *tap = attached("kind", TUNCLIENT_TAP);

	assert_int_equal(tunclient_attach(*state, "kind", TUNCLIENT_TUN),
			 -EINVAL);
	close_device((void **)&tap);
}

static void taken_interface_is_busy(void **state)
{
	struct tunclient *first = attached("busy", TUNCLIENT_TUN);

	assert_refused(*state, "busy", TUNCLIENT_TUN, -EBUSY,
		       "cannot attach to 'busy' through " WORLD_DEVICE
		       ": another program is attached to it");
	close_device((void **)&first);
	assert_int_equal(tunclient_attach(*state, "busy", TUNCLIENT_TUN), 0);
}

static void second_attach_is_refused(void **state)
{
	assert_int_equal(tunclient_attach(*state, "one", TUNCLIENT_TUN), 0);
	assert_refused(*state, "two", TUNCLIENT_TUN, -EEXIST,
		       "cannot attach to 'two' through " WORLD_DEVICE
		       ": this handle is attached already");
	assert_name(*state, "one");
}

/* Without setresuid() in a user namespace the capabilities still go. */
static int attach_as_ordinary_user(struct tunclient *client)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	int ignored = setresuid(65534, 65534, 65534);

	(void)ignored;
	if (syscall(SYS_capset, &header, none) < 0)
		return 1;
	if (tunclient_attach(client, NULL, TUNCLIENT_TUN) != -EPERM)
		return 2;
	if (strcmp(tunclient_error(client),
		   "cannot attach to 'tun%d' through " WORLD_DEVICE
		   ": creating an interface needs CAP_NET_ADMIN over the "
		   "network namespace, and an existing one must be this "
		   "user's") != 0)
		return 3;
	return 0;
}

static void ordinary_user_may_not_create(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(attach_as_ordinary_user(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(if_nametoindex("tun0"), 0);
}

static void handle_may_be_tried_again(void **state)
{
	assert_int_equal(tunclient_attach(*state, "a/b", TUNCLIENT_TUN),
			 -EINVAL);
	assert_int_equal(tunclient_attach(*state, "ab", TUNCLIENT_TUN), 0);
	assert_name(*state, "ab");
}

static void name_needs_an_interface(void **state)
{
	char name[TUNCLIENT_NAME_SIZE] = "untouched";

	assert_int_equal(tunclient_name(*state, name, sizeof(name)), -EBADFD);
	assert_string_equal(name, "untouched");
	assert_string_equal(tunclient_error(*state),
			    "no name: the handle is not attached, or its "
			    "interface was deleted");
	assert_int_equal(tunclient_name(*state, NULL, sizeof(name)), -EINVAL);
}

static void name_must_fit(void **state)
{
	char name[] = "untouched";

	assert_int_equal(tunclient_attach(*state, "four", TUNCLIENT_TUN), 0);
	assert_int_equal(tunclient_name(*state, name, 0), -ERANGE);
	assert_int_equal(tunclient_name(*state, name, 4), -ERANGE);
	assert_string_equal(name, "untouched");
	assert_int_equal(tunclient_name(*state, name, 5), 0);
	assert_string_equal(name, "four");
}

struct renamed {
	struct tunclient *client;
	const char *name;
};

static bool is_renamed(const void *data)
{
	const struct renamed *renamed = data;
	char name[TUNCLIENT_NAME_SIZE];

	return tunclient_name(renamed->client, name, sizeof(name)) == 0 &&
	       strcmp(name, renamed->name) == 0;
}

static void name_follows_renames(void **state)
{
	struct renamed renamed = {*state, "after"};

	assert_int_equal(tunclient_attach(*state, "before", TUNCLIENT_TUN), 0);
	assert_name(*state, "before");
	world_run("ip link set before name after");
	assert_true(world_wait(is_renamed, &renamed));
}

static void deleted_interface_has_no_name(void **state)
{
	char name[TUNCLIENT_NAME_SIZE];

	assert_int_equal(tunclient_attach(*state, "gone", TUNCLIENT_TUN), 0);
	world_run("ip link del gone");
	assert_true(world_poll(tunclient_fd(*state), 0));
	assert_int_equal(tunclient_name(*state, name, sizeof(name)), -EBADFD);
	assert_int_equal(tunclient_attach(*state, "again", TUNCLIENT_TUN), 0);
	assert_name(*state, "again");
}

static void interface_goes_with_the_handle(void **state)
{
	struct tunclient *client = attached("brief", TUNCLIENT_TUN);

	assert_true(if_nametoindex("brief") > 0);
	tunclient_close(client);
	assert_true(world_wait(world_no_interface, "brief"));
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, open_device, close_device)
	const struct CMUnitTest tests[] = {
		TEST(given_name_is_taken),
		TEST(longest_name_is_taken),
		TEST(without_a_name_the_kind_gives_it),
		TEST(pattern_counts),
		TEST(flags_are_one_kind),
		TEST(bad_names_are_refused),
		TEST(too_long_a_name_is_refused),
		TEST(other_interface_is_refused),
		TEST(other_kind_is_refused),
		TEST(taken_interface_is_busy),
		TEST(second_attach_is_refused),
		TEST(ordinary_user_may_not_create),
		TEST(handle_may_be_tried_again),
		TEST(name_needs_an_interface),
		TEST(name_must_fit),
		TEST(name_follows_renames),
		TEST(deleted_interface_has_no_name),
		TEST(interface_goes_with_the_handle),
	};

	world_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
