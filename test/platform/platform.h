/* SPDX-License-Identifier: MIT */
/* What all programs of this suite share: verdicts, deadlines, isolation. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PLATFORM_SKIP	  77
#define PLATFORM_SOON_MS  5000 /* what must happen has happened by then */
#define PLATFORM_QUIET_MS 200  /* what must not happen is given that long */

/* A tmpfs of our own is mounted there, in our own mount namespace. */
#define PLATFORM_DIR "/mnt"

/* The kernel keeps its promise, or the program ends here with a sentence. */
#define expect(condition, ...)                                                 \
	do {                                                                   \
		if (!(condition))                                              \
			platform_fail(__FILE__, __LINE__, __VA_ARGS__);        \
	} while (0)

/* The condition may take a while to come true, but not for ever. */
#define expect_soon(condition, ...)                                            \
	do {                                                                   \
		const uint64_t end_ = platform_now_ms() + PLATFORM_SOON_MS;    \
		while (!(condition)) {                                         \
			expect(platform_now_ms() < end_, __VA_ARGS__);         \
			platform_pause();                                      \
		}                                                              \
	} while (0)

/* The condition stays false for as long as we are ready to look at it. */
#define expect_never(condition, ...)                                           \
	do {                                                                   \
		const uint64_t end_ = platform_now_ms() + PLATFORM_QUIET_MS;   \
		while (platform_now_ms() < end_) {                             \
			expect(!(condition), __VA_ARGS__);                     \
			platform_pause();                                      \
		}                                                              \
	} while (0)

/* A step of the set-up: its failure says nothing about the fact itself. */
#define must(call) platform_must((long)(call), #call, __FILE__, __LINE__)

void platform_fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void platform_skip(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
long platform_must(long result, const char *call, const char *file, int line);

uint64_t platform_now_ms(void);
void platform_pause(void);

/*
 * Leaves every namespace that a test could harm. The caller goes on as a
 * child of a supervisor that touches nothing: it reports the child's verdict,
 * bounds its life, and by its own death ends all that was started.
 */
void platform_begin(void);

/* A child that dies with its parent. Returns 0 in the child. */
pid_t platform_fork(void);

/* A descriptor that hangs up when the test is over, however it ended. */
int platform_lifeline(void);
void platform_keep_until_end(void) __attribute__((noreturn));

/* True once the child has ended; ret_status may be NULL. */
bool platform_child_ended(pid_t pid, int *ret_status);
void platform_expect_child_ok(pid_t pid);

/* Memory that all children see. */
void *platform_shared(size_t size);

void platform_write_file(const char *path, const char *text);

/* Gives up every capability, as an ordinary user has none. */
void platform_drop_capabilities(void);

/* One call that may block, on a thread of its own. */
struct platform_call {
	long (*run)(struct platform_call *call);
	int fd;
	char buffer[128];
	pthread_t thread;
	atomic_int tid;
	atomic_bool done;
	long result;
	int error;
};

void platform_call_start(struct platform_call *call,
			 long (*run)(struct platform_call *call), int fd);
void platform_call_join(struct platform_call *call);
long platform_call_read(struct platform_call *call);
long platform_call_write(struct platform_call *call);
long platform_call_close(struct platform_call *call);

#endif
