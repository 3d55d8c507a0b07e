/* SPDX-License-Identifier: MIT */
/* The rtnetlink messages that the cases need: make, delete, change, address,
 * ask; a socket for each, since none is in a hurry. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct nl_msg {
	struct nlmsghdr nlh;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
	};
	uint8_t attrs[256];
};

static void nl_attr(struct nl_msg *m, unsigned short type, const void *data,
		    size_t len)
{
	uint8_t *end = (uint8_t *)m + NLMSG_ALIGN(m->nlh.nlmsg_len);
	struct rtattr rta = {
		.rta_type = type,
		.rta_len = (unsigned short)RTA_LENGTH(len),
	};

	memcpy(end, &rta, sizeof(rta));
	if (len)
		memcpy(end + RTA_LENGTH(0), data, len);
	m->nlh.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->nlh.nlmsg_len) +
				      RTA_ALIGN(rta.rta_len));
}

/* Sends, and receives one message into REPLY; 0 or a negative errno. */
static long nl_talk(struct nl_msg *m, void *reply, size_t size)
{
	struct nlmsghdr *nlh = reply;
	struct nlmsgerr err;
	ssize_t n;
	int sock;

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (sock < 0)
		return -errno;
	m->nlh.nlmsg_flags |= NLM_F_REQUEST;
	n = send(sock, m, m->nlh.nlmsg_len, 0);
	if (n >= 0)
		n = recv(sock, reply, size, 0);
	close(sock);
	if (n < 0)
		return -errno;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return n;
	memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
	return err.error;
}

static int nl_link(unsigned short type, const char *name, int netns_fd)
{
	struct nl_msg m = {0};
	uint8_t reply[1024];

	m.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	m.nlh.nlmsg_type = type;
	m.nlh.nlmsg_flags = NLM_F_ACK;
	m.link.ifi_index = (int)if_nametoindex(name);
	if (!m.link.ifi_index)
		return -ENODEV;
	if (netns_fd >= 0)
		nl_attr(&m, IFLA_NET_NS_FD, &netns_fd, sizeof(netns_fd));
	return (int)nl_talk(&m, reply, sizeof(reply));
}

int if_delete(const char *name)
{
	return nl_link(RTM_DELLINK, name, -1);
}

int if_move(const char *name, int netns_fd)
{
	return nl_link(RTM_SETLINK, name, netns_fd);
}

/* The host's own address works only once a work queue has made its route. */
static bool has_local_route(void *arg)
{
	const struct in6_addr *addr = arg;
	char line[256], start[40];
	bool found = false;
	FILE *f;
	int i;

	for (i = 0; i < 16; i++)
		snprintf(start + i * 2, 3, "%02x", addr->s6_addr[i]);
	f = fopen("/proc/thread-self/net/ipv6_route", "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		found |= !strncmp(line, start, 32) &&
			 !strncmp(line + 32, " 80", 3);
	fclose(f);
	return found;
}

int if_address6(const char *name, const char *addr)
{
	uint32_t flags = IFA_F_NODAD;
	struct nl_msg m = {0};
	struct in6_addr in6;
	uint8_t reply[1024];
	long ret;

	m.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m.addr));
	m.nlh.nlmsg_type = RTM_NEWADDR;
	m.nlh.nlmsg_flags = NLM_F_ACK | NLM_F_CREATE;
	m.addr.ifa_family = AF_INET6;
	m.addr.ifa_prefixlen = 64;
	m.addr.ifa_index = if_nametoindex(name);
	inet_pton(AF_INET6, addr, &in6);
	nl_attr(&m, IFA_ADDRESS, &in6, sizeof(in6));
	nl_attr(&m, IFA_FLAGS, &flags, sizeof(flags));
	ret = nl_talk(&m, reply, sizeof(reply));
	if (ret == 0 && !wait_until(has_local_route, &in6, PATIENCE_MS))
		return -ETIMEDOUT;
	return (int)ret;
}

/* The attribute TYPE in the LEN bytes at P; its data, or NULL. */
static const uint8_t *find_attr(const uint8_t *p, size_t len,
				unsigned short type, size_t *ret_len)
{
	struct rtattr rta;

	while (len >= sizeof(rta)) {
		memcpy(&rta, p, sizeof(rta));
		if (rta.rta_len < sizeof(rta) || rta.rta_len > len)
			return NULL;
		if (rta.rta_type == type) {
			*ret_len = rta.rta_len - RTA_LENGTH(0);
			return p + RTA_LENGTH(0);
		}
		if (RTA_ALIGN(rta.rta_len) > len)
			return NULL;
		p += RTA_ALIGN(rta.rta_len);
		len -= RTA_ALIGN(rta.rta_len);
	}
	return NULL;
}

