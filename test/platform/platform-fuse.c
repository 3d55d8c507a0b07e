// SPDX-License-Identifier: MIT
/* The directed FUSE server: one thread, one file, requests held on demand. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum command {
	COMMAND_PUT,
	COMMAND_ANSWER,
	COMMAND_ANSWER_INTERRUPTED,
	COMMAND_CUSTOM,
};

struct command_message {
	enum command command;
	unsigned int opcode;
};

enum {
	HELD_MAX = 64,
	FILES_MAX = 1024,
};

struct held {
	fuse_req_t req; /* NULL: a free place */
	unsigned int opcode;
	uint64_t value; /* what the answer needs: size or file handle */
	bool interrupted;
};

/* All of this lives in the server's process, on its only thread. */
static struct platform_fuse *self;
static struct held held_requests[HELD_MAX];
static struct fuse_pollhandle *poll_handles[FILES_MAX];
static uint64_t next_fh = 1;
static unsigned int packets;

static void answer(const struct held *held)
{
	switch (held->opcode) {
	case FUSE_OPEN:
		platform_fuse_reply_open(held->req, held->value);
		break;
	case FUSE_READ:
		fuse_reply_buf(held->req, PLATFORM_PACKET,
			       sizeof(PLATFORM_PACKET));
		break;
	case FUSE_WRITE:
		fuse_reply_write(held->req, held->value);
		break;
	case FUSE_IOCTL:
		fuse_reply_ioctl(held->req, 0, NULL, 0);
		break;
	default:
		fuse_reply_err(held->req, 0);
	}
}

static void on_interrupt(fuse_req_t req, void *data)
{
	struct held *held = data;

	held->interrupted = true;
	if (self->ignore_interrupts)
		return;
	held->req = NULL;
	fuse_reply_err(req, EINTR);
}

static void hold(fuse_req_t req, unsigned int opcode, uint64_t value)
{
	for (int i = 0; i < HELD_MAX; i++) {
		struct held *held = &held_requests[i];

		if (held->req)
			continue;
		*held = (struct held){req, opcode, value, false};
		fuse_req_interrupt_func(req, on_interrupt, held);
		return;
	}
	expect(false, "too many requests are held");
}

static void answer_or_hold(fuse_req_t req, unsigned int opcode, uint64_t value)
{
	if (self->hold & PLATFORM_HOLD(opcode))
		hold(req, opcode, value);
	else
		answer(&(struct held){req, opcode, value, false});
}

void platform_fuse_reply_open(fuse_req_t req, uint64_t fh)
{
	struct fuse_open_out out = {
		.fh = fh,
		.open_flags = self->open_flags,
	};

	fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	/* Every request is to pass through memory, where it is logged. */
	conn->want &=
		~(unsigned int)(FUSE_CAP_SPLICE_READ | FUSE_CAP_ATOMIC_O_TRUNC);
}

static void reply_attr(fuse_req_t req)
{
	const struct stat st = {
		.st_ino = FUSE_ROOT_ID,
		.st_mode = S_IFREG | self->mode,
		.st_nlink = 1,
		.st_size = (off_t)self->size,
	};

	fuse_reply_attr(req, &st, 0);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	reply_attr(req);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
		       int to_set, struct fuse_file_info *fi)
{
	reply_attr(req);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	answer_or_hold(req, FUSE_OPEN, next_fh++);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	if (packets) {
		packets--;
		answer(&(struct held){req, FUSE_READ, size, false});
	} else if (fi->flags & O_NONBLOCK) {
		fuse_reply_err(req, EAGAIN);
	} else {
		hold(req, FUSE_READ, size);
	}
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
		     size_t size, off_t off, struct fuse_file_info *fi)
{
	answer_or_hold(req, FUSE_WRITE, size);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	answer_or_hold(req, FUSE_FLUSH, 0);
}

static void op_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	answer_or_hold(req, FUSE_RELEASE, 0);
}

static void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	answer_or_hold(req, FUSE_IOCTL, 0);
}

/* Only the first handle of a file is kept: that it stays good is a fact. */
static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	if (ph && fi->fh < FILES_MAX && !poll_handles[fi->fh])
		poll_handles[fi->fh] = ph;
	else if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLOUT | (packets ? POLLIN : 0u));
}

