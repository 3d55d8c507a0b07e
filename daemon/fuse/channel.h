/* SPDX-License-Identifier: MIT */
/*
 * channel.h - how requests of the kernel come to libfuse, and answers back.
 * What they say it does not know. Private to fuse/.
 */
#ifndef TUND_FUSE_CHANNEL_H
#define TUND_FUSE_CHANNEL_H

struct fuse_session;

/*
 * The session reads and writes that descriptor of /dev/fuse, over which
 * somebody has mounted, and which is the session's from here on. -EBADF if it
 * is none, -ENOMEM.
 */
int channel_open(struct fuse_session *session, int fd);

#endif
