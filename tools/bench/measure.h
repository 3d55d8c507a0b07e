/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/measure.h - one window of time in which a process counts what it
 * does, and what that cost. All processes of a run have the same window, so
 * that their counts belong together. It judges nothing: bench does.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

/* The exit status of whoever cannot do what was asked for, here and now. */
#define EXIT_NOT_HERE 3

struct totals {
	uint64_t time; /* nanoseconds */
	uint64_t packets, bytes;
	uint64_t cpu;  /* nanoseconds of this process */
	uint64_t busy; /* nanoseconds of all processors, of all processes */
	uint64_t calls, calls_of_daemon;
};

struct window {
	uint64_t begin, end; /* CLOCK_MONOTONIC, nanoseconds */
	struct totals first, last;
	bool begun;
};

uint64_t now(void);

/* Prints a sentence with errno's and ends the process. */
noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The same, because a path cannot be had here: EXIT_NOT_HERE. */
noreturn void not_here(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

void run_on_cpu(int cpu);
void enter_netns(const char *path);

/*
 * System calls are counted by the kernel's tracepoint of this number, those of
 * this thread and, unless 0, those of all threads of another process.
 */
void count_calls(unsigned int tracepoint, pid_t daemon);

/*
 * Says that this process is ready and waits until it is told on its standard
 * input when the window begins and ends. A call that waits longer than that
 * fails with EINTR.
 */
void window_wait(struct window *window, const char *about);

/* To be called again and again with what was done so far; false: it is over. */
bool window_goes_on(struct window *window, uint64_t packets, uint64_t bytes);

/* One line of JSON, without its end, which may be added to. */
void window_print(const struct window *window);

#endif
