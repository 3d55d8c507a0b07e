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

/* Tells the service manager that tund serves, and what could not be done. */
void reload_notify(void);

/*
 * Reads the files again. After a mistake everything stays as it is: a negative
 * errno. Nothing that is in use is taken away. From any thread that may wait;
 * for the control socket. What is wrong or cannot be done is logged and told,
 * in lines that the caller frees, to the service manager, too; NULL: nothing.
 */
int reload_for_control(void *arg, char **ret_told);

/* The same for SIGHUP. */
void reload_on_signal(void *arg);

#endif
