/* SPDX-License-Identifier: MIT */
/* reload.c - what a configuration means for the parts that it is about. */
#include "reload.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "dev/declare.h"
#include "dev/table.h"
#include "notify.h"
#include "options.h"

static struct options *options;
static struct dev_table *table;

static void put_into_force(const struct config *config)
{
	policy_set_ref(config->policy);
	dev_table_set_policy(table, config->policy);
	for (size_t i = 0; i < config->n_devices; i++)
		dev_declare(table, &config->devices[i]);
}

void reload_begin(struct options *used_options, struct dev_table *used_table)
{
	options = used_options;
	table = used_table;
	put_into_force(options->config);
}

static void look_at_differences(const struct config *config)
{
	if (strcmp(config->mount, options->config->mount) != 0)
		log_warning("Mount=%s counts when tund is started anew",
			    config->mount);
	/* The command line has the last word. */
	if (!options->log_level_given)
		log_set_level(config->log_level);
}

int reload_now(void (*say)(const char *message))
{
	struct config *config;
	int r;

	r = config_load(options->config_path, options->config_must_exist, say,
			&config);
	if (r == -ENOMEM)
		say(strerror(ENOMEM));
	if (r < 0)
		return r;
	look_at_differences(config);
	put_into_force(config);
	config_free(options->config);
	options->config = config;
	return 0;
}

static void log_mistake(const char *message)
{
	log_error("%s", message);
}

void reload_on_signal(void *arg)
{
	notify_reloading();
	if (reload_now(log_mistake) == 0) {
		log_notice("the configuration was read again");
		notify_ready("Serving %s", options->mount);
		return;
	}
	log_error("the configuration has mistakes: the one before stays in "
		  "force");
	notify_ready("Serving %s; the last reload failed, see the log",
		     options->mount);
}
