/* SPDX-License-Identifier: MIT */
/*
 * link.h - the bridge of one device: a veth pair whose visible end is the
 * program's interface and whose hidden end is in a namespace that only this
 * link's sockets hold, so that the interface goes when the last of them goes.
 * Private to net/.
 */
#ifndef TUND_NET_LINK_H
#define TUND_NET_LINK_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/handle.h"
#include "dev/host.h"
#include "net/bpf.h"

/*
 * The thread that receives empties the socket at once: this is for the moments
 * in which it does not run.
 */
#define LINK_RECEIVE_BUFFER (16u << 20)

struct host_link {
	struct device *owner; /* not a reference: the owner has us */
	enum dev_kind kind;
	uint32_t handle; /* 0 while not started */
	int packet_fd;
	atomic_uint events;		 /* EPOLL*: what the pump waits for */
	unsigned int n_received, n_full; /* the pump's: see is_flood() */
	int watch_fd;
	int hidden_ifindex;
	/* Where it was made. */
	int home_ifindex, home_nsid;
	/* TUN_F_*: the program completes what it reads. */
	atomic_uint offload;
	_Atomic uint64_t mac; /* of the visible end, as its first bytes */
	_Atomic uint64_t socket_drops;
	_Atomic uint64_t backlog_drops; /* as of the last time it was asked */

	/* Where its packets are looked at, or NULL; capture.c's. */
	struct capture_socket *capture;

	/* While a program has its packet socket. */
	int home_ns_fd;
	int visible_program_fds[BPF_SIDES]; /* BPF programs, or -1 */
	/* Of what a policy says of that, -1: none did; from then on. */
	atomic_int policy_state_fd;

	struct lock watch_lock;
	atomic_uint watching; /* threads that read the watch socket now */
	atomic_bool unsure;   /* notices were lost: ask the kernel */
	bool gone GUARDED_BY(watch_lock);
	int nsid GUARDED_BY(watch_lock);
	struct host_state state GUARDED_BY(watch_lock);
	/* Programs' sockets that somebody has, in the order of the fanout. */
	struct direct_socket *sockets GUARDED_BY(watch_lock);
	unsigned int n_sockets GUARDED_BY(watch_lock);
	unsigned int last_number GUARDED_BY(watch_lock);
	unsigned int promiscuity GUARDED_BY(watch_lock); /* as last asked */
	uint8_t direct_mac[ETH_ALEN] GUARDED_BY(watch_lock);

	struct lock direct_lock;
	bool handed_over GUARDED_BY(direct_lock); /* until direct_end() */
	int fanout_fd GUARDED_BY(direct_lock);	  /* -1: one socket is all */
};

struct direct_socket {
	ino_t inode;
	unsigned int number; /* in the order in which they were made */
	bool on;
};

/* Started links; looking one up takes a reference to its device. */
extern struct handle_table net_links;

int link_ns_open(int ns_fd, struct host_ns **ret_ns);
void link_ns_close(struct host_ns *ns);
int link_ns_set_mac(struct host_ns *ns, int ifindex,
		    const uint8_t mac[ETH_ALEN]);
int link_ns_find(struct host_ns *ns, const char *name, int *ret_ifindex);

int link_new(struct host_ns *ns, const struct host_spec *spec,
	     struct device *owner, struct host_link **ret_link);
void link_remove_interface(struct host_link *link);
void link_free(struct host_link *link);

/* A packet socket in the hidden namespace, which is not bound. */
int link_open_packet_socket(const struct host_link *link, int type,
			    int *ret_fd);
int link_set_buffer(int fd, size_t bytes);
int link_bind(const struct host_link *link, int fd, uint16_t protocol);

/* configure.c and settings.c: see dev/host.h. */
int link_configure(struct host_link *link, int home_ns_fd,
		   const struct host_permit *permit,
		   const struct tund_config *config);
int link_set_carrier(struct host_link *link, bool on);
int link_set_offload(struct host_link *link, int home_ns_fd,
		     unsigned int offload);
int link_set_noarp(struct host_link *link);
int link_open_ns(struct host_link *link, int home_ns_fd, int *ret_fd);
int link_set_filter(struct host_link *link, const struct sock_fprog *program);
int link_counters(struct host_link *link, struct host_counters *ret_counters);
/*
 * The visible end as it is now, and a descriptor of its namespace; `home_ns_fd`
 * spares a search, or is -1.
 */
struct rtnl_link;
int link_find_visible(struct host_link *link, int home_ns_fd, int *ret_ns_fd,
		      struct rtnl_link *ret_visible);
/* The calling thread is in that namespace until netns_leave(). */
int link_enter_visible(struct host_link *link, int home_ns_fd,
		       struct rtnl_link *ret_visible);
void link_drops(struct host_link *link, uint64_t *ret_socket,
		uint64_t *ret_backlog);

/* watch.c: reads what has changed, and tells the device. */
void watch_process(struct host_link *link);
void watch_sync(struct host_link *link);
/* Asks the kernel for everything, at the start; then tells the device. */
int watch_init(struct host_link *link);
void watch_tell(struct host_link *link);
/* In the link's hidden namespace; the caller closes it. */
struct rtnl;
int link_open_hidden_rtnl(const struct host_link *link, struct rtnl **ret_rtnl);

#endif
