/* SPDX-License-Identifier: MIT */
/* rtnl.c - messages built and read with libmnl. */
#include "net/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/netns.h"

/* A link may have many other names, each in the answer. */
#define BUFFER_SIZE (128 << 10)

struct rtnl {
	struct mnl_socket *nl;
	uint32_t seq;
	uint8_t buffer[BUFFER_SIZE];
};

int rtnl_open(struct rtnl **ret_rtnl)
{
	struct rtnl *rtnl = malloc(sizeof(*rtnl));
	int r;

	if (!rtnl)
		return -ENOMEM;
	rtnl->seq = 0;
	rtnl->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!rtnl->nl || mnl_socket_bind(rtnl->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		if (rtnl->nl)
			mnl_socket_close(rtnl->nl);
		free(rtnl);
		return r;
	}
	*ret_rtnl = rtnl;
	return 0;
}

int rtnl_open_in(int ns_fd, struct rtnl **ret_rtnl)
{
	int r = netns_enter(ns_fd);

	if (r < 0)
		return r;
	r = rtnl_open(ret_rtnl);
	netns_leave();
	return r;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	mnl_socket_close(rtnl->nl);
	free(rtnl);
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->nl);
}

struct nlmsghdr *rtnl_begin(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			    const void *header, size_t header_len)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(rtnl->buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = ++rtnl->seq;
	memcpy(mnl_nlmsg_put_extra_header(nlh, header_len), header, header_len);
	return nlh;
}

static struct nlmsghdr *start(struct rtnl *rtnl, uint16_t type, uint16_t flags,
			      int ifindex, unsigned int if_flags)
{
	const struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = ifindex,
		.ifi_flags = if_flags,
		.ifi_change = if_flags,
	};

	return rtnl_begin(rtnl, type, flags, &ifi, sizeof(ifi));
}

int rtnl_talk(struct rtnl *rtnl, const struct nlmsghdr *nlh,
	      int (*answer)(const struct nlmsghdr *nlh, void *data), void *data)
{
	unsigned int portid = mnl_socket_get_portid(rtnl->nl);
	ssize_t n;
	int r;

	if (mnl_socket_sendto(rtnl->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(rtnl->nl, rtnl->buffer, BUFFER_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = mnl_cb_run(rtnl->buffer, (size_t)n, rtnl->seq, portid,
			       answer, data);
		if (r < 0)
			return -errno;
	} while (r > MNL_CB_STOP);
	return 0;
}

static void stats_attr(const struct nlattr *attr, struct rtnl_link *link)
{
	struct rtnl_link_stats64 stats;
	size_t len = mnl_attr_get_payload_len(attr);

	/* Kernels differ in its length, and align attributes to 4 bytes. */
	memset(&stats, 0, sizeof(stats));
	memcpy(&stats, mnl_attr_get_payload(attr),
	       len < sizeof(stats) ? len : sizeof(stats));
	link->rx_packets = stats.rx_packets;
	link->rx_bytes = stats.rx_bytes;
	link->rx_dropped = stats.rx_dropped;
	link->tx_packets = stats.tx_packets;
	link->tx_bytes = stats.tx_bytes;
	link->tx_dropped = stats.tx_dropped;
}

static void link_attr(const struct nlattr *attr, struct rtnl_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		strncpy(link->name, mnl_attr_get_str(attr), IFNAMSIZ - 1);
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_TXQLEN:
		link->queue_len = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == ETH_ALEN)
			memcpy(link->mac, mnl_attr_get_payload(attr), ETH_ALEN);
		break;
	case IFLA_LINK:
		link->peer_ifindex = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_nsid = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_PROMISCUITY:
		link->promiscuity = mnl_attr_get_u32(attr);
		break;
	case IFLA_STATS64:
		stats_attr(attr, link);
		break;
	default:
		break;
	}
}

bool rtnl_parse_link(const struct nlmsghdr *nlh, struct rtnl_link *ret_link)
{
	const struct ifinfomsg *ifi;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return false;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return false;
	ifi = mnl_nlmsg_get_payload(nlh);
	*ret_link = (struct rtnl_link){
		.ifindex = ifi->ifi_index,
		.flags = ifi->ifi_flags,
		.peer_nsid = RTNL_NO_NSID,
	};
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) link_attr(attr, ret_link);
	return true;
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	rtnl_parse_link(nlh, data);
	return MNL_CB_STOP;
}

