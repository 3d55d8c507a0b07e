/* SPDX-License-Identifier: MIT */
/* netns.h - network namespaces by their names, and the names of them. */
#ifndef TUNDCTL_NETNS_H
#define TUNDCTL_NETNS_H

#include <stdint.h>

/* The inode's number; -1 after a complaint. */
int netns_find(const char *word, uint64_t *ret_number);

/*
 * "-" for that of the caller, a name of ip-netns(8), or the number. Valid until
 * the next call.
 */
const char *netns_name(uint64_t number);

#endif
