/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/forward.c - a forwarder on plain system calls, for what
 * examples/forwarder.c, which has the library, is compared with.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "app.h"

struct direction {
	struct port *from, *to;
};

static void *move(void *context)
{
	const struct direction *d = context;
	const struct path *path = d->from->path;
	struct packet packets[BATCH_MAX];

	for (;;) {
		int n = path->receive(d->from, packets);

		if (n < 0 && n != -EINTR) {
			errno = -n;
			die("%s: receive", path->name);
		}
		/* What is not taken is lost, as on a wire. */
		for (int i = 0; i < n;) {
			int r = path->send(d->to, packets + i,
					   (unsigned int)(n - i));

			i += r > 0 ? r : 1;
		}
		if (n > 0)
			path->release(d->from, (unsigned int)n);
	}
	return NULL;
}

noreturn void forward_packets(struct port *a, struct port *b)
{
	static struct direction there, back;
	pthread_t thread;

	there = (struct direction){a, b};
	back = (struct direction){b, a};
	errno = pthread_create(&thread, NULL, move, &back);
	if (errno)
		die("no thread");
	move(&there);
	abort();
}
