/* SPDX-License-Identifier: MIT */
/*
 * client-lib/open.c - finding and opening the device, and closing it. It knows
 * nothing of interfaces and packets.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include <tunclient.h>

#include "client.h"

/* tund comes first: who runs it wants it used, the kernel's is the reserve. */
static const char *const places[] = {
	"/run/tund/dev/net/tun",
	"/dev/net/tun",
	"/dev/tun",
};

static const char *reason_of(int error)
{
	switch (error) {
	case -ENOENT:
		return "no such file";
	case -EACCES:
		return "this user has no permission";
	case -EPERM:
		return "refused (a container's device rules?)";
	case -ENODEV:
	case -ENXIO:
		return "the kernel has no driver for it (modprobe tun?)";
	case -ENOTTY:
		return "not a TUN device";
	case -ENOTCONN:
	case -ECONNABORTED:
		return "its tund daemon has ended";
	case -EINTR:
		return "interrupted by a signal";
	case -EMFILE:
	case -ENFILE:
		return "too many open files";
	case -EISDIR:
		return "it is a directory";
	case -ENOTDIR:
		return "a part of the path is not a directory";
	default:
		return "cannot be opened";
	}
}

/*
 * A file that opens need not be a TUN: the plain file that tund is mounted
 * over stays behind when tund is not running.
 */
static int check_is_tun(int fd)
{
	unsigned int features;

	if (ioctl(fd, TUNGETFEATURES, &features) == 0)
		return 0;
	return errno == EINVAL ? -ENOTTY : -errno;
}

static int try_place(const char *path, unsigned int flags)
{
	int oflags = O_RDWR | O_CLOEXEC | O_NOCTTY;
	int fd, r;

	if (flags & TUNCLIENT_NONBLOCK)
		oflags |= O_NONBLOCK;
	fd = open(path, oflags);
	if (fd < 0)
		return -errno;
	r = check_is_tun(fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int take_place(struct tunclient *client, const char *path,
		      unsigned int flags)
{
	int fd = try_place(path, flags);

	if (fd < 0)
		return fd;
	client->device = strdup(path);
	if (!client->device) {
		close(fd);
		return -ENOMEM;
	}
	client->fd = fd;
	return 0;
}

static int open_given(struct tunclient *client, const char *path,
		      const char *origin, unsigned int flags)
{
	int r = take_place(client, path, flags);

	if (r < 0)
		tunclient_say_(client, "cannot open ", origin, path, ": ",
			       reason_of(r), NULL);
	return r;
}

static int open_first(struct tunclient *client, unsigned int flags)
{
	int result = -ENOENT;

	tunclient_say_(client, "no TUN device opens", NULL);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int r = take_place(client, places[i], flags);

		if (r == 0) {
			tunclient_say_constant_(client, "no error");
			return 0;
		}
		tunclient_add_(client, "; ", places[i], ": ", reason_of(r),
			       NULL);
		/* A signal asks for the program's attention, not ours. */
		if (r == -EINTR)
			return r;
		/* An absent file says less than any other cause. */
		if (result == -ENOENT)
			result = r;
	}
	return result;
}

static int open_device(struct tunclient *client, const char *device,
		       unsigned int flags)
{
	if (flags & ~TUNCLIENT_NONBLOCK) {
		tunclient_say_constant_(
			client, "tunclient_open() was given an unknown flag");
		return -EINVAL;
	}
	if (device)
		return open_given(client, device, "", flags);
	device = secure_getenv("TUNCLIENT_DEVICE");
	if (device && device[0])
		return open_given(client, device, "TUNCLIENT_DEVICE=", flags);
	return open_first(client, flags);
}

PUBLIC int tunclient_open(const char *device, unsigned int flags,
			  struct tunclient **ret_client)
{
	struct tunclient *client;

	if (!ret_client)
		return -EINVAL;
	*ret_client = NULL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->fd = -1;
	tunclient_say_constant_(client, "no error");
	*ret_client = client;
	return open_device(client, device, flags);
}

PUBLIC int tunclient_fd(const struct tunclient *client)
{
	if (!client)
		return -EINVAL;
	return client->fd < 0 ? -EBADF : client->fd;
}

PUBLIC void tunclient_close(struct tunclient *client)
{
	int saved = errno;

	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client->device);
	free(client);
	errno = saved;
}

PUBLIC const char *tunclient_version(void)
{
	return TUND_VERSION;
}
