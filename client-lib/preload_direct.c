/* SPDX-License-Identifier: MIT */
/*
 * preload_direct.c - gets the socket, puts it where the file was, and makes the
 * ioctls on what is kept. Arguments are the program's, so they are not looked
 * at: the kernel reads them, and says EFAULT.
 */
#include "preload_direct.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/kcmp.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tund/abi.h>

#include "carry.h"
#include "fetch.h"
#include "preload.h"
#include "preload_kept.h"

/* ---- the environment ---- */

static enum plane plane;
static atomic_bool plane_is_unknown;

/* Before main(), which may write over it. */
__attribute__((constructor)) static void read_environment(void)
{
	const char *word = getenv("TUND_PLANE");

	if (!word || !*word || carry_read_plane(word, &plane))
		return;
	plane = PLANE_FILE;
	atomic_store(&plane_is_unknown, true);
}

/* Only a program with a TUN is told, and once. */
static void complain(void)
{
	static const char text[] =
		"libtunclient-preload: TUND_PLANE is none of auto, direct, "
		"file: file is taken\n";

	if (atomic_exchange(&plane_is_unknown, false))
		syscall(SYS_write, STDERR_FILENO, text, sizeof(text) - 1);
}

/* ---- TUND_IOC_FD ---- */

static int ask(void *context, struct tund_fd *request)
{
	return preload_ioctl(*(int *)context, TUND_IOC_FD, request);
}

/* What is half done when a signal comes, or the thread's end, stays so. */
static void begin_undisturbed(sigset_t *ret_signals, int *ret_cancel)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, ret_signals);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, ret_cancel);
}

static void end_undisturbed(const sigset_t *signals, int cancel)
{
	pthread_setcancelstate(cancel, NULL);
	sigprocmask(SIG_SETMASK, signals, NULL);
}

int direct_netns(int file, unsigned int cmd)
{
	unsigned int what =
		cmd == SIOCGSKNS ? TUND_FD_NETNS : TUND_FD_DEVICE_NETNS;
	sigset_t signals;
	int cancel, r;

	begin_undisturbed(&signals, &cancel);
	r = tunclient_fetch_fd_(what, 0, ask, &file);
	end_undisturbed(&signals, cancel);
	return r;
}

/* ---- TUNSETIFF ---- */

static int put(int fd, int socket)
{
	int flags = fcntl(fd, F_GETFD);
	int r = (int)syscall(SYS_dup3, socket, fd,
			     flags & FD_CLOEXEC ? O_CLOEXEC : 0);

	return r < 0 ? -errno : 0;
}

static bool is_same_file(int a, int b)
{
	long pid = syscall(SYS_getpid);

	return syscall(SYS_kcmp, pid, pid, KCMP_FILE, a, b) == 0;
}

/* What the program has made of it with dup(2) before. */
static void put_at_others(int fd, int kept, int socket)
{
	/* opendir(3) would allocate. */
	_Alignas(struct dirent64) char buffer[1024];
	const struct dirent64 *entry;
	int dir = (int)syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/fd",
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;

	if (dir < 0)
		return;
	while ((n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < n; at += entry->d_reclen) {
			int number;

			entry = (const struct dirent64 *)(buffer + at);
			number = atoi(entry->d_name);
			if (entry->d_name[0] != '.' && number != fd &&
			    number != kept && is_same_file(number, fd))
				put(number, socket);
		}
	syscall(SYS_close, dir);
}

/* -EOPNOTSUPP: the file goes on as before. */
static int swap(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct kept *k;
	int socket, r;

	if (flags < 0 || !carry_may_be_direct(flags))
		return -EOPNOTSUPP;
	k = kept_add(fd);
	if (!k)
		return -EOPNOTSUPP;
	socket = tunclient_fetch_fd_(TUND_FD_DIRECT,
				     flags & O_NONBLOCK ? TUND_FD_NONBLOCK : 0,
				     ask, &fd);
	if (socket < 0) {
		kept_drop(k);
		return socket == -EIO ? -EIO : -EOPNOTSUPP;
	}
	/* It must be known before it can be used. */
	kept_set_socket(k, socket);
	put_at_others(fd, kept_file(k), socket);
	r = put(fd, socket);
	syscall(SYS_close, socket);
	return r;
}

int direct_attach(int fd)
{
	sigset_t signals;
	int cancel, r;

	complain();
	if (plane == PLANE_FILE)
		return 0;
	begin_undisturbed(&signals, &cancel);
	r = swap(fd);
	end_undisturbed(&signals, cancel);
	return r == -EOPNOTSUPP && plane == PLANE_AUTO ? 0 : r;
}

/* ---- on the socket ---- */

int direct_value(int file, unsigned int cmd, const void *arg)
{
	struct tund_value value = {.cmd = cmd, .value = (uintptr_t)arg};

	return preload_ioctl(file, TUND_IOC_VALUE, &value);
}

static int set_option(int socket, int option, const void *arg, socklen_t size)
{
	return setsockopt(socket, SOL_SOCKET, option, arg, size) < 0 ? -errno
								     : 0;
}

/* An option that cannot be set; its value is read before that is said. */
static bool is_readable_int(int socket, const void *arg)
{
	return set_option(socket, SO_TYPE, arg, sizeof(int)) != -EFAULT;
}

static int set_vnet_header_size(int socket, int file, const int *arg)
{
	int r;

	if (!is_readable_int(socket, arg))
		return -EFAULT;
	r = carry_set_vnet_header_size(socket, *arg);
	return r < 0 ? r : preload_ioctl(file, TUNSETVNETHDRSZ, arg);
}

int direct_ioctl(int socket, int file, unsigned int cmd, void *arg)
{
	int unused = 0, r;

	switch (cmd) {
	case TUNGETDEVNETNS:
	case SIOCGSKNS:
		return direct_netns(file, cmd);
	case TUNSETVNETHDRSZ:
		return set_vnet_header_size(socket, file, arg);
	case TUNATTACHFILTER:
		r = preload_ioctl(file, cmd, arg);
		return r < 0 ? r
			     : set_option(socket, SO_ATTACH_FILTER, arg,
					  sizeof(struct sock_fprog));
	case TUNDETACHFILTER:
		r = direct_value(file, cmd, arg);
		if (r >= 0)
			set_option(socket, SO_DETACH_FILTER, &unused,
				   sizeof(unused));
		return r;
	default:
		return tund_is_by_value(cmd) ? direct_value(file, cmd, arg)
					     : preload_ioctl(file, cmd, arg);
	}
}
