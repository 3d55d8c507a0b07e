// SPDX-License-Identifier: MIT
/* Verdicts, deadlines and isolation for the programs of this suite. */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Below Meson's own limit, so that the sentence below is what one reads. */
#define LIFETIME_MS 25000

static int lifeline = -1;

static void finish(int verdict) __attribute__((noreturn));

/*
 * A thread of ours, or the FLUSH of a descriptor that we leave open, may wait
 * for a server that does not answer: the supervisor must hear of the end
 * before we have ended.
 */
static void tell_supervisor(char verdict)
{
	if (lifeline != -1)
		send(lifeline, &verdict, 1, MSG_NOSIGNAL);
}

static void tell_success(void)
{
	tell_supervisor(0);
}

static void finish(int verdict)
{
	tell_supervisor((char)verdict);
	_exit(verdict);
}

void platform_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "FAIL %s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	finish(1);
}

void platform_skip(const char *format, ...)
{
	va_list arguments;

	fputs("SKIP: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	finish(PLATFORM_SKIP);
}

long platform_must(long result, const char *call, const char *file, int line)
{
	if (result == -1)
		platform_fail(file, line, "set-up: %s: %s", call,
			      strerror(errno));
	return result;
}

uint64_t platform_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void platform_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void platform_write_file(const char *path, const char *text)
{
	int fd = (int)must(open(path, O_WRONLY | O_CLOEXEC));

	expect(write(fd, text, strlen(text)) == (ssize_t)strlen(text),
	       "set-up: write to %s: %s", path, strerror(errno));
	close(fd);
}

void platform_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = {{0}};

	must(syscall(SYS_capset, &header, none));
}

void *platform_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	expect(memory != MAP_FAILED, "set-up: no shared memory");
	return memory;
}

static void leave_namespaces(void)
{
	const int ours = CLONE_NEWNS | CLONE_NEWNET;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(ours) == 0)
		return;
	if (errno != EPERM || unshare(CLONE_NEWUSER | ours) != 0)
		platform_skip("no namespaces to work in: %s", strerror(errno));

	platform_write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	platform_write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	platform_write_file("/proc/self/gid_map", map);
}

static void supervise(pid_t child, int lifeline_end) __attribute__((noreturn));

/* Never touches a FUSE file, so it can always be killed. */
static void supervise(pid_t child, int lifeline_end)
{
	struct pollfd ended[] = {
		{.events = POLLIN},
		{.fd = lifeline_end, .events = POLLIN},
	};
	char verdict = 0;
	int status;

	ended[0].fd = (int)must(syscall(SYS_pidfd_open, child, 0));
	if (poll(ended, 2, LIFETIME_MS) == 0) {
		fputs("FAIL: not finished in time\n", stderr);
		verdict = 1;
	}
	if (ended[1].revents & POLLIN)
		must(read(lifeline_end, &verdict, 1));
	/* Its failure may be that of a server: the test need not notice. */
	if (verdict == 1)
		kill(child, SIGKILL);
	/* Ends the servers, and with them whatever they still hold. */
	close(lifeline_end);
	must(waitpid(child, &status, 0));
	while (wait(NULL) > 0 || errno == EINTR)
		;
	if (verdict == 1)
		_exit(1);
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "FAIL: killed by signal %d\n",
			WTERMSIG(status));
		_exit(1);
	}
	_exit(WEXITSTATUS(status));
}

void platform_begin(void)
{
	int ends[2];
	pid_t child;

	leave_namespaces();
	/* Some systems give a user the namespaces and then no rights in them.
	 */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		platform_skip("no mounts in our own namespace: %s",
			      strerror(errno));
	must(mount("platform", PLATFORM_DIR, "tmpfs", 0, "mode=0755"));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));

	child = platform_fork();
	if (child != 0) {
		close(ends[0]);
		supervise(child, ends[1]);
	}
	close(ends[1]);
	lifeline = ends[0];
	atexit(tell_success);
}

int platform_lifeline(void)
{
	return lifeline;
}

void platform_keep_until_end(void)
{
	struct pollfd end = {.fd = lifeline, .events = 0};

	while (poll(&end, 1, -1) <= 0)
		;
	_exit(0);
}

pid_t platform_fork(void)
{
	pid_t parent = getpid();
	pid_t child = (pid_t)must(fork());

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* A parent outside our pid namespace shows as 0. */
		if (getppid() != parent && getppid() != 0)
			_exit(1);
	}
	return child;
}

bool platform_child_ended(pid_t pid, int *ret_status)
{
	int status = 0;

	if (must(waitpid(pid, &status, WNOHANG)) != pid)
		return false;
	if (ret_status)
		*ret_status = status;
	return true;
}

void platform_expect_child_ok(pid_t pid)
{
	int status = 0;

	expect_soon(platform_child_ended(pid, &status), "a child hangs");
	if (WIFEXITED(status) && WEXITSTATUS(status) == PLATFORM_SKIP)
		_exit(PLATFORM_SKIP);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	       "a child failed, status %#x", (unsigned int)status);
}

static void *call_main(void *data)
{
	struct platform_call *call = data;

	call->tid = (int)syscall(SYS_gettid);
	call->result = call->run(call);
	call->error = errno;
	call->done = true;
	return NULL;
}

void platform_call_start(struct platform_call *call,
			 long (*run)(struct platform_call *call), int fd)
{
	call->run = run;
	call->fd = fd;
	call->done = false;
	expect(pthread_create(&call->thread, NULL, call_main, call) == 0,
	       "set-up: no thread");
}

void platform_call_join(struct platform_call *call)
{
	expect_soon(call->done, "a call that must return does not");
	pthread_join(call->thread, NULL);
}

long platform_call_read(struct platform_call *call)
{
	return read(call->fd, call->buffer, sizeof(call->buffer));
}

long platform_call_write(struct platform_call *call)
{
	return write(call->fd, call->buffer, sizeof(call->buffer));
}

long platform_call_close(struct platform_call *call)
{
	return close(call->fd);
}