/* Asks for everything; LEN attribute bytes from the result on, or NULL. */
static const uint8_t *link_attrs(const char *name, size_t *ret_len)
{
	static uint8_t reply[32768];
	struct nl_msg m = {0};
	long n;

	m.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	m.nlh.nlmsg_type = RTM_GETLINK;
	m.link.ifi_index = (int)if_nametoindex(name);
	n = nl_talk(&m, reply, sizeof(reply));
	if (n < (long)NLMSG_SPACE(sizeof(m.link)))
		return NULL;
	*ret_len = (size_t)n - NLMSG_SPACE(sizeof(m.link));
	return reply + NLMSG_SPACE(sizeof(m.link));
}

int if_kind(const char *name, char *ret_kind, size_t size)
{
	const uint8_t *info, *kind;
	size_t len;

	ret_kind[0] = '\0';
	info = link_attrs(name, &len);
	if (!info)
		return -ENODEV;
	info = find_attr(info, len, IFLA_LINKINFO, &len);
	if (!info)
		return 0;
	kind = find_attr(info, len, IFLA_INFO_KIND, &len);
	if (kind)
		snprintf(ret_kind, size, "%.*s", (int)len, (const char *)kind);
	return 0;
}

static long attr_value(const uint8_t *p, size_t len)
{
	uint32_t u32;

	if (!p)
		return -ENODATA;
	if (len == 1)
		return p[0];
	if (len != sizeof(u32))
		return -EMSGSIZE;
	memcpy(&u32, p, sizeof(u32));
	return (long)u32;
}

long if_attr(const char *name, unsigned short type)
{
	size_t len = 0;
	const uint8_t *p = link_attrs(name, &len);

	if (!p)
		return -ENODEV;
	p = find_attr(p, len, type, &len);
	return attr_value(p, len);
}

long if_attr_len(const char *name, unsigned short type)
{
	size_t len = 0;
	const uint8_t *p = link_attrs(name, &len);

	if (!p)
		return -ENODEV;
	return find_attr(p, len, type, &len) ? (long)len : -ENODATA;
}

long if_info(const char *name, unsigned short type)
{
	size_t len = 0;
	const uint8_t *p = link_attrs(name, &len);

	if (!p)
		return -ENODEV;
	p = find_attr(p, len, IFLA_LINKINFO, &len);
	if (p)
		p = find_attr(p, len, IFLA_INFO_DATA, &len);
	if (p)
		p = find_attr(p, len, type, &len);
	return attr_value(p, len);
}

int if_stats64(const char *name, struct rtnl_link_stats64 *ret_stats)
{
	size_t len = 0;
	const uint8_t *p = link_attrs(name, &len);

	memset(ret_stats, 0, sizeof(*ret_stats));
	if (!p)
		return -ENODEV;
	p = find_attr(p, len, IFLA_STATS64, &len);
	if (!p)
		return -ENODATA;
	memcpy(ret_stats, p,
	       len < sizeof(*ret_stats) ? len : sizeof(*ret_stats));
	return 0;
}

int if_set_attr(const char *name, unsigned short type, const void *data,
		size_t size)
{
	struct nl_msg m = {0};
	uint8_t reply[1024];

	m.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	m.nlh.nlmsg_type = RTM_SETLINK;
	m.nlh.nlmsg_flags = NLM_F_ACK;
	m.link.ifi_index = (int)if_nametoindex(name);
	if (!m.link.ifi_index)
		return -ENODEV;
	nl_attr(&m, type, data, size);
	return (int)nl_talk(&m, reply, sizeof(reply));
}

/* An attribute that has attributes in it begins with just a header. */
static size_t nl_nest(struct nl_msg *m, unsigned short type)
{
	size_t at = NLMSG_ALIGN(m->nlh.nlmsg_len);

	nl_attr(m, type, NULL, 0);
	return at;
}

static void nl_nest_end(struct nl_msg *m, size_t at)
{
	struct rtattr *rta = (struct rtattr *)(void *)((uint8_t *)m + at);

	rta->rta_len = (unsigned short)(m->nlh.nlmsg_len - at);
}

int if_create(const char *name, const char *kind)
{
	struct nl_msg m = {0};
	uint8_t reply[1024];
	size_t info;

	m.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	m.nlh.nlmsg_type = RTM_NEWLINK;
	m.nlh.nlmsg_flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	nl_attr(&m, IFLA_IFNAME, name, strlen(name) + 1);
	info = nl_nest(&m, IFLA_LINKINFO);
	nl_attr(&m, IFLA_INFO_KIND, kind, strlen(kind));
	nl_nest_end(&m, info);
	return (int)nl_talk(&m, reply, sizeof(reply));
}
