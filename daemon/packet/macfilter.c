/* SPDX-License-Identifier: MIT */
/* macfilter.c - as the kernel does it, down to the hash: programs see what it
 * lets through by accident, too.
 */
#include "packet/macfilter.h"

#include <linux/if_tun.h>
#include <string.h>

#define CRC32_POLYNOMIAL 0x04c11db7U

/* The high six bits of Ethernet's checksum, as network cards hash addresses. */
static unsigned int hash_mac(const uint8_t *mac)
{
	uint32_t crc = ~0U;

	for (unsigned int i = 0; i < ETH_ALEN; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			uint32_t in = (uint32_t)mac[i] >> bit & 1;

			crc = crc << 1 ^
			      (crc >> 31 ^ in ? CRC32_POLYNOMIAL : 0);
		}
	}
	return crc >> 26;
}

static bool is_multicast(const uint8_t *mac)
{
	return mac[0] & 1;
}

int mac_filter_set(struct mac_filter *f, uint16_t flags, uint16_t count,
		   const uint8_t *macs)
{
	unsigned int n = count < MAC_FILTER_EXACT ? count : MAC_FILTER_EXACT;

	memset(f, 0, sizeof(*f));
	if (count == 0)
		return 0;
	memcpy(f->exact, macs, (size_t)n * ETH_ALEN);
	for (size_t i = n; i < count; i++) {
		const uint8_t *mac = macs + i * ETH_ALEN;

		if (!is_multicast(mac))
			return 0;
		f->mask |= 1ULL << hash_mac(mac);
	}
	if (flags & TUN_FLT_ALLMULTI)
		f->mask = ~0ULL;
	f->n_exact = n;
	return (int)n;
}

bool mac_filter_accepts(const struct mac_filter *f, const uint8_t *frame,
			size_t len)
{
	if (f->n_exact == 0)
		return true;
	if (len < ETH_ALEN)
		return false;
	for (unsigned int i = 0; i < f->n_exact; i++)
		if (memcmp(frame, f->exact[i], ETH_ALEN) == 0)
			return true;
	return is_multicast(frame) && f->mask >> hash_mac(frame) & 1;
}
