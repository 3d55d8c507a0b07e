/* SPDX-License-Identifier: MIT */
/*
 * path.h - the pieces of a packet's path that io.c, batch.c and send.c share.
 * Private to dev/.
 */
#ifndef TUND_DEV_PATH_H
#define TUND_DEV_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dev/io.h"

struct dev_file;
struct dev_queue;
struct device;
struct pkt;

/* ---- io.c ---- */

/* The end of a request, with its reference to the queue. */
void dev_io_answer(struct dev_io *io, ssize_t result);

/* Ends a read that could not be served, by what pktq_pop() has returned. */
int dev_read_not_done(struct dev_io *io, int r);

/* Whether packets can be written through the queue: 0 or a negative errno. */
int dev_check_writable(struct dev_queue *queue);

/*
 * Whether the bytes can be a packet of the device: 0 or -EINVAL. Tells the
 * Ethernet type.
 */
int dev_check_packet(const struct device *dev, const uint8_t *data, size_t len,
		     uint16_t *ret_proto);

/* ---- batch.c: reads and writes with records; `io->queue` is set ---- */

int dev_batch_read(struct dev_io *io, unsigned int max_records, bool nonblock);
int dev_batch_write(struct dev_file *file, struct dev_io *io,
		    const uint8_t *data, size_t len, bool nonblock);

/* ---- send.c ---- */

/* A number for the packets of one write, so that it hears of their end. */
uint64_t dev_send_tag(void);

/* What became of the packets of one write, as far as that is known. */
struct dev_sent {
	uint64_t tag; /* 0: nobody's */
	/*
	 * Of those with the tag so many were sent, and the next failed with
	 * the error, if that is not 0; those behind it were thrown away.
	 */
	unsigned int n;
	int error;
	/* The write has taken packets before these: see device_refused(). */
	bool not_first;
};

/*
 * Sends what is queued, if the turn to do so is ours or free; else somebody
 * sends it.
 */
void device_send_queued(struct device *dev, bool have_turn,
			struct dev_sent *sent);

#endif
