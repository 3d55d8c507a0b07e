/* SPDX-License-Identifier: MIT */
/*
 * client.h - one connection: what has come, what is to be sent, and what it
 * waits for. Nothing here waits, and nothing grows without a bound. Main's
 * thread only.
 */
#ifndef TUND_CTL_CLIENT_H
#define TUND_CTL_CLIENT_H

#include <jansson.h>

#include "ctl/capture.h"
#include "ctl/frame.h"
#include "ctl/peer.h"
#include "ctl/request.h"

/* How long a request may take to come, and an answer to be read on. */
#define CTL_PATIENCE_MS 5000

/* What a monitor may leave unread. */
#define CTL_MAX_BACKLOG (256u << 10)

struct ctl_client {
	struct list node;
	uint64_t id;
	int fd;
	struct ctl_peer peer;
	struct ctl_input input;
	struct list output; /* of struct ctl_message */
	size_t output_bytes;
	struct ctl_capture *capture;	   /* or NULL */
	struct ctl_capture *ended_capture; /* or NULL */
	bool busy;			   /* its request is being answered */
	bool monitor;			   /* it is told of events */
	bool ended;			   /* it sends no more */
	bool closing;			   /* once all is sent */
	bool broken;			   /* it is to be ended at once */
	uint64_t deadline_ms;		   /* 0: it may stay so */
};

/* Takes the descriptor; NULL when there is no memory. */
struct ctl_client *ctl_client_new(int fd, const struct ctl_peer *peer);

/* The totals are the last that it hears. */
void ctl_client_end_capture(struct ctl_client *client, const char *why);

/* Whatever it has not been sent yet it is not sent any more. */
void ctl_client_end(struct ctl_client *client);
/* Once it has ended: whether it still has to read what it was sent. */
bool ctl_client_is_unread(const struct ctl_client *client);
/* Ends it first, if need be. */
void ctl_client_free(struct ctl_client *client);

/* Reads what has come. */
void ctl_client_receive(struct ctl_client *client);

/* Sends a message, which is taken, as far as it goes. */
void ctl_client_send(struct ctl_client *client, json_t *message);
void ctl_client_send_text(struct ctl_client *client, const char *text,
			  size_t len);
/* With a descriptor, which is taken. */
void ctl_client_send_fd(struct ctl_client *client, const char *text, size_t len,
			int fd);
void ctl_client_flush(struct ctl_client *client);

/* Tells why it will be closed; what was not sent yet is not. */
__attribute__((format(printf, 3, 4))) void
ctl_client_refuse(struct ctl_client *client, const char *code,
		  const char *format, ...);

/* Its deadline has come. */
void ctl_client_time_out(struct ctl_client *client);

/* The epoll events that it waits for. */
uint32_t ctl_client_events(const struct ctl_client *client);

#endif
