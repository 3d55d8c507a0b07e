// SPDX-License-Identifier: MIT
/* F14: a held ioctl is a road to send its caller a descriptor. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Like tund's own: the argument is right-sized, so that it arrives whole. */
#define GET_DESCRIPTOR _IOW('P', 1, int)

/* The thread that calls need not be the one that names its process. */
static pid_t process_of(pid_t tid)
{
	char path[64];
	char line[128];
	FILE *file;
	pid_t pid = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (pid == -1 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Tgid:", 5) == 0)
			pid = (pid_t)strtol(line + 5, NULL, 10);
	}
	fclose(file);
	return pid;
}

static int send_descriptor(int socket_fd, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec byte = {control.bytes, 1};
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket_fd, &message, MSG_DONTWAIT) == 1 ? 0 : errno;
}

static int serve_descriptor(pid_t tid, int number)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process_of(tid), 0);
	int socket_fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	int fd = open(PLATFORM_DIR "/gift", O_RDONLY | O_CREAT, 0600);
	int error = socket_fd < 0 ? errno : send_descriptor(socket_fd, fd);

	close(fd);
	close(socket_fd);
	close(pidfd);
	return error;
}

static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	int number;
	int error;

	memcpy(&number, in, sizeof(number));
	error = serve_descriptor(fuse_req_ctx(req)->pid, number);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_ioctl(req, 0, NULL, 0);
}

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
	.ioctl = on_ioctl,
};

static long ask(struct platform_call *call)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	must(ioctl(call->fd, GET_DESCRIPTOR, &pair[1]));
	return pair[0];
}

static int receive_descriptor(int socket_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	/* It was sent before the ioctl returned, so there is no wait. */
	must(recvmsg(socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	if (control.header.cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

int main(void)
{
	struct platform_call asker;
	struct stat gift;
	struct stat original;
	int fd;

	platform_begin();
	platform_fuse_start(&setup);
	platform_call_start(&asker, ask, platform_fuse_open(&setup, O_RDWR));
	platform_call_join(&asker);
	fd = receive_descriptor((int)asker.result);
	expect(fd != -1, "no descriptor came");
	must(fstat(fd, &gift));
	must(stat(PLATFORM_DIR "/gift", &original));
	expect(gift.st_ino == original.st_ino && gift.st_dev == original.st_dev,
	       "another descriptor came");
	return 0;
}
