/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the administrator asks for, on the command line and in the
 * configuration file. Nothing is done about it here.
 */
#ifndef TUND_OPTIONS_H
#define TUND_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "base/log.h"

#define DEFAULT_MOUNT  "/run/tund/dev"
#define DEFAULT_CONFIG "/etc/tund/tund.conf"

struct options {
	char mount[PATH_MAX];
	enum log_level log_level;
	bool foreground;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE,  /* the answer was printed: exit 0 */
	OPTIONS_USAGE, /* the mistake was printed: exit 2 */
};

enum options_result options_parse(int argc, char **argv,
				  struct options *ret_options);

/* config.c: false if the file has a mistake, which was printed. */
bool config_read(const char *path, bool must_exist, struct options *options);

#endif
