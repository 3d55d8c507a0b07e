/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the administrator asks for, on the command line and in the
 * configuration file. Nothing is done about it here.
 */
#ifndef TUND_OPTIONS_H
#define TUND_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "config.h"

#define DEFAULT_CONTROL "/run/tund/control"

struct options {
	char mount[PATH_MAX];
	enum log_level log_level;
	char control[PATH_MAX]; /* the control socket */
	bool control_given;
	bool foreground;
	/* As it was read; the two above have the last word. */
	struct config *config;
	/* Where it comes from, to read it again. */
	char config_path[PATH_MAX];
	bool config_must_exist;
	bool log_level_given;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE,	/* the answer was printed: exit 0 */
	OPTIONS_FAILED, /* the same: exit 1 */
	OPTIONS_USAGE,	/* the mistake was printed: exit 2 */
};

enum options_result options_parse(int argc, char **argv,
				  struct options *ret_options);

void options_free(struct options *options);

#endif
