/* SPDX-License-Identifier: MIT */
/*
 * shell.h - tund-test-client: a program that calls libtunclient as it is told
 * on its standard input, one call per line, and answers with one line each.
 */
#ifndef TEST_SHELL_H
#define TEST_SHELL_H

#include <stdint.h>

#include <tunclient.h>

enum { SHELL_HANDLES = 300, SHELL_PACKETS = 4096 };

/* Handles by number; NULL: none. */
extern struct tunclient *shell_handles[SHELL_HANDLES];

/* The next word of the line, or NULL; ends the program if there is none. */
char *shell_word(void);
char *shell_must_word(void);
unsigned long shell_number(void);
struct tunclient *shell_handle(void);

/* Adds to the answer. */
__attribute__((format(printf, 1, 2))) void shell_say(const char *format, ...);

/* shell_packet.c: says whether the command was one of its own. */
int shell_packet_command(const char *command);

/* shell_work.c: the same. */
int shell_work_command(const char *command);

#endif
