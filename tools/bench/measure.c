/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/measure.c - the window, the clocks and the counters behind it. It
 * moves no packet.
 */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND	    1000000000ull
#define MAX_THREADS 64

static int own_calls = -1;
static int daemon_calls[MAX_THREADS];
static unsigned int daemon_threads;

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

__attribute__((format(printf, 1, 0))) static void say(const char *format,
						      va_list args)
{
	int error = errno;

	vfprintf(stderr, format, args);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
}

noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(EXIT_FAILURE);
}

noreturn void not_here(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(EXIT_NOT_HERE);
}

void run_on_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("cannot run on processor %d", cpu);
}

void enter_netns(const char *path)
{
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("cannot enter %s", path);
	close(fd);
}

static int open_counter(unsigned int tracepoint, pid_t thread)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = tracepoint,
	};

	return (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

void count_calls(unsigned int tracepoint, pid_t daemon)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	if (!tracepoint)
		return;
	own_calls = open_counter(tracepoint, 0);
	if (own_calls < 0)
		not_here("system calls cannot be counted");
	if (!daemon)
		return;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)daemon);
	dir = opendir(path);
	if (!dir)
		die("cannot read %s", path);
	while ((entry = readdir(dir)) && daemon_threads < MAX_THREADS) {
		int fd =
			entry->d_name[0] == '.'
				? -1
				: open_counter(tracepoint, atoi(entry->d_name));

		if (fd >= 0)
			daemon_calls[daemon_threads++] = fd;
	}
	closedir(dir);
}

static uint64_t counter(int fd)
{
	uint64_t value;

	if (fd < 0 || read(fd, &value, sizeof(value)) != sizeof(value))
		return 0;
	return value;
}

static uint64_t time_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_usec * 1000;
}

/*
 * The kernel knows exactly how long its processors were idle, and what they did
 * otherwise by samples only. In ticks of a hundredth of a second.
 */
static uint64_t busy_time(uint64_t time)
{
	unsigned long long idle = 0, waits = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (!f || fscanf(f, "cpu %*u %*u %*u %llu %llu", &idle, &waits) != 2)
		die("cannot read /proc/stat");
	fclose(f);
	return (uint64_t)sysconf(_SC_NPROCESSORS_ONLN) * time -
	       (idle + waits) * (SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void take(struct totals *totals, uint64_t packets, uint64_t bytes)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	totals->packets = packets;
	totals->bytes = bytes;
	totals->cpu = time_of(usage.ru_utime) + time_of(usage.ru_stime);
	totals->calls = counter(own_calls);
	totals->calls_of_daemon = 0;
	for (unsigned int i = 0; i < daemon_threads; i++)
		totals->calls_of_daemon += counter(daemon_calls[i]);
	totals->time = now();
	totals->busy = busy_time(totals->time);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Whoever waits for a packet that does not come is called away. */
static void set_alarm(uint64_t at)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval timer = {.it_interval.tv_usec = 100000};
	uint64_t time = now();
	uint64_t left = (at > time ? at - time : 0) / 1000 + 100000;

	timer.it_value.tv_sec = (time_t)(left / 1000000);
	timer.it_value.tv_usec = (suseconds_t)(left % 1000000);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void window_wait(struct window *window, const char *about)
{
	double begin, end;
	char line[128];

	memset(window, 0, sizeof(*window));
	printf("ready %s\n", about);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin) ||
	    sscanf(line, "%lf %lf", &begin, &end) != 2)
		exit(EXIT_FAILURE);
	window->begin = (uint64_t)(begin * 1e9);
	window->end = (uint64_t)(end * 1e9);
	set_alarm(window->end);
}

bool window_goes_on(struct window *window, uint64_t packets, uint64_t bytes)
{
	uint64_t time = now();

	if (time < window->begin)
		return true;
	if (!window->begun) {
		take(&window->first, packets, bytes);
		window->begun = true;
		return true;
	}
	if (time < window->end)
		return true;
	take(&window->last, packets, bytes);
	return false;
}

void window_print(const struct window *window)
{
	const struct totals *a = &window->first, *b = &window->last;

	printf("{\"seconds\": %.6f, \"packets\": %llu, \"bytes\": %llu, "
	       "\"cpu\": %.6f, \"busy\": %.6f, \"calls\": %llu, "
	       "\"calls_of_daemon\": %llu",
	       (double)(b->time - a->time) / 1e9,
	       (unsigned long long)(b->packets - a->packets),
	       (unsigned long long)(b->bytes - a->bytes),
	       (double)(b->cpu - a->cpu) / 1e9,
	       (double)(b->busy - a->busy) / 1e9,
	       (unsigned long long)(b->calls - a->calls),
	       (unsigned long long)(b->calls_of_daemon - a->calls_of_daemon));
}
