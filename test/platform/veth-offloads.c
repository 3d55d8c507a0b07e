// SPDX-License-Identifier: MIT
/* F7: the hidden end sees unfinished packets until offloads are turned off. */
#include "platform-net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
	PORT = 9,
	TRIAL_PORT = 10,
	SEGMENT = 1000,
	SEGMENTS = 14,
	BIG = SEGMENT * SEGMENTS,
	OVERHEAD = ETH_HLEN + sizeof(struct iphdr) + sizeof(struct udphdr),
};

struct udp_frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
	unsigned char payload[BIG + 100];
} __attribute__((packed));

struct seen {
	int frames;
	size_t largest;
	bool marked_unfinished; /* by TP_STATUS_CSUMNOTREADY */
	bool wrong_checksum;
};

static uint32_t sum(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint32_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return total;
}

static bool checksum_right(const struct udp_frame *frame, size_t size)
{
	size_t length = size - ETH_HLEN - sizeof(frame->ip);
	uint32_t total = sum(&frame->ip.saddr, 8) + IPPROTO_UDP +
			 (uint32_t)length + sum(&frame->udp, length);

	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total == 0xffff;
}

static bool receive(int fd, uint16_t port, struct seen *seen)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control = {0};
	struct tpacket_auxdata auxdata = {0};
	struct udp_frame frame;
	struct iovec vector = {&frame, sizeof(frame)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(fd, &message, 0);

	if (size < OVERHEAD || frame.ethernet.h_proto != htons(ETH_P_IP) ||
	    frame.ip.protocol != IPPROTO_UDP || frame.udp.dest != htons(port))
		return false;
	memcpy(&auxdata, CMSG_DATA(&control.header), sizeof(auxdata));
	seen->frames++;
	if ((size_t)size > seen->largest)
		seen->largest = (size_t)size;
	if (auxdata.tp_status & TP_STATUS_CSUMNOTREADY)
		seen->marked_unfinished = true;
	if (!checksum_right(&frame, (size_t)size))
		seen->wrong_checksum = true;
	return true;
}

/* Until that many bytes of payload have come. */
static struct seen collect(int fd, size_t expected)
{
	struct seen seen = {0};

	expect_soon(receive(fd, PORT, &seen) &&
			    (size_t)seen.frames * seen.largest >= expected,
		    "%d frames have come, and not all", seen.frames);
	return seen;
}

static bool send_udp(int fd, uint16_t port, size_t size)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(0x0a000002),
	};
	static const char payload[BIG] = "payload";

	return sendto(fd, payload, size, 0, (const struct sockaddr *)&to,
		      sizeof(to)) == (ssize_t)size;
}

static void set_segment(int fd, int segment)
{
	must(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
			sizeof(segment)));
}

int main(void)
{
	struct seen seen = {0};
	int hidden_fd;
	int hidden_net;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_net_enter(hidden_net);
	platform_link_up("hidden");
	hidden_fd = platform_packet_socket("hidden", SOCK_RAW);
	platform_packet_option(hidden_fd, PACKET_AUXDATA, 1);
	platform_net_enter(here);
	platform_link_noarp("visible");
	platform_link_address("visible", "10.0.0.1");
	platform_link_up("visible");
	fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	/* Until the carrier is noticed a frame may be lost: so send again. */
	expect_soon(send_udp(fd, TRIAL_PORT, 100) &&
			    receive(hidden_fd, TRIAL_PORT, &seen),
		    "set-up: the pair does not carry frames");

	expect(send_udp(fd, PORT, 100), "set-up: UDP: %s", strerror(errno));
	seen = collect(hidden_fd, 100);
	expect(seen.wrong_checksum, "the checksum is complete");
	expect(seen.marked_unfinished, "nothing says that it is not");
	set_segment(fd, SEGMENT);
	expect(send_udp(fd, PORT, BIG), "set-up: UDP_SEGMENT: %s",
	       strerror(errno));
	seen = collect(hidden_fd, BIG);
	expect(seen.frames == 1 && seen.largest == BIG + OVERHEAD,
	       "%d frames of up to %zu bytes", seen.frames, seen.largest);

	platform_ethtool("visible", ETHTOOL_STXCSUM, 0);
	set_segment(fd, 0);
	expect(send_udp(fd, PORT, 100), "set-up: UDP: %s", strerror(errno));
	seen = collect(hidden_fd, 100);
	expect(!seen.wrong_checksum && !seen.marked_unfinished,
	       "the checksum is not complete with offloads off");
	set_segment(fd, SEGMENT);
	if (send_udp(fd, PORT, BIG)) {
		seen = collect(hidden_fd, BIG);
		expect(seen.frames == SEGMENTS &&
			       seen.largest == SEGMENT + OVERHEAD,
		       "%d frames of up to %zu bytes with offloads off",
		       seen.frames, seen.largest);
		expect(!seen.wrong_checksum && !seen.marked_unfinished,
		       "a segment's checksum is not complete");
	} else {
		/* Before Linux 6.11 the stack itself did not segment. */
		expect(errno == EIO, "UDP_SEGMENT: %s", strerror(errno));
	}
	return 0;
}
