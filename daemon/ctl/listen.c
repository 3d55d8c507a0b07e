/* SPDX-License-Identifier: MIT */
/* listen.c - everybody may connect: what he may then is decided by who he is.
 */
#include "ctl/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

#define BACKLOG 64

static bool is_dead(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 &&
	       connect(fd, (const struct sockaddr *)address, sizeof(*address)) <
		       0 &&
	       errno == ECONNREFUSED;
}

static int bind_to(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *a = (const struct sockaddr *)address;

	if (bind(fd, a, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_dead(address))
		return -errno;
	unlink(address->sun_path);
	return bind(fd, a, sizeof(*address)) < 0 ? -errno : 0;
}

int ctl_listen(const char *path, struct ctl_socket *ret_socket)
{
	_cleanup_close_ int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	r = bind_to(fd, &address);
	if (r < 0)
		return r == -EINVAL ? -EADDRINUSE : r;
	if (chmod(path, 0666) < 0 || listen(fd, BACKLOG) < 0 ||
	    stat(path, &st) < 0) {
		r = -errno;
		unlink(path);
		return r;
	}
	*ret_socket = (struct ctl_socket){
		.fd = steal_fd(&fd),
		.path = path,
		.dev = st.st_dev,
		.ino = st.st_ino,
	};
	return 0;
}

void ctl_unlisten(struct ctl_socket *socket)
{
	struct stat st;

	if (socket->fd < 0)
		return;
	/* Another daemon may have put its own there. */
	if (socket->path && stat(socket->path, &st) == 0 &&
	    st.st_dev == socket->dev && st.st_ino == socket->ino)
		unlink(socket->path);
	close(steal_fd(&socket->fd));
}
