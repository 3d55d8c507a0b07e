/* SPDX-License-Identifier: MIT */
/*
 * capture.c - a packet socket for each link that is looked at, and one thread
 * for all. The socket stays in the daemon: who has it could send, and listen to
 * other interfaces of that network namespace.
 *
 * It is at the visible end, where everything passes: a program's own socket may
 * go past those who listen at the hidden end (PACKET_QDISC_BYPASS).
 */
#include "net/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/thread.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "packet/frame.h"
#include <tund/abi.h>

#define BATCH  HOST_MAX_SIGHTS
#define EVENTS 16

/* What waits while the thread does not run. */
#define RECEIVE_BUFFER (8u << 20)

/* The handle that no link has: stop. */
#define STOP_HANDLE 0

struct capture_socket {
	atomic_uint refs;
	int fd;
};

struct slot {
	uint8_t frame[TUND_MAX_PACKET];
	struct sockaddr_ll from;
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata)) +
		     CMSG_SPACE(sizeof(struct timespec))]
		__attribute__((aligned(__alignof__(struct cmsghdr))));
};

static struct {
	int epoll_fd, stop_fd;
	pthread_t thread;
	struct lock lock; /* which socket a link has */
	struct slot *slots;
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH];
} capture;

/* ---- sockets ---- */

static struct capture_socket *get(struct host_link *link)
{
	struct capture_socket *s;

	lock_acquire(&capture.lock);
	s = link->capture;
	if (s)
		atomic_fetch_add(&s->refs, 1);
	lock_release(&capture.lock);
	return s;
}

static void put(struct capture_socket *s)
{
	if (atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	close(s->fd);
	free(s);
}

static void set(struct host_link *link, struct capture_socket *s)
{
	lock_acquire(&capture.lock);
	link->capture = s;
	lock_release(&capture.lock);
}

static int set_up(int fd, int ifindex)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	const int yes = 1;
	socklen_t len = sizeof(int);
	int error;

	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) < 0 ||
	    link_set_buffer(fd, RECEIVE_BUFFER) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	/* That the interface is down is nothing new. */
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return 0;
}

