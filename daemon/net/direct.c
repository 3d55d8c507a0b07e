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
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"
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
	return link->kind == DEV_TAP &&
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
	int type = link->kind == DEV_TUN ? SOCK_DGRAM : SOCK_RAW;
	_cleanup_close_ int ns_fd = ioctl(link->packet_fd, SIOCGSKNS);
	_cleanup_close_ int fd = -1;
	int r;

	if (ns_fd < 0)
		return -errno;
	r = netns_enter(ns_fd);
	if (r < 0)
		return r;
	fd = socket(AF_PACKET,
		    type | SOCK_CLOEXEC | (how->nonblock ? SOCK_NONBLOCK : 0),
		    0);
	r = fd < 0 ? -errno : 0;
	netns_leave();
	if (r == 0)
		r = set_option(fd, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
	if (r == 0)
		r = set_vnet_hdr(fd, how);
	if (r == 0)
		r = link_enlarge_buffer(fd);
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

static int take_back(struct host_link *link)
{
	int r;

	programs_remove(link);
	empty_socket(link->packet_fd);
	r = link_bind(link, link->packet_fd, ETH_P_ALL);
	if (r == 0 && link->handle)
		r = pump_add(link);
	return r;
}

/*
 * What waits in the daemon's socket is lost; it receives until the other does,
 * and a little longer, since the kernel takes its time to stop it. Nobody reads
 * that.
 */
static int switch_over(struct host_link *link, int fd)
{
	socklen_t len = sizeof(int);
	int r, error;

	pump_del(link);
	r = link_bind(link, fd, ETH_P_ALL);
	if (r == 0)
		r = link_bind(link, link->packet_fd, NO_PROTOCOL);
	/* Without a carrier the socket has an error waiting. */
	if (r == 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return r;
}

static void set_direct(struct host_link *link, ino_t inode)
{
	uint64_t mac = atomic_load(&link->mac);

	lock_acquire(&link->watch_lock);
	link->handed_over = true;
	link->direct_inode = inode;
	link->quiet = false;
	memcpy(link->direct_mac, &mac, ETH_ALEN);
	direct_follow_locked(link);
	lock_release(&link->watch_lock);
}

int direct_begin(struct host_link *link, int home_ns_fd,
		 const struct host_direct *how, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (!is_possible(link, how))
		return -EOPNOTSUPP;
	r = open_socket(link, how, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = programs_put(link, home_ns_fd);
	if (r < 0) {
		programs_remove(link);
		return r;
	}
	r = switch_over(link, fd);
	if (r < 0) {
		take_back(link);
		return r;
	}
	set_direct(link, st.st_ino);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int direct_end(struct host_link *link)
{
	bool was_direct;
	int r;

	lock_acquire(&link->watch_lock);
	was_direct = link->handed_over;
	link->handed_over = false;
	link->direct_inode = 0;
	lock_release(&link->watch_lock);
	if (!was_direct)
		return 0;
	r = take_back(link);
	return r < 0 ? r : 1;
}

void direct_follow_locked(struct host_link *link)
{
	int r;

	if (!link->direct_inode || link->kind != DEV_TUN ||
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
static bool packet_socket_exists(ino_t inode)
{
	FILE *file = fopen("/proc/thread-self/net/packet", "re");
	unsigned long found;
	bool exists = false;
	char line[256];

	if (!file)
		return false;
	while (!exists && fgets(line, sizeof(line), file))
		exists = sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %lu",
				&found) == 1 &&
			 found == inode;
	fclose(file);
	return exists;
}

bool direct_is_closed_locked(struct host_link *link)
{
	_cleanup_close_ int ns_fd = ioctl(link->packet_fd, SIOCGSKNS);
	bool exists;

	if (ns_fd < 0 || netns_enter(ns_fd) < 0)
		return true;
	exists = packet_socket_exists(link->direct_inode);
	netns_leave();
	return !exists;
}
