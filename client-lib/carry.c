/* SPDX-License-Identifier: MIT */
/* carry.c - the two carriers' common part; knows neither of them. */
#include "carry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/socket.h>

#ifndef PACKET_VNET_HDR_SZ
#define PACKET_VNET_HDR_SZ 24 /* since Linux 6.4 */
#endif

const unsigned int carry_ioctls[CARRY_IOCTLS] = {
	TUNSETNOCSUM,	    TUNSETDEBUG,      TUNSETIFF,       TUNSETPERSIST,
	TUNSETOWNER,	    TUNSETLINK,	      TUNSETGROUP,     TUNGETFEATURES,
	TUNSETOFFLOAD,	    TUNSETTXFILTER,   TUNGETIFF,       TUNGETSNDBUF,
	TUNSETSNDBUF,	    TUNATTACHFILTER,  TUNDETACHFILTER, TUNGETVNETHDRSZ,
	TUNSETVNETHDRSZ,    TUNSETQUEUE,      TUNSETIFINDEX,   TUNGETFILTER,
	TUNSETVNETLE,	    TUNGETVNETLE,     TUNSETVNETBE,    TUNGETVNETBE,
	TUNSETSTEERINGEBPF, TUNSETFILTEREBPF, TUNSETCARRIER,   TUNGETDEVNETNS,
	SIOCGIFHWADDR,	    SIOCSIFHWADDR,    SIOCGSKNS,
};

bool carry_read_plane(const char *word, enum plane *ret_plane)
{
	static const char *const words[] = {
		[PLANE_AUTO] = "auto",
		[PLANE_DIRECT] = "direct",
		[PLANE_FILE] = "file",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*ret_plane = (enum plane)i;
		return true;
	}
	return false;
}

/* A packet socket is always both read and written. */
bool carry_may_be_direct(int flags)
{
	return (flags & O_ACCMODE) == O_RDWR;
}

static bool has_vnet_header(int socket)
{
	socklen_t size = sizeof(int);
	int on = 0;

	return getsockopt(socket, SOL_PACKET, PACKET_VNET_HDR, &on, &size) ==
		       0 &&
	       on;
}

int carry_set_vnet_header_size(int socket, int size)
{
	int on = 1, r;

	if (!has_vnet_header(socket))
		return 0;
	if (size != 10 && size != 12)
		return -EINVAL;
	r = setsockopt(socket, SOL_PACKET, PACKET_VNET_HDR_SZ, &size,
		       sizeof(size));
	/* 10 is what it has on older kernels. */
	if (r < 0 && size == 10)
		r = setsockopt(socket, SOL_PACKET, PACKET_VNET_HDR, &on,
			       sizeof(on));
	return r < 0 ? -EINVAL : 0;
}
