/* SPDX-License-Identifier: MIT */
/*
 * tund/abi.h - the device file's own ioctls and limits, for a program in any
 * language. It is not the API of libtunclient: see <tunclient.h>.
 *
 * Everything here is fixed-width and in host byte order. A structure grows
 * only at its end and only together with a new ioctl number: the size is part
 * of the number. An ioctl unknown to the daemon, or to the kernel's own TUN,
 * fails with EINVAL on an attached descriptor and with EBADFD on an
 * unattached one; TUND_IOC_INFO is answered on both.
 */
#ifndef TUND_ABI_H
#define TUND_ABI_H

#include <linux/if_tun.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface: 1 came with tund 0.1. */
#define TUND_ABI_VERSION 1u

/*
 * The largest packet of one read or write, in bytes: an Ethernet header and the
 * largest MTU. Packet information is not counted.
 */
#define TUND_MAX_PACKET 65553u

/*
 * The device file's size, in bytes, which says nothing: it is larger than any
 * packet, because the kernel lets only one write at a time go beyond an end.
 */
#define TUND_FILE_SIZE (1 << 20)

/* What a daemon says of itself. Since version 1. */
struct tund_info {
	__u32 abi_version; /* TUND_ABI_VERSION of the daemon */
	__u32 max_packet;  /* bytes, TUND_MAX_PACKET of the daemon */
	__u64 abilities;   /* TUND_ABILITY_* */
};

/* This daemon can hand out packet sockets: see TUND_IOC_FD. */
#define TUND_ABILITY_DIRECT (1u << 0)

/* Reads and writes can carry several packets: see TUND_MODE_BATCH. */
#define TUND_ABILITY_BATCH (1u << 1)

/* Interfaces are configured for programs: see TUND_IOC_CONFIG. */
#define TUND_ABILITY_CONFIG (1u << 2)

/* The packet socket of a TUN may have PACKET_QDISC_BYPASS: see TUND_IOC_FD. */
#define TUND_ABILITY_BYPASS (1u << 3)

/*
 * Why a packet was dropped: the index into tund_stats.drops. An index is
 * never given a new meaning.
 */
enum tund_drop {
	/* Host to application. */
	TUND_DROP_QUEUE_FULL = 0, /* the device's queue was full */
	TUND_DROP_SOCKET = 1,	  /* the packet socket's buffer was */
	TUND_DROP_BACKLOG = 2,	  /* the kernel's backlog behind the veth */
	TUND_DROP_DETACHED = 3,	  /* queued when the last program left */
	TUND_DROP_TOO_SMALL = 4,  /* the read had no room for its header */
	TUND_DROP_OVERSIZE = 5,	  /* larger than max_packet */
	TUND_DROP_FILTER = 6,	  /* the program's TUNSETTXFILTER */
	/* Application to host. */
	TUND_DROP_DOWN = 8,    /* the interface was down */
	TUND_DROP_INVALID = 9, /* not an IP packet */
	TUND_DROP_MTU = 10,    /* larger than the interface takes */
	TUND_DROP_NOBUFS = 11, /* the host's backlog was full */
	TUND_DROP_ERROR = 12,  /* the packet socket gave another error */
	TUND_DROP_SOURCE = 13, /* from an address that its policy forbids */
	TUND_DROP_RATE = 14,   /* beyond the rate that its policy allows */
	/* The length of the table. */
	TUND_DROP_MAX = 16
};

/*
 * The counters of the attached device, as the kernel's TUN counts: rx is
 * what the program wrote, tx what the program read, bytes without packet
 * information. Since version 1.
 */
struct tund_stats {
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 tx_bytes;
	__u64 queued; /* packets that wait for a read now */
	__u64 drops[TUND_DROP_MAX];
};

#define TUND_IOC_TYPE 0xf6

/* Writes a struct tund_info. Works on an unattached descriptor too. */
#define TUND_IOC_INFO _IOR(TUND_IOC_TYPE, 1, struct tund_info)

/* Writes a struct tund_stats. EBADFD on an unattached descriptor. */
#define TUND_IOC_STATS _IOR(TUND_IOC_TYPE, 2, struct tund_stats)

/*
 * Linux's TUN has ioctls that take a number where their own number says that
 * they take an address: TUNSETNOCSUM, TUNSETDEBUG, TUNSETPERSIST, TUNSETOWNER,
 * TUNSETGROUP, TUNSETLINK, TUNSETOFFLOAD and TUNDETACHFILTER. On a FUSE file
 * the kernel refuses them with EFAULT before the daemon is asked. This one
 * carries them: `cmd` is the ioctl's number and `value` its argument; the
 * result is that of the ioctl on the kernel's TUN. EINVAL if `cmd` is none of
 * these. Owner and group are those of the caller's user namespace. Since
 * version 1.
 */
