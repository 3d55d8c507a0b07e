// SPDX-License-Identifier: MIT
/* F14: rtnetlink tells when the last copy of a packet socket is closed. */
#include "platform-net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether some notice says so, of those that have come. */
static bool told(int watch_fd, int promiscuity)
{
	struct platform_rtnl message;

	while (recv(watch_fd, &message, sizeof(message), MSG_DONTWAIT) > 0)
		if (message.header.nlmsg_type == RTM_NEWLINK &&
		    platform_rtnl_get_int(&message, IFLA_PROMISCUITY) ==
			    promiscuity)
			return true;
	return false;
}

static void send_descriptor(int socket_fd, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {
		.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS},
	};
	struct iovec vector = {(void *)"", 1};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(socket_fd, &message, 0));
}

int main(void)
{
	struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};
	int hidden_net;
	int watch_fd;
	int pair[2];
	pid_t child;
	int here;
	int fd;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_net_enter(hidden_net);
	platform_link_up("hidden");
	watch_fd = platform_rtnl_socket(RTMGRP_LINK);
	fd = platform_packet_socket("hidden", SOCK_DGRAM);
	promiscuous.mr_ifindex = (int)if_nametoindex("hidden");
	platform_net_enter(here);

	must(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
			sizeof(promiscuous)));
	expect(told(watch_fd, 1), "the beginning is not told at once");

	/* One copy of a child's, and one in a message. */
	child = platform_fork();
	if (child == 0)
		platform_keep_until_end();
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	send_descriptor(pair[0], fd);
	close(fd);
	expect_never(told(watch_fd, 0),
		     "the end is told while copies are left");
	kill(child, SIGKILL);
	must(waitpid(child, NULL, 0));
	expect_never(told(watch_fd, 0),
		     "the end is told while one is under way");
	close(pair[0]);
	close(pair[1]);
	expect_soon(told(watch_fd, 0), "the last copy's end is not told");
	return 0;
}
