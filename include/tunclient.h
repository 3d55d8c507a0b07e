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
 *   function, with the exception of ENOTCONN and ECONNABORTED, which every
 *   call on a handle can give: tund's daemon ended.
 *
 *   The library starts no thread, installs no signal handler, has no global
 *   state, prints nothing and never ends the process. A child of fork() shares
 *   the handle's descriptor with its parent; exec() closes it.
 *
 *   tunclient_open(), tunclient_attach() and tunclient_close() need the handle
 *   for themselves. All other functions may run on one handle from any number
 *   of threads at once; a blocked reader does not block a writer. Different
 *   handles are independent. No function is async-signal-safe.
 *
 *   Flag bits without a name are reserved: they give -EINVAL.
 */
#ifndef TUNCLIENT_H
#define TUNCLIENT_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open device. Made by tunclient_open(), freed by tunclient_close(). */
struct tunclient;

/* Bytes of the longest interface name with its final NUL. Since 0.1. */
#define TUNCLIENT_NAME_SIZE 16

/*
 * Bytes of the largest packet that tunclient_write() takes and that
 * tunclient_read() gives: a buffer of this size never loses a packet's end.
 * Since 0.1.
 */
#define TUNCLIENT_PACKET_MAX 65553

/* tunclient_open(): reads and writes never wait, see -EAGAIN. Since 0.1. */
#define TUNCLIENT_NONBLOCK 0x00010000u

/* tunclient_attach(): the interface carries IP packets. Since 0.1. */
#define TUNCLIENT_TUN 0x00000001u

/* tunclient_attach(): the interface carries Ethernet frames. Since 0.1. */
#define TUNCLIENT_TAP 0x00000002u

/*
 * Opens a TUN device, which has no interface before tunclient_attach().
 *
 * device is its path; then only that is tried. If it is NULL, only the path in
 * the environment variable TUNCLIENT_DEVICE is tried, if that is set and not
 * empty and the program is not set-user-ID or alike (secure_getenv(3));
 * otherwise the first that opens and is a TUN device of
 *   /run/tund/dev/net/tun, /dev/net/tun, /dev/tun.
 * The string is copied. flags is 0 or TUNCLIENT_NONBLOCK; close-on-exec is
 * always set.
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
 *   -EINVAL  ret_client is NULL, or flags has a reserved bit
 *   -ENOMEM  no memory
 *   -EINTR   a signal handler ran
 *   -ENOENT  no such file; without a path: none of the three exists
 *   -ENOTTY  the file is not a TUN device
 *   -EACCES, -EPERM  no permission; EPERM often is a container's device rule
 *   -ENODEV, -ENXIO  a device node for which the kernel has no driver
 *   -EMFILE, -ENFILE  no free descriptor in the process, or the system
 *   another error of open(2), path_resolution(7) or TUNGETFEATURES
 * If none of the three paths opens, the error is the first that is not ENOENT.
 * Since 0.1.
 */
int tunclient_open(const char *device, unsigned int flags,
		   struct tunclient **ret_client);

/*
 * Attaches the handle to an interface, which is created (down, without an
 * address) if there is none of that name.
 *
 * name is the interface's name, or a pattern with one "%d" that becomes the
 * first free number ("vpn%d"); NULL or "" is "tun%d" or "tap%d". It is copied.
 * tunclient_name() gives the name that it came to. flags is exactly one of
 * TUNCLIENT_TUN and TUNCLIENT_TAP.
 *
 * An interface that is not persistent disappears with the last handle that is
 * attached to it. After an error the handle is as it was and may be tried
 * again.
 *
 * Blocks only for the time that the kernel or the daemon needs to make the
 * interface. The handle must not be in use by another thread.
 *
 * Returns 0, or
 *   -EINVAL  client is NULL; flags is not one of the two; the name has a '/',
 *            a ':', white space or a second '%', or is "." or ".."; or an
 *            interface of that name exists which is not a TUN or TAP device,
 *            or not of this kind
 *   -ENAMETOOLONG  the name is longer than TUNCLIENT_NAME_SIZE - 1 bytes (the
 *            kernel would cut it, and attach to another interface)
 *   -EPERM   the interface would have to be created and the program lacks
 *            CAP_NET_ADMIN over its network namespace; or it exists and
 *            belongs to another user
 *   -EBUSY   another program is attached to that interface
 *   -EEXIST  the handle is attached already
 *   -EBADF   tunclient_open() failed on this handle
 *   -EINTR   a signal handler ran
 *   -ENFILE  the pattern has no free number
 *   -ENOMEM  no memory in the kernel or the daemon
 *   another error with which the kernel or the daemon refuses to make one
 * Since 0.1.
 */
