// SPDX-License-Identifier: MIT
/* F7: PACKET_IGNORE_OUTGOING keeps what we send from coming back to us. */
#include "platform-net.h"

#include <sys/socket.h>

enum {
	TRIAL = 64,
	OUTGOING = 100,
	INCOMING = 200,
};

int main(void)
{
	struct platform_frame frame;
	long got = -1;
	int far_fd;
	int ignoring_fd;
	int plain_fd;
	int here;

	platform_begin();
	here = platform_net_here();
	platform_veth("near", "far", here);
	platform_link_up("near");
	platform_link_up("far");
	plain_fd = platform_packet_socket("near", SOCK_RAW);
	ignoring_fd = platform_packet_socket("near", SOCK_RAW);
	platform_packet_option(ignoring_fd, PACKET_IGNORE_OUTGOING, 1);
	far_fd = platform_packet_socket("far", SOCK_RAW);
	platform_packet_option(far_fd, PACKET_QDISC_BYPASS, 1);

	/* Until the carrier is noticed a frame may be lost: so send again. */
	expect_soon(platform_send(far_fd, TRIAL) == TRIAL &&
			    platform_receive(plain_fd, &frame) == TRIAL,
		    "nothing comes from the far end");
	{
		int sender_fd = platform_packet_socket("near", SOCK_RAW);

		expect_soon(platform_send(sender_fd, OUTGOING) == OUTGOING &&
				    platform_receive(plain_fd, &frame) ==
					    OUTGOING,
			    "a plain socket does not see what is sent");
	}

	/* So the next that the other one gets is a frame from the far end, of
	 * which the first may still be under way. */
	expect(platform_send(far_fd, INCOMING) == INCOMING,
	       "set-up: the far end does not send");
	expect_soon((got = platform_receive(ignoring_fd, &frame)) != -1 &&
			    got != TRIAL,
		    "nothing arrives at the socket with the option");
	expect(got == INCOMING, "what we sent comes back");
	return 0;
}
