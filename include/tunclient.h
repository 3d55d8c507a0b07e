/* SPDX-License-Identifier: MIT */
/*
 * tunclient.h - the whole public API of libtunclient: packets of a TUN or TAP
 * interface through tund's device file or the kernel's own. It is not the
 * device file's own interface, which is <tund/abi.h>.
 *
 * What holds for every function
 *
 *   A result of 0 or more is success, a negative one is -errno. A NULL where
 *   a pointer is needed gives -EINVAL. Each comment lists all errors of its
 *   function, but for these, which every call on a handle can give:
 *     -EBADF   tunclient_open() failed on this handle
 *     -ENOTCONN, -ECONNABORTED  tund's daemon ended (on the direct plane
 *              packets go on without it, and only the other calls fail)
 *
 *   The library starts no thread, installs no signal handler, has no global
 *   state, prints nothing and never ends the process. A child of fork() shares
 *   the handle's descriptors with its parent, and either of them may close its
 *   handle, but only one may go on with it: the library does not see what the
 *   other does to the device, and packets would be lost. exec() closes them.
 *
 *   tunclient_open(), tunclient_attach(), tunclient_detach() and
 *   tunclient_close() need the handle for themselves. All other functions may
 *   run on one handle from any number of threads at once, but for what is said
 *   of batches and rings; a blocked reader does not block a writer. Different
 *   handles are independent. No function is async-signal-safe.
 *
 *   Flag bits without a name are reserved: they give -EINVAL.
 *
 *   A structure whose first member is `size` grows at its end in later
 *   versions. The caller sets size to the sizeof that he was compiled with.
 *   Less than version 0.1's is -EINVAL. Members that the caller's lacks count
 *   as 0, or are not told; of bytes that the library does not know, those that
 *   are given must be 0, else -E2BIG, and those that are asked for become 0.
 *
 * Three planes
 *
 *   Packets go one of three ways, and a program need not care which:
 *     direct  a packet socket that tund's daemon hands over at the attach;
 *             afterwards neither the daemon nor its file is in the way
 *     file    tund's file, which can carry several packets in one call
 *     kernel  the kernel's own TUN device
 *   The first that can be had is taken, unless the options of tunclient_open()
 *   say otherwise. tunclient_info() tells which it came to. The results are the
 *   same; where one cannot be, its comment says so, and libtunclient(3) has
 *   them all in one table.
 *
 * Offloads
 *
 *   A program that can deal with them gets and gives packets that are not
 *   complete: a checksum is unfinished (TUNCLIENT_NEEDS_CSUM), or the packet is
 *   larger than the MTU and is to be cut into segments by whoever needs them so
 *   (gso_type). It says so in the options, and struct tunclient_packet tells
 *   what is left to be done. Without offloads packets are complete in both
 *   directions.
 */
#ifndef TUNCLIENT_H
#define TUNCLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open device. Made by tunclient_open(), freed by tunclient_close(). */
struct tunclient;

/* Bytes of the longest interface name with its final NUL. Since 0.1. */
#define TUNCLIENT_NAME_SIZE 16

/*
 * Bytes of the largest packet that is taken and given: a buffer of this size
 * never loses a packet's end. Since 0.1.
 */
#define TUNCLIENT_PACKET_MAX 65553

/* Bytes of a hardware address. Since 0.1. */
#define TUNCLIENT_MAC_SIZE 6

/* ---- opening and attaching ---- */

/* Options: calls that receive and send never wait, see -EAGAIN. Since 0.1. */
#define TUNCLIENT_NONBLOCK 0x00010000u

/*
 * Options: the ring to receive from begins at tunclient_attach() already, so
 * that nothing is lost at the change, see tunclient_ring_receive(). Since 0.1.
 */
#define TUNCLIENT_RING 0x00020000u

/* The way of the packets. Since 0.1. */
#define TUNCLIENT_PLANE_AUTO   0u /* options only: the best one */
#define TUNCLIENT_PLANE_DIRECT 1u
#define TUNCLIENT_PLANE_FILE   2u
#define TUNCLIENT_PLANE_KERNEL 3u

/*
 * What a received packet may leave to the program, as TUN_F_* of
 * <linux/if_tun.h>. All others need TUNCLIENT_OFFLOAD_CSUM, and
 * TUNCLIENT_OFFLOAD_TSO_ECN needs one of the TSO; USO is one offload for both
 * versions of IP. Since 0.1.
 */
#define TUNCLIENT_OFFLOAD_CSUM	  0x0001u /* finishing the checksum */
#define TUNCLIENT_OFFLOAD_TSO4	  0x0002u /* cutting TCP over IPv4 */
#define TUNCLIENT_OFFLOAD_TSO6	  0x0004u /* cutting TCP over IPv6 */
#define TUNCLIENT_OFFLOAD_TSO_ECN 0x0008u /* either with ECN */
#define TUNCLIENT_OFFLOAD_USO	  0x0060u /* cutting UDP */

