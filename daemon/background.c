/* SPDX-License-Identifier: MIT */
/* background.c - a pipe whose end tells the parent how the start went. */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

static int wait_for_child(int fd, pid_t child)
{
	char byte;
	int status;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	/* It has ended without a word, and has logged why. */
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	return 1;
}

int background_start(struct background *background, bool foreground)
{
	int fds[2];
	pid_t child;

	background->ready_fd = -1;
	if (foreground)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0 || (child = fork()) < 0) {
		log_error("cannot go to the background: %s", strerror(errno));
		return 1;
	}
	if (child > 0) {
		close(fds[1]);
		return wait_for_child(fds[0], child);
	}
	close(fds[0]);
	background->ready_fd = fds[1];
	setsid();
	if (chdir("/") < 0)
		log_warning("cannot leave the working directory: %s",
			    strerror(errno));
	return -1;
}

void background_ready(struct background *background)
{
	int null;

	if (background->ready_fd < 0)
		return;
	log_to_syslog();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(background->ready_fd, "", 1) < 0)
		log_warning("the starting process is gone");
	close(background->ready_fd);
	background->ready_fd = -1;
}
