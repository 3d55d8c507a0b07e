/* SPDX-License-Identifier: MIT */
/*
 * settings.c - what a device asks of its link after it was made: to be set
 * otherwise, wherever the visible end has gone to, or to be told of.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/direct.h"
#include "net/find_ns.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/offload.h"
#include "net/pump.h"
#include "net/rtnl.h"

/* ethtool knows names only, and somebody may be changing it, or moving it. */
#define TRIES 3

static int ask_both(struct host_link *link, struct rtnl *rtnl, int *ret_nsid,
		    struct rtnl_link *ret_visible)
{
	struct rtnl_link hidden;
	int r;

	r = rtnl_get_link(rtnl, NULL, link->hidden_ifindex, RTNL_NO_NSID,
			  &hidden);
	if (r < 0)
		return r;
	*ret_nsid = hidden.peer_nsid;
	return rtnl_get_link(rtnl, NULL, hidden.peer_ifindex, hidden.peer_nsid,
			     ret_visible);
}

int link_set_carrier(struct host_link *link, bool on)
{
	struct rtnl_link visible;
	struct rtnl *rtnl;
	int nsid;
	int r = link_open_hidden_rtnl(link, &rtnl);

	if (r < 0)
		return r;
	r = rtnl_set_up(rtnl, link->hidden_ifindex, on);
	/*
	 * The visible end begins to send a little later, unless it is asked how
	 * it is: then the kernel first makes what it says true.
	 */
	if (r == 0 && on)
		ask_both(link, rtnl, &nsid, &visible);
	rtnl_close(rtnl);
	if (on)
		direct_reordered(link);
	return r;
}

int link_find_visible(struct host_link *link, int home_ns_fd, int *ret_ns_fd,
		      struct rtnl_link *ret_visible)
{
	struct rtnl *rtnl;
	int fd = -1;
	int nsid, r;

	r = link_open_hidden_rtnl(link, &rtnl);
	if (r < 0)
		return r;
	r = ask_both(link, rtnl, &nsid, ret_visible);
	if (r == 0 && nsid == link->home_nsid && home_ns_fd >= 0)
		fd = fcntl(home_ns_fd, F_DUPFD_CLOEXEC, 0);
	else if (r == 0 && nsid == RTNL_NO_NSID)
		/* Both ends are in the hidden namespace. */
		fd = ioctl(link->packet_fd, SIOCGSKNS);
	else if (r == 0)
		r = find_ns(rtnl, nsid, &fd);
	if (r == 0 && fd < 0)
		r = -errno;
	rtnl_close(rtnl);
	if (r == 0)
		*ret_ns_fd = fd;
	return r;
}

int link_enter_visible(struct host_link *link, int home_ns_fd,
		       struct rtnl_link *ret_visible)
{
	_cleanup_close_ int ns_fd = -1;
	int r = link_find_visible(link, home_ns_fd, &ns_fd, ret_visible);

	return r < 0 ? r : netns_enter(ns_fd);
}

int link_open_ns(struct host_link *link, int home_ns_fd, int *ret_fd)
{
	struct rtnl_link visible;

	return link_find_visible(link, home_ns_fd, ret_fd, &visible);
}

static int try_offload(struct host_link *link, int home_ns_fd,
		       unsigned int offload)
{
	_cleanup_close_ int fd = -1;
	struct rtnl_link visible;
	int r;

	r = link_enter_visible(link, home_ns_fd, &visible);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -errno : 0;
	netns_leave();
	return r < 0 ? r : offload_set(fd, visible.name, offload);
}

int link_set_offload(struct host_link *link, int home_ns_fd,
		     unsigned int offload)
{
	int r = -ENODEV;

	/* True from before the first such packet until after the last. */
	if (offload)
		atomic_store(&link->offload, offload);
	for (int i = 0; i < TRIES && r == -ENODEV; i++)
		r = try_offload(link, home_ns_fd, offload);
	if (!offload && r == 0)
		atomic_store(&link->offload, 0);
	return r;
}

int link_set_noarp(struct host_link *link)
{
	_cleanup_close_ int ns_fd = -1;
	struct rtnl_link visible;
	struct rtnl *rtnl;
	int r;

	r = link_find_visible(link, -1, &ns_fd, &visible);
	if (r == 0)
		r = rtnl_open_in(ns_fd, &rtnl);
	if (r < 0)
		return r;
	r = rtnl_set_flags(rtnl, visible.ifindex, IFF_NOARP, IFF_NOARP);
	rtnl_close(rtnl);
	return r;
}

int link_set_filter(struct host_link *link, const struct sock_fprog *program)
{
	static const int unused;

	if (program)
		return setsockopt(link->packet_fd, SOL_SOCKET, SO_ATTACH_FILTER,
				  program, sizeof(*program)) < 0
			       ? -errno
			       : 0;
	if (setsockopt(link->packet_fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
		       sizeof(unused)) < 0 &&
	    errno != ENOENT)
		return -errno;
	return 0;
}

static int ask_hidden(struct host_link *link, struct rtnl_link *ret_hidden)
{
	struct rtnl *rtnl;
	int r = link_open_hidden_rtnl(link, &rtnl);

	if (r < 0)
		return r;
	r = rtnl_get_link(rtnl, NULL, link->hidden_ifindex, RTNL_NO_NSID,
			  ret_hidden);
	rtnl_close(rtnl);
	return r;
}

/* Zeros where no policy has counted. */
static void ask_policy(struct host_link *link,
		       struct bpf_policy_state *ret_state)
{
	int fd = atomic_load(&link->policy_state_fd);

	if (fd < 0 || bpf_policy_state_read(fd, ret_state) < 0)
		*ret_state = (struct bpf_policy_state){0};
}

int link_counters(struct host_link *link, struct host_counters *ret_counters)
{
	/* What the program of a TUN never sees. */
	const uint64_t header = link->kind == DEV_TUN ? ETH_HLEN : 0;
	struct bpf_policy_state policy;
	struct rtnl_link hidden;
	int r = ask_hidden(link, &hidden);

	ask_policy(link, &policy);
	*ret_counters = (struct host_counters){.spent_ns = policy.spent_ns};
	if (r < 0)
		return r;
	/* What the hidden end sends is what the interface receives. */
	*ret_counters = (struct host_counters){
		.rx_packets = hidden.tx_packets,
		.rx_bytes = hidden.tx_bytes - hidden.tx_packets * header,
		.rx_dropped = hidden.tx_dropped,
		.rx_invalid = policy.invalid,
		.rx_bad_source = policy.bad_source,
		.rx_over_rate = policy.over_rate,
		.spent_ns = policy.spent_ns,
		.tx_packets = hidden.rx_packets,
		.tx_bytes = hidden.rx_bytes - hidden.rx_packets * header,
	};
	return 0;
}

void link_drops(struct host_link *link, uint64_t *ret_socket,
		uint64_t *ret_backlog)
{
	struct rtnl_link hidden;

	*ret_socket = pump_drops(link);
	if (ask_hidden(link, &hidden) == 0)
		atomic_store(&link->backlog_drops, hidden.rx_dropped);
	*ret_backlog = atomic_load(&link->backlog_drops);
}
