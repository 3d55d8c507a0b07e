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
	__u64 abilities;   /* none defined in version 1: 0 */
};

/*
 * Why a packet was dropped: the index into tund_stats.drops. An index is
 * never given a new meaning.
 */
enum tund_drop {
	/* Host to application. */
	TUND_DROP_QUEUE_FULL = 0, /* the device's queue was full */
	TUND_DROP_SOCKET = 1,	  /* the packet socket's buffer was full */
	TUND_DROP_BACKLOG = 2,	  /* the kernel's backlog behind the veth */
	TUND_DROP_DETACHED = 3,	  /* queued when the last program left */
	TUND_DROP_TOO_SMALL = 4,  /* the read had no room for its header */
	TUND_DROP_OVERSIZE = 5,	  /* larger than max_packet */
	/* Application to host. */
	TUND_DROP_DOWN = 8,    /* the interface was down */
	TUND_DROP_INVALID = 9, /* not an IP packet */
	TUND_DROP_MTU = 10,    /* larger than the interface takes */
	TUND_DROP_NOBUFS = 11, /* the host's backlog was full */
	TUND_DROP_ERROR = 12,  /* the packet socket gave another error */
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

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct tund_value) == 16, "the ABI is fixed");
_Static_assert(sizeof(struct tund_info) == 16, "the ABI is fixed");
_Static_assert(sizeof(struct tund_stats) == 168, "the ABI is fixed");
#endif

#ifdef __cplusplus
}
#endif

#endif
