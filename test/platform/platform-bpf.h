/* SPDX-License-Identifier: MIT */
/* The two programs of the direct descriptor, as a test needs them. */
#ifndef PLATFORM_BPF_H
#define PLATFORM_BPF_H

#include "platform-net.h"

/*
 * On what leaves a link of the thread's namespace: the Ethernet header of an
 * IP packet, for that address; all else is dropped. Replaces the one before.
 * Skips where the kernel or the user may not.
 */
void platform_bpf_header(const char *name, const uint8_t mac[ETH_ALEN]);

/* On what reaches the link: nothing but IP passes. Skips before Linux 6.6. */
void platform_bpf_ip_only(const char *name);

/* On what leaves the link: a second VLAN tag before the first. Skips too. */
void platform_bpf_keep_tags(const char *name);

#endif
