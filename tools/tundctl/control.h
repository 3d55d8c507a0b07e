/* SPDX-License-Identifier: MIT */
/*
 * control.h - what the commands that ask the daemon have in common: their
 * options, and the conversation of tund-control(7).
 */
#ifndef TUNDCTL_CONTROL_H
#define TUNDCTL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tundctl.h"

/* Where the daemon's socket is, if nobody says otherwise. */
#define CONTROL_PATH "/run/tund/control"

/* What their help says of the options. */
#define CONTROL_HELP                                                           \
	"  --control PATH   the daemon's socket; default /run/tund/control\n"  \
	"  -j, --json       print JSON, whose keys are in tund-control(7)\n"
#define NETNS_HELP                                                             \
	"  --netns NS       only in this network namespace: a name of\n"       \
	"                   ip-netns(8), a path, or the number of a process\n"
#define STATUS_HELP "\nExit status: 0, 1 failure, 2 usage.\n"

struct control_options {
	const char *path; /* of the socket */
	bool json;
	uint64_t netns;	  /* its inode's number; 0: none was given */
	const char *name; /* the argument; NULL: none */
	const char *textfile;
	json_t *more; /* more members of the request, or NULL */
};

enum {
	CONTROL_NAME_MAY = 1 << 0,  /* it takes a name */
	CONTROL_NAME_MUST = 1 << 1, /* and needs one */
	CONTROL_NETNS = 1 << 2,
	CONTROL_TEXTFILE = 1 << 3,
	CONTROL_NO_JSON = 1 << 4,
};

/* Returns 0, or the exit status after a complaint. */
int control_options(const struct command *command, unsigned int takes, int argc,
		    char **argv, struct control_options *ret_options);

/* Sends the request; returns a descriptor, or -1 after a complaint. */
int control_ask(const struct control_options *options, const char *command);

/* The next message's result or event; NULL after a complaint. */
json_t *control_read(int fd);

/* The same, and a descriptor that may come with it; else that is not set. */
json_t *control_read_passed(int fd, int *ret_passed);

/* Both; NULL after a complaint. */
json_t *control_result(const struct control_options *options,
		       const char *command);

/*
 * The same, for what may be refused: the result is NULL then. -1 after a
 * complaint about anything else.
 */
int control_try(const struct control_options *options, const char *command,
		json_t **ret_result);

/* For -j; returns the exit status. */
int control_print_json(const json_t *value);

/*
 * All of a command that asks once: its options, the question, and the answer,
 * as JSON or by `print`, which returns the exit status; NULL: it says nothing.
 */
int control_run(const struct command *command, unsigned int takes, int argc,
		char **argv,
		int (*print)(const struct control_options *options,
			     const json_t *result));

#endif