/* At the visible end, wherever that is. */
static int open_socket(struct host_link *link, int *ret_fd)
	REQUIRES(link->direct_lock)
{
	_cleanup_close_ int fd = -1;
	struct rtnl_link visible;
	int r;

	r = link_enter_visible(link, link->home_ns_fd, &visible);
	if (r < 0)
		return r;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = fd < 0 ? -errno : 0;
	netns_leave();
	if (r == 0)
		r = set_up(fd, visible.ifindex);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

static int begin(struct host_link *link) REQUIRES(link->direct_lock)
{
	struct epoll_event event = {.events = EPOLLIN,
				    .data.u64 = link->handle};
	struct capture_socket *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->refs = 1;
	r = open_socket(link, &s->fd);
	if (r < 0) {
		free(s);
		return r;
	}
	set(link, s);
	return epoll_ctl(capture.epoll_fd, EPOLL_CTL_ADD, s->fd, &event) < 0
		       ? -errno
		       : 0;
}

static void end(struct host_link *link) REQUIRES(link->direct_lock)
{
	struct capture_socket *s = get(link);

	if (!s)
		return;
	epoll_ctl(capture.epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	set(link, NULL);
	put(s);
	put(s);
}

static void begin_or_tell(struct host_link *link) REQUIRES(link->direct_lock)
{
	int r = begin(link);

	if (r == 0)
		return;
	end(link);
	if (r != -ENODEV)
		log_warning("the packets of a device on the direct plane "
			    "cannot be captured: %s",
			    strerror(-r));
}

/* The interface has left the network namespace, and the socket has not. */
static bool is_unbound(int fd)
{
	struct sockaddr_ll address = {0};
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	       address.sll_ifindex <= 0;
}

void capture_switch(struct host_link *link, bool on)
{
	lock_acquire(&link->direct_lock);
	if (!on || (link->capture && is_unbound(link->capture->fd)))
		end(link);
	if (on && !link->capture && link->handle)
		begin_or_tell(link);
	lock_release(&link->direct_lock);
}

/* ---- packets ---- */

static void prepare(unsigned int i)
{
	struct slot *slot = &capture.slots[i];

	capture.iovs[i] = (struct iovec){slot->frame, sizeof(slot->frame)};
	capture.msgs[i].msg_hdr = (struct msghdr){
		.msg_name = &slot->from,
		.msg_namelen = sizeof(slot->from),
		.msg_iov = &capture.iovs[i],
		.msg_iovlen = 1,
		.msg_control = slot->control,
		.msg_controllen = sizeof(slot->control),
	};
}

static void read_control(struct msghdr *msg, struct frame_meta *ret_meta,
			 uint64_t *ret_time)
{
	struct tpacket_auxdata aux = {0};
	struct timespec ts = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_PACKET &&
		    c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	}
	*ret_meta = (struct frame_meta){
		.has_vlan = aux.tp_status & TP_STATUS_VLAN_VALID,
		.vlan_tci = aux.tp_vlan_tci,
		.vlan_tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID
				     ? aux.tp_vlan_tpid
				     : ETH_P_8021Q,
	};
	*ret_time = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The packet of one slot; false if a program would never see it. */
static bool look(const struct host_link *link, unsigned int i,
		 struct host_sight *ret_sight)
{
	struct slot *slot = &capture.slots[i];
	struct frame_meta meta;
	struct pkt *pkt;

	read_control(&capture.msgs[i].msg_hdr, &meta, &ret_sight->time_ns);
	if (frame_to_pkt(slot->frame, capture.msgs[i].msg_len, &meta,
			 link->kind == DEV_TAP, &pkt) < 0)
		return false;
	if (link->kind == DEV_TUN && pkt->proto == htons(ETH_P_ARP)) {
		pkt_free(pkt);
		return false;
	}
	ret_sight->pkt = pkt;
	ret_sight->to_host = slot->from.sll_pkttype != PACKET_OUTGOING;
	return true;
}

static void show(struct host_link *link, unsigned int n)
{
	struct host_sight sights[BATCH];
	unsigned int n_sights = 0;

	for (unsigned int i = 0; i < n; i++)
		if (look(link, i, &sights[n_sights]))
			n_sights++;
	device_looked_at(link->owner, sights, n_sights);
	for (unsigned int i = 0; i < n_sights; i++)
		pkt_free((struct pkt *)sights[i].pkt);
}

/* The kernel forgets them when it tells. */
static void count_missed(struct host_link *link, int fd)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0 &&
	    stats.tp_drops > 0)
		device_overlooked(link->owner, stats.tp_drops);
}

static void receive(struct host_link *link, struct capture_socket *s)
{
	int n;

	for (unsigned int i = 0; i < BATCH; i++)
		prepare(i);
	/* An error, as when the interface goes down, is gone once read. */
	n = recvmmsg(s->fd, capture.msgs, BATCH, MSG_DONTWAIT, NULL);
	if (n > 0)
		show(link, (unsigned int)n);
	count_missed(link, s->fd);
}

static void handle_event(const struct epoll_event *event)
{
	struct host_link *link =
		handle_get(&net_links, (uint32_t)event->data.u64);
	struct capture_socket *s;

	if (!link)
		return;
	s = get(link);
	if (s) {
		receive(link, s);
		put(s);
	}
	device_unref(link->owner);
}

static void *capture_run(void *arg)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int n = epoll_wait(capture.epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 == STOP_HANDLE)
				return NULL;
			handle_event(&events[i]);
		}
	}
}

int capture_start(void)
{
	struct epoll_event stop = {.events = EPOLLIN, .data.u64 = STOP_HANDLE};

	lock_init(&capture.lock, LOCK_RANK_CAPTURE, "capture");
	capture.slots = calloc(BATCH, sizeof(*capture.slots));
	capture.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	capture.stop_fd = eventfd(0, EFD_CLOEXEC);
	if (!capture.slots)
		return -ENOMEM;
	if (capture.epoll_fd < 0 || capture.stop_fd < 0 ||
	    epoll_ctl(capture.epoll_fd, EPOLL_CTL_ADD, capture.stop_fd, &stop) <
		    0)
		return -errno;
	return thread_start(&capture.thread, "tund-capture", capture_run, NULL);
}

void capture_stop(void)
{
	eventfd_write(capture.stop_fd, 1);
	pthread_join(capture.thread, NULL);
	close(capture.stop_fd);
	close(capture.epoll_fd);
	free(capture.slots);
	lock_destroy(&capture.lock);
}
