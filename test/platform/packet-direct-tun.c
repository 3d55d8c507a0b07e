// SPDX-License-Identifier: MIT
/* F14: with a program at its link's egress a packet socket is a TUN. */
#include "platform-bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PORT = 9,
};

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char payload[4];
};

static const uint8_t first_mac[] = {2, 0, 0, 0, 0, 1};
static const uint8_t second_mac[] = {2, 0, 0, 0, 0, 2};

static uint16_t header_checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct packet make_packet(char mark)
{
	struct packet packet = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = 17},
		.payload = {mark, 'b', 'c'},
	};

	packet.ip.tot_len = htons(sizeof(packet));
	packet.ip.saddr = htonl(0x0a000002);
	packet.ip.daddr = htonl(0x0a000001);
	packet.udp.source = packet.udp.dest = htons(PORT);
	packet.udp.len = htons(sizeof(packet) - sizeof(packet.ip));
	packet.ip.check = header_checksum(&packet.ip);
	return packet;
}

/* One that bears the mark: those of before may still be under way. */
static bool arrives(int fd, int udp_fd, char mark)
{
	const struct packet packet = make_packet(mark);
	char payload[100];
	bool found = false;

	expect(write(fd, &packet, sizeof(packet)) == sizeof(packet),
	       "write: %s", strerror(errno));
	while (recv(udp_fd, payload, sizeof(payload), MSG_DONTWAIT) == 4)
		found |= payload[0] == mark;
	return found;
}

/* What is ready, when something is to be read or milliseconds are over: veth
 * may leave a packet to the kernel's own thread. */
static int ready(int fd, int milliseconds)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	must(poll(&pollfd, 1, milliseconds));
	pollfd.events = POLLIN | POLLOUT;
	must(poll(&pollfd, 1, 0));
	return pollfd.revents;
}

static bool send_udp(int udp_fd)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0x0a000002),
	};

	must(sendto(udp_fd, "abc", 4, 0, (const struct sockaddr *)&to,
		    sizeof(to)));
	return true;
}

static void expect_read(int fd, int udp_fd)
{
	unsigned char packet[2000];

	/* Until the carrier is noticed one may be lost: so send again. */
	expect_soon(send_udp(udp_fd) && read(fd, packet, sizeof(packet)) > 0,
		    "nothing comes from the visible end");
	while (ready(fd, PLATFORM_QUIET_MS) & POLLIN)
		must(read(fd, packet, sizeof(packet)));
	expect(ready(fd, 0) == POLLOUT, "there is something to read");
	for (int i = 0; i < 2; i++)
		send_udp(udp_fd);
	for (int i = 0; i < 2; i++) {
		expect(ready(fd, PLATFORM_SOON_MS) == (POLLIN | POLLOUT),
		       "no packet comes, or there is no room for one");
		expect(read(fd, packet, sizeof(packet)) ==
				       sizeof(struct packet) &&
			       packet[0] == 0x45,
		       "read gives no IP packet");
	}
	expect(read(fd, packet, sizeof(packet)) == -1 && errno == EAGAIN,
	       "there is more to read than was sent");
}

static void expect_refused(int fd, const void *packet, size_t size)
{
	expect(write(fd, packet, size) == -1 && errno == ENOBUFS,
	       "what is not IP is taken");
}

static int udp_socket(void)
{
	const struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	must(bind(fd, (const struct sockaddr *)&here, sizeof(here)));
	return fd;
}

int main(void)
{
	int hidden_net;
	int udp_fd;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_link_no_addresses("visible");
	platform_link_noarp("visible");
	platform_ethtool("visible", ETHTOOL_STXCSUM, 0);
	platform_link_mac("visible", first_mac);
	platform_link_address("visible", "10.0.0.1");
	platform_link_up("visible");
	udp_fd = udp_socket();

	platform_net_enter(hidden_net);
	platform_link_noarp("hidden");
	platform_link_up("hidden");
	fd = platform_packet_socket("hidden", SOCK_DGRAM);
	platform_packet_option(fd, PACKET_IGNORE_OUTGOING, 1);
	expect(!arrives(fd, udp_fd, '1'),
	       "a packet arrives without the program");
	platform_bpf_header("hidden", first_mac);
	platform_net_enter(here);
	expect_soon(arrives(fd, udp_fd, '2'), "no packet arrives");
	expect_read(fd, udp_fd);
	expect_refused(fd, "\x00\x01\x02", 4);
	expect_refused(fd, "", 0);

	platform_link_mac("visible", second_mac);
	expect(!arrives(fd, udp_fd, '3'), "the old address is still good");
	platform_net_enter(hidden_net);
	platform_bpf_header("hidden", second_mac);
	platform_net_enter(here);
	expect_soon(arrives(fd, udp_fd, '4'),
		    "no packet arrives with the new one");
	return 0;
}
