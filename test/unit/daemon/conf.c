/* SPDX-License-Identifier: MIT */
/* conf.c - the files, and what was said about them. */
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char conf_path[128], conf_fragments[128];
char conf_said[65536];

static char dir[] = "/tmp/tund-test-config-XXXXXX";

int conf_set_up(void **state)
{
	char *made = mkdtemp(dir);

	snprintf(conf_path, sizeof(conf_path), "%s/tund.conf", dir);
	snprintf(conf_fragments, sizeof(conf_fragments), "%s/tund.conf.d", dir);
	return made ? 0 : -1;
}

int conf_tear_down(void **state)
{
	unlink(conf_path);
	rmdir(conf_fragments);
	rmdir(dir);
	return 0;
}

void conf_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

void conf_say(const char *message)
{
	const size_t used = strlen(conf_said);

	assert_null(strchr(message, '\n'));
	snprintf(conf_said + used, sizeof(conf_said) - used, "%s\n", message);
}

struct config *conf_load(void)
{
	struct config *config = NULL;

	conf_said[0] = '\0';
	if (config_load(conf_path, true, conf_say, &config) < 0)
		return NULL;
	assert_string_equal(conf_said, "");
	return config;
}

struct config *conf_take(const char *text)
{
	struct config *config;

	conf_write(conf_path, text);
	config = conf_load();
	if (!config)
		fail_msg("refused: %s\n%s", text, conf_said);
	return config;
}

void assert_conf_said(const char *text)
{
	if (!strstr(conf_said, text))
		fail_msg("\"%s\" is not in: %s", text, conf_said);
}
