/* SPDX-License-Identifier: MIT */
/* Network namespaces, veth pairs and packet sockets, as a test needs them. */
#ifndef PLATFORM_NET_H
#define PLATFORM_NET_H

#include "platform.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

/* Frames of ours bear this type, so that the stack's own are told apart. */
#define PLATFORM_ETHERTYPE 0x88b5

struct platform_frame {
	struct ethhdr header;
	char payload[2048 - sizeof(struct ethhdr)];
};

/* Namespaces by descriptor; the calling thread alone moves. */
int platform_net_here(void);
int platform_net_new(void);
void platform_net_enter(int net_fd);

/* A pair of which one end stays here. Skips where the kernel has no veth. */
void platform_veth(const char *here, const char *there, int there_net_fd);

/* Changes of a link in the thread's own namespace. */
void platform_link_up(const char *name);
void platform_link_down(const char *name);
void platform_link_noarp(const char *name);
void platform_link_mtu(const char *name, int mtu);
void platform_link_mac(const char *name, const uint8_t mac[ETH_ALEN]);
void platform_link_rename(const char *name, const char *new_name);
void platform_link_move(const char *name, int net_fd);
void platform_link_delete(const char *name);
void platform_link_no_addresses(const char *name); /* addrgenmode none */
void platform_link_address(const char *name, const char *ipv4);
bool platform_link_exists(const char *name);

/* -1 and errno, or the value of the ethtool command after the call. */
int platform_ethtool(const char *name, uint32_t ethtool_command,
		     uint32_t value);

/* Bound to the link, for all protocols, non-blocking. */
int platform_packet_socket(const char *name, int type);
void platform_packet_option(int fd, int option, int value);

/* A frame of ours of that many bytes in all; returns as send() does. */
long platform_send(int fd, size_t size);

/* The next frame of ours; returns its size, or -1 if there is none. */
long platform_receive(int fd, struct platform_frame *ret_frame);

/* One message to rtnetlink, and one from it. */
struct platform_rtnl {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[8192];
};

void platform_rtnl_start(struct platform_rtnl *message, uint16_t type,
			 uint16_t flags, int index);
void platform_rtnl_add(struct platform_rtnl *message, uint16_t type,
		       const void *data, size_t size);
int platform_rtnl_socket(uint32_t groups);
/* 0 or negative errno; the answer of a query replaces the message. */
int platform_rtnl_ask(int fd, struct platform_rtnl *message);
const void *platform_rtnl_get(const struct platform_rtnl *message,
			      uint16_t type);
int platform_rtnl_get_int(const struct platform_rtnl *message, uint16_t type);

#endif