/* How to open. All 0 but for the size is what NULL means. Since 0.1. */
struct tunclient_options {
	size_t size;	       /* sizeof(struct tunclient_options) */
	const char *device;    /* path; NULL: see tunclient_open() */
	unsigned int flags;    /* TUNCLIENT_NONBLOCK, TUNCLIENT_RING */
	unsigned int plane;    /* TUNCLIENT_PLANE_*: it and no other */
	unsigned int offloads; /* TUNCLIENT_OFFLOAD_* that may be used */
	/*
	 * Bytes of the memory that packets received by ring lie in, rounded up;
	 * 0: 4 MiB. Of the ring to send from it is always the same.
	 */
	unsigned int ring_bytes;
};

/* tunclient_attach(): the interface carries IP packets. Since 0.1. */
#define TUNCLIENT_TUN 0x00000001u

/* tunclient_attach(): the interface carries Ethernet frames. Since 0.1. */
#define TUNCLIENT_TAP 0x00000002u

/*
 * tunclient_attach(): the interface can have several queues, see
 * tunclient_open_queue(). Since 0.1.
 */
#define TUNCLIENT_MULTI_QUEUE 0x00000100u

/*
 * Opens a TUN device, which has no interface before tunclient_attach().
 * options may be NULL: all defaults.
 *
 * options->device is its path; then only that is tried. If it is NULL, only the
 * path in the environment variable TUNCLIENT_DEVICE is tried, if that is set
 * and not empty and the program is not set-user-ID or alike
 * (secure_getenv(3)); otherwise the first that opens and is a TUN device, on
 * which the plane asked for is possible, of
 *   /run/tund/dev/net/tun, /dev/net/tun, /dev/tun.
 * options and the strings in it are copied. Close-on-exec is always set.
 *
 * The interface will belong to the network namespace that the calling thread
 * is in now.
 *
 * *ret_client becomes a handle that the caller owns and must give to
 * tunclient_close(), AFTER A FAILURE TOO: such a handle has no device, but
 * tunclient_error() says for each path why it did not open. Only when there is
 * no memory for a handle does *ret_client become NULL, which both functions
 * take.
 *
 * Blocks for as long as open(2) does. Thread-safe, as long as no other thread
 * changes the environment.
 *
 * Returns 0, or
 *   -EINVAL  ret_client is NULL; options->size is less than that of 0.1; flags
 *            or offloads have a reserved bit; an offload lacks one that it
 *            needs; there is no such plane
 *   -E2BIG   options has members that this version of the library does not
 *            know, and they are not 0
 *   -ENOMEM  no memory
 *   -EINTR   a signal handler ran
 *   -ENOENT  no such file; without a path: none of the three exists
 *   -ENOTTY  the file is not a TUN device
 *   -EOPNOTSUPP  the plane asked for is not possible on this device, or with
 *            this daemon
 *   -EACCES, -EPERM  no permission; EPERM often is a container's device rule
 *   -ENODEV, -ENXIO  a device node for which the kernel has no driver
 *   -EMFILE, -ENFILE  no free descriptor in the process, or the system
 *   another error of open(2), path_resolution(7) or TUNGETFEATURES
 * If none of the three paths opens, the error is the first that is not ENOENT.
 * Since 0.1.
 */
int tunclient_open(const struct tunclient_options *options,
		   struct tunclient **ret_client);

/*
 * Attaches the handle to an interface, which is created (down, without an
 * address) if there is none of that name.
 *
 * name is the interface's name, or a pattern with one "%d" that becomes the
 * first free number ("vpn%d"); NULL or "" is "tun%d" or "tap%d". It is copied.
 * tunclient_name() gives the name that it came to. flags is exactly one of
 * TUNCLIENT_TUN and TUNCLIENT_TAP, and may have TUNCLIENT_MULTI_QUEUE.
 *
 * Of the offloads in the options those are taken into use that the kernel and
 * the daemon know; tunclient_info() tells which. They are the interface's: all
 * handles on one with TUNCLIENT_MULTI_QUEUE are to have the same, and one that
 * is attached without offloads ends them for all.
 *
 * An interface that is not persistent disappears with the last handle that is
 * attached to it. After an error the handle is as it was and may be tried
 * again, as may one whose interface was deleted.
 *
 * Blocks only for the time that the kernel or the daemon needs to make the
 * interface. The handle must not be in use by another thread.
 *
 * Returns 0, or
 *   -EINVAL  client is NULL; flags is not one of the two; the name has a '/',
 *            a ':', white space or a second '%', or is "." or ".."; or an
 *            interface of that name exists which is not a TUN or TAP device,
 *            or not of this kind, or differs in TUNCLIENT_MULTI_QUEUE
 *   -ENAMETOOLONG  the name is longer than TUNCLIENT_NAME_SIZE - 1 bytes (the
 *            kernel would cut it, and attach to another interface)
 *   -EPERM   the interface would have to be created and the program lacks
 *            CAP_NET_ADMIN over its network namespace; or it exists and
 *            belongs to another user
 *   -EBUSY   another program is attached to that interface
 *   -E2BIG   the interface has as many queues as are possible
 *   -EEXIST  the handle is attached already
 *   -EOPNOTSUPP  the plane of the options cannot be had for it
 *   -EINTR   a signal handler ran
 *   -ENFILE  the pattern has no free number
 *   -EMFILE  no free descriptor in the process
 *   -ENOMEM  no memory in the process, the kernel or the daemon
 *   another error with which the kernel or the daemon refuses to make one
 * Since 0.1.
 */
