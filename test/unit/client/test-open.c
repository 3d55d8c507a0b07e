/* SPDX-License-Identifier: MIT */
/*
 * test/unit/client/test-open.c - how libtunclient finds, opens and closes its
 * device. It attaches to nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <tunclient.h>

#include "world.h"

#define TUND_PLACE   "/run/tund/dev/net/tun"
#define KERNEL_PLACE "/dev/net/tun"
#define BSD_PLACE    "/dev/tun"

/* The argument that makes this program a set-user-ID one: see the test. */
#define SECURE_CHILD "--secure-child"

static int clear_places(void **state)
{
	unsetenv("TUNCLIENT_DEVICE");
	world_clear(TUND_PLACE);
	world_clear(KERNEL_PLACE);
	world_clear(BSD_PLACE);
	return 0;
}

static void assert_opens(const char *device, const char *expected)
{
	struct tunclient *client;
	char link[64], path[PATH_MAX] = "";

	assert_int_equal(world_open(device, 0, &client), 0);
	assert_string_equal(tunclient_error(client), "no error");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", tunclient_fd(client));
	assert_true(readlink(link, path, sizeof(path) - 1) > 0);
	assert_string_equal(path, expected);
	tunclient_close(client);
}

static void assert_fails(const char *device, int error, const char *sentence)
{
	struct tunclient *client = NULL;

	assert_int_equal(world_open(device, 0, &client), error);
	assert_non_null(client);
	assert_string_equal(tunclient_error(client), sentence);
	tunclient_close(client);
}

static void argument_is_opened(void **state)
{
	world_place(TUND_PLACE);
	setenv("TUNCLIENT_DEVICE", TUND_PLACE, 1);
	assert_opens(WORLD_DEVICE, WORLD_DEVICE);
}

static void argument_alone_is_tried(void **state)
{
	world_place(TUND_PLACE);
	setenv("TUNCLIENT_DEVICE", TUND_PLACE, 1);
	assert_fails("/run/none", -ENOENT,
		     "cannot open /run/none: no such file");
}

static void environment_is_opened(void **state)
{
	world_place(TUND_PLACE);
	setenv("TUNCLIENT_DEVICE", WORLD_DEVICE, 1);
	assert_opens(NULL, WORLD_DEVICE);
}

static void environment_alone_is_tried(void **state)
{
	world_place(TUND_PLACE);
	setenv("TUNCLIENT_DEVICE", "/run/none", 1);
	assert_fails(NULL, -ENOENT,
		     "cannot open TUNCLIENT_DEVICE=/run/none: no such file");
}

static void empty_environment_is_none(void **state)
{
	world_place(KERNEL_PLACE);
	setenv("TUNCLIENT_DEVICE", "", 1);
	assert_opens(NULL, KERNEL_PLACE);
}

static void places_are_tried_in_order(void **state)
{
	world_place(BSD_PLACE);
	assert_opens(NULL, BSD_PLACE);
	world_place(KERNEL_PLACE);
	assert_opens(NULL, KERNEL_PLACE);
	world_place(TUND_PLACE);
	assert_opens(NULL, TUND_PLACE);
}

static void place_that_is_no_tun_is_passed_over(void **state)
{
	world_place_plain_file(TUND_PLACE);
	world_place(KERNEL_PLACE);
	assert_opens(NULL, KERNEL_PLACE);
}

static void no_place_names_all_three(void **state)
{
	assert_fails(NULL, -ENOENT,
		     "no TUN device opens; " TUND_PLACE
		     ": no such file; " KERNEL_PLACE
		     ": no such file; " BSD_PLACE ": no such file");
}

static void telling_error_wins(void **state)
{
	world_place_plain_file(KERNEL_PLACE);
	assert_fails(NULL, -ENOTTY,
		     "no TUN device opens; " TUND_PLACE
		     ": no such file; " KERNEL_PLACE
		     ": not a TUN device; " BSD_PLACE ": no such file");
}

static void plain_file_is_no_tun(void **state)
{
	world_place_plain_file(BSD_PLACE);
	assert_fails(BSD_PLACE, -ENOTTY,
		     "cannot open " BSD_PLACE ": not a TUN device");
}

static void directory_is_no_tun(void **state)
{
	assert_fails("/run", -EISDIR, "cannot open /run: it is a directory");
}

static void long_sentence_is_cut(void **state)
{
	struct tunclient *client;
	char path[1024];
	const char *sentence;

	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 2] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(world_open(path, 0, &client), -ENOENT);
	sentence = tunclient_error(client);
	assert_int_equal(strlen(sentence), 511);
	assert_string_equal(sentence + 508, "...");
	tunclient_close(client);
}

