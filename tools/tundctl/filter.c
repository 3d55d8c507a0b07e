/* SPDX-License-Identifier: MIT */
/*
 * filter.c - libseccomp writes the filter, but is not asked to load it: it
 * knows no SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. Without that flag a signal
 * would end the wait for the supervisor, the call would be made again, and
 * what had been done already would be done twice.
 */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "carry.h"
#include "tundctl.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The kernel's limit of a filter is 4096 instructions. */
#define MAX_FILTER_BYTES (4096 * sizeof(struct sock_filter))

/* Programs of the machine's other word size run beside the native ones. */
static void add_other_arch(scmp_filter_ctx ctx)
{
	switch (seccomp_arch_native()) {
	case SCMP_ARCH_X86_64:
		seccomp_arch_add(ctx, SCMP_ARCH_X86);
		break;
	case SCMP_ARCH_AARCH64:
		seccomp_arch_add(ctx, SCMP_ARCH_ARM);
		break;
	default:
		break;
	}
}

static int add_rules(scmp_filter_ctx ctx)
{
	/* Whatever the filter does not know is not its business. */
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);

	add_other_arch(ctx);
	for (size_t i = 0; r == 0 && i < CARRY_IOCTLS; i++)
		/* The kernel looks at 32 bits of the number. */
		r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 1,
				     SCMP_A1_64(SCMP_CMP_MASKED_EQ, 0xffffffff,
						carry_ioctls[i]));
	return r;
}

/* Returns the size in bytes, or a negative errno. */
static ssize_t write_filter(void *ret_code, size_t size)
{
	_cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	ssize_t n;
	int r;

	if (fd < 0 || !ctx)
		return -ENOMEM;
	r = add_rules(ctx);
	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	if (r < 0)
		return r;
	n = pread(fd, ret_code, size, 0);
	return n < 0 ? -errno : n;
}

static int load(const struct sock_fprog *program)
{
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
			      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int fd;

	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
	if (fd < 0 && errno == EINVAL)
		/* Linux before 5.19 */
		fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				  SECCOMP_FILTER_FLAG_NEW_LISTENER, program);
	return fd;
}

static void explain(int error)
{
	switch (error) {
	case EBUSY:
		complain("the program is supervised already, by another "
			 "tundctl run or by a container's manager, and the "
			 "kernel allows one: run it without tundctl there");
		break;
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
		complain("the kernel has no seccomp user notification: it "
			 "needs Linux 5.9 with CONFIG_SECCOMP_FILTER");
		break;
	default:
		complain("cannot install the seccomp filter: %s",
			 strerror(error));
	}
}

int filter_install(void)
{
	static struct sock_filter
		code[MAX_FILTER_BYTES / sizeof(struct sock_filter)];
	struct sock_fprog program = {.filter = code};
	ssize_t size = write_filter(code, sizeof(code));
	int fd;

	if (size < 0) {
		explain((int)-size);
		return -1;
	}
	program.len = (unsigned short)((size_t)size / sizeof(code[0]));
	fd = load(&program);
	/* Without CAP_SYS_ADMIN the kernel wants this promise before. */
	if (fd < 0 && errno == EACCES &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = load(&program);
	if (fd < 0)
		explain(errno);
	return fd;
}