int tunclient_attach(struct tunclient *client, const char *name,
		     unsigned int flags);

/*
 * Leaves the interface, which disappears as after tunclient_close(). The
 * handle is as after tunclient_open(): it may be attached to another
 * interface, and tunclient_fd() gives another descriptor. All packets of its
 * rings are lost, and memory in them is no longer valid.
 *
 * The device is opened again for that, by the path that opened it before: it
 * must still be there and allowed, and the next interface belongs to the
 * network namespace that the calling thread is in now.
 *
 * Blocks for as long as open(2) does. The handle must not be in use by another
 * thread.
 *
 * Returns 0, or, with the handle still attached,
 *   -EINVAL  client is NULL
 *   -EBADFD  not attached
 *   -EMFILE, -ENFILE  no free descriptor in the process, or the system
 *   -EINTR   a signal handler ran
 *   another error of tunclient_open()
 * Since 0.1.
 */
int tunclient_detach(struct tunclient *client);

/*
 * Opens one more queue of the interface that client is attached to, with
 * TUNCLIENT_MULTI_QUEUE: a handle of its own, attached, with the same options
 * and plane. Each packet that the host sends goes to one queue: that through
 * which its flow was last written, else one that the flow's hash says (on the
 * direct plane, always the latter). So every thread can have its own.
 *
 * The calling thread must be in the network namespace in which client was
 * opened, and must be allowed to attach, see tunclient_attach().
 *
 * *ret_queue is the caller's and must be given to tunclient_close(), after a
 * failure, too, as with tunclient_open(): the sentence is its own.
 *
 * Blocks as tunclient_open() and tunclient_attach() do. Thread-safe.
 *
 * Returns 0, or
 *   -EINVAL  client or ret_queue is NULL, or the interface has one queue only
 *   -EBADFD  client is not attached, or its interface was deleted
 *   -EXDEV   the calling thread is in another network namespace than the
 *            interface was made in, or the interface was moved
 *   -E2BIG   the interface has as many queues as are possible
 *   another error of tunclient_open() or tunclient_attach()
 * Since 0.1.
 */
int tunclient_open_queue(struct tunclient *client,
			 struct tunclient **ret_queue);

/*
 * Takes the handle's queue out of use (on is 0) or into use again. One that is
 * out of use receives nothing, and loses what waits; it can send, and keeps
 * the interface. Packets of a ring that were given stay until they are
 * released.
 *
 * Never waits for packets. Thread-safe; but on a handle that receives by ring,
 * for the thread that receives. On the direct plane it waits 20 milliseconds
 * until the ring is empty.
 *
 * Returns 0, also if it is so already, or
 *   -EINVAL  client is NULL, or the interface has one queue only
 *   -EBADFD  not attached, or the interface was deleted
 *   -EINTR   a signal handler ran
 * Since 0.1.
 */
int tunclient_set_queue(struct tunclient *client, int on);

/*
 * Closes the device and frees the handle and all memory of its rings; NULL is
 * allowed. An interface that is not persistent and has no other handle
 * disappears: with the kernel's device before this returns, with tund shortly
 * after.
 *
 * Does not wait for packets. No thread may use the handle during the call or
 * after it. It leaves errno as it was.
 * Since 0.1.
 */
void tunclient_close(struct tunclient *client);

/* ---- asking ---- */

/* What the handle can do. Since 0.1. */
#define TUNCLIENT_ABILITY_BATCH	    0x0001u /* a batch is one system call */
#define TUNCLIENT_ABILITY_ZERO_COPY 0x0002u /* a ring is received in place */
#define TUNCLIENT_ABILITY_OFFLOAD   0x0004u /* packets can have offloads */
#define TUNCLIENT_ABILITY_CONFIGURE 0x0008u /* addresses, routes, MTU, up */
#define TUNCLIENT_ABILITY_NO_DAEMON 0x0010u /* packets pass without tund */

