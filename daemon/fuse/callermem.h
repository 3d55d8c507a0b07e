/* SPDX-License-Identifier: MIT */
/*
 * callermem.h - the memory and the descriptors of the thread that made an
 * ioctl, which FUSE does not pass on. It is the only code that touches another
 * process.
 *
 * That memory is hostile. Its owner, and threads beside it, may change it at
 * any time: it is read once, into a copy that is then judged, and only what the
 * kernel's TUN would write is written. And it may be a mapping of a file whose
 * server never answers, the device file itself among them, so that whoever
 * touches it is stuck and cannot even be killed. So a process of its own
 * touches it, made for each call by an agent that was forked from the daemon
 * and holds nothing of it; who does not come back in time is given up.
 *
 * The calling thread itself cannot go away: it waits, pinned, for the answer.
 */
#ifndef TUND_FUSE_CALLERMEM_H
#define TUND_FUSE_CALLERMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The largest piece that is touched at once. */
#define CALLERMEM_MAX 2048

struct callermem_thread {
	pid_t tid;
	uid_t uid; /* whose calls are counted together */
};

/* Forks the agent. It ends with the daemon, or at callermem_stop(). */
int callermem_start(void);
void callermem_stop(void);

/* From here on nobody waits for an answer: the daemon is ending. */
void callermem_give_up(void);

/*
 * All `len` bytes, or -EFAULT, which is what the kernel's TUN would say. -EPERM
 * if the daemon may not look, which it logs with the remedy. -EAGAIN when too
 * many calls of that user are stuck. Waits for memory that is not there for a
 * second, and ten at most if the machine is busy; not for threads that others
 * wait for.
 */
int callermem_read(const struct callermem_thread *thread, uint64_t address,
		   void *ret_buf, size_t len);
/*
 * Whether a descriptor can be sent through one of the caller's, and sending it.
 * -EBADF, -ENOTSOCK if it is no AF_UNIX socket, -ENOBUFS if it takes nothing
 * now. `pid` is the thread's process.
 */
int callermem_check_socket(const struct callermem_thread *thread, pid_t pid,
			   int fd);
int callermem_send_fd(const struct callermem_thread *thread, pid_t pid, int fd,
		      int sent_fd);

/* Writes no more than CALLERMEM_MAX. */
int callermem_write(const struct callermem_thread *thread, uint64_t address,
		    const void *buf, size_t len);

#endif
