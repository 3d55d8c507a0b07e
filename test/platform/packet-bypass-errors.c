// SPDX-License-Identifier: MIT
/* F14: with PACKET_QDISC_BYPASS a send says what becomes of the frame. */
#include "platform-net.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	VISIBLE_MTU = 1000,
	HIDDEN_MTU = 1500,
	TAG_SIZE = 4, /* a VLAN tag is always let through */
};

static void expect_error(int fd, size_t size, int error)
{
	long sent = platform_send(fd, size);

	expect(sent == -1 && errno == error, "%zu bytes: %ld, %s, not %s", size,
	       sent, sent < 0 ? strerror(errno) : "no error", strerror(error));
}

static void expect_arrives(int fd, int visible_fd, size_t size)
{
	struct platform_frame frame;
	long sent = platform_send(fd, size);
	long got = -1;

	expect(sent == (long)size, "%zu bytes: %s", size, strerror(errno));
	expect_soon((got = platform_receive(visible_fd, &frame)) != -1,
		    "%zu bytes are sent and do not arrive", size);
	expect(got == (long)size, "%zu bytes arrive as %ld", size, got);
}

int main(void)
{
	struct platform_frame frame;
	int visible_fd;
	int hidden_net;
	int queued_fd;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_link_mtu("visible", VISIBLE_MTU);
	platform_net_enter(hidden_net);
	platform_link_mtu("hidden", HIDDEN_MTU);
	platform_link_up("hidden");
	fd = platform_packet_socket("hidden", SOCK_RAW);
	platform_packet_option(fd, PACKET_QDISC_BYPASS, 1);
	queued_fd = platform_packet_socket("hidden", SOCK_RAW);
	platform_net_enter(here);

	/* The visible end is down. */
	expect_error(fd, 100, ENOBUFS);
	expect(platform_send(queued_fd, 100) == 100,
	       "without the bypass the loss is told, too");

	platform_link_up("visible");
	visible_fd = platform_packet_socket("visible", SOCK_RAW);
	expect_arrives(fd, visible_fd, 101);
	expect(platform_receive(visible_fd, &frame) == -1,
	       "the frame for the end that was down arrives late");

	expect_arrives(fd, visible_fd, VISIBLE_MTU + ETH_HLEN + TAG_SIZE);
	expect_error(fd, VISIBLE_MTU + ETH_HLEN + TAG_SIZE + 1, ENOBUFS);
	expect_error(fd, HIDDEN_MTU + ETH_HLEN, ENOBUFS);
	expect_error(fd, HIDDEN_MTU + ETH_HLEN + 1, EMSGSIZE);

	platform_link_down("visible");
	expect_error(fd, 100, ENOBUFS);
	return 0;
}