/* What tunclient_info() tells. Since 0.1. */
struct tunclient_info {
	size_t size;		  /* sizeof(struct tunclient_info) */
	unsigned int plane;	  /* TUNCLIENT_PLANE_* */
	unsigned int kind;	  /* TUNCLIENT_TUN or TUNCLIENT_TAP */
	unsigned int multi_queue; /* 1: it can have several queues, else 0 */
	unsigned int abilities;	  /* TUNCLIENT_ABILITY_* */
	unsigned int offloads;	  /* TUNCLIENT_OFFLOAD_* in use */
	unsigned int batch_max;	  /* packets of one batch, at most */
	unsigned int ring_slots;  /* packets that tunclient_ring_allocate()
				   * can have given out at once */
};

/*
 * Tells what became of the options and what the handle can do, for as long as
 * it is attached. ret_info->size is set by the caller.
 *
 * Never blocks. Thread-safe.
 *
 * Returns 0, or
 *   -EINVAL  client or ret_info is NULL, or its size is less than that of 0.1
 *   -EBADFD  not attached
 * Since 0.1.
 */
int tunclient_info(struct tunclient *client, struct tunclient_info *ret_info);

/*
 * Writes the present name of the attached interface, which follows renames,
 * into the caller's buffer of size bytes, with a final NUL. A buffer of
 * TUNCLIENT_NAME_SIZE bytes is always large enough. On an error the buffer is
 * left alone.
 *
 * Never waits for packets. Thread-safe.
 *
 * Returns 0, or
 *   -EINVAL  client or ret_name is NULL
 *   -ERANGE  the name does not fit into the buffer
 *   -EBADFD  not attached, or the interface was deleted
 *   -EINTR   a signal handler ran
 * Since 0.1.
 */
int tunclient_name(struct tunclient *client, char *ret_name, size_t size);

/*
 * The number of the attached interface in its network namespace, as
 * if_nametoindex(3) gives it.
 *
 * Never waits for packets. Thread-safe.
 *
 * Returns the index, which is more than 0, or
 *   -EINVAL  client is NULL
 *   -EBADFD  not attached, or the interface was deleted
 *   -ENODEV  on the kernel plane: the interface was moved to another network
 *            namespace than that in which the device was opened
 *   -EOPNOTSUPP  the handle lacks TUNCLIENT_ABILITY_CONFIGURE
 *   -EINTR   a signal handler ran
 * Since 0.1.
 */
int tunclient_index(struct tunclient *client);

/*
 * The descriptor to wait on with poll(2) and its relatives: POLLIN when a
 * packet can be received, POLLOUT when the interface is up, POLLERR when there
 * is no interface. It stays the handle's: do not close it, and do not read or
 * write it beside the library.
 *
 * Ask for it after tunclient_attach(), which may put another file behind it;
 * it is the same from then on until tunclient_detach() or tunclient_close().
 * (epoll(7) never reports anything but EPOLLERR for one that it was given
 * before.)
 *
 * On the direct plane POLLOUT is also said while the interface is down, and
 * POLLIN of a receive ring as long as any packet was not released. A program
 * that is woken by edges (EPOLLET) receives until -EAGAIN.
 *
 * Never blocks. Thread-safe.
 *
 * Returns the descriptor, or
 *   -EINVAL  client is NULL
 * Since 0.1.
 */
int tunclient_fd(const struct tunclient *client);

/* Counters, from the program's side. Since 0.1. */
struct tunclient_stats {
	size_t size; /* sizeof(struct tunclient_stats) */
	/* What the host sent. */
	uint64_t received_packets; /* the program has received them */
	uint64_t received_bytes;
	uint64_t received_dropped; /* no room, or nobody received */
	/* What the program sent. */
	uint64_t sent_packets;
	uint64_t sent_bytes;
	uint64_t sent_dropped; /* down, no packet, too large, no room */
};

/*
 * Tells the interface's counters, over all its queues and since it was made.
 * ret_stats->size is set by the caller.
 *
 * On the direct plane a packet counts as received when the socket or the ring
 * has it, and bytes include those of packets that were dropped. That there was
 * no room for a packet is known of this handle's own queue and since it was
 * attached; what another queue, or an earlier handle, had no room for counts as
 * received.
 *
 * Never waits for packets. Thread-safe.
 *
 * Returns 0, or
 *   -EINVAL  client or ret_stats is NULL, or its size is less than that of 0.1
 *   -EBADFD  not attached, or the interface was deleted
 *   -ENODEV  as for tunclient_index()
 *   -EOPNOTSUPP  the handle lacks TUNCLIENT_ABILITY_CONFIGURE
 *   -ENOMEM  no memory
 *   -EINTR   a signal handler ran
 * Since 0.1.
 */
