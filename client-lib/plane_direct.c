/* SPDX-License-Identifier: MIT */
/*
 * client-lib/plane_direct.c - packets through a packet socket that the daemon
 * hands over. The file stays open beside it, for ioctls.
 *
 * A packet socket does not say all that a TUN says. That an interface is gone
 * it tells once, to one thread: see raise_again(). That one is down it does not
 * tell, and loses the packet: see is_up().
 */
#include "direct.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"
#include "plane.h"
#include "ring.h"
#include "tund.h"

static bool is_possible(const struct tunclient *client)
{
	return client->is_tund && client->tund_abilities & TUND_ABILITY_DIRECT;
}

static unsigned int attach_flags(const struct tunclient *client)
{
	return 0;
}

/* ---- getting the socket ---- */

static int ask(void *context, struct tund_fd *request)
{
	const struct tunclient *client = context;

	return ioctl(client->file, TUND_IOC_FD, request) < 0 ? -errno : 0;
}

/* What is half done when a signal comes stays so. */
static int fetch_undisturbed(struct tunclient *client, unsigned int flags)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = tunclient_fetch_fd_(TUND_FD_DIRECT, flags, ask, client);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* The name of the socket's own interface, in a namespace of its own. */
static int learn_hidden(struct tunclient *client, int fd)
{
	struct sockaddr_ll address = {0};
	socklen_t length = sizeof(address);
	struct ifreq request = {0};

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	client->direct.ifindex = request.ifr_ifindex = address.sll_ifindex;
	if (ioctl(fd, SIOCGIFNAME, &request) < 0)
		return -errno;
	memcpy(client->direct.hidden, request.ifr_name,
	       sizeof(client->direct.hidden));
	return 0;
}

/* Then a packet that cannot be sent is an error. */
static void bypass_queue(struct tunclient *client, int fd)
{
	const int yes = 1;

	client->direct.bypass =
		(client->kind == TUNCLIENT_TAP ||
		 client->tund_abilities & TUND_ABILITY_BYPASS) &&
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes,
			   sizeof(yes)) == 0;
}

static int begin(struct tunclient *client)
{
	int now = fcntl(client->file, F_GETFL);
	unsigned int flags = 0;
	int fd, r;

	if (now >= 0 && now & O_NONBLOCK)
		flags |= TUND_FD_NONBLOCK;
	if (client->options.offloads)
		flags |= TUND_FD_FRAMES;
	fd = fetch_undisturbed(client, flags);
	/* A daemon from before the flag. */
	if (fd == -EINVAL && flags & TUND_FD_FRAMES)
		return -EOPNOTSUPP;
	if (fd < 0)
		return fd;
	r = learn_hidden(client, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	bypass_queue(client, fd);
	client->fd = fd;
	client->has_offloads = flags & TUND_FD_FRAMES;
	client->direct.up_at = 0;
	client->direct.dropped = 0;
	return 0;
}

static void end(struct tunclient *client)
{
	close(client->fd);
}

static unsigned int abilities(const struct tunclient *client)
{
	return TUNCLIENT_ABILITY_BATCH | TUNCLIENT_ABILITY_ZERO_COPY |
	       TUNCLIENT_ABILITY_NO_DAEMON | tunclient_tund_abilities_(client);
}

/* ---- what a packet socket does not say ---- */

/*
 * The error is gone once somebody has read it, and whoever else waits would
 * wait for ever. Binding the socket to an interface that is down, as the
 * loopback of its namespace is, makes the error anew and wakes the next one;
 * but only if the protocol is another. (Not of one of several queues, which
 * cannot be bound.)
 */
static void raise_again(struct tunclient *client)
{
	unsigned int times = client->direct.raised++;
	struct sockaddr_ll loopback = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(times % 2 ? ETH_P_IP : ETH_P_IPV6),
		.sll_ifindex = 1,
	};
	int r = bind(client->fd, (struct sockaddr *)&loopback,
		     sizeof(loopback));

	(void)r;
}

enum state { UP, DOWN, GONE };

/* Of the socket's own interface. */
static enum state hidden_state(const struct tunclient *client)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, client->direct.hidden,
	       sizeof(client->direct.hidden));
	if (ioctl(client->fd, SIOCGIFFLAGS, &request) < 0)
		return GONE;
	return request.ifr_flags & IFF_UP ? UP : DOWN;
}

/* The daemon hears of it a moment later, and attaches nothing before. */
static void wait_for_daemon(const struct tunclient *client)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct ifreq request;

	for (int i = 0;
	     i < 1000 && ioctl(client->file, TUNGETIFF, &request) == 0; i++)
		nanosleep(&pause, NULL);
}

/*
 * The error comes when the interface goes down, which is a moment before it is
 * gone; so one has to look until it is one or the other. It can also be down
 * for longer, when somebody has taken the carrier away.
 */
static int look_down(struct tunclient *client, bool wait)
{
	struct timespec pause = {.tv_nsec = 100000};
	enum state state;

	while ((state = hidden_state(client)) == DOWN) {
		if (nanosleep(&pause, NULL) < 0)
			return -EINTR;
		if (pause.tv_nsec < 100000000)
			pause.tv_nsec *= 2;
		else if (!wait)
			return 0;
	}
	if (state == UP)
		return 0;
	wait_for_daemon(client);
	raise_again(client);
	return -EBADFD;
}

