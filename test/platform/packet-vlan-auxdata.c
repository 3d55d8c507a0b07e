// SPDX-License-Identifier: MIT
/* F14: a received frame's VLAN tag is not in it but in PACKET_AUXDATA. */
#include "platform-net.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

enum {
	TAG = 0x2123, /* priority 1, VLAN 0x123 */
	TAG_SIZE = 4,
	SIZE = 100,
};

static void send_tagged(int fd)
{
	char frame[SIZE] = {0};
	const uint16_t tag[] = {htons(ETH_P_8021Q), htons(TAG),
				htons(PLATFORM_ETHERTYPE)};

	memset(frame, 255, ETH_ALEN);
	memcpy(frame + sizeof(struct ethhdr) - 2, tag, sizeof(tag));
	must(send(fd, frame, sizeof(frame), 0));
}

static long receive(int fd, struct tpacket_auxdata *ret_auxdata)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(*ret_auxdata))];
	} control = {0};
	struct platform_frame frame;
	struct iovec vector = {&frame, sizeof(frame)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	long size = recvmsg(fd, &message, 0);

	if (size < 0 || frame.header.h_proto != htons(PLATFORM_ETHERTYPE))
		return -1;
	if (control.header.cmsg_type == PACKET_AUXDATA)
		memcpy(ret_auxdata, CMSG_DATA(&control.header),
		       sizeof(*ret_auxdata));
	return size;
}

int main(void)
{
	struct tpacket_auxdata auxdata = {0};
	int visible_fd;
	int hidden_fd;
	long size = -1;

	platform_begin();
	platform_veth("visible", "hidden", platform_net_here());
	platform_link_up("visible");
	platform_link_up("hidden");
	visible_fd = platform_packet_socket("visible", SOCK_RAW);
	platform_packet_option(visible_fd, PACKET_QDISC_BYPASS, 1);
	hidden_fd = platform_packet_socket("hidden", SOCK_RAW);
	platform_packet_option(hidden_fd, PACKET_AUXDATA, 1);

	send_tagged(visible_fd);
	expect_soon((size = receive(hidden_fd, &auxdata)) != -1,
		    "no frame without its tag arrives");
	expect(size == SIZE - TAG_SIZE, "the frame has %ld bytes", size);
	expect(auxdata.tp_status & TP_STATUS_VLAN_VALID, "no tag beside it");
	expect(auxdata.tp_vlan_tci == TAG, "the tag is %#x",
	       auxdata.tp_vlan_tci);
	expect(auxdata.tp_status & TP_STATUS_VLAN_TPID_VALID &&
		       auxdata.tp_vlan_tpid == ETH_P_8021Q,
	       "the tag's type is %#x", auxdata.tp_vlan_tpid);
	return 0;
}
