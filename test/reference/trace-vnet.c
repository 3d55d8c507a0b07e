/* SPDX-License-Identifier: MIT */
/* The device of the cases about large packets: attached, offered, filled. */
#include "trace-vnet.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

uint8_t gso_buf[PACKET_MAX + 100];

void gso_up(struct gso_rig *g, int flags, unsigned long offloads)
{
	rig_make(&g->rig, flags, O_RDWR | O_NONBLOCK);
	/* Who may not have the header is not refused, but told. */
	if (!(tun_flags(g->rig.fd) & IFF_VNET_HDR))
		give_up("not-offered", tun_flags(g->rig.fd));
	say_rc("offload", rc(ioctl(g->rig.fd, TUNSETOFFLOAD, offloads)));
	g->eth = flags & IFF_TAP ? 14 : 0;
	g->ip = gso_buf + HDR + g->eth;
	rig_up(&g->rig);
}

size_t gso_make_udp(struct gso_rig *g, size_t payload)
{
	memset(gso_buf, 0, HDR);
	return HDR + (g->eth ? make_frame4(gso_buf + HDR, g->rig.mac, payload)
			     : make_udp4(gso_buf + HDR, payload));
}
