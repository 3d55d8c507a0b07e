/* SPDX-License-Identifier: MIT */
/*
 * test-config-files.c - the files of a configuration, config.h: which are read,
 * in which order, and what is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

static void write_fragment(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", conf_fragments, name);
	mkdir(conf_fragments, 0755);
	if (text)
		conf_write(path, text);
	else
		unlink(path);
}

static void fragments_come_in_their_order(void **state)
{
	struct config *config;

	write_fragment("20-b.conf", "[Policy b]\nAllow=none\n"
				    "[Daemon]\nLogLevel=debug\n");
	write_fragment("10-a.conf", "[Policy c]\nAllow=none\n"
				    "[Daemon]\nLogLevel=error\n");
	write_fragment("30.conf.bak", "nonsense\n");
	write_fragment(".hidden.conf", "nonsense\n");
	config = conf_take("[Daemon]\nMount=/a\nLogLevel=info\n"
			   "[Policy a]\nAllow=attach\n");
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(config->mount, "/a");
	assert_int_equal(config->policy->n, 3);
	assert_string_equal(config->policy->rules[0].name, "a");
	assert_string_equal(config->policy->rules[1].name, "c");
	assert_string_equal(config->policy->rules[2].name, "b");
	assert_non_null(strstr(config->policy->rules[2].file, "20-b.conf"));
	config_free(config);

	write_fragment("20-b.conf", "[Policy a]\nAllow=none\n");
	assert_null(conf_load());
	assert_conf_said("20-b.conf:1: [Policy a] is there already, at ");
	assert_conf_said("tund.conf:4: give");
	write_fragment("20-b.conf", NULL);
	write_fragment("10-a.conf", NULL);
	write_fragment("30.conf.bak", NULL);
	write_fragment(".hidden.conf", NULL);
	rmdir(conf_fragments);
}

/* One at whose opening somebody is waited for, and one without an end. */
static void refuses_what_is_no_file(const char *path, const char *place)
{
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(conf_load());
	assert_conf_said(place);
	assert_conf_said(": it is no regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_null(conf_load());
	assert_conf_said(place);
	assert_conf_said(": it is no regular file");
	assert_int_equal(unlink(path), 0);
}

/* The unit tund@.service names it. */
static void nothing_is_a_file(void **state)
{
	struct config *config;

	unlink(conf_path);
	assert_int_equal(symlink("/dev/null", conf_path), 0);
	config = conf_load();
	assert_non_null(config);
	config_free(config);
	assert_int_equal(unlink(conf_path), 0);
}

static void what_is_no_file(void **state)
{
	char path[160];

	/* Whoever waits for a writer waits for ever. */
	alarm(20);
	refuses_what_is_no_file(conf_path, "/tund.conf");
	conf_write(conf_path, "");
	snprintf(path, sizeof(path), "%s/a.conf", conf_fragments);
	assert_int_equal(mkdir(conf_fragments, 0755), 0);
	refuses_what_is_no_file(path, "tund.conf.d/a.conf");
	/* A link to a file is as good as the file. */
	conf_write(conf_path, "[Nowhere]\n");
	assert_int_equal(symlink("../tund.conf", path), 0);
	assert_null(conf_load());
	assert_conf_said("tund.conf.d/a.conf:1: section [Nowhere]");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(conf_fragments), 0);
	alarm(0);
}

static void files_are_bounded(void **state)
{
	const size_t limit = 1 << 20;
	char *text = malloc(limit + 2);
	FILE *f;

	assert_non_null(text);
	for (size_t i = 0; i <= limit; i++)
		text[i] = i % 100 == 99 ? '\n' : '#';
	text[limit] = '\0';
	config_free(conf_take(text));
	f = fopen(conf_path, "a");
	assert_non_null(f);
	fputs("\n", f);
	assert_int_equal(fclose(f), 0);
	assert_null(conf_load());
	assert_conf_said("tund.conf: it is larger than 1 MiB");
	free(text);
}

static void missing_files(void **state)
{
	struct config *config;

	unlink(conf_path);
	assert_null(conf_load());
	assert_conf_said("No such file or directory: write it, or");
	assert_int_equal(config_load(conf_path, false, conf_say, &config), 0);
	config_free(config);
	/* Only a missing one may be missing. */
	conf_said[0] = '\0';
	assert_true(config_load("/dev/null/x", false, conf_say, &config) < 0);
	assert_conf_said("/dev/null/x: Not a directory: a directory must");
	conf_said[0] = '\0';
	assert_true(config_load("/", true, conf_say, &config) < 0);
	assert_conf_said("/: Is a directory: name a file in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_come_in_their_order),
		cmocka_unit_test(nothing_is_a_file),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(missing_files),
	};

	return cmocka_run_group_tests_name("config-files", tests, conf_set_up,
					   conf_tear_down);
}
