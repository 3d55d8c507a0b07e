/* SPDX-License-Identifier: MIT */
/*
 * client-lib/tund.c - the ioctls of tund's own. It moves no packets.
 */
#include "tund.h"

#include <errno.h>
#include <sys/ioctl.h>

unsigned int tunclient_tund_abilities_(const struct tunclient *client)
{
	return client->tund_abilities & TUND_ABILITY_CONFIG
		       ? TUNCLIENT_ABILITY_CONFIGURE
		       : 0;
}

int tunclient_tund_set_value_(struct tunclient *client, unsigned int cmd,
			      unsigned long value)
{
	struct tund_value request = {.cmd = cmd, .value = value};

	return ioctl(client->file, TUND_IOC_VALUE, &request) < 0 ? -errno : 0;
}

int tunclient_tund_configure_(struct tunclient *client,
			      const struct tund_config *config)
{
	if (!(client->tund_abilities & TUND_ABILITY_CONFIG))
		return -EOPNOTSUPP;
	return ioctl(client->file, TUND_IOC_CONFIG, config) < 0 ? -errno : 0;
}

int tunclient_tund_link_(struct tunclient *client, struct tund_link *ret_link)
{
	if (!(client->tund_abilities & TUND_ABILITY_CONFIG))
		return -EOPNOTSUPP;
	return ioctl(client->file, TUND_IOC_LINK, ret_link) < 0 ? -errno : 0;
}

int tunclient_tund_stats_(struct tunclient *client,
			  struct tunclient_stats *ret_stats)
{
	struct tund_stats stats;

	if (ioctl(client->file, TUND_IOC_STATS, &stats) < 0)
		return -errno;
	ret_stats->received_packets = stats.tx_packets;
	ret_stats->received_bytes = stats.tx_bytes;
	ret_stats->sent_packets = stats.rx_packets;
	ret_stats->sent_bytes = stats.rx_bytes;
	for (unsigned int i = 0; i < TUND_DROP_MAX; i++)
		if (i < TUND_DROP_DOWN)
			ret_stats->received_dropped += stats.drops[i];
		else
			ret_stats->sent_dropped += stats.drops[i];
	return 0;
}
