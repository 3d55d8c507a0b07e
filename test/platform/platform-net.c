// SPDX-License-Identifier: MIT
/* Network namespaces, veth pairs and packet sockets, as a test needs them. */
#include "platform-net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int platform_net_here(void)
{
	return (int)must(
		open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

void platform_net_enter(int net_fd)
{
	must(setns(net_fd, CLONE_NEWNET));
}

int platform_net_new(void)
{
	int here = platform_net_here();
	int new;

	must(unshare(CLONE_NEWNET));
	new = platform_net_here();
	platform_net_enter(here);
	close(here);
	return new;
}

void platform_rtnl_start(struct platform_rtnl *message, uint16_t type,
			 uint16_t flags, int index)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_LENGTH(sizeof(message->link));
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | flags;
	message->link.ifi_index = index;
}

static struct rtattr *tail(struct platform_rtnl *message)
{
	return (struct rtattr *)((char *)message +
				 NLMSG_ALIGN(message->header.nlmsg_len));
}

void platform_rtnl_add(struct platform_rtnl *message, uint16_t type,
		       const void *data, size_t size)
{
	struct rtattr *attribute = tail(message);

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) +
				    RTA_ALIGN(attribute->rta_len);
}

static struct rtattr *start_nest(struct platform_rtnl *message, uint16_t type)
{
	struct rtattr *nest = tail(message);

	platform_rtnl_add(message, type, NULL, 0);
	return nest;
}

static void end_nest(struct platform_rtnl *message, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)((char *)tail(message) - (char *)nest);
}

int platform_rtnl_socket(uint32_t groups)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = groups,
	};
	int fd = (int)must(
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

int platform_rtnl_ask(int fd, struct platform_rtnl *message)
{
	const struct nlmsgerr *error;

	must(send(fd, message, message->header.nlmsg_len, 0));
	must(recv(fd, message, sizeof(*message), 0));
	if (message->header.nlmsg_type != NLMSG_ERROR)
		return 0;
	error = NLMSG_DATA(&message->header);
	return error->error;
}

const void *platform_rtnl_get(const struct platform_rtnl *message,
			      uint16_t type)
{
	size_t left =
		message->header.nlmsg_len - NLMSG_LENGTH(sizeof(message->link));
	const struct rtattr *attribute =
		(const struct rtattr *)message->attributes;

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == type)
			return RTA_DATA(attribute);
	}
	return NULL;
}

int platform_rtnl_get_int(const struct platform_rtnl *message, uint16_t type)
{
	const void *data = platform_rtnl_get(message, type);
	int value;

	expect(data, "the link has no attribute %u", type);
	memcpy(&value, data, sizeof(value));
	return value;
}

/* Asks, expects no more than that it is done, and returns how it went. */
static int change(struct platform_rtnl *message)
{
	int fd = platform_rtnl_socket(0);
	int error;

	message->header.nlmsg_flags |= NLM_F_ACK;
	error = platform_rtnl_ask(fd, message);
	close(fd);
	return error;
}

static int index_of(const char *name)
{
	unsigned int index = if_nametoindex(name);

	expect(index, "set-up: no link %s", name);
	return (int)index;
}

void platform_veth(const char *here, const char *there, int there_net_fd)
{
	const struct ifinfomsg no_link = {0};
	struct platform_rtnl message;
	struct rtattr *info;
	struct rtattr *data;
	struct rtattr *peer;
	int error;

	platform_rtnl_start(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
			    0);
	platform_rtnl_add(&message, IFLA_IFNAME, here, strlen(here) + 1);
	info = start_nest(&message, IFLA_LINKINFO);
	platform_rtnl_add(&message, IFLA_INFO_KIND, "veth", 4);
	data = start_nest(&message, IFLA_INFO_DATA);
	peer = start_nest(&message, VETH_INFO_PEER);
	memcpy(tail(&message), &no_link, sizeof(no_link));
	message.header.nlmsg_len += sizeof(no_link);
	platform_rtnl_add(&message, IFLA_IFNAME, there, strlen(there) + 1);
	platform_rtnl_add(&message, IFLA_NET_NS_FD, &there_net_fd,
			  sizeof(there_net_fd));
	end_nest(&message, peer);
	end_nest(&message, data);
	end_nest(&message, info);
	error = change(&message);
	if (error == -EOPNOTSUPP)
		platform_skip("this kernel has no veth");
	expect(error == 0, "set-up: veth: %s", strerror(-error));
}

