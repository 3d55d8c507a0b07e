/* SPDX-License-Identifier: MIT */
/*
 * client-lib/sentence.c - the sentence of context that a handle keeps. It does
 * not know what failed: the callers word it.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "client.h"

const char tunclient_no_interface_[] =
	"the handle is not attached, or its interface was deleted";
static const char no_daemon[] = "the tund daemon has ended";

static void append(struct tunclient *client, va_list parts)
{
	static const char cut[] = "...";
	size_t used = strlen(client->text);
	const char *part;

	while ((part = va_arg(parts, const char *))) {
		size_t room = sizeof(client->text) - 1 - used;
		size_t length = strnlen(part, room);

		memcpy(client->text + used, part, length);
		used += length;
		client->text[used] = '\0';
		if (part[length])
			memcpy(client->text + sizeof(client->text) -
				       sizeof(cut),
			       cut, sizeof(cut));
	}
	client->sentence = client->text;
}

void tunclient_say_(struct tunclient *client, ...)
{
	va_list parts;

	client->text[0] = '\0';
	va_start(parts, client);
	append(client, parts);
	va_end(parts);
}

void tunclient_add_(struct tunclient *client, ...)
{
	va_list parts;

	va_start(parts, client);
	append(client, parts);
	va_end(parts);
}

void tunclient_say_constant_(struct tunclient *client, const char *sentence)
{
	client->sentence = sentence;
}

int tunclient_fail_(struct tunclient *client, int error, const char *sentence)
{
	if (error == -ENOTCONN || error == -ECONNABORTED)
		sentence = no_daemon;
	if (error != -EAGAIN && error != -EINTR)
		tunclient_say_constant_(client, sentence);
	return error;
}

PUBLIC const char *tunclient_error(const struct tunclient *client)
{
	if (!client)
		return "there is no handle: no memory, or a NULL argument";
	return client->sentence;
}
