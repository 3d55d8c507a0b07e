/* SPDX-License-Identifier: MIT */
/*
 * config.h - the configuration files as one structure that does not change.
 * Nothing is done about it here; tund.conf(5) says what it means.
 */
#ifndef TUND_CONFIG_H
#define TUND_CONFIG_H

#include <limits.h>
#include <stdbool.h>

#include "base/log.h"
#include "dev/declare.h"
#include "dev/policy.h"

#define DEFAULT_MOUNT  "/run/tund/dev"
#define DEFAULT_CONFIG "/etc/tund/tund.conf"

struct config {
	char mount[PATH_MAX];
	enum log_level log_level;
	struct policy_set *policy; /* rules and limits; a reference */
	struct dev_declaration *devices;
	size_t n_devices;
};

/*
 * Reads `path`, which need not be there unless `must_exist`, and then every
 * path.d/NAME.conf in the order of their names. `say` gets every mistake in one
 * line, with its place and the remedy. Names of users and groups are looked up
 * now. Returns 0, -EINVAL after a mistake, or -ENOMEM.
 */
int config_load(const char *path, bool must_exist,
		void (*say)(const char *message), struct config **ret_config);
void config_free(struct config *config);

#endif
