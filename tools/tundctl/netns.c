/* SPDX-License-Identifier: MIT */
/* netns.c - looks where ip-netns(8) keeps its names. */
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tundctl.h"

#define NAMES "/run/netns"

int netns_find(const char *word, uint64_t *ret_number)
{
	char path[PATH_MAX];
	struct stat st;
	int end = 0;

	if (sscanf(word, "net:[%" SCNu64 "]%n", ret_number, &end) == 1 &&
	    end > 0 && !word[end])
		return 0;
	if (strchr(word, '/'))
		snprintf(path, sizeof(path), "%s", word);
	else if (*word && strspn(word, "0123456789") == strlen(word))
		snprintf(path, sizeof(path), "/proc/%s/ns/net", word);
	else
		snprintf(path, sizeof(path), NAMES "/%s", word);
	if (stat(path, &st) < 0) {
		complain("network namespace \"%s\": %s: %s", word, path,
			 strerror(errno));
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
