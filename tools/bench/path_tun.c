/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/path_tun.c - a TUN by plain system calls, one packet each, with
 * no library: on the kernel's device it is what everything is compared with.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app.h"

#define VNET sizeof(struct virtio_net_hdr)
#define ROOM (VNET + 65536)

_Static_assert(VNET <= HEADROOM, "the header has room before a packet");

static void attach_with(struct port *port, int flags)
{
	struct ifreq ifr = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags)};

	port->fd = open(port->device, O_RDWR | O_CLOEXEC);
	if (port->fd < 0)
		not_here("cannot open %s", port->device);
	memcpy(ifr.ifr_name, port->name, sizeof(port->name));
	if (ioctl(port->fd, TUNSETIFF, &ifr) < 0)
		not_here("no interface %s", port->name);
	port->own = malloc(ROOM);
	if (!port->own)
		die("no memory");
}

static void attach(struct port *port)
{
	attach_with(port, 0);
}

static void attach_vnet(struct port *port)
{
	const unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	attach_with(port, IFF_VNET_HDR);
	if (ioctl(port->fd, TUNSETOFFLOAD, offloads) < 0)
		not_here("no offloads");
}

static int receive_behind(struct port *port, size_t header,
			  struct packet *ret_packets)
{
	unsigned char *buffer = port->own;
	ssize_t n = read(port->fd, buffer, ROOM);

	if (n < 0)
		return -errno;
	ret_packets->data = buffer + header;
	ret_packets->length = (unsigned int)((size_t)n - header);
	return 1;
}

static int receive(struct port *port, struct packet *ret_packets)
{
	return receive_behind(port, 0, ret_packets);
}

static int receive_vnet(struct port *port, struct packet *ret_packets)
{
	return receive_behind(port, VNET, ret_packets);
}

static void release(struct port *port, unsigned int n)
{
}

static int send_one(struct port *port, const struct packet *packets,
		    unsigned int n)
{
	ssize_t r = write(port->fd, packets->data, packets->length);

	return r < 0 ? -errno : 1;
}

/* The header that was received with it, or that is 0. */
static int send_vnet(struct port *port, const struct packet *packets,
		     unsigned int n)
{
	ssize_t r =
		write(port->fd, packets->data - VNET, packets->length + VNET);

	return r < 0 ? -errno : 1;
}

const struct path path_tun = {
	"tun", 0, 0, attach, receive, release, send_one,
};
const struct path path_tun_vnet = {
	"tun-vnet", 0, 0, attach_vnet, receive_vnet, release, send_vnet,
};
