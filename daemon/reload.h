/* SPDX-License-Identifier: MIT */
/*
 * reload.h - the configuration in force: put into force at the start, and again
 * whenever somebody asks for it. For the main thread.
 */
#ifndef TUND_RELOAD_H
#define TUND_RELOAD_H

struct dev_table;
struct options;

/* Policies and limits, then the declared devices. The options stay. */
void reload_begin(struct options *options, struct dev_table *table);

/*
 * Reads the files again. After a mistake, which `say` gets, everything stays as
 * it is: a negative errno. Nothing that is in use is taken away.
 */
int reload_now(void (*say)(const char *message));

/* The same for SIGHUP: tells the log and the service manager. */
void reload_on_signal(void *arg);

#endif
