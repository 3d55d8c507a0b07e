/* SPDX-License-Identifier: MIT */
/* process.c - reads two files of a process, and looks at their words. */
#include "ctl/process.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "base/util.h"

/* That of version 2, else the first: "4:memory:/path". */
static void read_cgroup(pid_t pid, char *ret_path, size_t size)
{
	char path[64], line[1200];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		const char *group = strchr(line, ':');

		group = group ? strchr(group + 1, ':') : NULL;
		line[strcspn(line, "\n")] = '\0';
		if (group && (!*ret_path || strncmp(line, "0::", 3) == 0))
			snprintf(ret_path, size, "%s", group + 1);
	}
	fclose(f);
}

static bool is_number(const char *word, size_t len)
{
	if (len != 64)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)word[i]))
			return false;
	return true;
}

/* One directory's name, as container managers make them. */
static bool read_component(const char *word, size_t len, char *ret_name,
			   size_t size)
{
	static const char *const names[] = {"lxc.payload.", "lxc-"};
	const char *dash = memrchr(word, '-', len);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (len > n && strncmp(word, names[i], n) == 0) {
			snprintf(ret_name, size, "%.*s", (int)(len - n),
				 word + n);
			return true;
		}
	}
	/* docker-NUMBER.scope, cri-containerd-NUMBER.scope, NUMBER */
	if (len > 6 && strncmp(word + len - 6, ".scope", 6) == 0)
		len -= 6;
	if (dash && dash < word + len) {
		len -= (size_t)(dash + 1 - word);
		word = dash + 1;
	}
	if (!is_number(word, len))
		return false;
	/* As the managers' own lists show it. */
	snprintf(ret_name, size, "%.12s", word);
	return true;
}

void ctl_container_of(const char *cgroup, char *ret_name, size_t size)
{
	*ret_name = '\0';
	while (*cgroup) {
		size_t len;

		cgroup += strspn(cgroup, "/");
		len = strcspn(cgroup, "/");
		/* The innermost one counts. */
		read_component(cgroup, len, ret_name, size);
		cgroup += len;
	}
}

void ctl_process_look_up(const struct dev_opener *opener,
			 struct ctl_process *ret_process)
{
	struct process_stat stat;

	*ret_process = (struct ctl_process){0};
	if (opener->pid <= 0)
		return;
	read_cgroup(opener->pid, ret_process->cgroup,
		    sizeof(ret_process->cgroup));
	/* Afterwards: so it was its own. */
	ret_process->alive = opener->started != 0 &&
			     process_read_stat(opener->pid, &stat) == 0 &&
			     stat.started == opener->started;
	if (ret_process->alive)
		ctl_container_of(ret_process->cgroup, ret_process->container,
				 sizeof(ret_process->container));
	else
		ret_process->cgroup[0] = '\0';
}
