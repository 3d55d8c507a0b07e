/* SPDX-License-Identifier: MIT */
/*
 * find_ns.c - the kernel tells a namespace's number for a descriptor, and
 * nothing gives the descriptor for a number: so this asks for every namespace
 * that can be found.
 */
#include "net/find_ns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "net/rtnl.h"

struct search {
	struct rtnl *rtnl;
	int nsid;
	/* Those that were asked for: most processes share one. */
	ino_t *asked;
	size_t n_asked, size;
	int fd;
};

/* Returns false if it was there. Without memory it is asked for again. */
static bool remember(struct search *search, ino_t inode)
{
	ino_t *more;

	for (size_t i = 0; i < search->n_asked; i++)
		if (search->asked[i] == inode)
			return false;
	if (search->n_asked == search->size) {
		size_t size = search->size ? search->size * 2 : 64;

		more = reallocarray(search->asked, size, sizeof(*more));
		if (!more)
			return true;
		search->asked = more;
		search->size = size;
	}
	search->asked[search->n_asked++] = inode;
	return true;
}

static void try_file(struct search *search, const char *path)
{
	/* A process may hold anything under such a name: do not wait for it. */
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int nsid;

	if (fd < 0 || fstat(fd, &st) < 0 || !remember(search, st.st_ino))
		return;
	if (rtnl_get_nsid(search->rtnl, fd, &nsid) == 0 && nsid == search->nsid)
		search->fd = steal_fd(&fd);
}

/* All directory entries, until one is it: `directory`/ENTRY`suffix`. */
static void try_directory(struct search *search, const char *directory,
			  const char *suffix)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char path[512];

	if (!dir)
		return;
	while (search->fd < 0 && (entry = readdir(dir))) {
		/* In /proc these are numbers only. */
		if (entry->d_name[0] == '.' ||
		    (*suffix && strspn(entry->d_name, "0123456789") !=
					strlen(entry->d_name)))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", directory,
				     entry->d_name, suffix) < sizeof(path))
			try_file(search, path);
	}
	closedir(dir);
}

/* A thread may be elsewhere than its process; there are many. */
static void try_threads(struct search *search)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[512];

	if (!dir)
		return;
	while (search->fd < 0 && (entry = readdir(dir))) {
		if (strspn(entry->d_name, "0123456789") !=
		    strlen(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task", entry->d_name);
		try_directory(search, path, "/ns/net");
	}
	closedir(dir);
}

int find_ns(struct rtnl *rtnl, int nsid, int *ret_fd)
{
	struct search search = {.rtnl = rtnl, .nsid = nsid, .fd = -1};

	try_directory(&search, "/proc", "/ns/net");
	try_directory(&search, "/run/netns", "");
	try_directory(&search, "/run/docker/netns", "");
	try_threads(&search);
	free(search.asked);
	if (search.fd < 0)
		return -EOPNOTSUPP;
	*ret_fd = search.fd;
	return 0;
}
