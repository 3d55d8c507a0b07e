// SPDX-License-Identifier: MIT
/* F14: an inherited packet socket serves a process without a capability. */
#include "platform-net.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BLOCK_SIZE = 1 << 16,
	BLOCKS = 2,
};

static void use_calls(int fd, int visible_fd)
{
	struct platform_frame frame;

	expect(platform_send(fd, 100) == 100, "send: %s", strerror(errno));
	expect_soon(platform_receive(visible_fd, &frame) == 100,
		    "what was sent does not arrive");
	expect(platform_send(visible_fd, 101) == 101, "set-up: no frame");
	expect_soon(platform_receive(fd, &frame) == 101,
		    "what comes is not received");
}

static bool block_filled(void *ring)
{
	const struct tpacket_block_desc *block = ring;

	return *(const volatile uint32_t *)&block->hdr.bh1.block_status &
	       TP_STATUS_USER;
}

static void use_ring(int fd, int visible_fd)
{
	const struct tpacket_req3 request = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = BLOCKS,
		.tp_frame_size = 2048,
		.tp_frame_nr = BLOCKS * BLOCK_SIZE / 2048,
		.tp_retire_blk_tov = 1,
	};
	void *ring;

	platform_packet_option(fd, PACKET_VERSION, TPACKET_V3);
	expect(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request,
			  sizeof(request)) == 0,
	       "no ring: %s", strerror(errno));
	ring = mmap(NULL, (size_t)BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	expect(ring != MAP_FAILED, "the ring is not mapped: %s",
	       strerror(errno));
	expect(platform_send(visible_fd, 102) == 102, "set-up: no frame");
	expect_soon(block_filled(ring), "no frame in the ring");
}

static void configure(int fd)
{
	struct ifreq ifr = {.ifr_name = "hidden"};

	expect(ioctl(fd, SIOCGIFFLAGS, &ifr) == 0,
	       "the link cannot even be looked at: %s", strerror(errno));
	ifr.ifr_flags &= ~IFF_UP;
	expect(ioctl(fd, SIOCSIFFLAGS, &ifr) == -1 && errno == EPERM,
	       "it can take the link down");
	ifr.ifr_mtu = 1000;
	expect(ioctl(fd, SIOCSIFMTU, &ifr) == -1 && errno == EPERM,
	       "it can set the MTU");
	expect(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM,
	       "it can open a socket of its own");
}

int main(void)
{
	int visible_fd;
	int hidden_net;
	pid_t child;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_link_up("visible");
	visible_fd = platform_packet_socket("visible", SOCK_RAW);
	platform_packet_option(visible_fd, PACKET_QDISC_BYPASS, 1);
	platform_net_enter(hidden_net);
	platform_link_up("hidden");
	fd = platform_packet_socket("hidden", SOCK_RAW);
	platform_packet_option(fd, PACKET_QDISC_BYPASS, 1);
	platform_net_enter(here);

	child = platform_fork();
	if (child == 0) {
		platform_drop_capabilities();
		use_calls(fd, visible_fd);
		use_ring(fd, visible_fd);
		configure(fd);
		_exit(0);
	}
	platform_expect_child_ok(child);
	return 0;
}
