/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/path_tun.c - the kernel's TUN by plain system calls, one packet
 * each, with neither library nor daemon: what everything is compared with.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app.h"

static unsigned char buffer[65536];

static void attach(struct port *port)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	port->fd = open(port->device, O_RDWR | O_CLOEXEC);
	if (port->fd < 0)
		not_here("cannot open %s", port->device);
	memcpy(ifr.ifr_name, port->name, sizeof(port->name));
	if (ioctl(port->fd, TUNSETIFF, &ifr) < 0)
		not_here("no interface %s", port->name);
}

static int receive(struct port *port, struct packet *ret_packets)
{
	ssize_t n = read(port->fd, buffer, sizeof(buffer));

	if (n < 0)
		return -errno;
	ret_packets->data = buffer;
	ret_packets->length = (unsigned int)n;
	return 1;
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

const struct path path_tun = {"tun", attach, receive, release, send_one};
