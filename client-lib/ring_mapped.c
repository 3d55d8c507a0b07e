/* SPDX-License-Identifier: MIT */
/*
 * client-lib/ring_mapped.c - the ring that the kernel fills (packet(7),
 * PACKET_RX_RING, TPACKET_V3).
 *
 * The kernel gives a block to the program when it is full or when its time has
 * come, which is once in a millisecond: the least that can be asked for, since
 * a packet that comes alone waits so long. A loaded device gives away blocks of
 * hundreds of packets then, so that the wake-up costs nothing for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "direct.h"
#include "plane.h"
#include "ring.h"
#include "vnet.h"

/* A packet that waited in the socket when the ring began. */
struct waiting {
	struct waiting *next;
	struct tunclient_packet packet;
	unsigned char data[];
};

struct mapped_ring {
	struct tunclient_receive_ring ring;
	unsigned char *memory;
	unsigned int block_size;
	unsigned int n_blocks;

	/* The block that packets are given from, and where. */
	unsigned int give;
	unsigned int left;
	struct tpacket3_hdr *next;

	/*
	 * The block that packets are released from, and how many from there on
	 * are all given and not the kernel's again: with all of them `give` has
	 * come round to it.
	 */
	unsigned int oldest;
	unsigned int kept;

	/* Those that came first: given up to `to_give`. */
	struct waiting *first, *to_give;

	unsigned int held[]; /* packets of each block with the program */
};

/* Packets that are kept when the ring begins: as many as a TAP's queue has. */
#define WAITING_MAX 1000u

/* ---- blocks ---- */

/* The kernel aligns what it puts there. */
static void *at(void *begin, size_t offset)
{
	return (unsigned char *)begin + offset;
}

static struct tpacket_block_desc *block_at(const struct mapped_ring *m,
					   unsigned int block)
{
	return at(m->memory, (size_t)block * m->block_size);
}

static struct tpacket_hdr_v1 *block_header(const struct mapped_ring *m,
					   unsigned int block)
{
	return &block_at(m, block)->hdr.bh1;
}

static bool is_ready(const struct mapped_ring *m, unsigned int block)
{
	return __atomic_load_n(&block_header(m, block)->block_status,
			       __ATOMIC_ACQUIRE) &
	       TP_STATUS_USER;
}

static void set_status(const struct mapped_ring *m, unsigned int block,
		       __u32 status)
{
	__atomic_store_n(&block_header(m, block)->block_status, status,
			 __ATOMIC_RELEASE);
}

/* ---- what waited before ---- */

/* Room for one, and no more than it needs after it is filled. */
static int receive_waiting(struct tunclient *client, struct waiting **ret)
{
	struct waiting *w = malloc(sizeof(*w) + TUNCLIENT_PACKET_MAX);
	struct waiting *smaller;
	int r;

	if (!w)
		return -ENOMEM;
	w->next = NULL;
	w->packet.data = w->data;
	w->packet.size = TUNCLIENT_PACKET_MAX;
	r = client->plane->recv_batch(client, &w->packet, 1);
	if (r < 0) {
		free(w);
		return r;
	}
	smaller = realloc(w, sizeof(*w) + w->packet.length);
	w = smaller ? smaller : w;
	w->packet.data = w->data;
	w->packet.size = w->packet.length;
	*ret = w;
	return 0;
}

/* The kernel throws away what is in the socket when the ring begins. */
static int keep_waiting(struct tunclient *client, struct mapped_ring *m)
{
	struct pollfd p = {.fd = client->fd, .events = POLLIN};
	struct waiting **end = &m->first;
	int r = 0;

	for (unsigned int i = 0; i < WAITING_MAX && r == 0; i++) {
		if (poll(&p, 1, 0) != 1 || !(p.revents & POLLIN))
			break;
		r = receive_waiting(client, end);
		if (r == 0)
			end = &(*end)->next;
	}
	m->to_give = m->first;
	return r == -EAGAIN ? 0 : r;
}

/*
 * poll() says that there is something to be read as long as the last block
 * before the one that is filled is the program's: so it is, until those that
 * waited are given.
 */