int tunclient_attach(struct tunclient *client, const char *name,
		     unsigned int flags);

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
 *   -EBADF   tunclient_open() failed on this handle
 *   -EINTR   a signal handler ran
 * Since 0.1.
 */
int tunclient_name(struct tunclient *client, char *ret_name, size_t size);

/*
 * The descriptor to wait on with poll(2) and its relatives: POLLIN when a
 * packet can be read, POLLOUT when the interface is up, POLLERR when there is
 * no interface. It stays the handle's: do not close it, and do not read or
 * write it beside the library.
 *
 * Ask for it after tunclient_attach(), which may put another file behind it;
 * it is the same from then on until tunclient_close(). (epoll(7) never reports
 * anything but EPOLLERR for one that it was given before.)
 *
 * Never blocks. Thread-safe.
 *
 * Returns the descriptor, or
 *   -EINVAL  client is NULL
 *   -EBADF   tunclient_open() failed on this handle
 * Since 0.1.
 */
int tunclient_fd(const struct tunclient *client);

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
 * end in time. With SA_RESTART the kernel's device goes on waiting and tund's
 * file gives -EINTR. tunclient_close() does not wake a reader: end it with a
 * signal, or poll(2) first. Thread-safe: each packet goes to one reader.
 *
 * Returns the number of bytes, 1 or more, or
 *   -EINVAL  client or ret_packet is NULL, or size is 0
 *   -EAGAIN  no packet, and the handle is non-blocking
 *   -EINTR   a signal handler ran before a packet came
 *   -EBADFD  not attached, or the interface was deleted
 *   -EFAULT  the interface was deleted while the call waited; or the buffer
 *            is not memory of the program
 *   -EBADF   tunclient_open() failed on this handle
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
 * Returns the number of bytes taken, which is size (less only if RLIMIT_FSIZE
 * cut the packet on tund's file), or
 *   -EINVAL  client or packet is NULL; size is 0; not IPv4 or IPv6 (TUN);
 *            shorter than an Ethernet header (TAP)
 *   -EMSGSIZE  size is more than TUNCLIENT_PACKET_MAX
 *   -EIO     the interface is down
 *   -EBADFD  not attached, or the interface was deleted
 *   -EAGAIN  no room now, and the handle is non-blocking
 *   -EINTR   a signal handler ran before the packet was taken
 *   -EFAULT  the packet is not memory of the program
 *   -ENOBUFS, -ENOMEM  no memory for the packet
 *   -EBADF   tunclient_open() failed on this handle
 * Since 0.1.
 */
ssize_t tunclient_write(struct tunclient *client, const void *packet,
			size_t size);

/*
 * One sentence, in English and without a newline or a final stop, about the
 * last call on this handle that failed, with what is known of the cause:
 * paths, names, remedies. It is for people: programs look at the error number.
 * The -EAGAIN, -EINTR and -ERANGE of the calls that read, write or name, which
 * a program expects, leave no sentence, nor does a NULL argument; success does
 * not clear one, and after a failed tunclient_open() its own sentence stays.
 * If several threads use the handle, it may be about another thread's call.
 *
 * The string is the handle's, is never NULL, and is valid until the next
 * tunclient_attach() or tunclient_close() on the handle. With a NULL client
 * it is constant and says what that means.
 *
 * Never blocks. Thread-safe.
 * Since 0.1.
 */
const char *tunclient_error(const struct tunclient *client);

/*
 * Closes the device and frees the handle; NULL is allowed. An interface that
 * is not persistent and has no other handle disappears: with the kernel's
 * device before this returns, with tund shortly after.
 *
 * Does not wait for packets. No thread may use the handle during the call or
 * after it. It leaves errno as it was.
 * Since 0.1.
 */
void tunclient_close(struct tunclient *client);

/*
 * The version of the library that the program runs with, "0.1.0": a constant
 * string that belongs to the library. Never blocks. Thread-safe.
 * Since 0.1.
 */
const char *tunclient_version(void);

#ifdef __cplusplus
}
#endif

#endif
