/* SPDX-License-Identifier: MIT */
/*
 * io.h - read, write and poll of an open file, one packet per call, with the
 * results of the kernel's TUN. Nothing here waits: what would is parked.
 */
#ifndef TUND_DEV_IO_H
#define TUND_DEV_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "packet/pktq.h"

struct dev_file;
struct dev_queue;

/* Outcomes of dev_read() and dev_write(). */
enum {
	DEV_ANSWERED = 0, /* the request is gone */
	DEV_PARKED = 1,	  /* make it interruptible, then call dev_io_arm() */
};

/*
 * One read or write in progress. The caller fills the first part; it is
 * answered exactly once, by one of the two calls, in any thread and with no
 * lock held, and may be freed there.
 */
struct dev_io {
	/*
	 * A read: delivers the packet. Returns 0, or a negative errno if
	 * nobody received it; it is then kept for the next reader.
	 */
	int (*deliver)(struct dev_io *io, const struct iovec *iov, int n_iov);
	/* The end without a packet: bytes written, or a negative errno. */
	void (*done)(struct dev_io *io, ssize_t result);
	size_t size; /* a read's room */

	/* io.c's own. */
	size_t packet_len; /* of a write that is parked */
	struct dev_queue *queue;
	struct pktq_waiter waiter;
};

int dev_read(struct dev_file *file, struct dev_io *io, bool nonblock);

/* `data` is needed during the call only. */
int dev_write(struct dev_file *file, struct dev_io *io, const void *data,
	      size_t len, bool nonblock);

/* Lets a parked request be answered: perhaps before the call returns. */
void dev_io_arm(struct dev_io *io);

/*
 * Answers the parked request for which `match` is true with -EINTR. Harmless
 * when there is none.
 */
void dev_io_interrupt(struct dev_file *file,
		      bool (*match)(const struct dev_io *io, const void *key),
		      const void *key);

/* The poll events of the file now. */
unsigned int dev_poll(struct dev_file *file);

#endif
