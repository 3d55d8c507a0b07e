/* SPDX-License-Identifier: MIT */
/* conf.h - a configuration that a test writes and reads. */
#ifndef TUND_TEST_CONF_H
#define TUND_TEST_CONF_H

#include "config.h"
#include "unit.h"

extern char conf_path[128], conf_fragments[128];
/* By the last one that was read, a line each. */
extern char conf_said[65536];

/* Of a group of tests: a directory of its own. */
int conf_set_up(void **state);
int conf_tear_down(void **state);

void conf_write(const char *path, const char *text);
void conf_say(const char *message);

/* NULL after a mistake; config_free() is the caller's. */
struct config *conf_load(void);
/* Must be taken. */
struct config *conf_take(const char *text);

void assert_conf_said(const char *text);

#endif
