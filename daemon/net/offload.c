/* SPDX-License-Identifier: MIT */
/* offload.c - ethtool's features, found by name: they have no fixed numbers. */
#include "net/offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"

/* Newer than the oldest headers we are built with. */
#define OFFLOAD_USO4		    0x20u
#define OFFLOAD_USO6		    0x40u
#define OFFLOAD_UDP_TUNNEL_GSO	    0x80u
#define OFFLOAD_UDP_TUNNEL_GSO_CSUM 0x100u

static int ethtool(int fd, const char *name, void *command)
{
	struct ifreq ifr = {0};

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	ifr.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* What each flag of TUNSETOFFLOAD turns on, as it does on the kernel's TUN. */
static const struct {
	unsigned int flags; /* all of them */
	const char *feature;
} offloads[] = {
	{TUN_F_CSUM, "tx-checksum-ip-generic"},
	{TUN_F_TSO4, "tx-tcp-segmentation"},
	{TUN_F_TSO6, "tx-tcp6-segmentation"},
	{TUN_F_TSO_ECN, "tx-tcp-ecn-segmentation"},
	{OFFLOAD_USO4 | OFFLOAD_USO6, "tx-udp-segmentation"},
	{OFFLOAD_UDP_TUNNEL_GSO, "tx-udp_tnl-segmentation"},
	{OFFLOAD_UDP_TUNNEL_GSO_CSUM, "tx-udp_tnl-csum-segmentation"},
};

/*
 * What may not stay as it is. "tx-generic-segmentation" may: that one is the
 * kernel's own, done in software before the packet is handed over.
 */
static bool is_ours(const char *feature)
{
	if (strcmp(feature, "tx-generic-segmentation") == 0)
		return false;
	return strncmp(feature, "tx-checksum-", strlen("tx-checksum-")) == 0 ||
	       (strncmp(feature, "tx-", 3) == 0 &&
		ends_with(feature, "-segmentation")) ||
	       strcmp(feature, "tx-gso-list") == 0;
}

static bool is_wanted(const char *feature, unsigned int offload)
{
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++)
		if (strcmp(feature, offloads[i].feature) == 0)
			return (offload & offloads[i].flags) ==
			       offloads[i].flags;
	return false;
}

static int count_features(int fd, const char *name, uint32_t *ret_n)
{
	struct ethtool_sset_info *query;
	int r;

	/* The kernel appends one length for each bit of the mask. */
	query = calloc(1, sizeof(*query) + sizeof(query->data[0]));
	if (!query)
		return -ENOMEM;
	query->cmd = ETHTOOL_GSSET_INFO;
	query->sset_mask = 1ULL << ETH_SS_FEATURES;
	r = ethtool(fd, name, query);
	*ret_n = r == 0 && query->sset_mask ? query->data[0] : 0;
	free(query);
	return r;
}

static int set_features(int fd, const char *name,
			const struct ethtool_gstrings *strings, uint32_t n,
			unsigned int offload)
{
	uint32_t blocks = (n + 31) / 32;
	struct ethtool_sfeatures *set;
	int r;

	set = calloc(1, sizeof(*set) + blocks * sizeof(set->features[0]));
	if (!set)
		return -ENOMEM;
	set->cmd = ETHTOOL_SFEATURES;
	set->size = blocks;
	for (uint32_t i = 0; i < n; i++) {
		const char *s =
			(const char *)strings->data + i * ETH_GSTRING_LEN;

		if (!is_ours(s))
			continue;
		set->features[i / 32].valid |= 1u << (i % 32);
		if (is_wanted(s, offload))
			set->features[i / 32].requested |= 1u << (i % 32);
	}
	r = ethtool(fd, name, set);
	free(set);
	return r;
}

int offload_set(int fd, const char *name, unsigned int offload)
{
	struct ethtool_gstrings *strings;
	uint32_t n;
	int r;

	r = count_features(fd, name, &n);
	if (r < 0)
		return r;
	strings = calloc(1, sizeof(*strings) + n * ETH_GSTRING_LEN);
	if (!strings)
		return -ENOMEM;
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_FEATURES;
	strings->len = n;
	r = ethtool(fd, name, strings);
	if (r == 0)
		r = set_features(fd, name, strings, n, offload);
	free(strings);
	return r;
}
