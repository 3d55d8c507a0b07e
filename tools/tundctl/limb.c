/* SPDX-License-Identifier: MIT */
/* limb.c - fork(2), and a wait with a deadline. */
#include "limb.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void *limb_memory(size_t size)
{
	void *p = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void limb_keep_nothing(void)
{
	syscall(SYS_close_range, 0, ~0U, 0);
}

static int wait_for(pid_t pid, int seconds)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int status, n = 0;

	if (pidfd >= 0) {
		n = poll(&p, 1, seconds * 1000);
		close(pidfd);
	}
	if (n == 1 && waitpid(pid, &status, 0) == pid)
		return WIFEXITED(status) ? 0 : -EIO;
	/* It may not even die of this. */
	kill(pid, SIGKILL);
	return -ETIMEDOUT;
}

int limb_run(void (*function)(void *context), void *context, int seconds)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function(context);
		_exit(0);
	}
	return wait_for(pid, seconds);
}