struct tund_value {
	__u32 cmd;
	__u32 reserved; /* 0 */
	__u64 value;
};

#define TUND_IOC_VALUE _IOW(TUND_IOC_TYPE, 3, struct tund_value)

/* Whether Linux's TUN takes this ioctl's argument as a number. */
static inline int tund_is_by_value(unsigned int cmd)
{
	switch (cmd) {
	case TUNSETNOCSUM:
	case TUNSETDEBUG:
	case TUNSETPERSIST:
	case TUNSETOWNER:
	case TUNSETGROUP:
	case TUNSETLINK:
	case TUNSETOFFLOAD:
	case TUNDETACHFILTER:
		return 1;
	default:
		return 0;
	}
}

/*
 * How the program uses the file. As long as its by-value ioctls do not get
 * through, the daemon must not offer what cannot be set up without them: with
 * TUND_MODE_ALL_IOCTLS whoever carries them says that he does. Then
 * TUNGETFEATURES offers IFF_VNET_HDR, and the next TUNSETIFF takes it; else
 * TUNSETIFF ignores it. A property of the open file description, 0 at the
 * beginning. EINVAL for unknown flags, and for max_records without
 * TUND_MODE_BATCH. Since version 1.
 */
struct tund_mode {
	__u32 flags;	   /* TUND_MODE_* */
	__u32 max_records; /* of one read; 0: what there is room for */
};

#define TUND_MODE_ALL_IOCTLS (1u << 0)

/*
 * Reads and writes carry records, as many as there is room for, in place of one
 * packet: see struct tund_record. Whatever TUNSETIFF was asked for, packets
 * have no packet information and no other virtio-net header than the record's.
 * Takes effect with the next read or write; without the flag they are again as
 * on the kernel's TUN.
 */
#define TUND_MODE_BATCH (1u << 1)

#define TUND_IOC_MODE	_IOW(TUND_IOC_TYPE, 4, struct tund_mode)

/*
 * One packet of a batch: this header, `len` bytes of the packet, and as many
 * bytes that mean nothing as make the whole a multiple of TUND_RECORD_ALIGN.
 * The buffer begins with a record, which begins with the next multiple after
 * the one before; the last one's padding may be left out of a write, and is
 * left out of a read.
 *
 * read(2) waits for a first packet (or fails with EAGAIN), and returns it with
 * those behind it that are there and fit, no more than `max_records`, without
 * waiting for another. A first packet that does not fit is cut off: its record
 * has TUND_RECORD_CUT, and `len` is what is left of it. A buffer smaller than
 * this header is EINVAL, and loses nothing.
 *
 * write(2) takes the records in their order and returns the number of bytes
 * that it has taken: all, or those before a record that failed or found no
 * room. If that is the first, the write fails with its error, which is that of
 * a single write (without room it waits, or fails with EAGAIN). Of what was not
 * taken nothing is sent or counted: the program may try again from there, and
 * is told the error then. EINVAL for a record that is longer than the buffer's
 * rest, or has a flag. One read or write is at most TUND_BATCH_MAX bytes; of a
 * larger buffer the rest is not used.
 *
 * `vnet` is as on a TUN with IFF_VNET_HDR, its numbers in host byte order; it
 * counts from the packet's first byte. In what is read it is 0 but for what
 * TUNSETOFFLOAD has allowed. Since version 1.
 */
struct tund_record {
	__u32 len;   /* bytes of the packet */
	__u16 flags; /* TUND_RECORD_* */
	struct {
		__u8 flags;    /* VIRTIO_NET_HDR_F_* */
		__u8 gso_type; /* VIRTIO_NET_HDR_GSO_* */
		__u16 hdr_len;
		__u16 gso_size;
		__u16 csum_start;
		__u16 csum_offset;
	} vnet;
};

#define TUND_RECORD_CUT	  (1u << 0) /* read: the packet's end is lost */

#define TUND_RECORD_ALIGN 8u

/* From one record's beginning to the next one's. */
#define TUND_RECORD_SPACE(len)                                                 \
	((sizeof(struct tund_record) + (len) + TUND_RECORD_ALIGN - 1) &        \
	 ~(__SIZE_TYPE__)(TUND_RECORD_ALIGN - 1))

/* The kernel divides what is larger. */
#define TUND_BATCH_MAX (256u << 10)

