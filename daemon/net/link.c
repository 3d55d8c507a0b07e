/* SPDX-License-Identifier: MIT */
/*
 * link.c - makes the veth pair and its sockets, and removes them. Packets are
 * pump.c's, changes from outside watch.c's.
 */
#include "net/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/netns.h"
#include "net/offload.h"
#include "net/rtnl.h"

/* The name of the hidden end, alone in its namespace. */
#define HIDDEN_NAME "tund"

/* The largest MTU there is: the visible end's may be anything below. */
#define HIDDEN_MTU   65535

#define RENAME_TRIES 3

struct host_ns {
	int ns_fd; /* borrowed */
	struct rtnl *rtnl;
};

int link_ns_open(int ns_fd, struct host_ns **ret_ns)
{
	struct host_ns *ns = malloc(sizeof(*ns));
	int r;

	if (!ns)
		return -ENOMEM;
	ns->ns_fd = ns_fd;
	r = rtnl_open_in(ns_fd, &ns->rtnl);
	if (r < 0) {
		log_warning("cannot work in a program's network namespace: %s",
			    strerror(-r));
		free(ns);
		return r;
	}
	*ret_ns = ns;
	return 0;
}

void link_ns_close(struct host_ns *ns)
{
	rtnl_close(ns->rtnl);
	free(ns);
}

int link_ns_find(struct host_ns *ns, const char *name, int *ret_ifindex)
{
	struct rtnl_link found;
	int r = rtnl_get_link(ns->rtnl, name, 0, RTNL_NO_NSID, &found);

	/* A name that no interface can have is a matter for link_new(). */
	if (r == -ENODEV || r == -EINVAL || r == -ERANGE)
		return HOST_NONE;
	if (r < 0)
		return r;
	*ret_ifindex = found.ifindex;
	return HOST_OK;
}

int link_open_hidden_rtnl(const struct host_link *link, struct rtnl **ret_rtnl)
{
	_cleanup_close_ int ns_fd = ioctl(link->packet_fd, SIOCGSKNS);

	return ns_fd < 0 ? -errno : rtnl_open_in(ns_fd, ret_rtnl);
}

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) < 0
		       ? -errno
		       : 0;
}

int link_set_buffer(int fd, size_t bytes)
{
	/* The kernel doubles it. */
	int size = (int)(bytes / 2);

	/* Beyond net.core.rmem_max only the initial user namespace may go. */
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <
				       0 &&
			       setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
					  sizeof(size)) < 0
		       ? -errno
		       : 0;
}

/* In the hidden namespace; nothing is received before it is bound. */
static int open_packet_socket(enum dev_kind kind, int *ret_fd)
{
	const struct {
		int option;
		int value;
	} options[] = {
		/* Our own frames never come back. */
		{PACKET_IGNORE_OUTGOING, 1},
		/* Tells of VLAN tags, which the kernel takes out of frames. */
		{PACKET_AUXDATA, kind == DEV_TAP},
		/* Tells of checksums that are not finished. */
		{PACKET_VNET_HDR, 1},
		/* A send to an interface that is down fails, and at once. */
		{PACKET_QDISC_BYPASS, 1},
	};
	_cleanup_close_ int fd = -1;
	int r;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		r = set_option(fd, options[i].option, options[i].value);
		if (r < 0)
			return r;
	}
	r = link_set_buffer(fd, LINK_RECEIVE_BUFFER);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int link_open_packet_socket(const struct host_link *link, int type, int *ret_fd)
{
	_cleanup_close_ int ns_fd = ioctl(link->packet_fd, SIOCGSKNS);
	int fd, r;

	if (ns_fd < 0)
		return -errno;
	r = netns_enter(ns_fd);
	if (r < 0)
		return r;
	fd = socket(AF_PACKET, type, 0);
	r = fd < 0 ? -errno : 0;
	netns_leave();
	if (r == 0)
		*ret_fd = fd;
	return r;
}

int link_bind(const struct host_link *link, int fd, uint16_t protocol)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = link->hidden_ifindex,
	};

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno
								    : 0;
}

/* Makes the hidden namespace and the sockets that hold it. */
static int open_hidden(struct host_link *link, int *ret_ns_fd,
		       struct rtnl **ret_rtnl)
{
	_cleanup_close_ int ns_fd = -1;
	int r;

	r = netns_enter_new(&ns_fd);
	if (r < 0)
		return r;
	r = open_packet_socket(link->kind, &link->packet_fd);
	if (r == 0)
		r = rtnl_open_watch(&link->watch_fd);
	if (r == 0)
		r = rtnl_open(ret_rtnl);
	netns_leave();
	if (r == 0)
		*ret_ns_fd = steal_fd(&ns_fd);
	return r;
}

/* The errno that the kernel's TUN has for the same thing. */
static int translate(int error)
{
	switch (error) {
	case -EEXIST: /* the name or the index was taken meanwhile */
		return -EBUSY;
	case -ERANGE: /* a name that is too long */
		return -EINVAL;
	default:
		return error;
	}
}

