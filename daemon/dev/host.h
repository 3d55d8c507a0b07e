/* SPDX-License-Identifier: MIT */
/*
 * host.h - what a device needs of the host's network: the table of calls that
 * net/ implements, and the calls it makes in return. It names no socket.
 */
#ifndef TUND_DEV_HOST_H
#define TUND_DEV_HOST_H

#include <linux/if_ether.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/pkt.h"
#include "packet/rate.h"

struct device;
struct sock_fprog;
struct tund_config;
struct host_ns;	  /* the opener's network namespace, for one attach */
struct host_link; /* the bridge of one device */

enum dev_kind {
	DEV_TUN,
	DEV_TAP,
};

/* What is asked for. */
struct host_spec {
	enum dev_kind kind;
	const char *name; /* may hold one %d */
	int ifindex;	  /* 0: the kernel chooses */
	bool carrier;
	unsigned int queue_len; /* packets */
};

/* What the visible interface is now. */
struct host_state {
	char name[IFNAMSIZ];
	int ifindex;
	bool moved; /* it is no longer in the namespace it was made in */
	bool up;
	bool arp; /* a TUN has lost IFF_NOARP: set_noarp() mends that */
	unsigned int mtu;
	unsigned int queue_len;
	uint8_t mac[ETH_ALEN];
};

/* Addresses whose first bits are these, in network byte order. */
struct ip_prefix {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;
	uint8_t address[16];
};

/* The packet socket that a program is given. */
struct host_direct {
	bool frames; /* of a TUN, too */
	bool vnet_hdr;
	int vnet_hdr_size;
	bool nonblock;
	bool several;	     /* there may be others, each for its flows */
	size_t queued_bytes; /* its buffer, as far as the kernel allows that */
	/* What it may send from, or anything if there are none. */
	const struct ip_prefix *sources;
	size_t n_sources;
	struct rate rate;  /* of what it sends */
	uint64_t spent_ns; /* as of struct rate_bucket; 0: nothing yet */
};

/*
 * Asked before the host is changed for a program, with the network namespace in
 * which that would be done: 0, or a negative errno.
 */
struct host_permit {
	int (*ask)(void *arg, int ns_fd);
	void *arg;
};

/* Queues of one device, those that are switched off among them. */
#define HOST_MAX_QUEUES 256

/* Packets of one send(). */
#define HOST_SEND_MAX 32

/* A packet that went past the daemon. */
struct host_sight {
	uint64_t time_ns; /* CLOCK_REALTIME */
	const struct pkt *pkt;
	bool to_host;
};

/* Packets of one device_looked_at(). */
#define HOST_MAX_SIGHTS 32

/* As seen by the program: rx is what it wrote, tx what it could read. */
struct host_counters {
	uint64_t rx_packets, rx_bytes, rx_dropped;
	/* By a policy; they are among rx_packets. */
	uint64_t rx_invalid, rx_bad_source, rx_over_rate;
	uint64_t tx_packets, tx_bytes;
	/* Until when the rate is used up, as of struct rate_bucket. */
	uint64_t spent_ns;
};

/* Expected outcomes of find() and configure(). */
enum {
	HOST_OK = 0,
	HOST_NONE = 1,
	HOST_SAME = 2,
};

