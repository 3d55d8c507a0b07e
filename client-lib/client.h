/* SPDX-License-Identifier: MIT */
/*
 * client-lib/client.h - the handle, and what the library's files share. It is
 * not installed: a program sees <tunclient.h> only.
 *
 * Names that more than one file knows begin with tunclient_, because the
 * static library cannot hide them from the program that links it.
 */
#ifndef TUNCLIENT_CLIENT_H
#define TUNCLIENT_CLIENT_H

#include <stdatomic.h>

#define PUBLIC __attribute__((visibility("default")))

struct tunclient {
	int fd;	      /* -1 after a failed open */
	char *device; /* the path behind fd, for sentences */

	/*
	 * What tunclient_error() gives: text, or a constant. Calls that may
	 * run at the same time as others set constants only, so that a reader
	 * of the sentence never sees one that is being written.
	 */
	_Atomic(const char *) sentence;
	char text[512];
};

/*
 * Makes text the sentence, out of the strings given, up to a NULL. Only for
 * calls that have the handle for themselves.
 */
__attribute__((sentinel)) void tunclient_say_(struct tunclient *client, ...);

/* The same, but goes on where the sentence ended. */
__attribute__((sentinel)) void tunclient_add_(struct tunclient *client, ...);

/* Makes a constant the sentence; for any call. */
void tunclient_say_constant_(struct tunclient *client, const char *sentence);

#endif
