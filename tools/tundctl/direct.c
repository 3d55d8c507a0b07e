/* SPDX-License-Identifier: MIT */
/* direct.c - TUNSETIFF, after which a socket is where the file was. */
#include "direct.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tund/abi.h>

#include "actor.h"
#include "carry.h"
#include "limb.h"
#include "message.h"
#include "tundctl.h"

/* The ifreq as the ABI has it, on both word sizes; the rest is carried. */
struct raw_ifreq {
	char name[16];
	char rest[24];
};

/* The supervisor must know the socket before the program can use it. */
static int keep_file(const struct call *c, int socket)
{
	struct stat st;
	uint64_t inode;
	int result;

	if (fstat(socket, &st) < 0)
		return -errno;
	inode = st.st_ino;
	if (message_send(c->context->supervisor, &inode, sizeof(inode),
			 c->copy) < 0 ||
	    message_receive(c->context->supervisor, &result, sizeof(result),
			    NULL) < 0)
		return -EIO;
	return result;
}

static bool is_same_file(const struct call *c, int number)
{
	return syscall(SYS_kcmp, c->tid, getpid(), KCMP_FILE, number,
		       c->copy) == 0;
}

/* What the program has made of it with dup(2) before. */
static void put_at_others(const struct call *c, int socket)
{
	struct dirent *entry;
	char path[32];
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%d/fd", (int)c->tid);
	fd = openat(c->context->proc, path, O_RDONLY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		int number = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && number != c->number &&
		    is_same_file(c, number))
			call_put(c, socket, number);
	}
	closedir(dir);
}

static int put_socket(const struct call *c, int socket)
{
	int r = keep_file(c, socket);

	if (r < 0)
		return r;
	put_at_others(c, socket);
	return call_put(c, socket, c->number);
}

/* Returns the socket, or a negative errno. */
static int get_socket(const struct call *c)
{
	int flags = fcntl(c->copy, F_GETFL);
	int fd;

	if (flags < 0 || !carry_may_be_direct(flags))
		return -EOPNOTSUPP;
	if (actor_fd(c, TUND_FD_DIRECT,
		     flags & O_NONBLOCK ? TUND_FD_NONBLOCK : 0, false, &fd) < 0)
		return -EIO;
	return fd;
}

/* The device is attached; how do the packets go? */
static _Noreturn void swap(struct call *c, const char *name)
{
	int socket = get_socket(c);
	int r;

	if (socket < 0) {
		call_log(c, "%s: not directly: %s", name, strerror(-socket));
		if (c->context->plane == PLANE_DIRECT)
			call_answer(c, -EOPNOTSUPP);
		call_answer(c, 0);
	}
	r = put_socket(c, socket);
	close(socket);
	call_log(c, "%s: directly, descriptor %d: %s", name, c->number,
		 r < 0 ? strerror(-r) : "attached");
	call_answer(c, r);
}

_Noreturn void direct_attach(struct call *c)
{
	struct raw_ifreq *ifr = limb_memory(sizeof(*ifr));
	char name[sizeof(ifr->name)];
	int result;

	/* The daemon reads it again, and says EFAULT when it is due. */
	if (!ifr || call_read(c, c->arg, ifr, c->ifreq_size) < 0)
		call_continue(c);
	ifr->name[sizeof(ifr->name) - 1] = '\0';
	/* The daemon itself judges the thread then. */
	if (actor_ioctl(c, TUNSETIFF, ifr, &result) < 0)
		call_continue(c);
	if (result < 0)
		call_answer(c, result);
	memcpy(name, ifr->name, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	/* As the kernel, which leaves the device attached. */
	if (call_write(c, c->arg, ifr, c->ifreq_size) < 0)
		call_answer(c, -EFAULT);
	swap(c, name);
}
