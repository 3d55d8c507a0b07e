/* SPDX-License-Identifier: MIT */
/*
 * preload.c - libtunclient-preload.so, for LD_PRELOAD: makes a dynamic program
 * that was written for the kernel's TUN get, on tund's file, the ioctls that
 * FUSE keeps from it, and see a character device. It is no part of
 * libtunclient, and does nothing on any other file.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <tund/abi.h>

#define EXPORT __attribute__((visibility("default")))

/* The kernel's own device node. */
#define TUN_MAJOR 10
#define TUN_MINOR 200

static bool is_tund(int fd)
{
	struct tund_info info;

	return syscall(SYS_ioctl, fd, TUND_IOC_INFO, &info) == 0;
}

/*
 * The ioctls that take a number get through here, so the daemon may offer what
 * is of no use without them. A daemon that does not know of it offers less.
 */
static void set_mode(int fd)
{
	struct tund_mode mode = {.flags = TUND_MODE_ALL_IOCTLS};
	int saved_errno = errno;

	if (is_tund(fd))
		syscall(SYS_ioctl, fd, TUND_IOC_MODE, &mode);
	errno = saved_errno;
}

/* Some systems declare the request as an int. */
EXPORT int ioctl(int fd, unsigned long request, ...)
{
	struct tund_value value = {.cmd = (__u32)request};
	void *arg;
	va_list args;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	if ((__u32)request == TUNSETIFF || (__u32)request == TUNGETFEATURES)
		set_mode(fd);
	r = (int)syscall(SYS_ioctl, fd, request, arg);
	if (r == 0 || errno != EFAULT ||
	    !tund_is_by_value((unsigned int)request))
		return r;
	if (!is_tund(fd)) {
		errno = EFAULT;
		return -1;
	}
	value.value = (uintptr_t)arg;
	return (int)syscall(SYS_ioctl, fd, TUND_IOC_VALUE, &value);
}

/* Most files are told from ours by what stat gives; only then one is asked. */
#define MEND_STAT(fd, st)                                                      \
	do {                                                                   \
		int saved_errno = errno;                                       \
                                                                               \
		if (S_ISREG((st)->st_mode) &&                                  \
		    (st)->st_size == TUND_FILE_SIZE && (st)->st_blocks == 0 && \
		    is_tund(fd)) {                                             \
			(st)->st_mode = S_IFCHR | ((st)->st_mode & 07777);     \
			(st)->st_rdev = makedev(TUN_MAJOR, TUN_MINOR);         \
			(st)->st_size = 0;                                     \
		}                                                              \
		errno = saved_errno;                                           \
	} while (0)

EXPORT int fstat(int fd, struct stat *st)
{
	int (*next)(int, struct stat *);
	int r;

	*(void **)&next = dlsym(RTLD_NEXT, "fstat");
	r = next(fd, st);
	if (r == 0)
		MEND_STAT(fd, st);
	return r;
}

EXPORT int fstat64(int fd, struct stat64 *st)
{
	int (*next)(int, struct stat64 *);
	int r;

	*(void **)&next = dlsym(RTLD_NEXT, "fstat64");
	r = next(fd, st);
	if (r == 0)
		MEND_STAT(fd, st);
	return r;
}
