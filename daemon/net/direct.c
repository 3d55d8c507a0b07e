/* SPDX-License-Identifier: MIT */
/*
 * direct.c - makes the program's packet socket and whatever it needs to be a
 * TUN or a TAP, and takes the link back. It keeps no copy of the socket.
 *
 * How it is known that the last copy was closed: the socket has the hidden end
 * in promiscuous mode, the kernel ends that with the socket and tells of it
 * like of every change of an interface. Nothing else in the hidden namespace
 * uses that mode, and on a veth it changes nothing.
 */
#include "net/direct.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"
#include "net/fanout.h"
#include "net/netns.h"
#include "net/programs.h"
#include "net/pump.h"
#include "net/rtnl.h"

/* Since Linux 6.4: the header's size, in place of PACKET_VNET_HDR. */
#define OPTION_VNET_HDR_SZ 24

/* A type that no frame has, but for the kernel's own use: receives nothing. */
#define NO_PROTOCOL ETH_P_PPP_MP

static int set_option(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PACKET, option, value, len) < 0 ? -errno : 0;
}

static int set_vnet_hdr(int fd, const struct host_direct *how)
{
	const int yes = 1;
	int r;

	if (!how->vnet_hdr)
		return 0;
	if (how->vnet_hdr_size == sizeof(struct virtio_net_hdr))
		return set_option(fd, PACKET_VNET_HDR, &yes, sizeof(yes));
	r = set_option(fd, OPTION_VNET_HDR_SZ, &how->vnet_hdr_size,
		       sizeof(how->vnet_hdr_size));
	return r == -ENOPROTOOPT || r == -EINVAL ? -EOPNOTSUPP : r;
}

static bool is_possible(const struct host_link *link,
			const struct host_direct *how)
{
	if (!how->vnet_hdr)
		return true;
	return (link->kind == DEV_TAP || how->frames) &&
	       (how->vnet_hdr_size == sizeof(struct virtio_net_hdr) ||
		how->vnet_hdr_size == sizeof(struct virtio_net_hdr_mrg_rxbuf));
}