int tunclient_stats(struct tunclient *client,
		    struct tunclient_stats *ret_stats);

/*
 * One sentence, in English and without a newline or a final stop, about the
 * last call on this handle that failed, with what is known of the cause:
 * paths, names, remedies. It is for people: programs look at the error number.
 * The -EAGAIN, -EINTR and -ERANGE of the calls that receive, send or name,
 * which a program expects, leave no sentence, nor does a NULL argument; success
 * does not clear one, and after a failed tunclient_open() its own sentence
 * stays. If several threads use the handle, it may be about another thread's
 * call.
 *
 * The string is the handle's, is never NULL, and is valid until the next
 * tunclient_attach(), tunclient_detach() or tunclient_close() on the handle.
 * With a NULL client it is constant and says what that means.
 *
 * Never blocks. Thread-safe.
 * Since 0.1.
 */
const char *tunclient_error(const struct tunclient *client);

/*
 * The version of the library that the program runs with, "0.1.0": a constant
 * string that belongs to the library. Never blocks. Thread-safe.
 * Since 0.1.
 */
const char *tunclient_version(void);

/* ---- configuring the interface ---- */

/*
 * What holds for the functions of this part.
 *
 * On tund's planes the daemon does it, for any program that it allows to,
 * wherever the interface is now. On the kernel plane the library does it, over
 * rtnetlink, in the network namespace in which the device was opened.
 *
 * Nothing is undone by tunclient_close() but what disappears with the
 * interface, which is all if it is not persistent.
 *
 * They block only for the time that the kernel or the daemon needs, never for
 * packets. Thread-safe.
 *
 * Each returns 0, or what its comment says, or
 *   -EINVAL  client or a pointer is NULL, or an address cannot be read
 *   -EBADFD  not attached, or the interface was deleted
 *   -EPERM   no CAP_NET_ADMIN over the interface's network namespace, nor a
 *            policy of tund's that allows it
 *   -EOPNOTSUPP  the handle lacks TUNCLIENT_ABILITY_CONFIGURE: an older daemon
 *   -ENODEV  as for tunclient_index()
 *   -ENOMEM, -ENOBUFS  no memory in the process or the kernel
 *   -EINTR   a signal handler ran
 *   another error of rtnetlink(7)
 *
 * An address is text, as inet_pton(3) reads it: "10.1.0.1", "fd00::1". With a
 * '/' and a decimal number of bits it also tells its network; without that it
 * stands for itself alone. Strings are copied.
 */

/*
 * Takes the interface up (up is not 0) or down. What it has already is success.
 * On the direct plane it waits up to a few milliseconds until packets pass.
 * Since 0.1.
 */
int tunclient_set_up(struct tunclient *client, int up);

/*
 * Bytes of the largest IP packet that the host sends to the interface.
 * tunclient_get_mtu() returns them, or an error; it needs no privilege.
 * tunclient_set_mtu() takes 68 to 65535 (TUN) or 65521 (TAP), else -EINVAL.
 * Since 0.1.
 */
int tunclient_get_mtu(struct tunclient *client);
int tunclient_set_mtu(struct tunclient *client, unsigned int mtu);

/*
 * The hardware address of a TAP interface, TUNCLIENT_MAC_SIZE bytes.
 * tunclient_get_mac() needs no privilege. Both give -EOPNOTSUPP for a TUN
 * interface, which has none, and tunclient_set_mac() gives -EADDRNOTAVAIL for
 * one that is 0 or of a group.
 * Since 0.1.
 */
int tunclient_get_mac(struct tunclient *client, unsigned char *ret_mac);
int tunclient_set_mac(struct tunclient *client, const unsigned char *mac);

/*
 * Adds an address to the interface, or removes it: "10.1.0.1/24" or
 * "fd00::1/64". If peer is not NULL, it is the address of the other side, and
 * the bits of address count for peer: "10.1.0.1/32" with "10.1.0.2".
 *
 *   -EEXIST  the interface has it already (add)
 *   -EADDRNOTAVAIL  it has not (remove)
 *   -EACCES  IPv6 is switched off on it
 * Since 0.1.
 */
int tunclient_add_address(struct tunclient *client, const char *address,
			  const char *peer);
int tunclient_remove_address(struct tunclient *client, const char *address,
			     const char *peer);

