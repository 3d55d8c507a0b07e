/* SPDX-License-Identifier: MIT */
/*
 * preload_kept.c - the table of kept files. Without a lock: fstat(2) may be
 * called in a signal handler, and a child of fork(2) would find the lock of a
 * thread that it does not have. Whoever changes an entry takes it first.
 */
#include "preload_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/* More devices than that stay on the file plane. */
#define MAX_KEPT 64

/* Where programs neither look nor, with select(2), run out of numbers. */
#define HIGH_NUMBER 500

/* In the place of the socket's inode, which has 32 bits. */
#define FREE  0UL
#define TAKEN ULONG_MAX

struct kept {
	atomic_ulong socket;
	atomic_int users;
	int file;
	struct file_id id;
};

static struct kept table[MAX_KEPT];
/* Entries that are not free. */
static atomic_int n_kept;

static bool take(struct kept *k, unsigned long from)
{
	return atomic_compare_exchange_strong(&k->socket, &from, TAKEN);
}

static void set_free(struct kept *k)
{
	atomic_fetch_sub(&n_kept, 1);
	atomic_store(&k->socket, FREE);
}

/* The program may have closed it, and another file may have its number. */
static bool is_there(const struct kept *k)
{
	struct file_id id;

	return preload_identify(k->file, &id) == 0 && id.inode == k->id.inode &&
	       id.dev_major == k->id.dev_major &&
	       id.dev_minor == k->id.dev_minor && preload_is_tund(k->file);
}

static int copy_high(int fd)
{
	int copy = -1;

	/* The limit of numbers may be lower. */
	for (int low = HIGH_NUMBER; low > 2 && copy < 0; low /= 2)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, low);
	return copy;
}

struct kept *kept_add(int fd)
{
	struct kept *k = table, *end = table + MAX_KEPT;

	while (k < end && !take(k, FREE))
		k++;
	if (k == end)
		return NULL;
	atomic_fetch_add(&n_kept, 1);
	k->file = copy_high(fd);
	if (k->file >= 0 && preload_identify(k->file, &k->id) == 0)
		return k;
	kept_drop(k);
	return NULL;
}

void kept_set_socket(struct kept *k, int socket)
{
	struct file_id id;

	if (preload_identify(socket, &id) == 0)
		atomic_store(&k->socket, (unsigned long)id.inode);
	else
		kept_drop(k);
}

void kept_drop(struct kept *k)
{
	/* close(2) of the libc may end the thread. */
	if (k->file >= 0)
		syscall(SYS_close, k->file);
	set_free(k);
}

static struct kept *borrow(struct kept *k, unsigned long socket)
{
	atomic_fetch_add(&k->users, 1);
	if (atomic_load(&k->socket) == socket)
		return k;
	kept_return(k);
	return NULL;
}

struct kept *kept_find(int socket)
{
	int saved_errno = errno;
	struct kept *found = NULL;
	struct file_id id;

	if (atomic_load(&n_kept) == 0)
		return NULL;
	if (preload_identify(socket, &id) < 0 || !S_ISSOCK(id.mode))
		return NULL;
	for (size_t i = 0; i < MAX_KEPT && !found; i++)
		if (atomic_load(&table[i].socket) == id.inode)
			found = borrow(&table[i], (unsigned long)id.inode);
	if (found && !is_there(found)) {
		kept_return(found);
		found = NULL;
	}
	errno = saved_errno;
	return found;
}

int kept_file(const struct kept *k)
{
	return k->file;
}

void kept_return(struct kept *k)
{
	atomic_fetch_sub(&k->users, 1);
}

/* The daemon says so when the last copy of the socket is closed. */
static bool has_ended(const struct kept *k)
{
	struct pollfd p = {.fd = k->file};
	int saved_errno = errno, state, n;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	n = poll(&p, 1, 0);
	pthread_setcancelstate(state, NULL);
	errno = saved_errno;
	return n > 0 && p.revents & POLLERR;
}

static void sweep_one(struct kept *k)
{
	unsigned long socket = atomic_load(&k->socket);
	bool there;

	if (socket == FREE || socket == TAKEN)
		return;
	there = is_there(k);
	if (there && !has_ended(k))
		return;
	if (!take(k, socket))
		return;
	if (atomic_load(&k->users) > 0)
		atomic_store(&k->socket, socket);
	else if (there)
		kept_drop(k);
	else
		set_free(k);
}

void kept_sweep(void)
{
	if (atomic_load(&n_kept) == 0)
		return;
	for (size_t i = 0; i < MAX_KEPT; i++)
		sweep_one(&table[i]);
}
