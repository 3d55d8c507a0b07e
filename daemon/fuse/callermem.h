/* SPDX-License-Identifier: MIT */
/*
 * callermem.h - the memory of the thread that made an ioctl, which FUSE does
 * not pass on in full. It is the only code that touches another process.
 *
 * That memory is hostile: its owner, and threads beside it, may change it at
 * any time. So it is read once, into a copy that is then judged, and only what
 * the kernel's TUN would write is written. The thread itself cannot go away:
 * it waits, pinned, for the answer to its request.
 */
#ifndef TUND_FUSE_CALLERMEM_H
#define TUND_FUSE_CALLERMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * All `len` bytes, or -EFAULT, which is what the kernel's TUN would say. -EPERM
 * if the daemon may not look, which it logs with the remedy.
 */
int callermem_read(pid_t tid, uint64_t address, void *ret_buf, size_t len);
int callermem_write(pid_t tid, uint64_t address, const void *buf, size_t len);

#endif