/* In the hidden namespace; receives nothing yet. */
static int open_socket(const struct host_link *link,
		       const struct host_direct *how, int *ret_fd)
{
	const struct packet_mreq promiscuous = {
		.mr_ifindex = link->hidden_ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};
	const int yes = 1;
	int type =
		link->kind == DEV_TUN && !how->frames ? SOCK_DGRAM : SOCK_RAW;
	_cleanup_close_ int fd = -1;
	int r;

	r = link_open_packet_socket(
		link, type | SOCK_CLOEXEC | (how->nonblock ? SOCK_NONBLOCK : 0),
		&fd);
	if (r == 0)
		r = set_option(fd, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
	if (r == 0)
		r = set_vnet_hdr(fd, how);
	if (r == 0)
		r = link_set_buffer(fd, how->queued_bytes);
	if (r == 0)
		r = set_option(fd, PACKET_ADD_MEMBERSHIP, &promiscuous,
			       sizeof(promiscuous));
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

/* Waiting packets are the old holder's, and stale when the link comes back. */
static void empty_socket(int fd)
{
	char byte;

	/* ENETDOWN and the like are told once, and gone. */
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 ||
	       (errno != EAGAIN && errno != EBADF))
		;
}

static int take_back(struct host_link *link) REQUIRES(link->direct_lock)
{
	int r;

	programs_remove(link);
	if (link->fanout_fd >= 0)
		close(link->fanout_fd);
	link->fanout_fd = -1;
	empty_socket(link->packet_fd);
	r = link_bind(link, link->packet_fd, ETH_P_ALL);
	if (r == 0 && link->handle)
		r = pump_add(link);
	return r;
}

/* One that receives: all that comes, or its share. */
static int start_socket(struct host_link *link, int fd)
	REQUIRES(link->direct_lock)
{
	socklen_t len = sizeof(int);
	int r, error;

	r = link_bind(link, fd, ETH_P_ALL);
	if (r == 0 && link->fanout_fd >= 0)
		r = fanout_join(fd);
	/* Without a carrier the socket has an error waiting. */
	if (r == 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return r;
}

/*
 * What waits in the daemon's socket is lost; it receives until the other does,
 * and a little longer, since the kernel takes its time to stop it. Nobody reads
 * that.
 */
static int switch_over(struct host_link *link, int fd, bool several)
	REQUIRES(link->direct_lock)
{
	int r = 0;

	pump_del(link);
	if (several)
		r = fanout_open(link, &link->fanout_fd);
	if (r == 0)
		r = start_socket(link, fd);
	if (r == 0)
		r = link_bind(link, link->packet_fd, NO_PROTOCOL);
	return r;
}

/* Tells the kernel which of several sockets get packets. */
static void choose_locked(struct host_link *link) REQUIRES(link->watch_lock)
{
	uint16_t members[HOST_MAX_QUEUES];
	unsigned int n = 0;
	int r;

	/* It is there as long as there are sockets, or never. */
	if (link->fanout_fd < 0)
		return;
	for (unsigned int i = 0; i < link->n_sockets; i++)
		if (link->sockets[i].on)
			members[n++] = (uint16_t)(i + 1);
	r = fanout_choose(link->fanout_fd, members, n);
	if (r < 0)
		log_warning("cannot spread packets over the queues of \"%s\": "
			    "%s",
			    link->state.name, strerror(-r));
}

static int add_socket(struct host_link *link, ino_t inode)
	REQUIRES(link->direct_lock)
{
	struct direct_socket *sockets;
	int r = -ENOMEM;

	lock_acquire(&link->watch_lock);
	sockets = reallocarray(link->sockets, link->n_sockets + 1,
			       sizeof(*sockets));
	if (sockets && link->n_sockets < HOST_MAX_QUEUES) {
		r = 0;
		link->sockets = sockets;
		sockets[link->n_sockets++] = (struct direct_socket){
			.inode = inode,
			.number = ++link->last_number,
			.on = true,
		};
		/* What was asked before does not know of it. */
		if (link->promiscuity < link->n_sockets)
			link->promiscuity = link->n_sockets;
		choose_locked(link);
		direct_follow_locked(link);
	}
	lock_release(&link->watch_lock);
	return r;
}

static int first_begin(struct host_link *link, int home_ns_fd, int fd,
		       const struct host_direct *how)
	REQUIRES(link->direct_lock)
{
	uint64_t mac = atomic_load(&link->mac);
	int r;

	r = programs_put(link, home_ns_fd, how);
	if (r < 0) {
		programs_remove(link);
		return r;
	}
	lock_acquire(&link->watch_lock);
	memcpy(link->direct_mac, &mac, ETH_ALEN);
	lock_release(&link->watch_lock);
	r = switch_over(link, fd, how->several);
	if (r < 0)
		take_back(link);
	else
		link->handed_over = true;
	return r;
}

static int begin_locked(struct host_link *link, int home_ns_fd,
			const struct host_direct *how, int *ret_fd,
			uint64_t *ret_id) REQUIRES(link->direct_lock)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	bool first;
	int r;

	r = open_socket(link, how, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	first = !link->handed_over;
	if (first)
		r = first_begin(link, home_ns_fd, fd, how);
	else
		r = start_socket(link, fd);
	if (r < 0)
		return r;
	r = add_socket(link, st.st_ino);
	if (r < 0 && first) {
		link->handed_over = false;
		take_back(link);
	}
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&fd);
	*ret_id = st.st_ino;
	return 0;
}

int direct_begin(struct host_link *link, int home_ns_fd,
		 const struct host_direct *how, int *ret_fd, uint64_t *ret_id)
{
	int r;

	if (!is_possible(link, how))
		return -EOPNOTSUPP;
	lock_acquire(&link->direct_lock);
	r = begin_locked(link, home_ns_fd, how, ret_fd, ret_id);
	lock_release(&link->direct_lock);
	return r;
}

void direct_switch(struct host_link *link, uint64_t id, bool on)
{
	lock_acquire(&link->direct_lock);
	lock_acquire(&link->watch_lock);
	for (unsigned int i = 0; i < link->n_sockets; i++)
		if (link->sockets[i].inode == id)
			link->sockets[i].on = on;
	choose_locked(link);
	lock_release(&link->watch_lock);
	lock_release(&link->direct_lock);
}

static int by_number(const void *a, const void *b)
{
	const struct direct_socket *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

void direct_reordered(struct host_link *link)
{
	lock_acquire(&link->direct_lock);
	lock_acquire(&link->watch_lock);
	if (link->n_sockets > 1) {
		qsort(link->sockets, link->n_sockets, sizeof(*link->sockets),
		      by_number);
		choose_locked(link);
	}
	lock_release(&link->watch_lock);
	lock_release(&link->direct_lock);
}

int direct_end(struct host_link *link)
{
	bool was_direct;
	int r = 0;

	lock_acquire(&link->direct_lock);
	was_direct = link->handed_over;
	link->handed_over = false;
	if (was_direct) {
		lock_acquire(&link->watch_lock);
		link->n_sockets = 0;
		lock_release(&link->watch_lock);
		r = take_back(link);
	}
	lock_release(&link->direct_lock);
	return r < 0 ? r : was_direct;
}

void direct_follow_locked(struct host_link *link)
{
	int r;

	if (link->n_sockets == 0 || link->kind != DEV_TUN ||
	    memcmp(link->direct_mac, link->state.mac, ETH_ALEN) == 0)
		return;
	r = programs_set_mac(link, link->state.mac);
	if (r < 0)
		log_warning("what is sent does not reach \"%s\" with its new "
			    "address: %s",
			    link->state.name, strerror(-r));
	else
		memcpy(link->direct_mac, link->state.mac, ETH_ALEN);
}

/* In the calling thread's namespace; the last column is the inode. */
static bool packet_socket_exists(FILE *list, ino_t inode)
{
	unsigned long found;
	char line[256];

	rewind(list);
	while (fgets(line, sizeof(line), list))
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %lu",
			   &found) == 1 &&
		    found == inode)
			return true;
	return false;
}

/* The packet sockets of the hidden namespace, or NULL. */
static FILE *open_list(const struct host_link *link)
{
	_cleanup_close_ int ns_fd = ioctl(link->packet_fd, SIOCGSKNS);
	FILE *list;

	if (ns_fd < 0 || netns_enter(ns_fd) < 0)
		return NULL;
	/* It stays that namespace's. */
	list = fopen("/proc/thread-self/net/packet", "re");
	netns_leave();
	return list;
}

unsigned int direct_take_closed_locked(struct host_link *link,
				       uint64_t *ret_ids)
{
	FILE *list = open_list(link);
	unsigned int n = 0;

	/* For want of a descriptor: a socket that may be there is there. */
	if (!list)
		return 0;
	for (unsigned int i = 0; i < link->n_sockets;) {
		struct direct_socket *s = &link->sockets[i];

		if (packet_socket_exists(list, s->inode)) {
			i++;
			continue;
		}
		/* In the kernel, too, the last takes its place. */
		ret_ids[n++] = s->inode;
		*s = link->sockets[--link->n_sockets];
	}
	fclose(list);
	if (n > 0)
		choose_locked(link);
	return n;
}