static void log_request(const struct fuse_buf *buf)
{
	unsigned int count = self->count;
	struct platform_request *request = &self->requests[count];
	size_t size =
		buf->size < sizeof(*request) ? buf->size : sizeof(*request);

	expect(count < PLATFORM_REQUESTS_MAX, "the log of requests is full");
	memcpy(request, buf->mem, size);
	self->count = count + 1;
	if (request->header.opcode == FUSE_INIT && !self->init_size) {
		const size_t header_size = sizeof(request->header);

		expect(buf->size <= sizeof(self->init_bytes),
		       "the kernel's greeting has %zu bytes", buf->size);
		memcpy(self->init_bytes, buf->mem, buf->size);
		memcpy(&self->init, self->init_bytes + header_size,
		       sizeof(self->init));
		self->init_size = buf->size;
	}
}

static bool process_one(struct fuse_session *session, struct fuse_buf *buf)
{
	int size = fuse_session_receive_buf(session, buf);

	if (size == -EAGAIN || size == -EINTR)
		return true;
	if (size <= 0)
		return false;
	log_request(buf);
	fuse_session_process_buf(session, buf);
	return true;
}

static void do_put(void)
{
	for (int i = 0; i < HELD_MAX; i++) {
		struct held held = held_requests[i];

		if (held.req && held.opcode == FUSE_READ) {
			held_requests[i].req = NULL;
			answer(&held);
			return;
		}
	}
	packets++;
	for (int i = 0; i < FILES_MAX; i++) {
		if (poll_handles[i])
			fuse_lowlevel_notify_poll(poll_handles[i]);
	}
}

static void do_answer(unsigned int opcode)
{
	for (int i = 0; i < HELD_MAX; i++) {
		struct held held = held_requests[i];

		if (held.req && held.opcode == opcode) {
			held_requests[i].req = NULL;
			answer(&held);
		}
	}
}

static void do_answer_interrupted(void)
{
	for (int i = 0; i < HELD_MAX; i++) {
		fuse_req_t req = held_requests[i].req;

		if (req && held_requests[i].interrupted) {
			held_requests[i].req = NULL;
			fuse_reply_err(req, EINTR);
		}
	}
}

static void obey(int fd, const struct platform_fuse_setup *setup)
{
	struct command_message message;

	if (read(fd, &message, sizeof(message)) != sizeof(message))
		return;
	switch (message.command) {
	case COMMAND_PUT:
		do_put();
		break;
	case COMMAND_ANSWER:
		do_answer(message.opcode);
		break;
	case COMMAND_ANSWER_INTERRUPTED:
		do_answer_interrupted();
		break;
	case COMMAND_CUSTOM:
		setup->custom();
		break;
	}
	must(write(fd, "", 1));
}

/* As tund does after a restart: the old greeting, then the old requests. */
static void take_over(struct fuse_session *session, int dev_fd)
{
	struct fuse_buf init = {
		.mem = self->init_bytes,
		.size = self->init_size,
	};
	const struct fuse_out_header resend = {
		.len = sizeof(resend),
		.error = PLATFORM_NOTIFY_RESEND,
	};

	fuse_session_process_buf(session, &init);
	if (write(dev_fd, &resend, sizeof(resend)) == sizeof(resend))
		self->resend_error = 0;
	else
		self->resend_error = -errno;
}

static struct fuse_session *new_session(const struct platform_fuse_setup *setup)
{
	const struct fuse_lowlevel_ops ops = {
		.init = op_init,
		.getattr = op_getattr,
		.setattr = op_setattr,
		.open = setup->open ? setup->open : op_open,
		.read = op_read,
		.write = op_write,
		.flush = op_flush,
		.release = op_release,
		.ioctl = setup->ioctl ? setup->ioctl : op_ioctl,
		.poll = op_poll,
	};
	char name[] = "platform";
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	return fuse_session_new(&args, &ops, sizeof(ops), NULL);
}

