/* SPDX-License-Identifier: MIT */
/* callermem.c - process_vm_readv(2) and its twin; nothing is interpreted here.
 */
#include "fuse/callermem.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/log.h"

static int result(pid_t tid, ssize_t moved, size_t len)
{
	if (moved == (ssize_t)len)
		return 0;
	/* Part of it is as good as nothing: a page at the end is missing. */
	if (moved >= 0 || errno == EFAULT)
		return -EFAULT;
	log_warning("cannot reach the memory of thread %d (%s): tund needs "
		    "CAP_SYS_PTRACE, and its own pid namespace or an outer "
		    "one of the program's",
		    (int)tid, strerror(errno));
	return -EPERM;
}

int callermem_read(pid_t tid, uint64_t address, void *ret_buf, size_t len)
{
	struct iovec here = {.iov_base = ret_buf, .iov_len = len};
	struct iovec there = {.iov_base = (void *)(uintptr_t)address,
			      .iov_len = len};

	return result(tid, process_vm_readv(tid, &here, 1, &there, 1, 0), len);
}

int callermem_write(pid_t tid, uint64_t address, const void *buf, size_t len)
{
	struct iovec here = {.iov_base = (void *)(uintptr_t)buf,
			     .iov_len = len};
	struct iovec there = {.iov_base = (void *)(uintptr_t)address,
			      .iov_len = len};

	return result(tid, process_vm_writev(tid, &here, 1, &there, 1, 0), len);
}
