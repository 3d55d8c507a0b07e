/* SPDX-License-Identifier: MIT */
/*
 * listen.h - the control socket's file: made, with its owner and mode, and
 * taken away. Who connects is server.c's matter.
 */
#ifndef TUND_CTL_LISTEN_H
#define TUND_CTL_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

struct ctl_socket {
	int fd;		  /* -1: there is none */
	const char *path; /* NULL: it is somebody else's, and stays */
	dev_t dev;
	ino_t ino;
};

/*
 * Before privileges are given up. What a daemon has left that is dead is
 * replaced. -EADDRINUSE if one listens there.
 */
int ctl_listen(const char *path, struct ctl_socket *ret_socket);

void ctl_unlisten(struct ctl_socket *socket);

#endif
