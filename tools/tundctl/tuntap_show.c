/* SPDX-License-Identifier: MIT */
/* tuntap_show.c - the list of devices, line by line as ip(8) prints it. */
#include "tuntap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <tund/abi.h>

#include "table.h"
#include "tundctl.h"

static void print_flags(unsigned int flags)
{
	static const struct {
		unsigned int flag;
		bool when_set;
		const char *word;
	} words[] = {
		{IFF_TUN, true, "tun"},
		{IFF_TAP, true, "tap"},
		{IFF_NO_PI, false, "pi"},
		{IFF_ONE_QUEUE, true, "one_queue"},
		{IFF_MULTI_QUEUE, true, "multi_queue"},
		{IFF_VNET_HDR, true, "vnet_hdr"},
		{IFF_PERSIST, true, "persist"},
		/* The very bit of IFF_NO_PI; ip says both, so do we. */
		{IFF_NOFILTER, false, "filter"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!!(flags & words[i].flag) == words[i].when_set)
			printf(" %s", words[i].word);
		flags &= words[i].when_set ? ~words[i].flag : ~0U;
	}
	flags &= ~(unsigned int)IFF_NO_PI;
	if (flags)
		printf(" UNKNOWN_FLAGS:%#x", flags);
}

static void print(const struct tund_device *d)
{
	char name[sizeof(d->name) + 1];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(d->name), d->name);
	make_harmless(name);
	printf("%s:", name);
	print_flags(d->flags);
	if (d->owner != TUND_NO_ID)
		printf(" user %u", d->owner);
	if (d->group != TUND_NO_ID)
		printf(" group %u", d->group);
	putchar('\n');
}

/* As `ip -s link`; what goes to the program is sent by the interface. */
static void print_statistics(const struct tund_device *d)
{
	static const char *const planes[] = {"none", "file", "direct"};
	const struct tund_stats *s = &d->stats;
	unsigned long long lost_tx = 0, lost_rx = 0;

	for (int i = 0; i < TUND_DROP_MAX; i++)
		*(i < TUND_DROP_DOWN ? &lost_tx : &lost_rx) += s->drops[i];
	printf("    plane %s queues %u off %u\n",
	       d->plane < ARRAY_SIZE(planes) ? planes[d->plane] : "unknown",
	       d->queues, d->queues_off);
	printf("    RX: %12s %12s %12s\n", "bytes", "packets", "dropped");
	printf("        %12llu %12llu %12llu\n",
	       (unsigned long long)s->rx_bytes,
	       (unsigned long long)s->rx_packets, lost_rx);
	printf("    TX: %12s %12s %12s\n", "bytes", "packets", "dropped");
	printf("        %12llu %12llu %12llu\n",
	       (unsigned long long)s->tx_bytes,
	       (unsigned long long)s->tx_packets, lost_tx);
}

static bool fits(const struct tund_device *d, const struct tuntap *which)
{
	unsigned int type = which->flags & (IFF_TUN | IFF_TAP);

	return (!which->name[0] ||
		strncmp(d->name, which->name, sizeof(d->name)) == 0) &&
	       (!type || d->flags & type);
}

int tuntap_show(int device, const struct tuntap *which)
{
	struct tund_device d = {.id = 0};
	bool found = false;

	while (ioctl(device, TUND_IOC_DEVICE, &d) == 0) {
		if (!fits(&d, which))
			continue;
		print(&d);
		if (which->statistics)
			print_statistics(&d);
		found = true;
	}
	if (errno == EBADFD || errno == EINVAL) {
		complain("the daemon is too old to list its devices: update "
			 "tund and start it again");
		return 1;
	}
	if (errno != ENOENT) {
		complain("cannot list the devices: %s", strerror(errno));
		return 1;
	}
	if (which->name[0] && !found) {
		complain("tund has no device \"%s\" in this network "
			 "namespace: \"tundctl tuntap show\" lists them",
			 which->name);
		return 1;
	}
	return 0;
}
