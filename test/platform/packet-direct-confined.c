// SPDX-License-Identifier: MIT
/* F14: who has the direct descriptor can send IP, and change nothing. */
#include "platform-bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	VLAN_FRAMES = 1000,
	INDEXES = 32, /* a new namespace has no link beyond */
};

static const uint8_t mac[ETH_ALEN] = {2, 0, 0, 0, 0, 1};
static const char ip[64] = "\x45";
/* As a VLAN tag: number 5, with IPv4 in it. */
static const char not_ip[64] = "\x00\x05\x08";

static const uint8_t others[][ETH_ALEN] = {
	{0},
	{2, 2, 2, 2, 2, 2},
	{1, 0, 0x5e, 0, 0, 1},
	{255, 255, 255, 255, 255, 255},
};

/* At the visible end, each for one type of frame. */
static int ip_fd, odd_fd;

static int receiver(uint16_t type)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(type),
		.sll_ifindex = (int)if_nametoindex("visible"),
	};
	int fd = (int)must(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0));

	must(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static int count(int fd)
{
	char frame[2000];
	int n = 0;

	while (recv(fd, frame, sizeof(frame), 0) >= 0)
		n++;
	return n;
}

/* 1 for one packet that is the host's, 0 for none. */
static int count_host(int fd)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	char frame[2000];

	if (recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from,
		     &len) < 0)
		return 0;
	expect(from.sll_pkttype == PACKET_HOST, "it is of type %d",
	       from.sll_pkttype);
	return 1;
}

static long send_to(int fd, int index, uint16_t type, const char *data,
		    const uint8_t *to_mac)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(type),
		.sll_ifindex = index,
		.sll_halen = ETH_ALEN,
	};

	memcpy(to.sll_addr, to_mac, ETH_ALEN);
	return sendto(fd, data, sizeof(ip), 0, (const struct sockaddr *)&to,
		      sizeof(to));
}

static long send_as(int fd, int index, uint16_t type, const char *data)
{
	return send_to(fd, index, type, data, mac);
}

static bool send_odd(int fd, int index)
{
	return send_as(fd, index, ETH_P_8021Q, not_ip) == sizeof(ip) &&
	       send_as(fd, index, PLATFORM_ETHERTYPE, ip) == sizeof(ip);
}

static void send_frames(int fd, int index)
{
	expect(write(fd, ip, sizeof(ip)) == sizeof(ip), "set-up: no write");
	expect_soon(count(ip_fd) == 1, "set-up: no packet arrives");

	/* Through the program at the hidden end the type does not matter. */
	expect(send_as(fd, index, PLATFORM_ETHERTYPE, not_ip) == -1,
	       "another type is taken");
	expect(send_as(fd, index, PLATFORM_ETHERTYPE, ip) == sizeof(ip),
	       "set-up: no sendto");
	expect_soon(count(ip_fd) == 1, "an IP packet does not go as one");

	/* Past it, what is not IP ends at the visible end's. */
	platform_packet_option(fd, PACKET_QDISC_BYPASS, 1);
	/* There may be no room until others have been delivered. */
	for (int i = 0; i < VLAN_FRAMES; i++)
		expect_soon(send_odd(fd, index), "set-up: no bypass: %s",
			    strerror(errno));
	expect_never(count(odd_fd), "a frame that is not IP arrives");
	expect(count(ip_fd) == 0, "a frame with a VLAN tag arrives");
	expect(send_as(fd, index, ETH_P_IP, ip) == sizeof(ip),
	       "set-up: no bypass");
	expect_soon(count(ip_fd) == 1, "set-up: the bypass carries nothing");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		expect(send_to(fd, index, ETH_P_IP, ip, others[i]) ==
			       sizeof(ip),
		       "set-up: no bypass");
		expect_soon(count_host(ip_fd) == 1, "none to address %zu", i);
	}
}

static void expect_refused(int fd, unsigned long request, const char *newname,
			   const char *what)
{
	struct ifreq ifr = {.ifr_name = "hidden"};

	/* The name, an address of no family, or no flags. */
	memcpy(ifr.ifr_newname, newname, strlen(newname));
	expect(ioctl(fd, request, &ifr) == -1 && errno == EPERM, "it can %s",
	       what);
}

static void configure(int fd)
{
	expect_refused(fd, SIOCSIFFLAGS, "", "take the link down");
	expect_refused(fd, SIOCSIFNAME, "other", "rename the link");
	expect_refused(fd, SIOCSIFADDR, "\x02", "give an address");
	expect_refused(fd, SIOCSIFHWADDR, "", "change the address");
	expect(ioctl(fd, SIOCGSKNS) == -1 && errno == EPERM,
	       "it can get the namespace");
}

/* Nothing but what is in the hidden namespace can be seen or bound to. */
static void look_elsewhere(int fd)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};

	for (int i = 1; i < INDEXES; i++) {
		struct ifreq ifr = {.ifr_ifindex = i};
		bool exists = ioctl(fd, SIOCGIFNAME, &ifr) == 0;

		expect(!exists || strcmp(ifr.ifr_name, "visible") != 0,
		       "the visible end can be seen");
		address.sll_ifindex = i;
		expect((bind(fd, (const struct sockaddr *)&address,
			     sizeof(address)) == 0) == exists,
		       "it can bind to a link that is not there");
	}
}

int main(void)
{
	int hidden_net;
	pid_t child;
	int index;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_link_mac("visible", mac);
	platform_link_up("visible");
	platform_bpf_ip_only("visible");
	ip_fd = receiver(ETH_P_IP);
	odd_fd = receiver(PLATFORM_ETHERTYPE);
	platform_net_enter(hidden_net);
	platform_link_noarp("hidden");
	platform_link_up("hidden");
	platform_bpf_header("hidden", mac);
	fd = platform_packet_socket("hidden", SOCK_DGRAM);
	index = (int)if_nametoindex("hidden");
	platform_net_enter(here);

	child = platform_fork();
	if (child == 0) {
		platform_drop_capabilities();
		send_frames(fd, index);
		configure(fd);
		look_elsewhere(fd);
		_exit(0);
	}
	platform_expect_child_ok(child);
	return 0;
}
