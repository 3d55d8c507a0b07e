/* SPDX-License-Identifier: MIT */
/* rtnl_ip.c - messages about addresses and routes, built with libmnl. */
#include "net/rtnl_ip.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/ipv6_route.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "net/rtnl.h"

static size_t size_of(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

const uint8_t *rtnl_ip_or_null(uint8_t family, const uint8_t *address)
{
	static const uint8_t zero[16];

	return memcmp(address, zero, size_of(family)) == 0 ? NULL : address;
}

static int talk_of_address(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			   int ifindex, const struct rtnl_address *a)
{
	const struct ifaddrmsg head = {
		.ifa_family = a->family,
		.ifa_prefixlen = a->prefix,
		.ifa_flags =
			a->nodad && a->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = (uint32_t)ifindex,
	};
	struct nlmsghdr *nlh =
		rtnl_begin(rtnl, type, NLM_F_ACK | flags, &head, sizeof(head));

	mnl_attr_put(nlh, IFA_LOCAL, size_of(a->family), a->address);
	mnl_attr_put(nlh, IFA_ADDRESS, size_of(a->family),
		     a->peer ? a->peer : a->address);
	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_add_address(struct rtnl *rtnl, int ifindex,
		     const struct rtnl_address *address)
{
	return talk_of_address(rtnl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
			       ifindex, address);
}

int rtnl_del_address(struct rtnl *rtnl, int ifindex,
		     const struct rtnl_address *address)
{
	return talk_of_address(rtnl, RTM_DELADDR, 0, ifindex, address);
}

static int talk_of_route(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			 const struct rtmsg *head, int ifindex,
			 const struct rtnl_route *route)
{
	struct nlmsghdr *nlh =
		rtnl_begin(rtnl, type, NLM_F_ACK | flags, head, sizeof(*head));
	size_t size = size_of(route->family);

	mnl_attr_put(nlh, RTA_DST, size, route->to);
	if (route->gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, size, route->gateway);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)ifindex);
	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_add_route(struct rtnl *rtnl, int ifindex,
		   const struct rtnl_route *route)
{
	const struct rtmsg head = {
		.rtm_family = route->family,
		.rtm_dst_len = route->prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = route->gateway || route->family == AF_INET6
				     ? RT_SCOPE_UNIVERSE
				     : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};

	return talk_of_route(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
			     &head, ifindex, route);
}

int rtnl_del_route(struct rtnl *rtnl, int ifindex,
		   const struct rtnl_route *route)
{
	/* Whoever made it, and whatever scope he gave it. */
	const struct rtmsg head = {
		.rtm_family = route->family,
		.rtm_dst_len = route->prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_scope = RT_SCOPE_NOWHERE,
	};

	return talk_of_route(rtnl, RTM_DELROUTE, 0, &head, ifindex, route);
}

/* What makes two routes the same one; without padding. */
struct route_key {
	uint32_t prefix, metric, ifindex;
	uint8_t to[16], gateway[16];
};

struct search {
	struct route_key key;
	bool found;
};

static void route_attr(const struct nlattr *attr, struct route_key *key)
{
	const void *data = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		memcpy(key->to, data, len < 16 ? len : 16);
		break;
	case RTA_GATEWAY:
	case RTA_VIA: /* of the other family: its first bytes say so */
		memcpy(key->gateway, data, len < 16 ? len : 16);
		break;
	case RTA_PRIORITY:
		key->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_OIF: /* not there: it has several */
		key->ifindex = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(nlh);
	struct route_key key = {.prefix = head->rtm_dst_len};
	struct search *search = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*head)) route_attr(attr, &key);
	if (head->rtm_table == RT_TABLE_MAIN && head->rtm_type == RTN_UNICAST &&
	    head->rtm_src_len == 0 && head->rtm_tos == 0 &&
	    memcmp(&key, &search->key, sizeof(key)) == 0)
		search->found = true;
	return MNL_CB_OK;
}

bool rtnl_has_route(struct rtnl *rtnl, int ifindex,
		    const struct rtnl_route *route)
{
	const struct rtmsg head = {
		.rtm_family = route->family,
		.rtm_table = RT_TABLE_MAIN,
	};
	struct search search = {
		.key = {.prefix = route->prefix,
			.metric = route->metric,
			.ifindex = (uint32_t)ifindex},
	};
	const int yes = 1;
	struct nlmsghdr *nlh;
	int r;

	if (route->family == AF_INET6 && route->metric == 0)
		search.key.metric = IP6_RT_PRIO_USER;
	memcpy(search.key.to, route->to, size_of(route->family));
	if (route->gateway)
		memcpy(search.key.gateway, route->gateway,
		       size_of(route->family));
	/* Then the kernel shows those of the interface only, where it can. */
	setsockopt(rtnl_fd(rtnl), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes,
		   sizeof(yes));
	nlh = rtnl_begin(rtnl, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
	mnl_attr_put_u32(nlh, RTA_OIF, search.key.ifindex);
	r = rtnl_talk(rtnl, nlh, on_route, &search);
	return r < 0 || search.found;
}
