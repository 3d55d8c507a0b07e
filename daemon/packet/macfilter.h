/* SPDX-License-Identifier: MIT */
/*
 * macfilter.h - TUNSETTXFILTER: which destinations a program wants to read of
 * what the host sends on a TAP device. It is not a packet filter.
 *
 * It has no lock. Making one takes a while, with many addresses: make a new
 * one aside, then assign it under the lock under which mac_filter_accepts() is
 * called, which is the device's.
 */
#ifndef TUND_PACKET_MACFILTER_H
#define TUND_PACKET_MACFILTER_H

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_FILTER_EXACT 8

/* All 0: accepts everything. */
struct mac_filter {
	unsigned int n_exact; /* 0: the filter is off */
	uint64_t mask;	      /* of the hashes of multicast addresses */
	uint8_t exact[MAC_FILTER_EXACT][ETH_ALEN];
};

/*
 * Replaces the filter; `flags` is 0 or TUN_FLT_ALLMULTI, `macs` are `count`
 * addresses. Returns what the ioctl does: the number of addresses that are
 * compared, or 0, which means that everything is accepted: for no addresses,
 * and for unicast ones beyond the eighth address.
 */
int mac_filter_set(struct mac_filter *f, uint16_t flags, uint16_t count,
		   const uint8_t *macs);

/* Broadcast is accepted only if it was listed, as itself or by its hash. */
bool mac_filter_accepts(const struct mac_filter *f, const uint8_t *frame,
			size_t len);

#endif