static void request(const char *name, unsigned long number, struct ifreq *ifr)
{
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	memset(ifr->ifr_name, 0, sizeof(ifr->ifr_name));
	strncpy(ifr->ifr_name, name, sizeof(ifr->ifr_name) - 1);
	must(ioctl(fd, number, ifr));
	close(fd);
}

static void set_flags(const char *name, int set, int clear)
{
	struct ifreq ifr;

	request(name, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags = (short)((ifr.ifr_flags | set) & ~clear);
	request(name, SIOCSIFFLAGS, &ifr);
}

void platform_link_up(const char *name)
{
	set_flags(name, IFF_UP, 0);
}

void platform_link_down(const char *name)
{
	set_flags(name, 0, IFF_UP);
}

void platform_link_noarp(const char *name)
{
	set_flags(name, IFF_NOARP, 0);
}

void platform_link_mtu(const char *name, int mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	request(name, SIOCSIFMTU, &ifr);
}

void platform_link_mac(const char *name, const uint8_t mac[ETH_ALEN])
{
	struct platform_rtnl message;

	platform_rtnl_start(&message, RTM_SETLINK, 0, index_of(name));
	platform_rtnl_add(&message, IFLA_ADDRESS, mac, ETH_ALEN);
	expect(change(&message) == 0, "set-up: %s keeps its address", name);
}

void platform_link_rename(const char *name, const char *new_name)
{
	struct ifreq ifr = {0};

	strncpy(ifr.ifr_newname, new_name, sizeof(ifr.ifr_newname) - 1);
	request(name, SIOCSIFNAME, &ifr);
}

void platform_link_address(const char *name, const char *ipv4)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct ifreq ifr;

	inet_pton(AF_INET, ipv4, &address.sin_addr);
	memcpy(&ifr.ifr_addr, &address, sizeof(address));
	request(name, SIOCSIFADDR, &ifr);
}

void platform_link_move(const char *name, int net_fd)
{
	struct platform_rtnl message;

	platform_rtnl_start(&message, RTM_NEWLINK, 0, index_of(name));
	platform_rtnl_add(&message, IFLA_NET_NS_FD, &net_fd, sizeof(net_fd));
	expect(change(&message) == 0, "set-up: %s does not move", name);
}

void platform_link_delete(const char *name)
{
	struct platform_rtnl message;

	platform_rtnl_start(&message, RTM_DELLINK, 0, index_of(name));
	expect(change(&message) == 0, "set-up: %s stays", name);
}

void platform_link_no_addresses(const char *name)
{
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct platform_rtnl message;
	struct rtattr *families;
	struct rtattr *family;

	platform_rtnl_start(&message, RTM_NEWLINK, 0, index_of(name));
	families = start_nest(&message, IFLA_AF_SPEC);
	family = start_nest(&message, AF_INET6);
	platform_rtnl_add(&message, IFLA_INET6_ADDR_GEN_MODE, &mode,
			  sizeof(mode));
	end_nest(&message, family);
	end_nest(&message, families);
	expect(change(&message) == 0, "set-up: no addrgenmode for %s", name);
}

bool platform_link_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

int platform_ethtool(const char *name, uint32_t ethtool_command, uint32_t value)
{
	struct ethtool_value ethtool = {ethtool_command, value};
	struct ifreq ifr = {.ifr_data = (void *)&ethtool};

	request(name, SIOCETHTOOL, &ifr);
	return (int)ethtool.data;
}

int platform_packet_socket(const char *name, int type)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index_of(name),
	};
	int fd = (int)must(
		socket(AF_PACKET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

void platform_packet_option(int fd, int option, int value)
{
	must(setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)));
}

long platform_send(int fd, size_t size)
{
	struct platform_frame frame = {
		.header = {.h_dest = {255, 255, 255, 255, 255, 255}},
	};

	frame.header.h_proto = htons(PLATFORM_ETHERTYPE);
	return send(fd, &frame, size, 0);
}

long platform_receive(int fd, struct platform_frame *ret_frame)
{
	for (;;) {
		long size = recv(fd, ret_frame, sizeof(*ret_frame), 0);

		if (size < 0)
			return -1;
		if (ret_frame->header.h_proto == htons(PLATFORM_ETHERTYPE))
			return size;
	}
}
