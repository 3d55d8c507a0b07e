/* SPDX-License-Identifier: MIT */
/* client-lib/netlink.c - one request, one answer; see rtnetlink(7). */
#include "netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Larger than what is asked here, and than the kernel's word of one link. */
struct request {
	struct nlmsghdr header;
	unsigned char body[256];
};

union answer {
	struct nlmsghdr header;
	unsigned char bytes[16384];
};

int tunclient_netlink_open_(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* ---- messages ---- */

static void *append(struct request *q, size_t size)
{
	unsigned char *at =
		(unsigned char *)q + NLMSG_ALIGN(q->header.nlmsg_len);

	q->header.nlmsg_len = (__u32)(NLMSG_ALIGN(q->header.nlmsg_len) + size);
	return at;
}

static void *begin(struct request *q, unsigned int type, unsigned int flags,
		   size_t size)
{
	memset(q, 0, sizeof(*q));
	q->header.nlmsg_len = NLMSG_HDRLEN;
	q->header.nlmsg_type = (__u16)type;
	q->header.nlmsg_flags = (__u16)(NLM_F_REQUEST | flags);
	return append(q, size);
}

static void put(struct request *q, unsigned int type, const void *data,
		size_t size)
{
	struct rtattr *a = append(q, RTA_LENGTH(size));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
}

static void put_u32(struct request *q, unsigned int type, __u32 value)
{
	put(q, type, &value, sizeof(value));
}

/* The answer of before, whose request was given up. */
static void forget(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		;
}

/* The kernel has answered when the request is sent. */
static int talk(int fd, struct request *q, union answer *ret_answer)
{
	const struct nlmsgerr *error = NLMSG_DATA(&ret_answer->header);
	ssize_t n;

	forget(fd);
	if (send(fd, q, q->header.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, ret_answer, sizeof(*ret_answer), MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&ret_answer->header, (size_t)n))
		return -EIO;
	if (ret_answer->header.nlmsg_type == NLMSG_ERROR)
		return error->error;
	return 0;
}

static int talk_of(int fd, struct request *q)
{
	union answer answer;

	q->header.nlmsg_flags |= NLM_F_ACK;
	return talk(fd, q, &answer);
}

/* ---- the link ---- */

static void take_stats(const struct rtattr *a,
		       struct tunclient_stats *ret_stats)
{
	struct rtnl_link_stats64 s = {0};
	size_t size = RTA_PAYLOAD(a);

	memcpy(&s, RTA_DATA(a), size < sizeof(s) ? size : sizeof(s));
	ret_stats->received_packets = s.tx_packets;
	ret_stats->received_bytes = s.tx_bytes;
	ret_stats->received_dropped = s.tx_dropped;
	ret_stats->sent_packets = s.rx_packets;
	ret_stats->sent_bytes = s.rx_bytes;
	ret_stats->sent_dropped = s.rx_dropped + s.rx_frame_errors;
}

static void take_attribute(const struct rtattr *a, struct tund_link *ret_link,
			   struct tunclient_stats *ret_stats)
{
	size_t size = RTA_PAYLOAD(a);

	switch (a->rta_type) {
	case IFLA_MTU:
		memcpy(&ret_link->mtu, RTA_DATA(a), sizeof(ret_link->mtu));
		break;
	case IFLA_ADDRESS:
		if (size <= sizeof(ret_link->mac))
			memcpy(ret_link->mac, RTA_DATA(a), size);
		break;
	case IFLA_STATS64:
		if (ret_stats)
			take_stats(a, ret_stats);
		break;
	default:
		break;
	}
}

int tunclient_netlink_link_(int fd, const char *name,
			    struct tund_link *ret_link,
			    struct tunclient_stats *ret_stats)
{
	const struct ifinfomsg *info;
	union answer answer;
	struct request q;
	size_t size;
	int r;

	begin(&q, RTM_GETLINK, 0, sizeof(*info));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	r = talk(fd, &q, &answer);
	if (r < 0)
		return r;
	info = NLMSG_DATA(&answer.header);
	memset(ret_link, 0, sizeof(*ret_link));
	ret_link->ifindex = (__u32)info->ifi_index;
	ret_link->flags = info->ifi_flags & IFF_UP ? TUND_LINK_UP : 0;
	ret_link->link_type = info->ifi_type;
	strncpy(ret_link->name, name, sizeof(ret_link->name) - 1);
	size = IFLA_PAYLOAD(&answer.header);
	for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, size);
	     a = RTA_NEXT(a, size))
		take_attribute(a, ret_link, ret_stats);
	return 0;
}