static void show_waiting(const struct mapped_ring *m, bool on)
{
	set_status(m, m->n_blocks - 1, on ? TP_STATUS_USER : TP_STATUS_KERNEL);
}

static unsigned int give_waiting(struct mapped_ring *m,
				 struct tunclient_packet *ret_packets,
				 unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && m->to_give; i++) {
		ret_packets[i] = m->to_give->packet;
		m->to_give = m->to_give->next;
	}
	if (i > 0 && !m->to_give)
		show_waiting(m, false);
	return i;
}

/* ---- beginning and ending ---- */

static int set_up(struct mapped_ring *m, int fd)
{
	const int version = TPACKET_V3;
	const struct tpacket_req3 request = {
		.tp_block_size = m->block_size,
		.tp_block_nr = m->n_blocks,
		/* Only its product counts: a packet takes what it needs. */
		.tp_frame_size = 2048,
		.tp_frame_nr = m->n_blocks * (m->block_size / 2048),
		.tp_retire_blk_tov = 1,
	};
	const struct tpacket_req3 none = {0};
	void *memory;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request,
		       sizeof(request)) < 0)
		return -errno;
	memory = mmap(NULL, (size_t)m->n_blocks * m->block_size,
		      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &none, sizeof(none));
		return -ENOMEM;
	}
	m->memory = memory;
	return 0;
}

void tunclient_mapped_end_(struct tunclient_receive_ring *ring)
{
	struct mapped_ring *m = (struct mapped_ring *)ring;

	while (m->first) {
		struct waiting *w = m->first;

		m->first = w->next;
		free(w);
	}
	if (m->memory)
		munmap(m->memory, (size_t)m->n_blocks * m->block_size);
	free(m);
}

/*
 * However little is in a block, it is spent after a millisecond, and so their
 * number is for how many a reader may pause. Each must hold the largest packet
 * and its headers; of those with offloads, which are often as large, more than
 * one, or half of the memory would be empty.
 */
static unsigned int block_size(const struct tunclient *client)
{
	return client->has_offloads ? TUNCLIENT_BLOCK_ : TUNCLIENT_BLOCK_ / 2;
}

int tunclient_mapped_begin_(struct tunclient *client,
			    struct tunclient_receive_ring **ret_ring)
{
	unsigned int size = block_size(client);
	unsigned int n = tunclient_ring_blocks_(client, size);
	struct mapped_ring *m = calloc(1, sizeof(*m) + n * sizeof(m->held[0]));
	int r;

	if (!m)
		return -ENOMEM;
	m->block_size = size;
	m->n_blocks = n;
	r = keep_waiting(client, m);
	if (r == 0)
		r = set_up(m, client->fd);
	if (r < 0) {
		tunclient_mapped_end_(&m->ring);
		return r;
	}
	if (m->to_give)
		show_waiting(m, true);
	*ret_ring = &m->ring;
	return 0;
}

/* ---- receiving ---- */

/* Packets that come without offloads have no header of theirs before them. */
static void describe(const struct tunclient *client,
		     struct tpacket3_hdr *header,
		     struct tunclient_packet *ret_packet)
{
	unsigned char *frame = at(header, header->tp_mac);
	uint32_t before = 0;

	if (client->has_offloads) {
		struct virtio_net_hdr vnet;

		memcpy(&vnet, frame - sizeof(vnet), sizeof(vnet));
		before = tunclient_counted_(client);
		tunclient_vnet_take_(ret_packet, &vnet, before);
	} else {
		tunclient_vnet_clear_(ret_packet);
	}
	ret_packet->data = frame + before;
	ret_packet->length = ret_packet->size = header->tp_snaplen - before;
	ret_packet->status =
		header->tp_snaplen < header->tp_len ? TUNCLIENT_PACKET_CUT : 0;
}

/* The next block, if it is there. */
static bool open_block(struct mapped_ring *m)
{
	struct tpacket_hdr_v1 *header = block_header(m, m->give);

	if (m->kept == m->n_blocks || !is_ready(m, m->give) || m->to_give)
		return false;
	m->left = header->num_pkts;
	m->next = at(block_at(m, m->give), header->offset_to_first_pkt);
	return true;
}

