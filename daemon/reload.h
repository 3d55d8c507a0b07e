/* SPDX-License-Identifier: MIT */
/*
 * reload.h - the configuration in force: put into force at the start, and again
 * whenever somebody asks for it.
 */
#ifndef TUND_RELOAD_H
#define TUND_RELOAD_H

#include <stddef.h>

struct dev_table;
struct options;

/* Policies and limits, then the declared devices. The options stay. */
void reload_begin(struct options *options, struct dev_table *table);

/*
 * Reads the files again. After a mistake everything stays as it is: a negative
 * errno. Nothing that is in use is taken away. From any thread that may wait;
 * for the control socket, which is told the first mistake. All are logged.
 */
int reload_for_control(void *arg, char *ret_reason, size_t size);

/* The same for SIGHUP: tells the service manager, too. */
void reload_on_signal(void *arg);

#endif
