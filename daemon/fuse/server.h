/* SPDX-License-Identifier: MIT */
/*
 * server.h - serves the device file to its mount. It is what main knows of
 * fuse/; devices are dev/'s.
 */
#ifndef TUND_FUSE_SERVER_H
#define TUND_FUSE_SERVER_H

#include <stdint.h>

struct dev_table;
struct fs_server;

struct fs_server_options {
	const char *path; /* the mount point; must outlive the server */
	struct dev_table *table;
	uint64_t abilities; /* TUND_ABILITY_* of the host */
	/*
	 * Called in one of the server's threads, once, when the mount was
	 * taken away by somebody else.
	 */
	void (*unmounted)(void *arg);
	void *arg;
};

/* Mounts and begins to serve; returns when the device file answers. */
int fs_server_start(const struct fs_server_options *options,
		    struct fs_server **ret_server);

/*
 * Unmounts and takes no more requests. Those that are parked stay so: the
 * devices' end answers them.
 */
void fs_server_stop(struct fs_server *server);

/* Forgets the open files. Comes after dev_table_free(). */
void fs_server_free(struct fs_server *server);

#endif
