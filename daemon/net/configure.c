/* SPDX-License-Identifier: MIT */
/*
 * configure.c - the visible end's state, addresses and routes, for a program
 * that may have them set, in the namespace in which the end is. What a program
 * may is not decided here, and the end's offloads and filters are settings.c's.
 */
#include <errno.h>

#include "net/link.h"
#include "net/rtnl.h"
#include "net/rtnl_ip.h"
#include <tund/abi.h>

/* Somebody may be moving it. */
#define TRIES 3

static int change_address(struct host_link *link, struct rtnl *rtnl,
			  int ifindex, const struct tund_config *config)
{
	const struct rtnl_address address = {
		.family = config->family,
		.prefix = config->prefix,
		.address = config->address,
		.peer = rtnl_ip_or_null(config->family, config->peer),
		/* There is nobody on a TUN who could have the same. */
		.nodad = link->kind == DEV_TUN,
	};
	int r;

	if (config->what == TUND_CONFIG_ADDRESS_DEL)
		return rtnl_del_address(rtnl, ifindex, &address);
	r = rtnl_add_address(rtnl, ifindex, &address);
	return r == -EEXIST ? HOST_SAME : r;
}

static int change_route(struct rtnl *rtnl, int ifindex,
			const struct tund_config *config)
{
	const struct rtnl_route route = {
		.family = config->family,
		.prefix = config->prefix,
		.to = config->address,
		.gateway = rtnl_ip_or_null(config->family, config->peer),
		.metric = config->value,
	};
	int r;

	if (config->what == TUND_CONFIG_ROUTE_DEL)
		return rtnl_del_route(rtnl, ifindex, &route);
	r = rtnl_add_route(rtnl, ifindex, &route);
	return r == -EEXIST && rtnl_has_route(rtnl, ifindex, &route) ? HOST_SAME
								     : r;
}

static int change(struct host_link *link, struct rtnl *rtnl, int ifindex,
		  const struct tund_config *config)
{
	switch (config->what) {
	case TUND_CONFIG_UP:
		return rtnl_set_up(rtnl, ifindex, config->value != 0);
	case TUND_CONFIG_MTU:
		return rtnl_set_mtu(rtnl, ifindex, config->value);
	case TUND_CONFIG_MAC:
		return rtnl_set_mac(rtnl, ifindex, config->address);
	case TUND_CONFIG_ADDRESS_ADD:
	case TUND_CONFIG_ADDRESS_DEL:
		return change_address(link, rtnl, ifindex, config);
	case TUND_CONFIG_ROUTE_ADD:
	case TUND_CONFIG_ROUTE_DEL:
		return change_route(rtnl, ifindex, config);
	default:
		return -EINVAL;
	}
}

/* What was permitted for one namespace is done in that one, or nowhere. */
static int try_configure(struct host_link *link, int home_ns_fd,
			 const struct host_permit *permit,
			 const struct tund_config *config)
{
	_cleanup_close_ int ns_fd = -1;
	struct rtnl_link visible;
	struct rtnl *rtnl;
	int r;

	r = link_find_visible(link, home_ns_fd, &ns_fd, &visible);
	if (r == 0)
		r = permit->ask(permit->arg, ns_fd);
	if (r == 0)
		r = rtnl_open_in(ns_fd, &rtnl);
	if (r < 0)
		return r;
	r = change(link, rtnl, visible.ifindex, config);
	rtnl_close(rtnl);
	return r;
}

int link_configure(struct host_link *link, int home_ns_fd,
		   const struct host_permit *permit,
		   const struct tund_config *config)
{
	int r = -ENODEV;

	for (int i = 0; i < TRIES && r == -ENODEV; i++)
		r = try_configure(link, home_ns_fd, permit, config);
	return r;
}