/*
 * Asks for a descriptor. A FUSE server cannot return one from an ioctl, so it
 * comes through a socket: `socket` is a descriptor of the caller's, one end of
 * an AF_UNIX socketpair; when the ioctl returns 0 a message of one byte with
 * one descriptor (SCM_RIGHTS) waits at the other end. Since version 1.
 *
 * TUND_FD_DIRECT: a packet socket that is the attached device: it is read,
 * written and polled as the descriptor of the kernel's TUN. From then on the
 * interface has no other way to the program: read and write on this file fail
 * with EBUSY, its ioctls go on working. The device ends, or falls idle if it
 * is persistent, when the last copy of the socket is closed, whether this file
 * is open or not; this file is unattached then, and poll says POLLERR.
 * The socket does not block if `flags` has TUND_FD_NONBLOCK.
 * Of a device with several queues all are handed over, or none: a flow keeps to
 * its queue, which its hash says. EOPNOTSUPP if the packet format asked for at
 * TUNSETIFF cannot be carried so (with packet information; IFF_TUN with
 * IFF_VNET_HDR; a virtio-net header of another size than 10 or 12), if another
 * queue was not handed over, or if the daemon or the kernel cannot do it: the
 * file goes on as before.
 * EALREADY if there is one already. EBADFD if the file is not attached.
 *
 * With TUND_FD_FRAMES the socket carries frames for IFF_TUN, too (SOCK_RAW),
 * and every packet has a virtio-net header of 10 bytes before it
 * (PACKET_VNET_HDR, host byte order), so that offloads can be had and sent:
 * TUNSETOFFLOAD says which, before or after this, and whatever was asked for at
 * TUNSETIFF. Of the Ethernet header of a TUN's packets only the last two bytes
 * mean something, when read and when written: ETH_P_IP or ETH_P_IPV6, in
 * network byte order. Where the virtio-net header counts bytes, it counts the
 * Ethernet header's 14; what is larger than the interface's MTU, or than 65535
 * bytes, must be a GSO packet. TUND_MAX_PACKET bytes, and 10, hold whatever is
 * read.
 *
 * The program may set PACKET_QDISC_BYPASS on the socket, for speed; that of a
 * TUN only if the daemon has TUND_ABILITY_BYPASS. What is sent while the
 * interface is down, or is larger than it takes, fails then with ENOBUFS, where
 * otherwise it may be lost without a word. Without TUND_FD_FRAMES each packet
 * to a TUN needs an address then (sendto, sendmmsg; sll_ifindex as in
 * getsockname), with ETH_P_IP or ETH_P_IPV6 in its sll_protocol: what is sent
 * without one, as by write, is lost.
 *
 * The other options of packet(7) that need no privilege can be used, too, a
 * ring for one. But PACKET_MR_PROMISC must stay as it is, and so must the
 * membership of a PACKET_FANOUT group.
 *
 * TUND_FD_NETNS: the network namespace the file was opened in, as SIOCGSKNS.
 * TUND_FD_DEVICE_NETNS: the one the interface is in now, as TUNGETDEVNETNS.
 * Both need CAP_NET_ADMIN over that namespace: EPERM.
 *
 * EBADF if `socket` is none of the caller's descriptors, ENOTSOCK if it is no
 * AF_UNIX socket, ENOBUFS if it has no room for the message now. ENOBUFS also
 * if nobody can receive from it: what was made is closed again, and with
 * TUND_FD_DIRECT that ends the device.
 */
struct tund_fd {
	__s32 socket;
	__u16 what;  /* TUND_FD_* */
	__u16 flags; /* TUND_FD_*; FRAMES with TUND_FD_DIRECT alone */
};

enum tund_fd_what {
	TUND_FD_DIRECT = 1,
	TUND_FD_NETNS = 2,
	TUND_FD_DEVICE_NETNS = 3,
};

#define TUND_FD_NONBLOCK (1u << 0)
#define TUND_FD_FRAMES	 (1u << 1)

#define TUND_IOC_FD	 _IOW(TUND_IOC_TYPE, 5, struct tund_fd)

/* How a program is attached: tund_device.plane. */
enum tund_plane {
	TUND_PLANE_NONE = 0, /* nobody is attached */
	TUND_PLANE_FILE = 1,
	TUND_PLANE_DIRECT = 2,
};

/* An owner or group that is not set. */
#define TUND_NO_ID ((__u32)-1)

/*
 * Tells of the device whose number is the next above `id`, among those whose
 * interface is now in the network namespace in which this file was opened:
 * begin with 0 and go on with what was returned. ENOENT when there are no
 * more. Works on an unattached descriptor. Since version 1.
 */
