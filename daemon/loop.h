/* SPDX-License-Identifier: MIT */
/*
 * loop.h - the main thread's event loop: signals and descriptors. It carries no
 * packets.
 */
#ifndef TUND_LOOP_H
#define TUND_LOOP_H

struct loop;

int loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop);

/* Calls when the descriptor is readable. */
int loop_add_fd(struct loop *loop, int fd, void (*call)(void *arg), void *arg);

/* Calls when the process gets that signal. */
int loop_add_signal(struct loop *loop, int signal, void (*call)(void *arg),
		    void *arg);

/* Calls again and again, this many milliseconds apart. */
int loop_add_timer(struct loop *loop, unsigned int ms, void (*call)(void *arg),
		   void *arg);

/* Returns the signal that ended it, or 0 after loop_quit(). */
int loop_run(struct loop *loop);

/* From any thread. */
void loop_quit(struct loop *loop);

#endif