int tunclient_direct_down_(struct tunclient *client)
{
	int now = fcntl(client->fd, F_GETFL);

	return look_down(client, now < 0 || !(now & O_NONBLOCK));
}

void tunclient_direct_note_down_(struct tunclient *client)
{
	look_down(client, false);
}

/*
 * Whether the other end is up, as the kernel has told this end. It tells a
 * moment later than it happens, and once it has, packets pass.
 */
static bool is_running(const struct tunclient *client)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, client->direct.hidden,
	       sizeof(client->direct.hidden));
	return ioctl(client->fd, SIOCGIFFLAGS, &request) < 0 ||
	       request.ifr_flags & IFF_RUNNING;
}

/*
 * Where the queueing discipline cannot be passed by, a packet for an interface
 * that is down is lost without an error. It is
 * asked for once in a tick of the coarse clock, a few milliseconds, in which
 * one may still be lost.
 */
static bool is_up(struct tunclient *client)
{
	struct timespec now;
	long long tick;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	tick = now.tv_sec * 1000000000LL + now.tv_nsec;
	if (client->direct.up_at == tick)
		return true;
	if (!is_running(client))
		return false;
	client->direct.up_at = tick;
	return true;
}

int tunclient_direct_check_(struct tunclient *client)
{
	return client->direct.bypass || is_up(client) ? 0 : -EIO;
}

/*
 * Whether the other end is up, without a delay, unlike is_running(): who sets
 * it up or down holds the kernel's lock until all of it is, and this waits.
 */
static bool has_carrier(const struct tunclient *client)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq request = {.ifr_data = (void *)&link};

	memcpy(request.ifr_name, client->direct.hidden,
	       sizeof(client->direct.hidden));
	return ioctl(client->fd, SIOCETHTOOL, &request) < 0 || link.data;
}

static int no_interface(struct tunclient *client)
{
	wait_for_daemon(client);
	return -EBADFD;
}

/*
 * It was dropped, and so says only the interface why. The daemon hears a moment
 * later that it is not up, or gone.
 */
static int why_dropped(struct tunclient *client, size_t size, bool gso)
{
	size_t header = client->kind == TUNCLIENT_TAP ? ETHER_HDR_LEN : 0;
	struct tund_link link;

	if (hidden_state(client) == GONE)
		return no_interface(client);
	if (!has_carrier(client))
		return -EIO;
	if (gso || tunclient_tund_link_(client, &link) < 0)
		return -ENOBUFS;
	return size > link.mtu + header ? -EMSGSIZE : -ENOBUFS;
}

int tunclient_direct_cause_(struct tunclient *client, int error, size_t size,
			    bool gso)
{
	switch (error) {
	case -ENETDOWN:
	case -ENXIO:
		return hidden_state(client) == GONE ? no_interface(client)
						    : -EIO;
	case -ENOBUFS:
		return why_dropped(client, size, gso);
	default:
		return error;
	}
}

/* ---- configuration ---- */

/* What is written before that is lost, or fails. */
static void wait_until_up(struct tunclient *client)
{
	const struct timespec pause = {.tv_nsec = 100000};

	for (int i = 0; i < 200 && !is_running(client); i++)
		nanosleep(&pause, NULL);
}

static int configure(struct tunclient *client, const struct tund_config *config)
{
	int r = tunclient_tund_configure_(client, config);

	if (r == 0 && config->what == TUND_CONFIG_UP && config->value)
		wait_until_up(client);
	return r;
}

/* ---- counters ---- */

/* The kernel forgets the number with each answer. */
static uint64_t count_dropped(struct tunclient *client)
{
	struct tpacket_stats now = {0};
	socklen_t length = sizeof(now);

	if (getsockopt(client->fd, SOL_PACKET, PACKET_STATISTICS, &now,
		       &length) < 0)
		now.tp_drops = 0;
	return atomic_fetch_add(&client->direct.dropped, now.tp_drops) +
	       now.tp_drops;
}

/* The interface has sent what its socket had no room for. */
static int stats(struct tunclient *client, struct tunclient_stats *ret_stats)
{
	/* Before the others: what comes meanwhile is not more than they say. */
	uint64_t dropped = count_dropped(client);
	int r = tunclient_tund_stats_(client, ret_stats);

	if (r < 0)
		return r;
	if (dropped > ret_stats->received_packets)
		dropped = ret_stats->received_packets;
	ret_stats->received_packets -= dropped;
	ret_stats->received_dropped += dropped;
	return 0;
}

const struct tunclient_plane tunclient_plane_direct_ = {
	.number = TUNCLIENT_PLANE_DIRECT,
	.is_possible = is_possible,
	.attach_flags = attach_flags,
	.begin = begin,
	.end = end,
	.abilities = abilities,
	.read = tunclient_direct_read_,
	.write = tunclient_direct_write_,
	.recv_batch = tunclient_direct_recv_,
	.send_batch = tunclient_direct_send_,
	.send_run = tunclient_direct_send_run_,
	.ring_begin = tunclient_mapped_begin_,
	.ring_end = tunclient_mapped_end_,
	.ring_receive = tunclient_mapped_receive_,
	.ring_release = tunclient_mapped_release_,
	.drain = tunclient_direct_drain_,
	.set_value = tunclient_tund_set_value_,
	.configure = configure,
	.link = tunclient_tund_link_,
	.stats = stats,
};
