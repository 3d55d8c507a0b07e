/* SPDX-License-Identifier: MIT */
/*
 * doctor_device.c - looks at the device file as a program does: what is there,
 * whether it opens, whether TUNSETIFF would be granted. No interface is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <tund/abi.h>

#include "doctor.h"
#include "tundctl.h"

#define TUN_MAJOR 10
#define TUN_MINOR 200

struct look {
	struct doctor *d;
	enum doctor_check check;
	struct doctor_path *path;
	char what[100]; /* what is there */
};

static void obstructed(struct look *l, enum doctor_obstacle obstacle, int error,
		       const char *text)
{
	l->path->obstacle = obstacle;
	l->path->error = error;
	doctor_find(l->d, l->check, DOCTOR_NOT_OK, "%s: %s%s%s", l->path->path,
		    l->what, l->what[0] ? "; " : "", text);
}

static void unreachable(struct look *l, int error)
{
	char text[120];

	switch (error) {
	case ENOENT:
	case ENOTDIR:
		obstructed(l, OBSTACLE_ABSENT, error, "is not there");
		break;
	case ENOTCONN:
	case ECONNABORTED:
		l->path->ours = true;
		obstructed(l, OBSTACLE_DEAD, error,
			   "a dead mount: the daemon that served it has ended");
		break;
	default:
		snprintf(text, sizeof(text), "cannot be looked at: %s",
			 strerror(error));
		obstructed(l, OBSTACLE_OUT_OF_REACH, error, text);
	}
}

/* Whether it may be opened: only what is a TUN, for opening may do things. */
static bool is_tun(struct look *l, const struct statx *stx)
{
	unsigned int mode = stx->stx_mode;

	if (S_ISCHR(mode)) {
		snprintf(l->what, sizeof(l->what), "character device %u:%u",
			 stx->stx_rdev_major, stx->stx_rdev_minor);
		return stx->stx_rdev_major == TUN_MAJOR &&
		       stx->stx_rdev_minor == TUN_MINOR;
	}
	if (S_ISREG(mode) && stx->stx_size == TUND_FILE_SIZE &&
	    stx->stx_blocks == 0) {
		strcpy(l->what, "tund's device file");
		l->path->ours = true;
		return true;
	}
	strcpy(l->what, S_ISREG(mode)	? "an ordinary file"
			: S_ISDIR(mode) ? "a directory"
					: "no device of a TUN");
	return false;
}

static void explain_open(struct look *l, int error)
{
	struct statvfs fs;
	char text[200];

	snprintf(text, sizeof(text), "cannot be opened: %s", strerror(error));
	switch (error) {
	case ENODEV:
	case ENXIO:
		strcat(text, ": the kernel has no driver for it");
		obstructed(l, OBSTACLE_DRIVER, error, text);
		return;
	case EPERM:
		strcat(text, ": the device cgroup refuses it");
		obstructed(l, OBSTACLE_CGROUP, error, text);
		return;
	case ENOTCONN:
	case ECONNABORTED:
		unreachable(l, error);
		return;
	case EACCES:
		if (!l->path->ours && statvfs(l->path->path, &fs) == 0 &&
		    fs.f_flag & ST_NODEV)
			strcat(text, ": it is on a file system that is mounted "
				     "with nodev");
		else
			strcat(text, ": its mode, its owner or a security "
				     "module refuses it");
		obstructed(l, OBSTACLE_OUT_OF_REACH, error, text);
		return;
	default:
		obstructed(l, OBSTACLE_OTHER, error, text);
	}
}

/*
 * Asks for a TUN whose number is the loopback interface's: who may have one is
 * told that it is taken, and nobody sees an interface come or go. The errno, or
 * 0 for a TUN that goes with the descriptor.
 */
static int ask_for_tun(int fd)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	unsigned int loopback = 1;

	if (ioctl(fd, TUNSETIFINDEX, &loopback) < 0)
		return errno;
	return ioctl(fd, TUNSETIFF, &ifr) < 0 ? errno : 0;
}

static void try_attach(struct look *l, int fd)
{
	int error = ask_for_tun(fd);
	char text[200];

	if (error == EBUSY || error == 0) {
		l->path->obstacle = OBSTACLE_NONE;
		doctor_find(l->d, l->check, DOCTOR_OK,
			    "%s: %s; opens, and TUNSETIFF is granted",
			    l->path->path, l->what);
		return;
	}
	if (error == ENOTCONN || error == ECONNABORTED) {
		unreachable(l, error);
		return;
	}
	snprintf(
		text, sizeof(text), "opens; TUNSETIFF: %s%s%s", strerror(error),
		error == EPERM ? ": no CAP_NET_ADMIN over the network "
				 "namespace"
			       : "",
		error == EPERM && l->path->ours ? ", or a policy of tund" : "");
	obstructed(l, error == EPERM ? OBSTACLE_RIGHTS : OBSTACLE_OTHER, error,
		   text);
}

void doctor_device(struct doctor *d, enum doctor_check check,
		   struct doctor_path *path)
{
	struct look l = {.d = d, .check = check, .path = path};
	_cleanup_close_ int fd = -1;
	struct tund_info info;
	struct statx stx;

	/* It stands if there is no answer. */
	obstructed(&l, OBSTACLE_STUCK, 0, "its daemon does not answer");
	if (statx(AT_FDCWD, path->path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS,
		  &stx) < 0) {
		unreachable(&l, errno);
		return;
	}
	if (!is_tun(&l, &stx)) {
		obstructed(&l, OBSTACLE_WRONG, 0, "not a TUN");
		return;
	}
	fd = open(path->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		explain_open(&l, errno);
		return;
	}
	if (path->ours && ioctl(fd, TUND_IOC_INFO, &info) < 0) {
		if (errno == ENOTCONN || errno == ECONNABORTED) {
			unreachable(&l, errno);
			return;
		}
		path->ours = false;
		strcpy(l.what, "an ordinary file");
		obstructed(&l, OBSTACLE_WRONG, errno, "not a TUN");
		return;
	}
	try_attach(&l, fd);
}
