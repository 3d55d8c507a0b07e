/* SPDX-License-Identifier: MIT */
/*
 * client-lib/attach.c - the handle's interface: attaching to it and its name.
 * It configures nothing on it.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include <tunclient.h>

#include "client.h"

_Static_assert(TUNCLIENT_NAME_SIZE == IFNAMSIZ, "a name fits an ifreq");

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
	case -ENOMEM:
		return "no memory";
	default:
		return "the device refused it";
	}
}

PUBLIC int tunclient_attach(struct tunclient *client, const char *name,
			    unsigned int flags)
{
	struct ifreq request;
	int r;

	if (!client)
		return -EINVAL;
	if (client->fd < 0)
		return -EBADF;
	if (flags != TUNCLIENT_TUN && flags != TUNCLIENT_TAP) {
		tunclient_say_constant_(client,
					"tunclient_attach() needs exactly one "
					"of TUNCLIENT_TUN and TUNCLIENT_TAP");
		return -EINVAL;
	}
	if (!name)
		name = "";
	memset(&request, 0, sizeof(request));
	if (strlen(name) >= sizeof(request.ifr_name)) {
		tunclient_say_(client, "cannot attach to '", name,
			       "': the name is longer than 15 bytes", NULL);
		return -ENAMETOOLONG;
	}
	strcpy(request.ifr_name, name);
	request.ifr_flags = IFF_NO_PI;
	request.ifr_flags |= flags == TUNCLIENT_TUN ? IFF_TUN : IFF_TAP;
	if (ioctl(client->fd, TUNSETIFF, &request) == 0)
		return 0;
	r = -errno;
	if (!name[0])
		name = flags == TUNCLIENT_TUN ? "tun%d" : "tap%d";
	tunclient_say_(client, "cannot attach to '", name, "' through ",
		       client->device, ": ", reason_of(r), NULL);
	return r;
}

PUBLIC int tunclient_name(struct tunclient *client, char *ret_name, size_t size)
{
	struct ifreq request;
	size_t length;

	if (!client || !ret_name)
		return -EINVAL;
	if (client->fd < 0)
		return -EBADF;
	memset(&request, 0, sizeof(request));
	if (ioctl(client->fd, TUNGETIFF, &request) < 0) {
		int r = -errno;

		if (r != -EINTR)
			tunclient_say_constant_(
				client, "no name: the handle is not attached, "
					"or its interface was deleted");
		return r;
	}
	length = strnlen(request.ifr_name, sizeof(request.ifr_name) - 1);
	if (length >= size)
		return -ERANGE;
	memcpy(ret_name, request.ifr_name, length);
	ret_name[length] = '\0';
	return 0;
}
