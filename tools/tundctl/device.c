/* SPDX-License-Identifier: MIT */
/* device.c - finds tund's device file, and says what is wrong with it. */
#include "tundctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <tund/abi.h>

#define USUAL_PATH  "/dev/net/tun"
#define DAEMON_PATH "/run/tund/dev/net/tun"

/* Others must not be asked: the number may mean something to them. */
static bool looks_like_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == TUND_FILE_SIZE && st.st_blocks == 0;
}

bool device_is_ours(int fd)
{
	struct tund_info info;

	return looks_like_ours(fd) && ioctl(fd, TUND_IOC_INFO, &info) == 0;
}

static void explain(const char *path, int error)
{
	switch (error) {
	case ENOENT:
		complain("%s is not there: start tund, or name its file with "
			 "--device PATH",
			 path);
		break;
	case ENOTCONN:
	case ECONNABORTED:
		complain("%s: the daemon has ended; start tund again", path);
		break;
	case EACCES:
	case EPERM:
		complain("%s: %s: ask the administrator for the permission to "
			 "open it",
			 path, strerror(error));
		break;
	case 0:
		complain("%s is not tund's device file: name that with "
			 "--device PATH",
			 path);
		break;
	default:
		complain("%s: %s: name tund's device file with --device PATH",
			 path, strerror(error));
	}
}

int device_open(const char *path)
{
	int fd;

	if (!path) {
		fd = open(USUAL_PATH, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && device_is_ours(fd))
			return fd;
		if (fd >= 0)
			close(fd);
		path = DAEMON_PATH;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		explain(path, errno);
		return -1;
	}
	if (device_is_ours(fd))
		return fd;
	close(fd);
	explain(path, 0);
	return -1;
}
