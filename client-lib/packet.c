/* SPDX-License-Identifier: MIT */
/*
 * client-lib/packet.c - packets in and out, one per call or several. It does
 * not look into them, and does not know how they get there.
 */
#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include "packet.h"
#include "plane.h"

_Static_assert(TUNCLIENT_PACKET_MAX >= TUND_MAX_PACKET,
	       "whoever reads with TUNCLIENT_PACKET_MAX loses nothing");

static const char *receive_sentence(int error)
{
	switch (error) {
	case -EBADFD:
		return tunclient_no_interface_;
	case -EFAULT:
		return "the buffer is not memory of the program";
	case -EBUSY:
		return "the handle receives by ring since the first "
		       "tunclient_ring_receive()";
	case -ENOMEM:
		return "no memory for packets";
	default:
		return "no packet could be received";
	}
}

static const char *send_sentence(int error)
{
	switch (error) {
	case -EIO:
		return "the interface is down: set it up before a packet is "
		       "written";
	case -EINVAL:
		return "this is no packet: TUN takes IPv4 and IPv6, TAP "
		       "frames with an Ethernet header; or its offload does "
		       "not fit it";
	case -EMSGSIZE:
		return "the packet is larger than the interface takes";
	case -EOPNOTSUPP:
		return "the packet has an offload, and the handle was opened "
		       "without offloads";
	case -EBADFD:
		return tunclient_no_interface_;
	default:
		return "the packet was not taken";
	}
}

int tunclient_receive_failed_(struct tunclient *client, int error)
{
	struct ifreq request;

	/* So ends a read that waited when the interface was deleted. */
	if (error == -EFAULT && ioctl(client->file, TUNGETIFF, &request) < 0 &&
	    errno == EBADFD)
		error = -EBADFD;
	return tunclient_fail_(client, error, receive_sentence(error));
}

int tunclient_send_failed_(struct tunclient *client, int error)
{
	return tunclient_fail_(client, error, send_sentence(error));
}

PUBLIC ssize_t tunclient_read(struct tunclient *client, void *ret_packet,
			      size_t size)
{
	ssize_t n;
	int r;

	/* Nothing to read into is 0 on some devices and an error on others. */
	if (!ret_packet || size == 0)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	if (client->has_offloads)
		return tunclient_fail_(client, -EOPNOTSUPP,
				       "with offloads a packet may not be "
				       "complete: receive it with "
				       "tunclient_recv_batch()");
	if (client->receive_ring)
		return tunclient_receive_failed_(client, -EBUSY);
	if (size > TUNCLIENT_PACKET_MAX)
		size = TUNCLIENT_PACKET_MAX;
	n = client->plane->read(client, ret_packet, size);
	return n < 0 ? tunclient_receive_failed_(client, (int)n) : n;
}

PUBLIC ssize_t tunclient_write(struct tunclient *client, const void *packet,
			       size_t size)
{
	ssize_t n;
	int r;

	if (!packet)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	/* The file planes would not ask about an empty one. */
	if (size == 0)
		return tunclient_send_failed_(client, -EINVAL);
	if (size > TUNCLIENT_PACKET_MAX)
		return tunclient_send_failed_(client, -EMSGSIZE);
	n = client->plane->write(client, packet, size);
	return n < 0 ? tunclient_send_failed_(client, (int)n) : n;
}
