// SPDX-License-Identifier: MIT
/* F14: without IPv6 address generation the hidden end says nothing itself. */
#include "platform-net.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int count_frames(int fd)
{
	char frame[2048];
	struct sockaddr_ll from;
	int count = 0;

	for (;;) {
		socklen_t size = sizeof(from);

		if (recvfrom(fd, frame, sizeof(frame), 0,
			     (struct sockaddr *)&from, &size) < 0)
			return count;
		count += from.sll_pkttype != PACKET_OUTGOING;
	}
}

/* The delays before the first words would make the wait below long. */
static void speak_soon(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name,
		 "dad_transmits");
	platform_write_file(path, "0");
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name,
		 "router_solicitation_delay");
	platform_write_file(path, "0");
}

int main(void)
{
	int silent_fd;
	int usual_fd;
	int hidden_net;
	int here;

	platform_begin();
	if (access("/proc/sys/net/ipv6", F_OK) != 0)
		platform_skip("this kernel has no IPv6");
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_veth("visible2", "usual", hidden_net);
	platform_link_up("visible");
	platform_link_up("visible2");
	silent_fd = platform_packet_socket("visible", SOCK_RAW);
	usual_fd = platform_packet_socket("visible2", SOCK_RAW);

	platform_net_enter(hidden_net);
	platform_link_no_addresses("hidden");
	speak_soon("hidden");
	speak_soon("usual");
	platform_link_up("hidden");
	platform_link_up("usual");
	platform_net_enter(here);

	/* The other pair shows how much would have come by then. */
	expect_soon(count_frames(usual_fd) >= 1,
		    "the usual end is silent, too");
	expect_never(count_frames(silent_fd) != 0, "the hidden end speaks");
	return 0;
}
