/* SPDX-License-Identifier: MIT */
/* reload.c - what a configuration means for the parts that it is about. */
#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "dev/declare.h"
#include "dev/table.h"
#include "notify.h"
#include "options.h"

static struct options *options;
static struct dev_table *table;
static struct lock reload_lock;

static void put_into_force(const struct config *config)
{
	policy_set_ref(config->policy);
	dev_table_set_policy(table, config->policy);
	dev_declare_begin(table);
	for (size_t i = 0; i < config->n_devices; i++)
		dev_declare(table, &config->devices[i]);
	dev_declare_end(table);
}

void reload_begin(struct options *used_options, struct dev_table *used_table)
{
	options = used_options;
	table = used_table;
	lock_init(&reload_lock, LOCK_RANK_RELOAD, "reload");
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

static int read_again(void (*say)(const char *message))
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

/* The first mistake of a reload. */
static char first_mistake[512];

static void log_mistake(const char *message)
{
	if (!first_mistake[0])
		snprintf(first_mistake, sizeof(first_mistake), "%s", message);
	log_error("%s", message);
}

int reload_for_control(void *arg, char *ret_reason, size_t size)
{
	int r;

	lock_acquire(&reload_lock);
	first_mistake[0] = '\0';
	r = read_again(log_mistake);
	snprintf(ret_reason, size, "%s", first_mistake);
	lock_release(&reload_lock);
	if (r == 0)
		log_notice("the configuration was read again");
	else
		log_error("the configuration has mistakes: the one before "
			  "stays in force");
	return r;
}

void reload_on_signal(void *arg)
{
	char reason[sizeof(first_mistake)];

	notify_reloading();
	if (reload_for_control(NULL, reason, sizeof(reason)) == 0)
		notify_ready("Serving %s", options->mount);
	else
		notify_ready("Serving %s; the last reload failed: %s",
			     options->mount, reason);
}
