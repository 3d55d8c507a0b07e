// SPDX-License-Identifier: MIT
/* F14: from the hidden end's namespace one hears what the other end does. */
#include "platform-net.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static int monitor_fd;
static int query_fd;
static int hidden_index;

/* The query itself gives the other namespace a number in this one. */
static int query_nsid(void)
{
	struct platform_rtnl message;

	platform_rtnl_start(&message, RTM_GETLINK, 0, hidden_index);
	expect(platform_rtnl_ask(query_fd, &message) == 0,
	       "the hidden end is not found");
	return platform_rtnl_get_int(&message, IFLA_LINK_NETNSID);
}

/* Returns the number of the sender's namespace, or -1 for our own. */
static int receive(struct platform_rtnl *ret_message)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {ret_message, sizeof(*ret_message)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int nsid = -1;

	must(recvmsg(monitor_fd, &message, 0));
	if (message.msg_controllen >= sizeof(control.header) &&
	    control.header.cmsg_level == SOL_NETLINK &&
	    control.header.cmsg_type == NETLINK_LISTEN_ALL_NSID)
		memcpy(&nsid, CMSG_DATA(&control.header), sizeof(nsid));
	return nsid;
}

enum state {
	STATE_UP,
	STATE_DOWN,
	STATE_ANY,
};

static bool hear(int nsid, uint16_t type, const char *name, enum state state)
{
	struct pollfd pollfd = {.fd = monitor_fd, .events = POLLIN};
	struct platform_rtnl message;
	const char *seen_name;
	bool up;

	if (poll(&pollfd, 1, 0) != 1 || receive(&message) != nsid)
		return false;
	seen_name = platform_rtnl_get(&message, IFLA_IFNAME);
	if (message.header.nlmsg_type != type || !seen_name ||
	    strcmp(seen_name, name) != 0)
		return false;
	up = message.link.ifi_flags & IFF_UP;
	return state == STATE_ANY || up == (state == STATE_UP);
}

int main(void)
{
	int first_nsid;
	int next_nsid;
	int hidden_net;
	int third_net;
	int here;
	int on = 1;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	third_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);

	platform_net_enter(hidden_net);
	hidden_index = (int)if_nametoindex("hidden");
	query_fd = platform_rtnl_socket(0);
	monitor_fd = platform_rtnl_socket(RTMGRP_LINK);
	must(setsockopt(monitor_fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on,
			sizeof(on)));
	platform_net_enter(here);

	first_nsid = query_nsid();
	expect(first_nsid >= 0, "the visible end's namespace has no number");
	platform_link_up("visible");
	expect_soon(hear(first_nsid, RTM_NEWLINK, "visible", STATE_UP),
		    "not heard: up");
	platform_link_down("visible");
	expect_soon(hear(first_nsid, RTM_NEWLINK, "visible", STATE_DOWN),
		    "not heard: down");
	platform_link_rename("visible", "renamed");
	expect_soon(hear(first_nsid, RTM_NEWLINK, "renamed", STATE_ANY),
		    "not heard: a new name");
	platform_link_move("renamed", third_net);
	expect_soon(hear(first_nsid, RTM_DELLINK, "renamed", STATE_ANY),
		    "not heard: a move");

	next_nsid = query_nsid();
	expect(next_nsid >= 0 && next_nsid != first_nsid,
	       "the third namespace has number %d", next_nsid);
	platform_net_enter(third_net);
	platform_link_up("renamed");
	expect_soon(hear(next_nsid, RTM_NEWLINK, "renamed", STATE_UP),
		    "not heard: up in the third namespace");
	platform_link_delete("renamed");
	expect_soon(hear(next_nsid, RTM_DELLINK, "renamed", STATE_ANY),
		    "not heard: deleted");
	return 0;
}
