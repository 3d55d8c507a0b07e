/* SPDX-License-Identifier: MIT */
/* doctor_container.c - asks whoever runs containers for one's first process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"
#include "tundctl.h"

/* To its end: who writes in parts would be killed by the second one. */
static void read_all(int fd, char *ret_text, size_t size)
{
	char rest[64];
	size_t have = 0;
	ssize_t n;

	do {
		bool full = have == size - 1;

		n = read(fd, full ? rest : ret_text + have,
			 full ? sizeof(rest) : size - 1 - have);
		if (n > 0 && !full)
			have += (size_t)n;
	} while (n > 0);
	ret_text[have] = '\0';
}

/* What the command prints, as a number; 0 if it does not know the name. */
static pid_t ask(const char *const *words)
{
	int fds[2], status;
	char text[32];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 0;
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDERR_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		execvp(words[0], (char *const *)words);
		_exit(127);
	}
	close(fds[1]);
	read_all(fds[0], text, sizeof(text));
	close(fds[0]);
	if (child < 0 || waitpid(child, &status, 0) < 0 || status)
		return 0;
	return (pid_t)atoi(text);
}

pid_t doctor_container(const char *name)
{
	const char *const commands[][8] = {
		{"docker", "inspect", "--format", "{{.State.Pid}}", "--", name},
		{"podman", "inspect", "--format", "{{.State.Pid}}", "--", name},
		{"machinectl", "show", "-p", "Leader", "--value", "--", name},
		{"lxc-info", "-p", "-H", "-n", name},
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		pid_t pid = ask(commands[i]);

		if (pid > 0)
			return pid;
	}
	complain("doctor: no running container \"%s\": docker, podman, "
		 "machinectl and lxc-info were asked; give the number of its "
		 "first process with --pid",
		 name);
	return -1;
}
