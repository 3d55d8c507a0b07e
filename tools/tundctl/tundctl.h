/* SPDX-License-Identifier: MIT */
/*
 * tundctl.h - what the subcommands of tundctl have in common: how they are
 * found and explained, how they complain, how they find the device file.
 */
#ifndef TUNDCTL_H
#define TUNDCTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* Exit statuses that are tundctl's own. */
enum {
	EXIT_USAGE = 2,
};

struct command {
	const char *name;
	const char *sentence; /* for the list of commands */
	const char *help;     /* all of `tundctl help NAME` */
	/* argv[0] is the command's name. Returns the exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_capture;
extern const struct command command_clients;
extern const struct command command_doctor;
extern const struct command command_down;
extern const struct command command_list;
extern const struct command command_metrics;
extern const struct command command_monitor;
extern const struct command command_policy;
extern const struct command command_reload;
extern const struct command command_run;
extern const struct command command_show;
extern const struct command command_snippet;
extern const struct command command_stats;
extern const struct command command_status;
extern const struct command command_tuntap;
extern const struct command command_up;

/*
 * To standard error: a line, with the program's name before it. It names the
 * cause and the remedy.
 */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* That a file cannot be written: the errno why. */
void complain_of_file(const char *path, int error);

/* The same as the first, and where the help is. Returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int
usage_error(const struct command *command, const char *format, ...);

/*
 * As getopt_long(3), with `letters` that begin with a colon: '?' after a
 * usage_error(), and so where a value is missing or empty.
 */
int next_option(const struct command *command, int argc, char **argv,
		const char *letters, const struct option *names);

/*
 * Opens the device file at `path`; NULL: /dev/net/tun if that is tund's, else
 * the daemon's default place. Returns a descriptor, or -1 after a complaint.
 */
int device_open(const char *path);

/* Whether a descriptor is tund's device file. Asks the daemon. */
bool device_is_ours(int fd);

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* An int that is closed when it goes out of scope; -1 is left alone. */
#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