static int set_link(int fd, unsigned int ifindex,
		    const struct tund_config *config)
{
	struct request q;
	struct ifinfomsg *info = begin(&q, RTM_SETLINK, 0, sizeof(*info));

	info->ifi_index = (int)ifindex;
	switch (config->what) {
	case TUND_CONFIG_UP:
		info->ifi_flags = config->value ? IFF_UP : 0;
		info->ifi_change = IFF_UP;
		break;
	case TUND_CONFIG_MTU:
		put_u32(&q, IFLA_MTU, config->value);
		break;
	default:
		put(&q, IFLA_ADDRESS, config->address, TUNCLIENT_MAC_SIZE);
		break;
	}
	return talk_of(fd, &q);
}

/* ---- addresses and routes ---- */

static size_t size_of(const struct tund_config *config)
{
	return config->family == AF_INET ? 4 : 16;
}

static bool has_peer(const struct tund_config *config)
{
	static const __u8 none[sizeof(config->peer)];

	return memcmp(config->peer, none, sizeof(none)) != 0;
}

static int set_address(int fd, unsigned int ifindex,
		       const struct tund_config *config)
{
	bool add = config->what == TUND_CONFIG_ADDRESS_ADD;
	struct request q;
	struct ifaddrmsg *head;

	head = begin(&q, add ? RTM_NEWADDR : RTM_DELADDR,
		     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*head));
	head->ifa_family = config->family;
	head->ifa_prefixlen = config->prefix;
	head->ifa_index = ifindex;
	put(&q, IFA_LOCAL, config->address, size_of(config));
	put(&q, IFA_ADDRESS, has_peer(config) ? config->peer : config->address,
	    size_of(config));
	return talk_of(fd, &q);
}

static int set_route(int fd, unsigned int ifindex,
		     const struct tund_config *config)
{
	bool add = config->what == TUND_CONFIG_ROUTE_ADD;
	bool direct = config->family == AF_INET && !has_peer(config);
	struct request q;
	struct rtmsg *head;

	head = begin(&q, add ? RTM_NEWROUTE : RTM_DELROUTE,
		     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*head));
	head->rtm_family = config->family;
	head->rtm_dst_len = config->prefix;
	head->rtm_table = RT_TABLE_MAIN;
	if (add) {
		head->rtm_type = RTN_UNICAST;
		head->rtm_protocol = RTPROT_BOOT;
		head->rtm_scope = direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	} else {
		head->rtm_scope = RT_SCOPE_NOWHERE;
	}
	put(&q, RTA_DST, config->address, size_of(config));
	if (has_peer(config))
		put(&q, RTA_GATEWAY, config->peer, size_of(config));
	put_u32(&q, RTA_OIF, ifindex);
	if (config->value)
		put_u32(&q, RTA_PRIORITY, config->value);
	return talk_of(fd, &q);
}

int tunclient_netlink_configure_(int fd, unsigned int ifindex,
				 const struct tund_config *config)
{
	switch (config->what) {
	case TUND_CONFIG_UP:
	case TUND_CONFIG_MTU:
	case TUND_CONFIG_MAC:
		return set_link(fd, ifindex, config);
	case TUND_CONFIG_ADDRESS_ADD:
	case TUND_CONFIG_ADDRESS_DEL:
		return set_address(fd, ifindex, config);
	case TUND_CONFIG_ROUTE_ADD:
	case TUND_CONFIG_ROUTE_DEL:
		return set_route(fd, ifindex, config);
	default:
		return -EINVAL;
	}
}