/* Those of which all was given and released. */
static void return_blocks(struct mapped_ring *m)
{
	while (m->kept > 0 && m->held[m->oldest] == 0) {
		set_status(m, m->oldest, TP_STATUS_KERNEL);
		m->oldest = (m->oldest + 1) % m->n_blocks;
		m->kept--;
	}
}

/* All of it was given: it is the kernel's once all of it is released. */
static void close_block(struct mapped_ring *m)
{
	m->give = (m->give + 1) % m->n_blocks;
	m->kept++;
	return_blocks(m);
}

static unsigned int give(struct tunclient *client, struct mapped_ring *m,
			 struct tunclient_packet *ret_packets, unsigned int n)
{
	unsigned int i = give_waiting(m, ret_packets, n);

	while (i < n && (m->left > 0 || open_block(m))) {
		for (; i < n && m->left > 0; i++) {
			describe(client, m->next, &ret_packets[i]);
			m->next = at(m->next, m->next->tp_next_offset);
			m->left--;
			m->held[m->give]++;
		}
		if (m->left == 0)
			close_block(m);
	}
	return i;
}

/* An error on the socket: 0 if it means nothing. */
static int socket_error(struct tunclient *client)
{
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error == ENETDOWN ? tunclient_direct_down_(client) : -error;
}

static int wait_for_block(struct tunclient *client)
{
	struct pollfd p = {.fd = client->fd, .events = POLLIN};
	int now = fcntl(client->fd, F_GETFL);
	int timeout = now >= 0 && now & O_NONBLOCK ? 0 : -1;
	int r = poll(&p, 1, timeout);

	if (r < 0)
		return -errno;
	if (r == 0)
		return -EAGAIN;
	return p.revents & POLLERR ? socket_error(client) : 0;
}

int tunclient_mapped_receive_(struct tunclient *client,
			      struct tunclient_receive_ring *ring,
			      struct tunclient_packet *ret_packets,
			      unsigned int n)
{
	struct mapped_ring *m = (struct mapped_ring *)ring;
	unsigned int given = give(client, m, ret_packets, n);
	int r = 0;

	while (given == 0 && r == 0) {
		/* What is not released keeps poll() from waiting. */
		if (ring->held > 0)
			return -EAGAIN;
		r = wait_for_block(client);
		if (r == 0)
			given = give(client, m, ret_packets, n);
	}
	return given > 0 ? (int)given : r;
}

/* ---- releasing ---- */

static unsigned int release_waiting(struct mapped_ring *m, unsigned int n)
{
	while (n > 0 && m->first && m->first != m->to_give) {
		struct waiting *w = m->first;

		m->first = w->next;
		free(w);
		n--;
	}
	return n;
}

void tunclient_mapped_release_(struct tunclient_receive_ring *ring,
			       unsigned int n)
{
	struct mapped_ring *m = (struct mapped_ring *)ring;

	n = release_waiting(m, n);
	while (n > 0) {
		unsigned int *held = &m->held[m->oldest];
		unsigned int now = n < *held ? n : *held;

		*held -= now;
		n -= now;
		return_blocks(m);
	}
}

/* ---- losing ---- */

static void skip_waiting(struct mapped_ring *m)
{
	struct waiting **at = &m->first, *w;

	if (!m->to_give)
		return;
	while (*at != m->to_give)
		at = &(*at)->next;
	while ((w = *at)) {
		*at = w->next;
		free(w);
	}
	m->to_give = NULL;
	show_waiting(m, false);
}

/* What is in a block that was given in part, and in all others. */
static void skip_blocks(struct mapped_ring *m)
{
	while (m->left > 0 || open_block(m)) {
		m->left = 0;
		close_block(m);
	}
}

void tunclient_mapped_drain_(struct tunclient_receive_ring *ring)
{
	struct mapped_ring *m = (struct mapped_ring *)ring;
	/* A tick of the slowest clock, and the next. */
	const struct timespec retired = {.tv_nsec = 20000000};

	skip_waiting(m);
	skip_blocks(m);
	nanosleep(&retired, NULL);
	skip_blocks(m);
}
