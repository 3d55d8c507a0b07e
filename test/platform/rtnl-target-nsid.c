// SPDX-License-Identifier: MIT
/* F14: from the hidden end's namespace the visible end can be looked at. */
#include "platform-net.h"

#include <linux/if_link.h>
#include <string.h>

enum {
	MTU = 1234,
};

int main(void)
{
	struct platform_rtnl message;
	const char *name;
	int query_fd;
	int hidden_net;
	int index;
	int mtu;
	int here;
	int nsid;

	platform_begin();
	here = platform_net_here();
	hidden_net = platform_net_new();
	platform_veth("visible", "hidden", hidden_net);
	platform_link_mtu("visible", MTU);
	platform_link_up("visible");

	platform_net_enter(hidden_net);
	query_fd = platform_rtnl_socket(0);
	platform_rtnl_start(&message, RTM_GETLINK, 0,
			    (int)if_nametoindex("hidden"));
	expect(platform_rtnl_ask(query_fd, &message) == 0,
	       "the hidden end is not found");
	index = platform_rtnl_get_int(&message, IFLA_LINK);
	nsid = platform_rtnl_get_int(&message, IFLA_LINK_NETNSID);

	platform_rtnl_start(&message, RTM_GETLINK, 0, index);
	platform_rtnl_add(&message, IFLA_TARGET_NETNSID, &nsid, sizeof(nsid));
	expect(platform_rtnl_ask(query_fd, &message) == 0,
	       "the visible end is not found");
	name = platform_rtnl_get(&message, IFLA_IFNAME);
	expect(name && strcmp(name, "visible") == 0, "another link is found");
	mtu = platform_rtnl_get_int(&message, IFLA_MTU);
	expect(mtu == MTU, "its MTU is read as %d", mtu);
	expect(message.link.ifi_flags & IFF_UP, "it is read as down");

	platform_net_enter(here);
	expect((int)if_nametoindex("visible") == index,
	       "its index is another one");
	return 0;
}
