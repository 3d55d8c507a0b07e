/* SPDX-License-Identifier: MIT */
/* client.c - bounded buffers around a socket that does not block. */
#include "ctl/client.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"

struct ctl_client *ctl_client_new(int fd, const struct ctl_peer *peer)
{
	struct ctl_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->fd = fd;
	client->peer = *peer;
	client->deadline_ms = now_ms() + CTL_PATIENCE_MS;
	list_init(&client->node);
	list_init(&client->output);
	return client;
}

static struct ctl_message *first(struct ctl_client *client)
{
	return list_entry(client->output.next, struct ctl_message, node);
}

static void drop(struct ctl_client *client, struct ctl_message *message)
{
	client->output_bytes -= message->len;
	list_del(&message->node);
	ctl_message_free(message);
}

static json_t *end_capture(struct ctl_client *client, const char *why)
{
	json_t *totals = ctl_capture_end(client->capture, why);

	client->ended_capture = client->capture;
	client->capture = NULL;
	return totals;
}

void ctl_client_end_capture(struct ctl_client *client, const char *why)
{
	client->closing = true;
	ctl_client_send(client, ctl_event(end_capture(client, why)));
}

void ctl_client_end(struct ctl_client *client)
{
	while (!list_empty(&client->output))
		drop(client, first(client));
	if (client->capture)
		json_decref(end_capture(client, "asked"));
	shutdown(client->fd, SHUT_RDWR);
}

/* The kernel holds it for us until the peer reads it or closes its end. */
static bool is_unread(int fd)
{
	int bytes;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

bool ctl_client_is_unread(const struct ctl_client *client)
{
	return is_unread(client->fd) ||
	       (client->ended_capture &&
		is_unread(ctl_capture_fd(client->ended_capture)));
}

void ctl_client_free(struct ctl_client *client)
{
	ctl_client_end(client);
	ctl_capture_free(client->ended_capture);
	close(client->fd);
	free(client);
}

void ctl_client_receive(struct ctl_client *client)
{
	struct ctl_input *input = &client->input;
	ssize_t n = recv(client->fd, input->bytes + input->n,
			 sizeof(input->bytes) - input->n, MSG_DONTWAIT);

	if (n > 0) {
		/* From the first byte on: the others do not win more time. */
		if (input->n == 0 && client->deadline_ms == 0)
			client->deadline_ms = now_ms() + CTL_PATIENCE_MS;
		input->n += (size_t)n;
	} else if (n == 0) {
		client->ended = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		client->broken = true;
	}
}

static ssize_t send_bytes(int fd, const struct ctl_message *message)
{
	struct iovec iov = {
		.iov_base = (void *)(message->bytes + message->sent),
		.iov_len = message->len - message->sent,
	};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.head = {
			     .cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS,
		     }};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (message->fd >= 0 && message->sent == 0) {
		memcpy(CMSG_DATA(&control.head), &message->fd, sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Returns false when no more can be sent now. */
static bool send_some(struct ctl_client *client, struct ctl_message *message)
{
	ssize_t n = send_bytes(client->fd, message);

	if (n < 0) {
		client->broken = errno != EAGAIN && errno != EINTR;
		return false;
	}
	message->sent += (size_t)n;
	client->deadline_ms = now_ms() + CTL_PATIENCE_MS;
	if (message->sent == message->len)
		drop(client, message);
	return true;
}

void ctl_client_flush(struct ctl_client *client)
{
	bool had = !list_empty(&client->output);

	while (!client->broken && !list_empty(&client->output))
		if (!send_some(client, first(client)))
			break;
	if (had && list_empty(&client->output))
		client->deadline_ms = 0;
	else if (had && client->deadline_ms == 0)
		client->deadline_ms = now_ms() + CTL_PATIENCE_MS;
}

void ctl_client_send_text(struct ctl_client *client, const char *text,
			  size_t len)
{
	ctl_client_send_fd(client, text, len, -1);
}

void ctl_client_send_fd(struct ctl_client *client, const char *text, size_t len,
			int fd)
{
	struct ctl_message *message = ctl_message_new(text, len);

	if (!message) {
		cleanup_close(&fd);
		client->broken = true;
		return;
	}
	message->fd = fd;
	list_add_tail(&client->output, &message->node);
	client->output_bytes += message->len;
	ctl_client_flush(client);
	if (client->monitor && !client->closing &&
	    client->output_bytes > CTL_MAX_BACKLOG)
		ctl_client_refuse(client, "too-slow",
				  "events were not read as fast as they "
				  "happened; some are lost: look at \"list\", "
				  "and begin anew");
}

void ctl_client_send(struct ctl_client *client, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	if (text)
		ctl_client_send_text(client, text, strlen(text));
	else
		client->broken = true;
	free(text);
}

void ctl_client_refuse(struct ctl_client *client, const char *code,
		       const char *format, ...)
{
	struct ctl_error error = {.code = code};
	va_list args;

	va_start(args, format);
	vsnprintf(error.message, sizeof(error.message), format, args);
	va_end(args);
	log_info("control: process %d of user %u: %s", (int)client->peer.pid,
		 client->peer.uid, error.message);
	/* One that has begun must be whole, or nothing could be read. */
	list_for_each_safe (it, tmp, &client->output) {
		struct ctl_message *message =
			list_entry(it, struct ctl_message, node);

		if (message->sent == 0)
			drop(client, message);
	}
	client->closing = true;
	/* No more time than it has had, if it does not read. */
	client->deadline_ms = now_ms() + CTL_PATIENCE_MS;
	ctl_client_send(client, ctl_refusal(&error));
}

void ctl_client_time_out(struct ctl_client *client)
{
	/* Who does not read has no use for a reason. */
	if (!list_empty(&client->output)) {
		log_info("control: process %d does not read what it is sent: "
			 "closed",
			 (int)client->peer.pid);
		client->broken = true;
	} else {
		ctl_client_refuse(client, "timeout",
				  "no whole request came in %u seconds",
				  CTL_PATIENCE_MS / 1000);
	}
}

uint32_t ctl_client_events(const struct ctl_client *client)
{
	uint32_t events = 0;

	if (!list_empty(&client->output))
		events |= EPOLLOUT;
	if (!client->busy && !client->monitor && !client->ended &&
	    !client->closing && list_empty(&client->output))
		events |= EPOLLIN;
	return events;
}