struct tund_device {
	__u64 id;      /* in: after this one; out: this one */
	char name[16]; /* NUL-terminated */
	__u32 ifindex;
	__u32 flags;	  /* as tun_flags in the kernel's sysfs */
	__u32 owner;	  /* in the caller's user namespace, or TUND_NO_ID */
	__u32 group;	  /* the same */
	__u32 plane;	  /* enum tund_plane */
	__u32 queues;	  /* attached and not detached by TUNSETQUEUE */
	__u32 queues_off; /* detached by TUNSETQUEUE */
	__u32 offloads;	  /* TUN_F_* */
	struct tund_stats stats;
};

#define TUND_IOC_DEVICE _IOWR(TUND_IOC_TYPE, 6, struct tund_device)

/*
 * Configures the attached interface, wherever it is now, by way of the daemon.
 * EBADFD on an unattached descriptor. EINVAL for an unknown `what`, a `family`
 * that is neither AF_INET nor AF_INET6, a prefix that is too long, or reserved
 * bytes that are not 0. Who may is decided before anything is done:
 * CAP_NET_ADMIN over the network namespace that the interface is in now, or a
 * policy of tund's that allows it; else EPERM. What is there already is EEXIST,
 * what is not there to be removed EADDRNOTAVAIL (an address) or ESRCH (a
 * route); otherwise the errors are rtnetlink's: ENETDOWN for a route while the
 * interface is down, EINVAL for a value that it cannot have. Since version 1.
 *
 *   what                  uses
 *   TUND_CONFIG_UP        value: 1 up, 0 down
 *   TUND_CONFIG_MTU       value: bytes
 *   TUND_CONFIG_MAC       address: six bytes; TAP only, else EOPNOTSUPP
 *   TUND_CONFIG_ADDRESS_* family, prefix, address; peer if not all 0
 *   TUND_CONFIG_ROUTE_*   family, prefix, address; peer (the gateway) if not
 *                         all 0; value: the metric, or 0
 *
 * What is not used does not count. An address or a route is what ip-address(8)
 * and ip-route(8) make of the same words: beside a peer, the prefix is that of
 * the peer's network; a route is in the main table, and without a gateway its
 * destinations are at the interface itself. To be removed, an address must have
 * the same prefix; a route that is given with a gateway or a metric must have
 * them. An IPv6 address of a TUN is good at once, for nobody there can have the
 * same; that of a TAP when the host has looked for another, as it is set to.
 */
struct tund_config {
	__u32 what; /* TUND_CONFIG_* */
	__u32 value;
	__u8 family;
	__u8 prefix; /* bits */
	__u8 reserved[6];
	/* In network byte order; of IPv4 the first four bytes. */
	__u8 address[16];
	__u8 peer[16];
};

enum tund_config_what {
	TUND_CONFIG_UP = 1,
	TUND_CONFIG_MTU = 2,
	TUND_CONFIG_MAC = 3,
	TUND_CONFIG_ADDRESS_ADD = 4,
	TUND_CONFIG_ADDRESS_DEL = 5,
	TUND_CONFIG_ROUTE_ADD = 6,
	TUND_CONFIG_ROUTE_DEL = 7,
};

#define TUND_IOC_CONFIG _IOW(TUND_IOC_TYPE, 7, struct tund_config)

/*
 * The attached interface as it is now, wherever it is. EBADFD on an unattached
 * descriptor. Needs no privilege. Since version 1.
 */
struct tund_link {
	__u32 ifindex; /* in the network namespace that it is in */
	__u32 mtu;
	__u32 flags;	 /* TUND_LINK_UP or 0 */
	__u32 link_type; /* ARPHRD_*, as TUNSETLINK has set it */
	__u8 mac[8];	 /* six bytes; of a TUN, 0 */
	char name[16];
};

#define TUND_LINK_UP  (1u << 0)

#define TUND_IOC_LINK _IOR(TUND_IOC_TYPE, 8, struct tund_link)

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct tund_value) == 16, "the ABI is fixed");
_Static_assert(sizeof(struct tund_mode) == 8, "the ABI is fixed");
_Static_assert(sizeof(struct tund_fd) == 8, "the ABI is fixed");
_Static_assert(sizeof(struct tund_device) == 224, "the ABI is fixed");
_Static_assert(sizeof(struct tund_record) == 16, "the ABI is fixed");
_Static_assert(sizeof(struct tund_config) == 48, "the ABI is fixed");
_Static_assert(sizeof(struct tund_link) == 40, "the ABI is fixed");
_Static_assert(sizeof(struct tund_info) == 16, "the ABI is fixed");
_Static_assert(sizeof(struct tund_stats) == 168, "the ABI is fixed");
#endif

#ifdef __cplusplus
}
#endif

#endif