void platform_fuse_serve(struct platform_fuse *fuse,
			 const struct platform_fuse_setup *setup, int dev_fd)
{
	struct fuse_session *session = new_session(setup);
	struct fuse_buf buf = {.mem = NULL};
	char path[32];
	struct pollfd fds[] = {
		{.fd = dev_fd, .events = POLLIN},
		{.fd = fuse->command_fds[1], .events = POLLIN},
		{.fd = platform_lifeline()},
	};

	self = fuse;
	snprintf(path, sizeof(path), "/dev/fd/%d", dev_fd);
	expect(session && fuse_session_mount(session, path) == 0,
	       "set-up: no session");
	if (fuse->init_size)
		take_over(session, dev_fd);
	fuse->server = getpid();
	fuse->generation++;

	/* A test that is gone must find no request that still waits. */
	while (poll(fds, 3, -1) >= 0 && !fds[2].revents) {
		if (fds[0].revents && !process_one(session, &buf))
			break;
		if (fds[1].revents)
			obey(fds[1].fd, setup);
	}
	_exit(0);
}

static void ensure_exists(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return;
	close((int)must(open(path, O_CREAT | O_CLOEXEC | O_RDONLY, 0600)));
}

int platform_fuse_mount(const struct platform_fuse_setup *setup)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		platform_skip("/dev/fuse: %s", strerror(errno));
	ensure_exists(setup->path);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=%s,user_id=0,group_id=0,allow_other%s", fd,
		 setup->rootmode ? setup->rootmode : "100000",
		 setup->no_default_permissions ? "" : ",default_permissions");
	must(mount("platform", setup->path, "fuse", MS_NOSUID | MS_NODEV,
		   options));
	return fd;
}

struct platform_fuse *platform_fuse_new(void)
{
	struct platform_fuse *fuse = platform_shared(sizeof(*fuse));

	fuse->open_flags = PLATFORM_OPEN_TUND;
	fuse->size = PLATFORM_BIG;
	fuse->mode = 0666;
	fuse->resend_error = 1;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			fuse->command_fds));
	return fuse;
}

void platform_fuse_await(const struct platform_fuse *fuse, pid_t child)
{
	int status = 0;

	while (!fuse->server) {
		if (platform_child_ended(child, &status))
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
		platform_pause();
	}
}

struct platform_fuse *
platform_fuse_start(const struct platform_fuse_setup *setup)
{
	struct platform_fuse *fuse = platform_fuse_new();
	pid_t server = platform_fork();

	/*
	 * Mounted by the server, so that no client holds the descriptor:
	 * one that did would keep the connection, and itself, alive for ever.
	 */
	if (server == 0)
		platform_fuse_serve(fuse, setup, platform_fuse_mount(setup));
	platform_fuse_await(fuse, server);
	return fuse;
}

int platform_fuse_open(const struct platform_fuse_setup *setup, int flags)
{
	struct stat st;

	/* The kernel knows no size before it has asked once. */
	must(stat(setup->path, &st));
	return (int)must(open(setup->path, flags | O_CLOEXEC));
}

unsigned int platform_fuse_count(const struct platform_fuse *fuse,
				 unsigned int opcode)
{
	unsigned int count = fuse->count;
	unsigned int found = 0;

	for (unsigned int i = 0; i < count; i++)
		found += fuse->requests[i].header.opcode == opcode;
	return found;
}

const struct platform_request *
platform_fuse_request(const struct platform_fuse *fuse, unsigned int opcode,
		      unsigned int n)
{
	unsigned int count = fuse->count;

	for (unsigned int i = 0; i < count; i++) {
		if (fuse->requests[i].header.opcode == opcode && n-- == 0)
			return &fuse->requests[i];
	}
	expect(false, "request %u of kind %u was never read", n, opcode);
	return NULL;
}

static void send_command(struct platform_fuse *fuse, enum command command,
			 unsigned int opcode)
{
	const struct command_message message = {command, opcode};
	char done;

	must(write(fuse->command_fds[0], &message, sizeof(message)));
	must(read(fuse->command_fds[0], &done, 1));
}

void platform_fuse_put(struct platform_fuse *fuse)
{
	send_command(fuse, COMMAND_PUT, 0);
}

void platform_fuse_answer(struct platform_fuse *fuse, unsigned int opcode)
{
	send_command(fuse, COMMAND_ANSWER, opcode);
}

void platform_fuse_answer_interrupted(struct platform_fuse *fuse)
{
	send_command(fuse, COMMAND_ANSWER_INTERRUPTED, 0);
}

void platform_fuse_custom(struct platform_fuse *fuse)
{
	send_command(fuse, COMMAND_CUSTOM, 0);
}