/*
 * Adds a route to a network through the interface, in the main table, or
 * removes it: "10.2.0.0/16", "0.0.0.0/0". gateway is an address that can be
 * reached through the interface, or NULL. metric 0 is the kernel's default; a
 * route that is removed must have been given the same.
 *
 *   -EEXIST  there is such a route already (add)
 *   -ESRCH   there is none (remove)
 *   -ENETDOWN  the interface is down (add)
 *   -ENETUNREACH, -EHOSTUNREACH  the gateway cannot be reached
 * Since 0.1.
 */
int tunclient_add_route(struct tunclient *client, const char *network,
			const char *gateway, unsigned int metric);
int tunclient_remove_route(struct tunclient *client, const char *network,
			   const char *gateway, unsigned int metric);

/*
 * Whether the interface stays when the last handle is closed: without a
 * carrier, until a handle is attached that is closed after persist was set to
 * 0 (or, with tund, the daemon ends). Needs no privilege. Errors as above,
 * without EPERM.
 * Since 0.1.
 */
int tunclient_set_persist(struct tunclient *client, int persist);

/*
 * Who may attach to the interface beside who has CAP_NET_ADMIN: this user, a
 * member of this group; if both are set, who is both. (uid_t)-1 and (gid_t)-1
 * are -EINVAL. Needs no privilege. Errors as above, without EPERM.
 * Since 0.1.
 */
int tunclient_set_owner(struct tunclient *client, uid_t owner);
int tunclient_set_group(struct tunclient *client, gid_t group);

/*
 * Takes exactly these TUNCLIENT_OFFLOAD_* into use, for all queues of the
 * interface: what is received from then on can have them. Packets that wait may
 * be as before. Needs no privilege. Errors as above, without EPERM, and
 *   -EINVAL  the kernel or the daemon does not know one, or one lacks another
 *            that it needs; nothing has changed
 *   -EOPNOTSUPP  the handle lacks TUNCLIENT_ABILITY_OFFLOAD: its options had
 *            no offloads
 * Since 0.1.
 */
int tunclient_set_offloads(struct tunclient *client, unsigned int offloads);

/* ---- packets, one by one ---- */

/*
 * Reads one packet: an IP packet (TUNCLIENT_TUN) or an Ethernet frame without
 * its check sequence (TUNCLIENT_TAP), and nothing before it. Checksums are
 * complete.
 *
 * ret_packet is the caller's buffer of size bytes. The end of a packet that
 * does not fit is lost, without a sign of it: TUNCLIENT_PACKET_MAX bytes are
 * always enough, and the interface's MTU (and 18 for TAP) if nobody raises it.
 *
 * Blocks until there is a packet, unless the handle was opened with
 * TUNCLIENT_NONBLOCK (or O_NONBLOCK was set on its descriptor). A signal
 * handler ends the wait: the library does not try again, so that a program can
 * end in time. With SA_RESTART the direct and the kernel plane go on waiting
 * and the file plane gives -EINTR. tunclient_close() does not wake a reader:
 * end it with a signal, or poll(2) first. Thread-safe: each packet goes to one
 * reader. (After tunclient_recv_batch() one thread at a time may receive.) All
 * that wait are told when the interface is deleted; but of one with
 * TUNCLIENT_MULTI_QUEUE on the direct plane, one on each handle.
 *
 * Returns the number of bytes, 1 or more, or
 *   -EINVAL  client or ret_packet is NULL, or size is 0
 *   -EAGAIN  no packet, and the handle is non-blocking
 *   -EINTR   a signal handler ran before a packet came
 *   -EBADFD  not attached, or the interface was deleted, before or while the
 *            call waited
 *   -EBUSY   the handle receives by ring
 *   -EOPNOTSUPP  the handle has TUNCLIENT_ABILITY_OFFLOAD, so a packet may not
 *            be complete: receive it with tunclient_recv_batch()
 *   -EFAULT  the buffer is not memory of the program (on the kernel plane its
 *            device does not notice)
 * Since 0.1.
 */
ssize_t tunclient_read(struct tunclient *client, void *ret_packet, size_t size);

/*
 * Writes one packet of size bytes, as tunclient_read() gives them: the host
 * receives it on the interface. Its checksums must be complete. The packet
 * stays the caller's.
 *
 * Does not wait for the host: a packet that cannot be queued is dropped and
 * counted by the interface. On tund's file the call takes as long as the
 * daemon needs to answer. Thread-safe: packets do not mix.
 *
 * Returns size, or
 *   -EINVAL  client or packet is NULL; size is 0; not IPv4 or IPv6 (TUN);
 *            shorter than an Ethernet header (TAP)
 *   -EMSGSIZE  size is more than TUNCLIENT_PACKET_MAX; on tund's planes also:
 *            more than the interface's MTU and 4 bytes (18 for TAP)
 *   -EIO     the interface is down
 *   -EBADFD  not attached, or the interface was deleted
 *   -EAGAIN  no room now, and the handle is non-blocking
 *   -EINTR   a signal handler ran before the packet was taken
 *   -EFAULT  the packet is not memory of the program (where the library looks
 *            into it, the program gets SIGSEGV)
 *   -ENOBUFS, -ENOMEM  no memory for the packet, or the host's queue is full
 * Since 0.1.
 */
