/* SPDX-License-Identifier: MIT */
/* frame.c - takes messages apart, and makes them. */
#include "ctl/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static size_t length_of(const struct ctl_input *input)
{
	uint32_t head;

	memcpy(&head, input->bytes, CTL_HEAD);
	return ntohl(head);
}

int ctl_input_get(const struct ctl_input *input, const char **ret_text,
		  size_t *ret_len)
{
	size_t len;

	if (input->n < CTL_HEAD)
		return CTL_INPUT_PART;
	len = length_of(input);
	if (len == 0 || len > CTL_MAX_REQUEST)
		return -EMSGSIZE;
	if (input->n < CTL_HEAD + len)
		return CTL_INPUT_PART;
	*ret_text = (const char *)input->bytes + CTL_HEAD;
	*ret_len = len;
	return CTL_INPUT_WHOLE;
}

void ctl_input_drop(struct ctl_input *input)
{
	size_t used = CTL_HEAD + length_of(input);

	input->n -= used;
	memmove(input->bytes, input->bytes + used, input->n);
}

struct ctl_message *ctl_message_new(const char *text, size_t len)
{
	struct ctl_message *message = malloc(sizeof(*message) + CTL_HEAD + len);
	uint32_t head = htonl((uint32_t)len);

	if (!message)
		return NULL;
	list_init(&message->node);
	message->fd = -1;
	message->len = CTL_HEAD + len;
	message->sent = 0;
	memcpy(message->bytes, &head, CTL_HEAD);
	memcpy(message->bytes + CTL_HEAD, text, len);
	return message;
}

void ctl_message_free(struct ctl_message *message)
{
	cleanup_close(&message->fd);
	free(message);
}
