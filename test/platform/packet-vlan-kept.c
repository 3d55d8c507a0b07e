// SPDX-License-Identifier: MIT
/* F14: the kernel takes out one VLAN tag, so a second saves the first. */
#include "platform-bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct tagged_frame {
	uint8_t addresses[2 * ETH_ALEN];
	uint16_t tag_type;
	uint16_t tag;
	uint16_t type;
	uint8_t payload[46];
};

/* What comes of a frame with a tag. */
static struct tagged_frame pass_frame(int visible_fd, int fd)
{
	const struct tagged_frame sent = {
		.addresses = {255, 255, 255, 255, 255, 255},
		.tag_type = htons(ETH_P_8021Q),
		.tag = htons(0x6005),
		.type = htons(PLATFORM_ETHERTYPE),
	};
	struct tagged_frame got;

	expect(send(visible_fd, &sent, sizeof(sent), 0) == sizeof(sent),
	       "set-up: send: %s", strerror(errno));
	expect_soon(recv(fd, &got, sizeof(got), 0) > 0, "no frame arrives");
	return got;
}

int main(void)
{
	struct tagged_frame got;
	int visible_fd;
	int hidden_net;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_link_no_addresses("visible");
	platform_net_enter(hidden_net);
	platform_link_no_addresses("hidden");
	platform_link_up("hidden");
	fd = platform_packet_socket("hidden", SOCK_RAW);
	platform_net_enter(here);
	platform_link_up("visible");
	visible_fd = platform_packet_socket("visible", SOCK_RAW);

	got = pass_frame(visible_fd, fd);
	expect(got.tag_type == htons(PLATFORM_ETHERTYPE),
	       "the tag is not taken out");
	platform_bpf_keep_tags("visible");
	got = pass_frame(visible_fd, fd);
	expect(got.tag_type == htons(ETH_P_8021Q) && got.tag == htons(0x6005) &&
		       got.type == htons(PLATFORM_ETHERTYPE),
	       "the tag is not kept");
	/* As for a tag that is beside the frame: there is one more. */
	platform_bpf_keep_tags("visible");
	got = pass_frame(visible_fd, fd);
	expect(got.tag_type == htons(ETH_P_8021Q) && got.tag == 0 &&
		       got.type == htons(ETH_P_8021Q),
	       "a tag beside the frame is not kept");
	return 0;
}