ssize_t tunclient_write(struct tunclient *client, const void *packet,
			size_t size);

/* ---- packets in batches ---- */

/* struct tunclient_packet.status. Since 0.1. */
#define TUNCLIENT_PACKET_CUT 0x00000001u /* its end is lost: no room */

/* struct tunclient_packet.flags. Since 0.1. */
#define TUNCLIENT_NEEDS_CSUM 0x01u /* csum_start and csum_offset count */
#define TUNCLIENT_CSUM_VALID 0x02u /* receiving: it was found right */

/* struct tunclient_packet.gso_type: segments of what. Since 0.1. */
#define TUNCLIENT_GSO_NONE  0x00u
#define TUNCLIENT_GSO_TCPV4 0x01u
#define TUNCLIENT_GSO_TCPV6 0x04u
#define TUNCLIENT_GSO_UDP   0x05u
#define TUNCLIENT_GSO_ECN   0x80u /* with one of TCP: the first has CWR */

/*
 * A packet, and what is left to be done to it: the fields of a virtio-net
 * header, in host byte order, counted from the packet's first byte. They are 0
 * on a handle without offloads.
 *
 * With TUNCLIENT_NEEDS_CSUM the sum of all bytes from csum_start on is to be
 * put at csum_start + csum_offset, where the sum of the pseudo-header is now.
 * With a gso_type the packet is to be cut into packets of gso_size bytes of
 * data each; hdr_len is how many bytes of headers it has, a hint only.
 * Since 0.1.
 */
struct tunclient_packet {
	void *data;	      /* the packet */
	uint32_t size;	      /* bytes of room at data */
	uint32_t length;      /* bytes of the packet */
	uint32_t status;      /* TUNCLIENT_PACKET_*; sending: without meaning */
	uint8_t flags;	      /* TUNCLIENT_NEEDS_CSUM, TUNCLIENT_CSUM_VALID */
	uint8_t gso_type;     /* TUNCLIENT_GSO_* */
	uint16_t hdr_len;     /* bytes */
	uint16_t gso_size;    /* bytes */
	uint16_t csum_start;  /* bytes */
	uint16_t csum_offset; /* bytes */
	uint16_t reserved[3]; /* 0 */
};

/*
 * Receives up to n packets, in the order in which they came: the first into
 * packets[0].data, which has room for packets[0].size bytes, and so on. All
 * other members are set; data and size stay, so that the array can be used
 * again. The memory is the caller's.
 *
 * Waits for a first packet as tunclient_read() does, and takes with it those
 * that are there already; it never waits for another. That there were fewer
 * than n does not mean that there are no more.
 *
 * From the first call on, one thread at a time may receive on this handle, by
 * whatever call. (Several threads: tunclient_open_queue().)
 *
 * Returns the number of packets, 1 or more, or
 *   -EINVAL  client or packets is NULL, n is 0, or a packet has no data or a
 *            size of 0, of the first n or batch_max (tunclient_info()), beyond
 *            which it does not look
 *   -EAGAIN, -EINTR, -EBADFD, -EBUSY, -EFAULT  as for tunclient_read() (where
 *            the library copies packets, as on the file plane, the program gets
 *            SIGSEGV for what is not its memory)
 *   -ENOMEM  no memory (first call)
 * Since 0.1.
 */
int tunclient_recv_batch(struct tunclient *client,
			 struct tunclient_packet *packets, unsigned int n);

/*
 * Sends n packets in their order: length bytes at data each, and what is left
 * to be done to them. Nothing of the array and of the packets is changed.
 *
 * Does not wait for the host, as tunclient_write(). Thread-safe: the packets of
 * one call keep their order, those of several may mix.
 *
 * Packets of one flow that follow each other may be given to the host as one
 * large packet, where the offload for them is in use (TSO4, TSO6, USO). It has
 * less to do for them then, and counts, and captures, them as one. The IPv4
 * identification of those that must not be fragmented may change, and they are
 * taken even if each is larger than the MTU.
 *
 * If it takes fewer than n, the next one failed: to see its error, call again
 * from that one on.
 *
 * Returns the number of packets taken or, if the first one fails, its error:
 *   -EINVAL  client or packets is NULL, or n is 0; as for tunclient_write(); a
 *            reserved member is not 0; or the fields of the offload do not fit
 *            the packet
 *   -EOPNOTSUPP  it has offloads and the handle lacks
 *            TUNCLIENT_ABILITY_OFFLOAD
 *   another error of tunclient_write(); on the direct plane -ENOBUFS or -EINVAL
 *            also for a packet whose bytes are not what its offload says, so
 *            that the host could not cut it (other planes lose it)
 * Since 0.1.
 */
