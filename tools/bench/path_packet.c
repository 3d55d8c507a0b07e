/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/path_packet.c - a packet socket on one end of a bare veth pair by
 * plain system calls, which shows what the kernel's way from there can do.
 * Neither tund nor the library has a part in it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "app.h"

#define BLOCK_SIZE  (1u << 18)
#define BLOCKS	    32u
#define FRAME_SIZE  2048u
#define SOCKET_ROOM (8 << 20)

/* Milliseconds until a block is given that is not full. */
#define BLOCK_TIME 1

struct ring {
	unsigned char *map;
	unsigned int block; /* the next one */
	unsigned int left;  /* packets in it that were not given yet */
	struct tpacket3_hdr *next;
	unsigned char *tx;
	unsigned int tx_next, tx_frames;
};

struct vectors {
	struct mmsghdr messages[BATCH_MAX];
	struct iovec iov[BATCH_MAX];
	struct sockaddr_ll to;
	unsigned char buffers[BATCH_MAX][PACKET_ROOM];
};

static struct vectors in, out;
static struct ring ring;

static void set_up_vectors(struct port *port)
{
	out.to = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(port->name),
		.sll_halen = ETH_ALEN,
	};
	memcpy(out.to.sll_addr, port->address, ETH_ALEN);
	for (unsigned int i = 0; i < BATCH_MAX; i++) {
		in.iov[i].iov_base = in.buffers[i];
		in.iov[i].iov_len = PACKET_ROOM;
		in.messages[i].msg_hdr.msg_iov = &in.iov[i];
		in.messages[i].msg_hdr.msg_iovlen = 1;
		out.messages[i].msg_hdr.msg_iov = &out.iov[i];
		out.messages[i].msg_hdr.msg_iovlen = 1;
		out.messages[i].msg_hdr.msg_name = &out.to;
		out.messages[i].msg_hdr.msg_namelen = sizeof(out.to);
	}
}

static void attach_veth(struct port *port)
{
	const int room = SOCKET_ROOM, yes = 1;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(port->name),
	};

	port->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (port->fd < 0 ||
	    bind(port->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		not_here("no packet socket on %s", port->name);
	setsockopt(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes,
		   sizeof(yes));
	set_up_vectors(port);
}

static void map_rings(struct port *port, bool with_tx)
{
	const int version = TPACKET_V3;
	struct tpacket_req3 rx = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = BLOCKS,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = BLOCK_SIZE / FRAME_SIZE * BLOCKS,
		.tp_retire_blk_tov = BLOCK_TIME,
	};
	struct tpacket_req3 tx = rx;
	size_t size = (size_t)BLOCK_SIZE * BLOCKS;

	tx.tp_retire_blk_tov = 0;
	if (setsockopt(port->fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) < 0 ||
	    setsockopt(port->fd, SOL_PACKET, PACKET_RX_RING, &rx, sizeof(rx)) <
		    0 ||
	    (with_tx && setsockopt(port->fd, SOL_PACKET, PACKET_TX_RING, &tx,
				   sizeof(tx)) < 0))
		not_here("no ring on the packet socket");
	ring.map = mmap(NULL, size * (with_tx ? 2 : 1), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, port->fd, 0);
	if (ring.map == MAP_FAILED)
		not_here("the ring cannot be mapped");
	ring.tx = ring.map + size;
	ring.tx_frames = tx.tp_frame_nr;
}

static void attach_veth_ring(struct port *port)
{
	attach_veth(port);
	map_rings(port, false);
}

static void attach_veth_tx_ring(struct port *port)
{
	attach_veth(port);
	map_rings(port, true);
}

static int receive_batch(struct port *port, struct packet *ret_packets)
{
	int n = recvmmsg(port->fd, in.messages, port->batch, MSG_WAITFORONE,
			 NULL);

	for (int i = 0; i < n; i++) {
		ret_packets[i].data = in.buffers[i];
		ret_packets[i].length = in.messages[i].msg_len;
	}
	return n < 0 ? -errno : n;
}

static void release_nothing(struct port *port, unsigned int n)
{
}

static struct tpacket_block_desc *block_of(void)
{
	return (struct tpacket_block_desc *)(ring.map +
					     (size_t)BLOCK_SIZE * ring.block);
}

static int wait_for_block(struct port *port, struct tpacket_block_desc *block)
{
	struct pollfd p = {port->fd, POLLIN, 0};

	while (!(__atomic_load_n(&block->hdr.bh1.block_status,
				 __ATOMIC_ACQUIRE) &
		 TP_STATUS_USER))
		if (poll(&p, 1, -1) < 0)
			return -errno;
	ring.left = block->hdr.bh1.num_pkts;
	ring.next = (struct tpacket3_hdr *)((unsigned char *)block +
					    block->hdr.bh1.offset_to_first_pkt);
	return 0;
}

static int receive_ring(struct port *port, struct packet *ret_packets)
{
	struct tpacket_block_desc *block = block_of();
	int n = 0, r;

	if (!ring.left) {
		r = wait_for_block(port, block);
		if (r < 0)
			return r;
	}
	while (ring.left && n < BATCH_MAX) {
		unsigned char *frame = (unsigned char *)ring.next;

		ret_packets[n].data = frame + ring.next->tp_net;
		ret_packets[n++].length = ring.next->tp_snaplen;
		ring.next = (struct tpacket3_hdr *)(frame +
						    ring.next->tp_next_offset);
		ring.left--;
	}
	return n;
}

/* A block goes back when the last of its packets has been released. */
static void release_ring(struct port *port, unsigned int n)
{
	if (ring.left)
		return;
	__atomic_store_n(&block_of()->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	ring.block = (ring.block + 1) % BLOCKS;
}

static int send_batch(struct port *port, const struct packet *packets,
		      unsigned int n)
{
	int r;

	for (unsigned int i = 0; i < n; i++) {
		out.iov[i].iov_base = packets[i].data;
		out.iov[i].iov_len = packets[i].length;
	}
	r = sendmmsg(port->fd, out.messages, n, 0);
	return r < 0 ? -errno : r;
}

static int send_tx_ring(struct port *port, const struct packet *packets,
			unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned char *frame =
			ring.tx + (size_t)FRAME_SIZE * ring.tx_next;
		struct tpacket3_hdr *header = (struct tpacket3_hdr *)frame;

		if (__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) !=
		    TP_STATUS_AVAILABLE)
			return -EAGAIN;
		memcpy(frame + TPACKET3_HDRLEN - sizeof(struct sockaddr_ll),
		       packets[i].data, packets[i].length);
		header->tp_len = packets[i].length;
		header->tp_next_offset = 0;
		__atomic_store_n(&header->tp_status, TP_STATUS_SEND_REQUEST,
				 __ATOMIC_RELEASE);
		ring.tx_next = (ring.tx_next + 1) % ring.tx_frames;
	}
	if (sendto(port->fd, NULL, 0, 0, (struct sockaddr *)&out.to,
		   sizeof(out.to)) < 0)
		return -errno;
	return (int)n;
}

const struct path path_veth_batch = {
	"veth-batch",	 0,	     0, attach_veth, receive_batch,
	release_nothing, send_batch,
};
const struct path path_veth_ring = {
	"veth-ring",  0,	  0, attach_veth_ring, receive_ring,
	release_ring, send_batch,
};
const struct path path_veth_tx_ring = {
	"veth-tx-ring", 0, 0, attach_veth_tx_ring, receive_ring, release_ring,
	send_tx_ring,
};