int rtnl_get_link(struct rtnl *rtnl, const char *name, int ifindex, int nsid,
		  struct rtnl_link *ret_link)
{
	struct nlmsghdr *nlh =
		start(rtnl, RTM_GETLINK, 0, name ? 0 : ifindex, 0);

	if (name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (nsid != RTNL_NO_NSID)
		mnl_attr_put_u32(nlh, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	*ret_link = (struct rtnl_link){.peer_nsid = RTNL_NO_NSID};
	return rtnl_talk(rtnl, nlh, on_link, ret_link);
}

static void put_peer(struct nlmsghdr *nlh, const struct rtnl_veth *veth)
{
	struct nlattr *peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	struct ifinfomsg *ifi =
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_flags = veth->peer_flags;
	ifi->ifi_change = veth->peer_flags;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, veth->peer_name);
	mnl_attr_put_u32(nlh, IFLA_MTU, veth->peer_mtu);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)veth->peer_ns_fd);
	mnl_attr_nest_end(nlh, peer);
}

int rtnl_add_veth(struct rtnl *rtnl, const struct rtnl_veth *veth)
{
	struct nlmsghdr *nlh =
		start(rtnl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
		      veth->ifindex, veth->flags);
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, veth->name);
	mnl_attr_put_u32(nlh, IFLA_TXQLEN, veth->queue_len);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	put_peer(nlh, veth);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_del_link(struct rtnl *rtnl, int ifindex)
{
	struct nlmsghdr *nlh = start(rtnl, RTM_DELLINK, NLM_F_ACK, ifindex, 0);

	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_set_flags(struct rtnl *rtnl, int ifindex, unsigned int which,
		   unsigned int flags)
{
	struct nlmsghdr *nlh =
		start(rtnl, RTM_SETLINK, NLM_F_ACK, ifindex, which);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_flags = flags;
	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_set_up(struct rtnl *rtnl, int ifindex, bool up)
{
	return rtnl_set_flags(rtnl, ifindex, IFF_UP, up ? IFF_UP : 0);
}

int rtnl_set_mtu(struct rtnl *rtnl, int ifindex, uint32_t mtu)
{
	struct nlmsghdr *nlh = start(rtnl, RTM_SETLINK, NLM_F_ACK, ifindex, 0);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_set_mac(struct rtnl *rtnl, int ifindex, const uint8_t mac[ETH_ALEN])
{
	struct nlmsghdr *nlh = start(rtnl, RTM_SETLINK, NLM_F_ACK, ifindex, 0);

	mnl_attr_put(nlh, IFLA_ADDRESS, ETH_ALEN, mac);
	return rtnl_talk(rtnl, nlh, NULL, NULL);
}

int rtnl_set_silent(struct rtnl *rtnl, int ifindex)
{
	struct nlmsghdr *nlh = start(rtnl, RTM_SETLINK, NLM_F_ACK, ifindex, 0);
	struct nlattr *spec, *inet6;
	int r;

	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	r = rtnl_talk(rtnl, nlh, NULL, NULL);
	/* A kernel without IPv6 is silent anyway. */
	return r == -EAFNOSUPPORT ? 0 : r;
}

static int on_nsid(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	int *ret_nsid = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
	{
		if (mnl_attr_get_type(attr) == NETNSA_NSID)
			*ret_nsid = (int)mnl_attr_get_u32(attr);
	}
	return MNL_CB_STOP;
}

int rtnl_get_nsid(struct rtnl *rtnl, int ns_fd, int *ret_nsid)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	struct nlmsghdr *nlh =
		rtnl_begin(rtnl, RTM_GETNSID, 0, &any, sizeof(any));

	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)ns_fd);
	*ret_nsid = RTNL_NO_NSID;
	return rtnl_talk(rtnl, nlh, on_nsid, ret_nsid);
}

int rtnl_open_watch(int *ret_fd)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1u << (RTNLGRP_LINK - 1),
	};
	int yes = 1;
	int fd, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &yes,
		       sizeof(yes)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
