/* SPDX-License-Identifier: MIT */
/*
 * mount.c - mount(2) by our own hand: libfuse would refuse a character node,
 * and would not let the descriptor outlive the process.
 */
#include "fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

#define FS_TYPE "fuse.tund"

/* mountinfo writes a blank in a path as \040, and so on. */
static void unescape(char *path)
{
	char *to = path;
	unsigned int code;

	for (const char *from = path; *from; to++) {
		if (sscanf(from, "\\%3o", &code) == 1) {
			*to = (char)code;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* Whether a mount of our type is on top at `path`, which has no links. */
static bool is_our_mount(const char *path)
{
	char *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *f;

	f = fopen("/proc/self/mountinfo", "re");
	while (f && getline(&line, &size, f) > 0) {
		const char *type = strstr(line, " - ");
		char where[4 * PATH_MAX];

		if (!type ||
		    sscanf(line, "%*s %*s %*s %*s %16383s", where) != 1)
			continue;
		unescape(where);
		if (strcmp(where, path) == 0)
			found = strncmp(type + 3, FS_TYPE " ",
					strlen(FS_TYPE " ")) == 0;
	}
	if (f)
		fclose(f);
	free(line);
	return found;
}

/* Removes what a killed daemon left; refuses what a living one serves. */
static int clear_path(const char *path)
{
	struct statx stx;
	/* The kernel remembers a dead mount's attributes: it must ask. */
	int r = statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_TYPE, &stx);

	if (r < 0 && (errno == ENOTCONN || errno == ECONNABORTED)) {
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
			r = -errno;
			log_error("%s: a dead mount that cannot be removed: %s",
				  path, strerror(-r));
			return r;
		}
		log_notice("%s: replaced a dead mount, left by a daemon that "
			   "was killed",
			   path);
		return clear_path(path);
	}
	if (r < 0) {
		r = -errno;
		log_error("%s: %s; make the mount point first, a directory "
			  "(mkdir -p) or a file (touch)",
			  path, strerror(-r));
		return r;
	}
	if (is_our_mount(path)) {
		log_error("%s: already served by another tund; stop that one, "
			  "or give another path with --mount",
			  path);
		return -EBUSY;
	}
	return 0;
}

static int open_fuse(int *ret_fd)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int r;

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	r = -errno;
	if (r == -ENOENT || r == -ENODEV)
		log_error("/dev/fuse: %s; load the module with \"modprobe "
			  "fuse\", or give the container the device",
			  strerror(-r));
	else
		log_error("/dev/fuse: %s; run tund as root, and where a "
			  "container runs it allow the device 10:229",
			  strerror(-r));
	return r;
}

static int do_mount(const char *path, int fd, bool tree)
{
	char options[256];
	int r;

	/*
	 * Over a character node, too, the root is a regular file: a character
	 * node of FUSE would open the kernel's driver. Without
	 * default_permissions nobody would look at the mode.
	 */
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=%o,user_id=%u,group_id=%u,allow_other,"
		 "default_permissions",
		 fd, tree ? S_IFDIR : S_IFREG, geteuid(), getegid());
	if (mount("tund", path, FS_TYPE, MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  options) == 0)
		return 0;
	r = -errno;
	log_error("%s: cannot mount: %s; tund needs CAP_SYS_ADMIN in the user "
		  "namespace that owns its mount namespace",
		  path, strerror(-r));
	return r;
}

int mount_open(const char *path, int *ret_fd, enum mount_shape *ret_shape)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	r = clear_path(path);
	if (r < 0)
		return r;
	if (stat(path, &st) < 0)
		return -errno;
	r = open_fuse(&fd);
	if (r < 0)
		return r;
	r = do_mount(path, fd, S_ISDIR(st.st_mode));
	if (r < 0)
		return r;
	*ret_shape = S_ISDIR(st.st_mode) ? MOUNT_TREE : MOUNT_FILE;
	*ret_fd = steal_fd(&fd);
	return 0;
}

void mount_close(const char *path)
{
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return;
	/* EINVAL: somebody else has already taken it away. */
	if (errno != EINVAL)
		log_warning("%s: cannot unmount: %s", path, strerror(errno));
}