int tunclient_send_batch(struct tunclient *client,
			 const struct tunclient_packet *packets,
			 unsigned int n);

/* ---- packets without copying ---- */

/*
 * Two rings of memory belong to a handle, one to receive from, one to send
 * from; each comes into being with its first call. Receiving and sending are
 * independent: one thread at a time may do the one and one the other.
 *
 * On the direct plane the ring to receive from is filled by the kernel itself
 * (PACKET_MMAP): no system call and no copy for each packet. A packet that
 * comes alone is told about a millisecond later there (before Linux 6.18, up to
 * a tick of the kernel's clock), and as long as the ring is there the kernel
 * looks after it once in that time. On the other planes the
 * library reads into memory of its own: the same calls, one copy less than in
 * a batch.
 *
 * The kernel fills that ring in blocks of 128 KiB (256 KiB if the handle has
 * offloads) and begins another one whenever it has told of packets, be there
 * many or one. So the ring loses packets when the program has not received for
 * 32 milliseconds (16), in each of which a packet came, although it is nearly
 * empty; or for less, if what came fills it. tunclient_options.ring_bytes makes
 * it larger: 8 MiB are 64 milliseconds. Who must bridge more receives by
 * tunclient_recv_batch(), whose socket counts bytes alone. tunclient_stats()
 * tells how many packets were lost so. On the other planes what waits is not in
 * the ring, but in the interface's queue, of 500 packets (1000 for TAP).
 */

/*
 * Gives up to n packets that were received, in their order: data points into
 * the ring, size is length. The memory is valid until the packet is released,
 * and the program may write to it.
 *
 * Waits for a first packet as tunclient_read() does, but only if all packets
 * before were released; else it is -EAGAIN. On the direct plane a signal
 * handler ends the wait with SA_RESTART, too.
 *
 * The first call begins the ring, if tunclient_attach() did not with
 * TUNCLIENT_RING; from then on the handle receives by ring alone, until
 * tunclient_detach(). What was queued before comes first; but on the direct
 * plane what comes in the microseconds of the change is lost.
 *
 * Returns the number of packets, 1 or more, or
 *   -EINVAL  client or packets is NULL, or n is 0
 *   -EAGAIN  no packet, and the handle is non-blocking or packets were not
 *            released
 *   -EINTR, -EBADFD  as for tunclient_read()
 *   -EOPNOTSUPP  the interface was attached to with TUNCLIENT_MULTI_QUEUE, and
 *            the handle was opened without TUNCLIENT_RING
 *   -ENOMEM  no memory for the ring (first call)
 * Since 0.1.
 */
int tunclient_ring_receive(struct tunclient *client,
			   struct tunclient_packet *ret_packets,
			   unsigned int n);

/*
 * Releases the n packets that were received first of those not yet released.
 * A ring of which nothing is released loses packets when it is full.
 *
 * Never blocks. For the thread that receives.
 *
 * Returns 0, or
 *   -EINVAL  client is NULL, or there are not so many
 *   -EBADFD  not attached
 * Since 0.1.
 */
int tunclient_ring_release(struct tunclient *client, unsigned int n);

/*
 * Gives room for up to n packets that are to be sent: data points into the
 * ring, size is TUNCLIENT_PACKET_MAX, all else is 0. The program fills them in
 * and gives them to tunclient_ring_commit().
 *
 * Never blocks.
 *
 * Returns the number, 1 or more, or
 *   -EINVAL  client or ret_packets is NULL, or n is 0
 *   -EAGAIN  the program has them all: commit some (tunclient_info() tells how
 *            many there are)
 *   -EBADFD  not attached
 *   -ENOMEM  no memory for the ring (first call)
 * Since 0.1.
 */
int tunclient_ring_allocate(struct tunclient *client,
			    struct tunclient_packet *ret_packets,
			    unsigned int n);

/*
 * Sends n packets, which are those that were allocated first of those not yet
 * committed, in that order, as tunclient_send_batch() does. A length of 0 gives
 * the room back without sending.
 *
 * Packets that are not taken are still the program's.
 *
 * Returns the number of packets taken or, if the first one fails, its error:
 *   -EINVAL  as for tunclient_send_batch(); or these are not the packets that
 *            were allocated first
 *   another error of tunclient_send_batch()
 * Since 0.1.
 */
int tunclient_ring_commit(struct tunclient *client,
			  const struct tunclient_packet *packets,
			  unsigned int n);

#ifdef __cplusplus
}
#endif

#endif
