/* SPDX-License-Identifier: MIT */
/* message.h - a few bytes and at most one descriptor, through a socketpair. */
#ifndef TUNCLIENT_MESSAGE_H
#define TUNCLIENT_MESSAGE_H

#include <stddef.h>

/* fd -1: none. Returns 0, or -1 with errno set. */
int message_send(int socket, const void *data, size_t size, int fd);

/*
 * Exactly that many bytes. ret_fd, if there is one, gets the descriptor, or -1.
 * Returns 0, or -1 with errno set: ECONNRESET if the other end is closed.
 */
int message_receive(int socket, void *ret_data, size_t size, int *ret_fd);

#endif
