/* SPDX-License-Identifier: MIT */
/* A case about a caller of the 32-bit system calls: runs tun-trace32, which
 * lies beside this program if it could be built, and names its numbers. */
#include "tun-trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the child says if the kernel runs no such programs. */
#define NO_EXEC 126

static int child_out[2];

static int runs(void *arg)
{
	const char *path = arg;

	dup2(child_out[1], STDOUT_FILENO);
	execl(path, path, trace_device, (char *)NULL);
	return errno == ENOEXEC ? NO_EXEC : 127;
}

static void compat(void)
{
	char path[4096], step[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	long value, status;
	char *slash;
	pid_t pid;
	FILE *f;

	if (n < 0)
		give_up("readlink", -errno);
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash + 1, "tun-trace32");
	if (access(path, X_OK) < 0)
		give_up("program", -errno);
	if (pipe(child_out) < 0)
		give_up("pipe", -errno);
	pid = spawn(runs, path);
	close(child_out[1]);
	f = fdopen(child_out[0], "r");
	while (fscanf(f, "%63s %ld", step, &value) == 2)
		say_rc(step, value);
	fclose(f);
	status = reap(pid);
	if (status == NO_EXEC)
		give_up("run32", -ENOEXEC);
	say_rc("status", status);
}

const struct trace_case compat_cases[] = {
	{"compat", compat},
	{NULL, NULL},
};
