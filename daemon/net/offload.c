/* SPDX-License-Identifier: MIT */
/* offload.c - ethtool's features, found by name: they have no fixed numbers. */
#include "net/offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

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

/*
 * "tx-generic-segmentation" stays: that one is the kernel's own, done in
 * software before the packet is handed over.
 */
static bool is_unwanted(const char *feature)
{
	if (strcmp(feature, "tx-generic-segmentation") == 0)
		return false;
	return strncmp(feature, "tx-checksum-", strlen("tx-checksum-")) == 0 ||
	       (strncmp(feature, "tx-", 3) == 0 &&
		ends_with(feature, "-segmentation")) ||
	       strcmp(feature, "tx-gso-list") == 0;
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
			const struct ethtool_gstrings *strings, uint32_t n)
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

		if (is_unwanted(s))
			set->features[i / 32].valid |= 1u << (i % 32);
	}
	r = ethtool(fd, name, set);
	free(set);
	return r;
}

int offload_disable(int fd, const char *name)
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
		r = set_features(fd, name, strings, n);
	free(strings);
	return r;
}