static int make_pair(struct host_link *link, struct host_ns *ns,
		     struct rtnl *hidden, int hidden_ns_fd,
		     const struct host_spec *spec)
{
	struct rtnl_veth veth = {
		.name = spec->name,
		.ifindex = spec->ifindex,
		.queue_len = spec->queue_len,
		.flags = spec->kind == DEV_TUN ? IFF_NOARP : 0,
		.peer_name = HIDDEN_NAME,
		.peer_mtu = HIDDEN_MTU,
		.peer_flags = IFF_NOARP,
		.peer_ns_fd = hidden_ns_fd,
	};
	struct rtnl_link found;
	int r;

	r = rtnl_add_veth(ns->rtnl, &veth);
	if (r < 0)
		return translate(r);
	/* Asking gives the visible end's namespace its number in the hidden. */
	r = rtnl_get_link(hidden, HIDDEN_NAME, 0, RTNL_NO_NSID, &found);
	if (r < 0)
		return r;
	link->hidden_ifindex = found.ifindex;
	link->home_ifindex = found.peer_ifindex;
	link->home_nsid = found.peer_nsid;
	r = rtnl_set_silent(hidden, link->hidden_ifindex);
	/* The visible end has a carrier while the hidden one is up. */
	if (r == 0 && spec->carrier)
		r = rtnl_set_up(hidden, link->hidden_ifindex, true);
	return r;
}

static int configure(struct host_link *link, struct host_ns *ns)
{
	struct rtnl_link found;
	int r;

	r = watch_init(link);
	if (r < 0)
		return r;
	/* ethtool knows names only, and somebody may be changing it. */
	for (int i = 0; i < RENAME_TRIES; i++) {
		r = rtnl_get_link(ns->rtnl, NULL, link->home_ifindex,
				  RTNL_NO_NSID, &found);
		if (r < 0)
			return r;
		r = offload_set(rtnl_fd(ns->rtnl), found.name, 0);
		if (r != -ENODEV)
			break;
	}
	if (r < 0)
		return r;
	return link_bind(link, link->packet_fd, ETH_P_ALL);
}

static int build(struct host_link *link, struct host_ns *ns,
		 const struct host_spec *spec)
{
	_cleanup_close_ int hidden_ns_fd = -1;
	struct rtnl *hidden = NULL;
	int r;

	r = open_hidden(link, &hidden_ns_fd, &hidden);
	if (r < 0) {
		log_warning("cannot make the hidden end's sockets: %s",
			    strerror(-r));
		return r;
	}
	r = make_pair(link, ns, hidden, hidden_ns_fd, spec);
	if (r == 0)
		r = configure(link, ns);
	if (r < 0 && link->home_ifindex) {
		log_warning("cannot set up the interface \"%s\": %s",
			    spec->name, strerror(-r));
		rtnl_del_link(ns->rtnl, link->home_ifindex);
	}
	rtnl_close(hidden);
	return r;
}

int link_new(struct host_ns *ns, const struct host_spec *spec,
	     struct device *owner, struct host_link **ret_link)
{
	struct host_link *link = calloc(1, sizeof(*link));
	int r;

	if (!link)
		return -ENOMEM;
	link->owner = owner;
	link->kind = spec->kind;
	link->packet_fd = -1;
	link->watch_fd = -1;
	link->home_ns_fd = -1;
	for (int side = 0; side < BPF_SIDES; side++)
		link->visible_program_fds[side] = -1;
	link->policy_state_fd = -1;
	link->fanout_fd = -1;
	lock_init(&link->watch_lock, LOCK_RANK_WATCH, "watch");
	lock_init(&link->direct_lock, LOCK_RANK_DIRECT, "direct");
	r = build(link, ns, spec);
	if (r < 0) {
		link_free(link);
		return r;
	}
	*ret_link = link;
	return 0;
}

int link_ns_set_mac(struct host_ns *ns, int ifindex,
		    const uint8_t mac[ETH_ALEN])
{
	return rtnl_set_mac(ns->rtnl, ifindex, mac);
}

void link_remove_interface(struct host_link *link)
{
	struct rtnl *rtnl;
	int r = link_open_hidden_rtnl(link, &rtnl);

	if (r == 0) {
		/* Either end takes the other with it. */
		r = rtnl_del_link(rtnl, link->hidden_ifindex);
		rtnl_close(rtnl);
	}
	if (r < 0 && r != -ENODEV)
		log_warning("cannot remove an interface: %s; it goes when its "
			    "socket is closed",
			    strerror(-r));
}

void link_free(struct host_link *link)
{
	if (link->packet_fd >= 0)
		close(link->packet_fd);
	if (link->watch_fd >= 0)
		close(link->watch_fd);
	if (link->home_ns_fd >= 0)
		close(link->home_ns_fd);
	for (int side = 0; side < BPF_SIDES; side++)
		if (link->visible_program_fds[side] >= 0)
			close(link->visible_program_fds[side]);
	if (link->policy_state_fd >= 0)
		close(link->policy_state_fd);
	if (link->fanout_fd >= 0)
		close(link->fanout_fd);
	free(link->sockets);
	lock_destroy(&link->watch_lock);
	lock_destroy(&link->direct_lock);
	free(link);
}
