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
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "client.h"
#include "options.h"
#include "plane.h"

/* tund comes first: who runs it wants it used, the kernel's is the reserve. */
static const char *const places[] = {
	"/run/tund/dev/net/tun",
	"/dev/net/tun",
	"/dev/tun",
};

const char *tunclient_open_reason_(int error)
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
	case -EOPNOTSUPP:
		return "the plane asked for is not possible there";
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

/* Whose device it is: the kernel's says of an unknown ioctl EBADFD. */
static int ask_daemon(struct tunclient *client, int fd)
{
	struct tund_info info = {0};
	int r = ioctl(fd, TUND_IOC_INFO, &info) < 0 ? -errno : 0;

	if (r < 0 && r != -EBADFD && r != -EINVAL && r != -ENOTTY)
		return r;
	client->is_tund = r == 0;
	client->tund_abilities = (unsigned int)info.abilities;
	for (size_t i = 0; tunclient_planes_[i]; i++)
		if (tunclient_plane_is_allowed_(client, tunclient_planes_[i]))
			return 0;
	return -EOPNOTSUPP;
}

int tunclient_try_device_(struct tunclient *client, const char *path)
{
	int oflags = O_RDWR | O_CLOEXEC | O_NOCTTY;
	int fd, r;

	if (client->options.flags & TUNCLIENT_NONBLOCK)
		oflags |= O_NONBLOCK;
	fd = open(path, oflags);
	if (fd < 0)
		return -errno;
	r = check_is_tun(fd);
	if (r == 0)
		r = ask_daemon(client, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Of the calling thread's network namespace; 0: before Linux 5.14. */
static uint64_t netns_cookie(void)
{
	uint64_t cookie = 0;
#ifdef SO_NETNS_COOKIE
	socklen_t length = sizeof(cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0)
		cookie = 0;
	close(fd);
#endif
	return cookie;
}

void tunclient_take_file_(struct tunclient *client, int fd)
{
	client->file = client->fd = fd;
	if (fd < 0)
		return;
	client->netns = netns_cookie();
	tunclient_planes_opened_(client);
}

void tunclient_drop_file_(struct tunclient *client)
{
	if (client->file < 0)
		return;
	tunclient_planes_closed_(client);
	close(client->file);
	client->file = client->fd = -1;
}

static int take_place(struct tunclient *client, const char *path)
{
	int fd = tunclient_try_device_(client, path);

	if (fd < 0)
		return fd;
	client->device = strdup(path);
	if (!client->device) {
		close(fd);
		return -ENOMEM;
	}
	tunclient_take_file_(client, fd);
	return 0;
}

static int open_given(struct tunclient *client, const char *path,
		      const char *origin)
{
	int r = take_place(client, path);

	if (r < 0)
		tunclient_say_(client, "cannot open ", origin, path, ": ",
			       tunclient_open_reason_(r), NULL);
	return r;
}

static int open_first(struct tunclient *client)
{
	int result = -ENOENT;

	tunclient_say_(client, "no TUN device opens", NULL);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int r = take_place(client, places[i]);

		if (r == 0) {
			tunclient_say_constant_(client, "no error");
			return 0;
		}
		tunclient_add_(client, "; ", places[i], ": ",
			       tunclient_open_reason_(r), NULL);
		/* A signal asks for the program's attention, not ours. */
		if (r == -EINTR)
			return r;
		/* An absent file says less than any other cause. */
		if (result == -ENOENT)
			result = r;
	}
	return result;
}

static int open_device(struct tunclient *client, const char *device)
{
	if (device)
		return open_given(client, device, "");
	device = secure_getenv("TUNCLIENT_DEVICE");
	if (device && device[0])
		return open_given(client, device, "TUNCLIENT_DEVICE=");
	return open_first(client);
}

struct tunclient *tunclient_new_(void)
{
	struct tunclient *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->file = client->fd = -1;
	tunclient_say_constant_(client, "no error");
	return client;
}

PUBLIC int tunclient_open(const struct tunclient_options *options,
			  struct tunclient **ret_client)
{
	struct tunclient *client;
	const char *device, *fault = NULL;
	int r;

	if (!ret_client)
		return -EINVAL;
	client = *ret_client = tunclient_new_();
	if (!client)
		return -ENOMEM;
	r = tunclient_take_options_(options, &client->options, &fault);
	if (r < 0) {
		tunclient_say_constant_(client, fault);
		return r;
	}
	device = client->options.device;
	/* It is the caller's. */
	client->options.device = NULL;
	return open_device(client, device);
}

PUBLIC void tunclient_close(struct tunclient *client)
{
	int saved = errno;

	if (!client)
		return;
	tunclient_leave_(client);
	tunclient_drop_file_(client);
	free(client->device);
	free(client);
	errno = saved;
}
