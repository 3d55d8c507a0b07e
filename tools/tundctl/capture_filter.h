/* SPDX-License-Identifier: MIT */
/*
 * capture_filter.h - an expression of pcap-filter(7) as a filter of the
 * kernel's at the socket of a capture. The daemon has no part in it.
 */
#ifndef TUNDCTL_CAPTURE_FILTER_H
#define TUNDCTL_CAPTURE_FILTER_H

#include <linux/filter.h>
#include <stdint.h>

#define CAPTURE_MAX_SNAPLEN 262144u

/*
 * `expression` may be NULL: everything. 0, or -1 after a complaint; then
 * `ret_program->filter` is the caller's to free.
 */
int capture_filter_compile(const char *expression, unsigned int link_type,
			   uint32_t snaplen, struct sock_fprog *ret_program);

/* From here on nothing else comes out of the socket. -1 after a complaint. */
int capture_filter_attach(int fd, const struct sock_fprog *program);

#endif
