/* SPDX-License-Identifier: MIT */
/*
 * test/unit/client/world.c - namespaces of the test's own, in which it may do
 * what it likes with devices and interfaces. It asserts nothing about the
 * library.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <tunclient.h>

#include "world.h"

static int device_path_fd;

static void skip_all(const char *what)
{
	printf("SKIP: %s: %s\n", what, strerror(errno));
	exit(77);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		skip_all(path);
	close(fd);
}

static void unshare_as_user(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		skip_all("unshare");
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

static void unshare_all(void)
{
	if (geteuid() != 0)
		unshare_as_user();
	else if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		skip_all("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip_all("making the mounts private");
}

static void hide(const char *directory)
{
	if (mount("tmpfs", directory, "tmpfs", 0, "mode=755") < 0)
		skip_all(directory);
}

/* The kernel's own packets would come between those of a test. */
static void silence_ipv6(void)
{
	static const char path[] = "/proc/sys/net/ipv6/conf/default/"
				   "disable_ipv6";

	if (access(path, F_OK) == 0)
		write_file(path, "1");
}

void world_enter(void)
{
	const char *device = getenv("TUND_TEST_DEVICE");
	int fd;

	if (!device)
		device = "/dev/net/tun";
	unshare_all();
	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		skip_all(device);
	close(fd);
	device_path_fd = open(device, O_PATH | O_CLOEXEC);
	if (device_path_fd < 0)
		skip_all(device);
	hide("/run");
	hide("/dev");
	world_place(WORLD_DEVICE);
	silence_ipv6();
	unsetenv("TUNCLIENT_DEVICE");
	printf("device under test: %s\n", device);
}

static void make_parents(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
}

void world_place_plain_file(const char *path)
{
	int fd;

	make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

void world_place(const char *path)
{
	char source[64];

	world_place_plain_file(path);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", device_path_fd);
	assert_int_equal(mount(source, path, NULL, MS_BIND, NULL), 0);
}

void world_clear(const char *path)
{
	if (umount2(path, MNT_DETACH) < 0)
		assert_true(errno == EINVAL || errno == ENOENT);
	if (unlink(path) < 0)
		assert_int_equal(errno, ENOENT);
}

int world_open(const char *device, unsigned int flags,
	       struct tunclient **ret_client)
{
	const struct tunclient_options options = {
		.size = sizeof(options),
		.device = device,
		.flags = flags,
	};

	return tunclient_open(&options, ret_client);
}

void world_run(const char *format, ...)
{
	char command[256];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	status = system(command);
	if (status != 0)
		fail_msg("'%s' ended with status %#x", command, status);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool world_wait(bool (*predicate)(const void *), const void *data)
{
	int64_t end = now_ms() + WORLD_DEADLINE_MS;

	while (!predicate(data)) {
		if (now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

bool world_no_interface(const void *name)
{
	return if_nametoindex(name) == 0;
}

bool world_poll(int fd, short events)
{
	struct pollfd waiter = {.fd = fd, .events = events};

	return poll(&waiter, 1, WORLD_DEADLINE_MS) == 1 &&
	       (waiter.revents & (events | POLLERR));
}
