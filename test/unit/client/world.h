/* SPDX-License-Identifier: MIT */
/*
 * test/unit/client/world.h - namespaces of the test's own, in which it may do
 * what it likes with devices and interfaces. It asserts nothing about the
 * library.
 */
#ifndef TEST_CLIENT_WORLD_H
#define TEST_CLIENT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The device under test, whatever TUND_TEST_DEVICE says. */
#define WORLD_DEVICE "/run/under-test"

/* Longer than anything here takes on a loaded machine. */
#define WORLD_DEADLINE_MS 10000

/*
 * Moves the process into network and mount namespaces of its own, where
 * WORLD_DEVICE is the only TUN device. Ends it with status 77 and a reason if
 * there is no device to test or no permission.
 */
void world_enter(void);

/* Puts the device under test at a path, or takes what is there away. */
void world_place(const char *path);
void world_place_plain_file(const char *path);
void world_clear(const char *path);

/* tunclient_open() with a path and flags alone. */
struct tunclient;
int world_open(const char *device, unsigned int flags,
	       struct tunclient **ret_client);

/* Runs a shell command; the test fails if that fails. */
__attribute__((format(printf, 1, 2))) void world_run(const char *format, ...);

/* Polls until the predicate holds; false after the deadline. */
bool world_wait(bool (*predicate)(const void *), const void *data);

/* Predicate: there is no interface of this name. */
bool world_no_interface(const void *name);

/* Waits until poll() reports one of the events. */
bool world_poll(int fd, short events);

#endif