struct host_ops {
	/*
	 * Slow calls, for the work queues: they wait for the kernel's
	 * configuration lock.
	 */
	int (*ns_open)(int ns_fd, struct host_ns **ret_ns);
	void (*ns_close)(struct host_ns *ns);
	/* An interface of that very name: HOST_OK and its index, or HOST_NONE.
	 */
	int (*find)(struct host_ns *ns, const char *name, int *ret_ifindex);
	/* Makes the interface. Nothing is received before link_start(). */
	int (*link_new)(struct host_ns *ns, const struct host_spec *spec,
			struct device *owner, struct host_link **ret_link);
	int (*link_start)(struct host_link *link);
	/* Removes the interface; afterwards there are no more calls from net/.
	 */
	void (*link_stop)(struct host_link *link);
	void (*link_free)(struct host_link *link);
	/* Without a carrier nothing can be sent, either way. */
	int (*set_carrier)(struct host_link *link, bool on);
	int (*set_mac)(struct host_ns *ns, int ifindex,
		       const uint8_t mac[ETH_ALEN]);
	/*
	 * What the host may leave to the program: TUN_F_*. `home_ns_fd` is the
	 * namespace that the interface was made in, which it may have left, or
	 * -1: then all are looked through.
	 */
	int (*set_offload)(struct host_link *link, int home_ns_fd,
			   unsigned int offload);
	/* The host asks nobody for a TUN's hardware addresses. */
	int (*set_noarp)(struct host_link *link);
	/*
	 * What TUND_IOC_CONFIG asks for, which was checked, where the interface
	 * is now: in the namespace for which it was permitted, or not at all.
	 * HOST_SAME: the interface has that address or route already; -EEXIST:
	 * another route is where that one would be.
	 */
	int (*configure)(struct host_link *link, int home_ns_fd,
			 const struct host_permit *permit,
			 const struct tund_config *config);
	/* The namespace that the interface is in now. */
	int (*open_ns)(struct host_link *link, int home_ns_fd, int *ret_fd);
	/* A classic BPF program for frames to the application, or NULL. */
	int (*set_filter)(struct host_link *link,
			  const struct sock_fprog *program);
	/*
	 * Hands the link over to a packet socket for the program: nothing is
	 * received or sent here any more until direct_end(). The last copy's
	 * closing is told by device_direct_closed() with the same number.
	 * -EOPNOTSUPP if that cannot be done here. direct_end() returns 1, or
	 * 0 if there was nothing to end.
	 */
	int (*direct_begin)(struct host_link *link, int home_ns_fd,
			    const struct host_direct *how, int *ret_fd,
			    uint64_t *ret_id);
	/* Whether one of several gets packets. */
	void (*direct_switch)(struct host_link *link, uint64_t id, bool on);
	int (*direct_end)(struct host_link *link);
	/*
	 * Whether what goes through the link is to be told of as it is at the
	 * visible end, with device_looked_at(); where it cannot be, it is not.
	 */
	void (*capture)(struct host_link *link, bool on);
	/* What went through the link since it was made. */
	int (*counters)(struct host_link *link,
			struct host_counters *ret_counters);

	/*
	 * Calls of the packet's path. `proto` is for TUN only. send() returns
	 * how many were sent, from the first on, or the error of the first;
	 * `n` is 1 to HOST_SEND_MAX. -EAGAIN means that it would have to wait:
	 * after want_send() comes device_can_send().
	 */
	int (*send)(struct host_link *link, struct pkt *const *pkts,
		    unsigned int n);
	void (*want_send)(struct host_link *link);
	/*
	 * Between pause() and resume() what comes for the application is thrown
	 * away, and not told of by drops(): settle() and resume() tell with
	 * device_count_full() how much it was until then. One of the three at
	 * once.
	 */
	void (*pause)(struct host_link *link);
	void (*settle)(struct host_link *link);
	void (*resume)(struct host_link *link);
	/* Reports every change that has happened before the call. */
	void (*sync)(struct host_link *link);

	/* Packets for the application that were lost before device_input(). */
	void (*drops)(struct host_link *link, uint64_t *ret_socket,
		      uint64_t *ret_backlog);
};

/*
 * The calls that net/ makes. The caller holds a reference to the device, and no
 * lock but the outermost, under which it tells of changes in their order.
 */

/*
 * Takes the packets. Returns for how many of them their queues had no room.
 */
unsigned int device_input(struct device *dev, struct pkt **pkts,
			  unsigned int n);
/*
 * Most packets found no room: calls pause(), and takes care that resume() is
 * called, unless there may be room for others.
 */
void device_pause(struct device *dev);
void device_count_oversize(struct device *dev);
/* Packets that device_input() was spared. */
void device_count_full(struct device *dev, unsigned int n);
void device_can_send(struct device *dev);
void device_state(struct device *dev, const struct host_state *state);
/* The interface was deleted by somebody else. */
void device_gone(struct device *dev);
/* No copy of that socket of direct_begin() is left. */
void device_direct_closed(struct device *dev, uint64_t id);
/* What capture() has asked for; and so many were not seen. */
void device_looked_at(struct device *dev, const struct host_sight *sights,
		      unsigned int n);
void device_overlooked(struct device *dev, uint64_t n);

void device_ref(struct device *dev);
void device_unref(struct device *dev);

#endif
