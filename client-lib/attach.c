/* SPDX-License-Identifier: MIT */
/*
 * client-lib/attach.c - coming to an interface and leaving it, and the choice
 * of the plane. It configures nothing on the interface.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "client.h"
#include "offload.h"
#include "plane.h"
#include "ring.h"

static const char *reason_of(int error)
{
	switch (error) {
	case -EINVAL:
		return "the name is not valid, or an interface of another "
		       "kind has it";
	case -EPERM:
		return "creating an interface needs CAP_NET_ADMIN over the "
		       "network namespace, and an existing one must be this "
		       "user's";
	case -EBUSY:
		return "another program is attached to it";
	case -EEXIST:
		return "this handle is attached already";
	case -EINTR:
		return "interrupted by a signal";
	case -ENFILE:
		return "no free number is left";
	case -ENOTCONN:
	case -ECONNABORTED:
		return "the tund daemon has ended";
	case -E2BIG:
		return "the interface has as many queues as are possible";
	case -EOPNOTSUPP:
		return "the plane asked for cannot be had for it";
	case -ENOTTY:
		return "something has taken the device's place at the "
		       "attach, as tundctl run does without --plane file";
	case -EMFILE:
		return "too many open files";
	case -ENOMEM:
		return "no memory";
	default:
		return "the device refused it";
	}
}

/* Not by ioctl(3), in whose place libtunclient-preload.so may be. */
static int set_interface(int file, struct ifreq *request)
{
	return syscall(SYS_ioctl, file, TUNSETIFF, request) < 0 ? -errno : 0;
}

static bool is_attached(int file)
{
	struct ifreq request;

	return ioctl(file, TUNGETIFF, &request) == 0 || errno != EBADFD;
}

void tunclient_leave_(struct tunclient *client)
{
	if (!client->plane)
		return;
	if (client->receive_ring)
		client->plane->ring_end(client->receive_ring);
	tunclient_send_ring_free_(client->send_ring);
	client->receive_ring = NULL;
	client->send_ring = NULL;
	if (client->plane->end)
		client->plane->end(client);
	client->plane = NULL;
	client->fd = client->file;
	client->kind = 0;
	client->multi_queue = client->has_offloads = false;
	client->offloads = 0;
}

static int try_plane(struct tunclient *client,
		     const struct tunclient_plane *plane)
{
	int r = plane->begin(client);

	if (r < 0)
		return r;
	client->plane = plane;
	return 0;
}

/* The file is attached: who gets its packets? */
static int choose_plane(struct tunclient *client)
{
	int r = -EOPNOTSUPP;

	for (size_t i = 0; tunclient_planes_[i] && r == -EOPNOTSUPP; i++)
		if (tunclient_plane_is_allowed_(client, tunclient_planes_[i]))
			r = try_plane(client, tunclient_planes_[i]);
	return r;
}

static unsigned int request_flags(const struct tunclient *client,
				  unsigned int flags)
{
	unsigned int request = IFF_NO_PI;

	request |= flags & TUNCLIENT_TUN ? IFF_TUN : IFF_TAP;
	if (flags & TUNCLIENT_MULTI_QUEUE)
		request |= IFF_MULTI_QUEUE;
	for (size_t i = 0; tunclient_planes_[i]; i++)
		if (tunclient_plane_is_allowed_(client, tunclient_planes_[i]))
			request |= tunclient_planes_[i]->attach_flags(client);
	return request;
}

static int attach(struct tunclient *client, const char *name,
		  unsigned int flags)
{
	struct ifreq request;
	int fd, r;

	/* The interface may have been deleted. */
	if (client->plane && !is_attached(client->file))
		tunclient_leave_(client);
	memset(&request, 0, sizeof(request));
	strcpy(request.ifr_name, name);
	request.ifr_flags = (short)request_flags(client, flags);
	r = set_interface(client->file, &request);
	if (r < 0)
		return r;
	client->kind = flags & (TUNCLIENT_TUN | TUNCLIENT_TAP);
	client->multi_queue = flags & TUNCLIENT_MULTI_QUEUE;
	r = choose_plane(client);
	if (r == 0)
		r = tunclient_negotiate_(client);
	if (r == 0 && client->options.flags & TUNCLIENT_RING)
		r = tunclient_ring_begin_(client);
	if (r < 0) {
		tunclient_leave_(client);
		/* Else it would be attached without a way for its packets. */
		tunclient_drop_file_(client);
		fd = tunclient_try_device_(client, client->device);
		tunclient_take_file_(client, fd < 0 ? -1 : fd);
	}
	return r;
}

PUBLIC int tunclient_attach(struct tunclient *client, const char *name,
			    unsigned int flags)
{
	unsigned int kind = flags & ~TUNCLIENT_MULTI_QUEUE;
	int r;

	if (!client)
		return -EINVAL;
	if (client->file < 0)
		return -EBADF;
	if (kind != TUNCLIENT_TUN && kind != TUNCLIENT_TAP) {
		tunclient_say_constant_(client,
					"tunclient_attach() needs exactly one "
					"of TUNCLIENT_TUN and TUNCLIENT_TAP");
		return -EINVAL;
	}
	if (!name)
		name = "";
	if (strlen(name) >= TUNCLIENT_NAME_SIZE) {
		tunclient_say_(client, "cannot attach to '", name,
			       "': the name is longer than 15 bytes", NULL);
		return -ENAMETOOLONG;
	}
	r = attach(client, name, flags);
	if (r == 0)
		return 0;
	if (!name[0])
		name = kind == TUNCLIENT_TUN ? "tun%d" : "tap%d";
	tunclient_say_(client, "cannot attach to '", name, "' through ",
		       client->device, ": ", reason_of(r), NULL);
	return r;
}

int tunclient_check_(struct tunclient *client)
{
	if (!client)
		return -EINVAL;
	if (client->file < 0)
		return -EBADF;
	if (client->plane)
		return 0;
	return tunclient_fail_(client, -EBADFD, tunclient_no_interface_);
}

/* What is at the path now need not be the same device. */
static int open_again(struct tunclient *client, struct tunclient *ret_found)
{
	*ret_found = (struct tunclient){.options = client->options};
	return tunclient_try_device_(ret_found, client->device);
}

PUBLIC int tunclient_detach(struct tunclient *client)
{
	int r = tunclient_check_(client);
	struct tunclient found;
	int fd;

	if (r < 0)
		return r;
	/* The socket is to be closed before the file, which its end needs. */
	fd = open_again(client, &found);
	if (fd < 0) {
		tunclient_say_(client, "cannot open ", client->device,
			       " again: ", tunclient_open_reason_(fd), NULL);
		return fd;
	}
	tunclient_leave_(client);
	tunclient_drop_file_(client);
	client->is_tund = found.is_tund;
	client->tund_abilities = found.tund_abilities;
	tunclient_take_file_(client, fd);
	return 0;
}
