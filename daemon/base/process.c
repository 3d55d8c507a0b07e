/* SPDX-License-Identifier: MIT */
/* process.c - one line of proc_pid_stat(5), in which the command is anything.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

/* "1234 (a command (with all sorts) of marks) S 1 ...", with a newline, too. */
static int parse(const char *text, struct process_stat *ret_stat)
{
	const char *begin = strchr(text, '('), *end = strrchr(text, ')');

	if (!begin || !end || end < begin)
		return -EBADMSG;
	snprintf(ret_stat->command, sizeof(ret_stat->command), "%.*s",
		 (int)(end - begin - 1), begin + 1);
	/* The fields from the 3rd to the 39th. */
	if (sscanf(end,
		   ") %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu "
		   "%*d %*d %*d %*d %*d %*d %" SCNu64 " %*u %*d %*u %*u %*u "
		   "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
		   &ret_stat->state, &ret_stat->session, &ret_stat->user,
		   &ret_stat->system, &ret_stat->started, &ret_stat->cpu) != 6)
		return -EBADMSG;
	return 0;
}

int process_read_stat(pid_t pid, struct process_stat *ret_stat)
{
	char path[32], text[1024];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	*ret_stat = (struct process_stat){0};
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return parse(text, ret_stat);
}
