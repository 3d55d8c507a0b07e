/* SPDX-License-Identifier: MIT */
/*
 * tund/capture.h - what comes through the socket that the command capture of
 * tund-control(7) hands out. It is not a file's format: tundctl(1) writes that.
 */
#ifndef TUND_CAPTURE_H
#define TUND_CAPTURE_H

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The socket is of the kind SOCK_SEQPACKET: each message is one of these, and
 * behind it the whole packet, an IP packet of a TUN or an Ethernet frame of a
 * TAP. A message of no bytes is the end.
 *
 * A program may attach a filter to its socket (SO_ATTACH_FILTER), so that it is
 * not woken for what it does not want; its offsets count from the message's
 * begin. If the filter cuts the message, `len` still tells of the packet's own
 * length.
 *
 * Several threads may see packets at the same time: what is a little older may
 * come a little later.
 */
struct tund_capture {
	__u64 time;  /* nanoseconds since 1970, when the packet came */
	__u64 lost;  /* packets that found no room in the socket before it */
	__u32 len;   /* of the packet, in network byte order, as filters read */
	__u32 queue; /* or TUND_CAPTURE_NO_QUEUE: it is not known */
	__u8 dropped; /* enum tund_drop, or TUND_CAPTURE_PASSED */
	__u8 flags;   /* TUND_CAPTURE_* */
	__u8 reserved[6];
};

#define TUND_CAPTURE_NO_QUEUE 0xffffffffu
#define TUND_CAPTURE_PASSED   0xffu

/* The program has sent it, and the interface received it; else it goes there.
 */
#define TUND_CAPTURE_TO_HOST (1u << 0)
/* It went past the daemon, on the direct plane. */
#define TUND_CAPTURE_DIRECT (1u << 1)

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct tund_capture) == 32, "the format is fixed");
#endif

#ifdef __cplusplus
}
#endif

#endif