static void flags_reach_the_descriptor(void **state)
{
	struct tunclient *client;
	int fd;

	assert_int_equal(world_open(WORLD_DEVICE, 0, &client), 0);
	fd = tunclient_fd(client);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	tunclient_close(client);

	assert_int_equal(world_open(WORLD_DEVICE, TUNCLIENT_NONBLOCK, &client),
			 0);
	fd = tunclient_fd(client);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	tunclient_close(client);
}

static void unknown_flags_are_refused(void **state)
{
	struct tunclient *client;

	assert_int_equal(world_open(WORLD_DEVICE, TUNCLIENT_TUN, &client),
			 -EINVAL);
	assert_string_equal(tunclient_error(client),
			    "tunclient_open() was given an unknown flag");
	tunclient_close(client);
}

static void null_arguments_are_refused(void **state)
{
	char name[TUNCLIENT_NAME_SIZE], byte;

	assert_int_equal(world_open(WORLD_DEVICE, 0, NULL), -EINVAL);
	assert_int_equal(tunclient_attach(NULL, "x", TUNCLIENT_TUN), -EINVAL);
	assert_int_equal(tunclient_name(NULL, name, sizeof(name)), -EINVAL);
	assert_int_equal(tunclient_fd(NULL), -EINVAL);
	assert_int_equal(tunclient_read(NULL, &byte, 1), -EINVAL);
	assert_int_equal(tunclient_write(NULL, "E", 1), -EINVAL);
	assert_non_null(tunclient_error(NULL));
}

static void failed_handle_can_only_be_asked(void **state)
{
	struct tunclient *client;
	char name[TUNCLIENT_NAME_SIZE], byte;

	assert_int_equal(world_open("/run/none", 0, &client), -ENOENT);
	assert_int_equal(tunclient_attach(client, "x", TUNCLIENT_TUN), -EBADF);
	assert_int_equal(tunclient_name(client, name, sizeof(name)), -EBADF);
	assert_int_equal(tunclient_fd(client), -EBADF);
	assert_int_equal(tunclient_read(client, &byte, 1), -EBADF);
	assert_int_equal(tunclient_write(client, "E", 1), -EBADF);
	assert_string_equal(tunclient_error(client),
			    "cannot open /run/none: no such file");
	tunclient_close(client);
}

static void close_takes_null_and_keeps_errno(void **state)
{
	struct tunclient *client;
	int fd;

	assert_int_equal(world_open(WORLD_DEVICE, 0, &client), 0);
	fd = tunclient_fd(client);
	errno = EXDEV;
	tunclient_close(client);
	tunclient_close(NULL);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void version_is_the_projects(void **state)
{
	assert_string_equal(tunclient_version(), TUND_VERSION);
}

/* Runs with another real than effective user. */
static int secure_child(void)
{
	struct tunclient *client;
	int r = world_open(NULL, 0, &client);

	tunclient_close(client);
	return r == -ENOENT ? 0 : 1;
}

static int run_secure_child(void)
{
	/* Privileges stay those of the file: only the real user changes. */
	if (setresuid(65534, 0, 0) < 0)
		return 2;
	execl("/run/secure-child", "test-open", SECURE_CHILD, (char *)NULL);
	return 3;
}

static void privileged_program_ignores_environment(void **state)
{
	int status;
	pid_t pid;

	if (getuid() != 0 || setresuid(65534, 0, 0) < 0)
		skip();
	assert_int_equal(setresuid(0, 0, 0), 0);
	world_run("cp /proc/%d/exe /run/secure-child", getpid());
	assert_int_equal(chmod("/run/secure-child", 04755), 0);
	setenv("TUNCLIENT_DEVICE", WORLD_DEVICE, 1);
	pid = fork();
	if (pid == 0)
		_exit(run_secure_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup(name, clear_places)
	const struct CMUnitTest tests[] = {
		TEST(argument_is_opened),
		TEST(argument_alone_is_tried),
		TEST(environment_is_opened),
		TEST(environment_alone_is_tried),
		TEST(empty_environment_is_none),
		TEST(places_are_tried_in_order),
		TEST(place_that_is_no_tun_is_passed_over),
		TEST(no_place_names_all_three),
		TEST(telling_error_wins),
		TEST(plain_file_is_no_tun),
		TEST(directory_is_no_tun),
		TEST(long_sentence_is_cut),
		TEST(flags_reach_the_descriptor),
		TEST(unknown_flags_are_refused),
		TEST(null_arguments_are_refused),
		TEST(failed_handle_can_only_be_asked),
		TEST(close_takes_null_and_keeps_errno),
		TEST(version_is_the_projects),
		TEST(privileged_program_ignores_environment),
	};

	if (argc > 1 && strcmp(argv[1], SECURE_CHILD) == 0)
		return secure_child();
	world_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
