/* SPDX-License-Identifier: MIT */
/*
 * preload_kept.h - tund's files whose place a packet socket has taken, found by
 * the inode of the socket: so a copy of its descriptor is found as well.
 */
#ifndef TUNCLIENT_PRELOAD_KEPT_H
#define TUNCLIENT_PRELOAD_KEPT_H

struct kept;

/*
 * Keeps a copy of the descriptor, close-on-exec. NULL if there is no room, or
 * no number. It is found after kept_set_socket(), and goes with kept_drop().
 */
struct kept *kept_add(int fd);
void kept_set_socket(struct kept *k, int socket);
void kept_drop(struct kept *k);

/*
 * What is kept for a socket, or NULL, which it soon is if there is nothing at
 * all. Stays until kept_return(). errno is as before.
 */
struct kept *kept_find(int socket);
int kept_file(const struct kept *k);
void kept_return(struct kept *k);

/* Forgets what no socket needs any more. errno is as before. */
void kept_sweep(void);

#endif
