/* SPDX-License-Identifier: MIT */
/*
 * frame.h - messages of the control socket: a length of four bytes in network
 * byte order, then so many bytes. What they say is request.h's matter.
 */
#ifndef TUND_CTL_FRAME_H
#define TUND_CTL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define CTL_HEAD	4u
#define CTL_MAX_REQUEST (16u << 10)
#define CTL_MAX_ANSWER	(16u << 20)

/* What has come of requests, the first of them at the beginning. */
struct ctl_input {
	size_t n;
	uint8_t bytes[CTL_HEAD + CTL_MAX_REQUEST];
};

enum {
	CTL_INPUT_PART = 0,
	CTL_INPUT_WHOLE = 1,
};

/*
 * Whether a whole request is there, and where; -EMSGSIZE for a length that no
 * request has.
 */
int ctl_input_get(const struct ctl_input *input, const char **ret_text,
		  size_t *ret_len);
/* Takes the first one out. */
void ctl_input_drop(struct ctl_input *input);

/* One answer on its way. */
struct ctl_message {
	struct list node;
	int fd; /* that goes with its first byte, or -1; its own */
	size_t len, sent;
	uint8_t bytes[]; /* its length before it */
};

/* NULL when there is no memory. */
struct ctl_message *ctl_message_new(const char *text, size_t len);
void ctl_message_free(struct ctl_message *message);

#endif
