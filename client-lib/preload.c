/* SPDX-License-Identifier: MIT */
/*
 * preload.c - libtunclient-preload.so, for LD_PRELOAD: makes a dynamic program
 * that was written for the kernel's TUN get, on tund's file, the ioctls that
 * FUSE keeps from it, a packet socket in its place where that can be, and see
 * a character device. It is no part of libtunclient, and does nothing on any
 * other file. Here are the ioctls.
 */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tund/abi.h>

#include "carry.h"
#include "preload_direct.h"
#include "preload_kept.h"

int preload_ioctl(int fd, unsigned long request, const void *arg)
{
	int saved_errno = errno;
	int r = (int)syscall(SYS_ioctl, fd, request, arg);

	if (r < 0)
		r = -errno;
	errno = saved_errno;
	return r;
}

int preload_identify(int fd, struct file_id *ret_id)
{
	int saved_errno = errno;
	struct statx st;
	int r = 0;

	/* The same for all word sizes, and nobody's but the kernel's. */
	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO,
		    &st) < 0)
		r = -errno;
	else
		*ret_id = (struct file_id){
			.inode = st.stx_ino,
			.dev_major = st.stx_dev_major,
			.dev_minor = st.stx_dev_minor,
			.mode = st.stx_mode,
		};
	errno = saved_errno;
	return r;
}

bool preload_is_tund(int fd)
{
	struct tund_info info;

	return preload_ioctl(fd, TUND_IOC_INFO, &info) == 0;
}

/*
 * All ioctls get through here, so the daemon may offer what is of no use
 * without them. A daemon that does not know of it offers less. Returns whether
 * there is one.
 */
static bool set_mode(int fd)
{
	struct tund_mode mode = {.flags = TUND_MODE_ALL_IOCTLS};

	if (!preload_is_tund(fd))
		return false;
	preload_ioctl(fd, TUND_IOC_MODE, &mode);
	return true;
}

static int on_file(int fd, unsigned long request, void *arg)
{
	unsigned int cmd = (unsigned int)request;
	bool is_ours =
		(cmd == TUNSETIFF || cmd == TUNGETFEATURES) && set_mode(fd);
	int r = preload_ioctl(fd, request, arg);

	if (r >= 0)
		return is_ours && cmd == TUNSETIFF ? direct_attach(fd) : r;
	if (cmd == SIOCGSKNS || cmd == TUNGETDEVNETNS)
		return preload_is_tund(fd) ? direct_netns(fd, cmd) : r;
	if (r == -EFAULT && tund_is_by_value(cmd) && preload_is_tund(fd))
		return direct_value(fd, cmd, arg);
	return r;
}

static bool is_for_us(unsigned int cmd)
{
	for (int i = 0; i < CARRY_IOCTLS; i++)
		if (carry_ioctls[i] == cmd)
			return true;
	/* What a program that knows of tund asks. */
	return _IOC_TYPE(cmd) == TUND_IOC_TYPE;
}

static int do_ioctl(int fd, unsigned long request, void *arg)
{
	struct kept *k;
	int r;

	kept_sweep();
	k = kept_find(fd);
	if (!k)
		return on_file(fd, request, arg);
	r = direct_ioctl(fd, kept_file(k), (unsigned int)request, arg);
	kept_return(k);
	return r;
}

/* Some systems declare the request as an int. */
EXPORT int ioctl(int fd, unsigned long request, ...)
{
	int saved_errno = errno;
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	if (!is_for_us((unsigned int)request))
		return (int)syscall(SYS_ioctl, fd, request, arg);
	r = do_ioctl(fd, request, arg);
	errno = r < 0 ? -r : saved_errno;
	return r < 0 ? -1 : r;
}
