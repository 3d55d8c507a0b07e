/* SPDX-License-Identifier: MIT */
/* An interface's features by the names that ethtool(8) shows; the old ioctl,
 * which every kernel has, and nothing else of ethtool. */
#include "tun-trace.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCKS_MAX 8

static int ethtool(const char *name, void *data)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};
	int ret;

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	ifr.ifr_data = data;
	ret = (int)rc(ioctl(sock, SIOCETHTOOL, &ifr));
	close(sock);
	return ret;
}

static int feature_count(const char *name)
{
	union {
		struct ethtool_sset_info info;
		uint8_t room[sizeof(struct ethtool_sset_info) + 4];
	} u = {0};
	uint32_t count;
	int ret;

	u.info.cmd = ETHTOOL_GSSET_INFO;
	u.info.sset_mask = 1ULL << ETH_SS_FEATURES;
	ret = ethtool(name, &u);
	if (ret < 0)
		return ret;
	memcpy(&count, u.room + sizeof(struct ethtool_sset_info), 4);
	return (int)count;
}

/* The bit's number, or a negative errno. */
static int feature_bit(const char *name, const char *feature)
{
	int i, ret, count = feature_count(name);
	struct ethtool_gstrings *s;

	if (count < 0)
		return count;
	s = calloc(1, sizeof(*s) + (size_t)count * ETH_GSTRING_LEN);
	if (!s)
		return -ENOMEM;
	s->cmd = ETHTOOL_GSTRINGS;
	s->string_set = ETH_SS_FEATURES;
	s->len = (uint32_t)count;
	ret = ethtool(name, s);
	for (i = 0; ret == 0 && i < count; i++) {
		if (!strncmp((char *)s->data + i * ETH_GSTRING_LEN, feature,
			     ETH_GSTRING_LEN))
			ret = i + 1;
	}
	free(s);
	return ret > 0 ? ret - 1 : ret < 0 ? ret : -ENOENT;
}

int if_feature(const char *name, const char *feature)
{
	union {
		struct ethtool_gfeatures get;
		uint8_t room[sizeof(struct ethtool_gfeatures) +
			     BLOCKS_MAX *
				     sizeof(struct ethtool_get_features_block)];
	} u = {0};
	int ret, bit = feature_bit(name, feature);

	if (bit < 0)
		return bit;
	u.get.cmd = ETHTOOL_GFEATURES;
	u.get.size = BLOCKS_MAX;
	ret = ethtool(name, &u);
	if (ret < 0)
		return ret;
	return u.get.features[bit / 32].active >> bit % 32 & 1;
}

int if_set_feature(const char *name, const char *feature, bool on)
{
	union {
		struct ethtool_sfeatures set;
		uint8_t room[sizeof(struct ethtool_sfeatures) +
			     BLOCKS_MAX *
				     sizeof(struct ethtool_set_features_block)];
	} u = {0};
	int bit = feature_bit(name, feature);

	if (bit < 0)
		return bit;
	u.set.cmd = ETHTOOL_SFEATURES;
	u.set.size = (uint32_t)(feature_count(name) + 31) / 32;
	u.set.features[bit / 32].valid = 1u << bit % 32;
	u.set.features[bit / 32].requested = on ? 1u << bit % 32 : 0;
	return ethtool(name, &u);
}
