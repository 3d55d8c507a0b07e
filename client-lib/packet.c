/* SPDX-License-Identifier: MIT */
/*
 * client-lib/packet.c - packets in and out, one per call. It does not look
 * into them.
 */
#include <errno.h>
#include <unistd.h>

#include <tunclient.h>
#include <tund/abi.h>

#include "client.h"

_Static_assert(TUNCLIENT_PACKET_MAX >= TUND_MAX_PACKET,
	       "whoever reads with TUNCLIENT_PACKET_MAX loses nothing");

static const char no_interface[] =
	"the handle is not attached, or its interface was deleted";
static const char no_daemon[] = "the tund daemon has ended";

static const char *read_sentence(int error)
{
	switch (error) {
	case -EBADFD:
		return no_interface;
	case -EFAULT:
		return "the interface was deleted while the read waited, or "
		       "the buffer is not memory of the program";
	case -ENOTCONN:
	case -ECONNABORTED:
		return no_daemon;
	default:
		return "no packet could be read";
	}
}

static const char *write_sentence(int error)
{
	switch (error) {
	case -EIO:
		return "the interface is down: set it up before a packet is "
		       "written";
	case -EINVAL:
		return "this is no packet: TUN takes IPv4 and IPv6, TAP "
		       "frames with an Ethernet header";
	case -EMSGSIZE:
		return "the packet is longer than TUNCLIENT_PACKET_MAX, 65553 "
		       "bytes";
	case -EBADFD:
		return no_interface;
	case -ENOTCONN:
	case -ECONNABORTED:
		return no_daemon;
	default:
		return "the packet was not taken";
	}
}

/* A program that waits meets these two all day: they are no failures. */
static int fail(struct tunclient *client, int error, const char *sentence)
{
	if (error != -EAGAIN && error != -EINTR)
		tunclient_say_constant_(client, sentence);
	return error;
}

PUBLIC ssize_t tunclient_read(struct tunclient *client, void *ret_packet,
			      size_t size)
{
	ssize_t n;
	int r;

	/* Nothing to read into is 0 on some devices and an error on others. */
	if (!client || !ret_packet || size == 0)
		return -EINVAL;
	if (client->fd < 0)
		return -EBADF;
	/* FUSE divides what is larger than its largest request. */
	if (size > TUNCLIENT_PACKET_MAX)
		size = TUNCLIENT_PACKET_MAX;
	n = read(client->fd, ret_packet, size);
	if (n >= 0)
		return n;
	r = -errno;
	return fail(client, r, read_sentence(r));
}

PUBLIC ssize_t tunclient_write(struct tunclient *client, const void *packet,
			       size_t size)
{
	ssize_t n;
	int r;

	if (!client || !packet)
		return -EINVAL;
	if (client->fd < 0)
		return -EBADF;
	/* FUSE does not ask the daemon about an empty write. */
	if (size == 0)
		return fail(client, -EINVAL, write_sentence(-EINVAL));
	/* FUSE makes two packets of one larger than its largest request. */
	if (size > TUNCLIENT_PACKET_MAX)
		return fail(client, -EMSGSIZE, write_sentence(-EMSGSIZE));
	n = write(client->fd, packet, size);
	if (n >= 0)
		return n;
	r = -errno;
	return fail(client, r, write_sentence(r));
}
