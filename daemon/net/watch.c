/* SPDX-License-Identifier: MIT */
/*
 * watch.c - follows the visible end wherever it goes: up and down, renamed,
 * moved, deleted. The kernel puts a notice into the watch socket before the
 * call that made the change returns, so a thread that reads the socket first
 * knows everything that came before.
 *
 * One lock is held over the whole conversation, system calls and the device's
 * answers included, so that notices are applied in their order; it is the
 * outermost of all.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/direct.h"
#include "net/link.h"
#include "net/rtnl.h"

static void set_state_locked(struct host_link *link,
			     const struct rtnl_link *visible)
	REQUIRES(link->watch_lock)
{
	uint64_t mac = 0;

	link->state = (struct host_state){
		.ifindex = visible->ifindex,
		.moved = link->nsid != link->home_nsid ||
			 visible->ifindex != link->home_ifindex,
		.up = visible->flags & IFF_UP,
		.arp = link->kind == DEV_TUN && !(visible->flags & IFF_NOARP),
		.mtu = visible->mtu,
		.queue_len = visible->queue_len,
	};
	memcpy(link->state.name, visible->name, IFNAMSIZ);
	memcpy(link->state.mac, visible->mac, ETH_ALEN);
	memcpy(&mac, visible->mac, ETH_ALEN);
	atomic_store_explicit(&link->mac, mac, memory_order_relaxed);
}

/* Where the visible end is and how it is; sets `gone` when it is no more. */
static int ask_locked(struct host_link *link) REQUIRES(link->watch_lock)
{
	struct rtnl_link hidden, visible;
	struct rtnl *rtnl;
	int r;

	r = link_open_hidden_rtnl(link, &rtnl);
	if (r < 0)
		return r;
	r = rtnl_get_link(rtnl, NULL, link->hidden_ifindex, RTNL_NO_NSID,
			  &hidden);
	if (r == 0) {
		link->nsid = hidden.peer_nsid;
		link->promiscuity = hidden.promiscuity;
		r = rtnl_get_link(rtnl, NULL, hidden.peer_ifindex,
				  hidden.peer_nsid, &visible);
		if (r == 0)
			set_state_locked(link, &visible);
	} else if (r == -ENODEV) {
		link->gone = true;
	}
	rtnl_close(rtnl);
	return r;
}

int watch_init(struct host_link *link)
{
	int r;

	lock_acquire(&link->watch_lock);
	r = ask_locked(link);
	lock_release(&link->watch_lock);
	return r;
}

void watch_tell(struct host_link *link)
{
	lock_acquire(&link->watch_lock);
	device_state(link->owner, &link->state);
	lock_release(&link->watch_lock);
}

static void notice_locked(struct host_link *link, const struct nlmsghdr *nlh,
			  int nsid, bool *ret_changed)
	REQUIRES(link->watch_lock)
{
	struct rtnl_link about;

	if (!rtnl_parse_link(nlh, &about))
		return;
	if (nsid == RTNL_NO_NSID) {
		/*
		 * The hidden end's own notices; its end matters, and that of
		 * the program's socket. Old ones may say the same: ask.
		 */
		if (nlh->nlmsg_type == RTM_DELLINK ||
		    about.promiscuity < link->n_sockets)
			link->unsure = true;
		return;
	}
	if (nsid != link->nsid || about.ifindex != link->state.ifindex)
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		/* Deleted, or moved away: both look the same. */
		link->unsure = true;
		return;
	}
	set_state_locked(link, &about);
	*ret_changed = true;
}

/* The namespace that a notice is from, by its number in the hidden one. */
static int nsid_of(struct msghdr *msg)
{
	int nsid = RTNL_NO_NSID;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_NETLINK &&
		    c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	return nsid;
}

/* Returns false when there is nothing more to read. */
static bool read_notice_locked(struct host_link *link, bool *ret_changed)
	REQUIRES(link->watch_lock)
{
	char buffer[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	char control[CMSG_SPACE(sizeof(int)) * 2];
	struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;
	ssize_t n = recvmsg(link->watch_fd, &msg, MSG_DONTWAIT);
	int left;

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0) {
		/* ENOBUFS: notices were lost. */
		if (errno != ENOBUFS)
			return false;
		link->unsure = true;
		return true;
	}
	if (msg.msg_flags & MSG_TRUNC)
		link->unsure = true;
	for (left = (int)n; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		notice_locked(link, nlh, nsid_of(&msg), ret_changed);
	return true;
}

/* Asks if need be; what could not be asked is asked the next time. */
static void make_sure_locked(struct host_link *link, bool *ret_changed)
	REQUIRES(link->watch_lock)
{
	int r;

	if (!link->unsure || link->gone)
		return;
	r = ask_locked(link);
	if (r == 0 || link->gone) {
		link->unsure = false;
		*ret_changed = true;
	} else {
		log_warning("cannot follow the interface \"%s\": %s",
			    link->state.name, strerror(-r));
	}
}

/*
 * Tells the numbers of the sockets that nobody has any more. Whoever has one
 * can leave the promiscuous mode himself. His interface ends then, for nobody
 * could tell when he is done with it.
 */
static unsigned int closed_locked(struct host_link *link, uint64_t *ret_ids)
	REQUIRES(link->watch_lock)
{
	unsigned int n;

	if (link->promiscuity >= link->n_sockets || link->gone)
		return 0;
	n = direct_take_closed_locked(link, ret_ids);
	if (link->promiscuity < link->n_sockets) {
		log_warning("the program that has \"%s\" hides when it ends: "
			    "the interface is removed",
			    link->state.name);
		link_remove_interface(link);
		link->gone = true;
	}
	return n;
}

static void tell_locked(struct host_link *link, bool was_gone, bool changed)
	REQUIRES(link->watch_lock)
{
	uint64_t closed[HOST_MAX_QUEUES];
	unsigned int n_closed = changed ? closed_locked(link, closed) : 0;

	if (link->gone && !was_gone) {
		device_gone(link->owner);
		return;
	}
	if (changed && !link->gone) {
		direct_follow_locked(link);
		device_state(link->owner, &link->state);
	}
	for (unsigned int i = 0; i < n_closed; i++)
		device_direct_closed(link->owner, closed[i]);
}

void watch_process(struct host_link *link)
{
	bool changed = false;
	bool was_gone;

	atomic_fetch_add(&link->watching, 1);
	lock_acquire(&link->watch_lock);
	was_gone = link->gone;
	while (read_notice_locked(link, &changed))
		;
	make_sure_locked(link, &changed);
	tell_locked(link, was_gone, changed);
	lock_release(&link->watch_lock);
	atomic_fetch_sub(&link->watching, 1);
}

void watch_sync(struct host_link *link)
{
	ssize_t n;
	char byte;

	/*
	 * Nothing to read, and nobody who has just read it: in this order, for
	 * a reader announces itself before it reads. An error is forgotten once
	 * it was told.
	 */
	n = recv(link->watch_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == ENOBUFS)
		link->unsure = true;
	else if (n < 0 && errno == EAGAIN && !link->unsure &&
		 atomic_load(&link->watching) == 0)
		return;
	watch_process(link);
}
