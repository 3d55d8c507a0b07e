/* SPDX-License-Identifier: MIT */
/* reload.c - what a configuration means for the parts that it is about. */
#include "reload.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* What cannot be done, of the reload that is going on; under its lock. */
static char *told;
static size_t n_told;
/* The first of the last one's, for the service manager; "": there is none. */
static char first_told[512];
static bool has_failed;

/* ---- what is told ---- */

static void tell(const char *message)
{
	char *more;

	if (n_told++ == 0)
		snprintf(first_told, sizeof(first_told), "%s", message);
	if (asprintf(&more, "%s%s\n", told ? told : "", message) < 0)
		return;
	free(told);
	told = more;
}

static void tell_mistake(const char *message)
{
	log_error("%s", message);
	tell(message);
}

static void tell_warning(const char *message)
{
	log_warning("%s", message);
	tell(message);
}

static void begin_to_tell(void)
{
	told = NULL;
	n_told = 0;
	first_told[0] = '\0';
}

static void notify_locked(void)
{
	if (has_failed)
		notify_ready("Serving %s; the last reload failed: %s",
			     options->mount, first_told);
	else if (n_told > 0)
		notify_ready("Serving %s; %zu of what the configuration says "
			     "failed: %s",
			     options->mount, n_told, first_told);
	else
		notify_ready("Serving %s", options->mount);
}

void reload_notify(void)
{
	lock_acquire(&reload_lock);
	notify_locked();
	lock_release(&reload_lock);
}

/* ---- what is done ---- */

static void put_into_force(const struct config *config)
{
	policy_set_ref(config->policy);
	dev_table_set_policy(table, config->policy);
	dev_declare_begin(table);
	for (size_t i = 0; i < config->n_devices; i++)
		dev_declare(table, &config->devices[i], tell_warning);
	dev_declare_end(table);
}

void reload_begin(struct options *used_options, struct dev_table *used_table)
{
	options = used_options;
	table = used_table;
	lock_init(&reload_lock, LOCK_RANK_RELOAD, "reload");
	begin_to_tell();
	put_into_force(options->config);
	free(told);
}

static void look_at_differences(const struct config *config)
{
	char message[PATH_MAX + 64];

	if (strcmp(config->mount, options->config->mount) != 0) {
		snprintf(message, sizeof(message),
			 "Mount=%s counts when tund is started anew",
			 config->mount);
		tell_warning(message);
	}
	/* The command line has the last word. */
	if (!options->log_level_given)
		log_set_level(config->log_level);
}

static int read_again(void)
{
	struct config *config;
	int r;

	r = config_load(options->config_path, options->config_must_exist,
			tell_mistake, &config);
	if (r == -ENOMEM)
		tell_mistake(strerror(ENOMEM));
	if (r < 0)
		return r;
	look_at_differences(config);
	put_into_force(config);
	config_free(options->config);
	options->config = config;
	return 0;
}

int reload_for_control(void *arg, char **ret_told)
{
	size_t n;
	int r;

	lock_acquire(&reload_lock);
	begin_to_tell();
	r = read_again();
	has_failed = r < 0;
	*ret_told = told;
	n = n_told;
	notify_locked();
	lock_release(&reload_lock);
	if (r < 0)
		log_error("the configuration has mistakes: the one before "
			  "stays in force");
	else if (n > 0)
		log_notice("the configuration was read again; what could not "
			   "be done of it stays as it was");
	else
		log_notice("the configuration was read again");
	return r;
}

void reload_on_signal(void *arg)
{
	char *unused;

	notify_reloading();
	reload_for_control(NULL, &unused);
	free(unused);
}
