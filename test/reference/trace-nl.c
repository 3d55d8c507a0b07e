/* SPDX-License-Identifier: MIT */
/* The four rtnetlink messages that the cases need: delete, move, address, ask;
 * a socket for each, since none is in a hurry. */
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
	if (ret == 0 && !wait_until(has_local_route, &in6, DEADLINE_MS))
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

int if_kind(const char *name, char *ret_kind, size_t size)
{
	static uint8_t reply[32768];
	const uint8_t *info, *kind;
	struct nl_msg m = {0};
	size_t len;
	long n;

	ret_kind[0] = '\0';
	m.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	m.nlh.nlmsg_type = RTM_GETLINK;
	m.link.ifi_index = (int)if_nametoindex(name);
	n = nl_talk(&m, reply, sizeof(reply));
	if (n < 0)
		return (int)n;
	info = find_attr(reply + NLMSG_SPACE(sizeof(m.link)),
			 (size_t)n - NLMSG_SPACE(sizeof(m.link)), IFLA_LINKINFO,
			 &len);
	if (!info)
		return 0;
	kind = find_attr(info, len, IFLA_INFO_KIND, &len);
	if (kind)
		snprintf(ret_kind, size, "%.*s", (int)len, (const char *)kind);
	return 0;
}
