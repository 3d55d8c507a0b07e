/* SPDX-License-Identifier: MIT */
/* netns.c - looks where ip-netns(8) keeps its names. */
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "tundctl.h"

#define NAMES "/run/netns"

static bool is_number(const char *word)
{
	return *word && strspn(word, "0123456789") == strlen(word);
}

/* Why the path of that word is not there. Returns -1. */
static int explain(const char *word, const char *path, int error)
{
	if (error == EACCES || error == EPERM)
		complain("%s: %s: whose the process is, or root, may look "
			 "there; "
			 "use sudo",
			 path, strerror(error));
	else if (strchr(word, '/'))
		complain("network namespace %s: %s: \"ip netns\" lists names, "
			 "and a process's number will do, too",
			 path, strerror(error));
	else if (is_number(word))
		complain(
			"there is no process %s, whose network namespace could "
			"be meant: \"ps -e\" lists them",
			word);
	else
		complain("there is no network namespace \"%s\": \"ip netns\" "
			 "lists them, and a path or a process's number will "
			 "do, too",
			 word);
	return -1;
}

int netns_find(const char *word, uint64_t *ret_number)
{
	char path[PATH_MAX];
	struct statfs fs;
	struct stat st;
	int end = 0;

	if (sscanf(word, "net:[%" SCNu64 "]%n", ret_number, &end) == 1 &&
	    end > 0 && !word[end])
		return 0;
	if (strchr(word, '/'))
		snprintf(path, sizeof(path), "%s", word);
	else if (is_number(word))
		snprintf(path, sizeof(path), "/proc/%s/ns/net", word);
	else
		snprintf(path, sizeof(path), NAMES "/%s", word);
	if (stat(path, &st) < 0)
		return explain(word, path, errno);
	/* A name is a file, which stays when nothing is mounted there. */
	if (statfs(path, &fs) < 0 || fs.f_type != NSFS_MAGIC) {
		complain("%s is no network namespace: name one as \"ip netns\" "
			 "lists them, or as a process's number",
			 path);
		return -1;
	}
	*ret_number = st.st_ino;
	return 0;
}

static bool is_own(uint64_t number)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 && st.st_ino == number;
}

const char *netns_name(uint64_t number)
{
	static char name[NAME_MAX + 1];
	DIR *names = opendir(NAMES);
	const struct dirent *entry;

	if (is_own(number)) {
		if (names)
			closedir(names);
		return "-";
	}
	snprintf(name, sizeof(name), "%" PRIu64, number);
	while (names && (entry = readdir(names))) {
		struct stat st;

		if (entry->d_name[0] != '.' &&
		    fstatat(dirfd(names), entry->d_name, &st, 0) == 0 &&
		    st.st_ino == number) {
			snprintf(name, sizeof(name), "%s", entry->d_name);
			break;
		}
	}
	if (names)
		closedir(names);
	return name;
}
