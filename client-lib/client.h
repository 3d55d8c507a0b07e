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

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <tunclient.h>
#include <tund/abi.h>

#define PUBLIC __attribute__((visibility("default")))

struct tunclient_plane;
struct tunclient_run;
struct tunclient_receive_ring;
struct tunclient_send_ring;

struct tunclient {
	int file;     /* the device; -1 after a failed open */
	int fd;	      /* where packets are: file, or a socket of its own */
	char *device; /* the path behind file, for sentences and to go back */
	struct tunclient_options options; /* without the device */

	/* Where the device was opened, as SO_NETNS_COOKIE; 0: not known. */
	uint64_t netns;
	bool is_tund;		     /* else the device is the kernel's */
	unsigned int tund_abilities; /* TUND_ABILITY_* */

	/* From attach to detach. */
	const struct tunclient_plane *plane; /* NULL: not attached */
	unsigned int kind;		     /* TUNCLIENT_TUN, TUNCLIENT_TAP */
	bool multi_queue;
	bool has_offloads; /* packets have room for them */
	_Atomic unsigned int offloads;
	_Atomic(struct tunclient_receive_ring *) receive_ring;
	struct tunclient_send_ring *send_ring;

	/* The planes' own. */
	struct {
		char hidden[TUNCLIENT_NAME_SIZE]; /* its interface */
		_Atomic long long up_at;     /* when that was last seen up */
		_Atomic unsigned int raised; /* see plane_direct.c */
		_Atomic uint64_t dropped;    /* by the socket, so far seen */
		int ifindex;
		bool bypass; /* errors are told, and there is an address */
	} direct;
	struct {
		_Atomic unsigned int max_records; /* of one read */
		unsigned char *buffer;		  /* for batches */
	} by_file;
	struct {
		bool header; /* of virtio-net, before each packet */
		/*
		 * -1, or a socket in the namespace in which the device was
		 * opened, for one conversation at a time.
		 */
		int netlink;
		pthread_mutex_t conversation;
	} kernel;

	/*
	 * What tunclient_error() gives: text, or a constant. Calls that may
	 * run at the same time as others set constants only, so that a reader
	 * of the sentence never sees one that is being written.
	 */
	_Atomic(const char *) sentence;
	char text[512];
};

/* open.c: a handle without a device; NULL: no memory. */
struct tunclient *tunclient_new_(void);

/*
 * A descriptor of a device as the options want it, or an error. Says in the
 * handle whose device it is.
 */
int tunclient_try_device_(struct tunclient *client, const char *path);

/* Makes it, or -1, the handle's file; closes what is that. */
void tunclient_take_file_(struct tunclient *client, int fd);
void tunclient_drop_file_(struct tunclient *client);

/* Why a device did not open, for a sentence. */
const char *tunclient_open_reason_(int error);

/* A sentence that several need. */
extern const char tunclient_no_interface_[];

/* attach.c: ends what the plane has begun; the file is still attached. */
void tunclient_leave_(struct tunclient *client);

/*
 * 0 if the handle is attached, else the error that every call then gives. The
 * interface may have been deleted since.
 */
int tunclient_check_(struct tunclient *client);

/*
 * Makes text the sentence, out of the strings given, up to a NULL. Only for
 * calls that have the handle for themselves.
 */
__attribute__((sentinel)) void tunclient_say_(struct tunclient *client, ...);

/* The same, but goes on where the sentence ended. */
__attribute__((sentinel)) void tunclient_add_(struct tunclient *client, ...);

/* Makes a constant the sentence; for any call. */
void tunclient_say_constant_(struct tunclient *client, const char *sentence);

/*
 * The same, unless a program meets this error all day, or the daemon's end is
 * what it tells. Returns the error.
 */
int tunclient_fail_(struct tunclient *client, int error, const char *sentence);

#endif
