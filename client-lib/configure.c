/* SPDX-License-Identifier: MIT */
/*
 * client-lib/configure.c - what a program can set on its interface. It reads
 * the arguments and puts them into tund's words; who does it is the plane's
 * matter.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <string.h>

#include "options.h"
#include "plane.h"

static const char *sentence_of(int error)
{
	switch (error) {
	case -EBADFD:
		return tunclient_no_interface_;
	case -EPERM:
		return "configuring the interface needs CAP_NET_ADMIN over "
		       "its network namespace";
	case -EOPNOTSUPP:
		return "this is not possible on this interface, or with this "
		       "daemon";
	case -ENODEV:
		return "the interface is in another network namespace than "
		       "that in which the device was opened";
	case -EEXIST:
		return "the interface has it already, or another one has "
		       "such a route";
	case -EADDRNOTAVAIL:
		return "the interface has no such address, or cannot have it";
	case -ESRCH:
		return "there is no such route";
	case -ENETDOWN:
		return "the interface is down: set it up before routes are "
		       "added";
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return "the gateway cannot be reached through the interface";
	case -EINVAL:
		return "the interface does not take this value";
	default:
		return "the interface could not be configured";
	}
}

static int done(struct tunclient *client, int r)
{
	return r < 0 ? tunclient_fail_(client, r, sentence_of(r)) : 0;
}

static int configure(struct tunclient *client, const struct tund_config *config)
{
	int r = tunclient_check_(client);

	if (r < 0)
		return r;
	r = client->plane->configure ? client->plane->configure(client, config)
				     : -EOPNOTSUPP;
	return done(client, r);
}

static int ask(struct tunclient *client, struct tund_link *ret_link)
{
	int r = tunclient_check_(client);

	if (r < 0)
		return r;
	r = client->plane->link ? client->plane->link(client, ret_link)
				: -EOPNOTSUPP;
	return done(client, r);
}

static int set_value(struct tunclient *client, unsigned int cmd,
		     unsigned long value)
{
	int r = tunclient_check_(client);

	if (r < 0)
		return r;
	return done(client, client->plane->set_value(client, cmd, value));
}

PUBLIC int tunclient_index(struct tunclient *client)
{
	struct tund_link link;
	int r = ask(client, &link);

	return r < 0 ? r : (int)link.ifindex;
}

PUBLIC int tunclient_set_up(struct tunclient *client, int up)
{
	const struct tund_config config = {.what = TUND_CONFIG_UP,
					   .value = up != 0};

	return configure(client, &config);
}

PUBLIC int tunclient_get_mtu(struct tunclient *client)
{
	struct tund_link link;
	int r = ask(client, &link);

	return r < 0 ? r : (int)link.mtu;
}

PUBLIC int tunclient_set_mtu(struct tunclient *client, unsigned int mtu)
{
	const struct tund_config config = {.what = TUND_CONFIG_MTU,
					   .value = mtu};
	int r = tunclient_check_(client);

	/* What either takes is not the same with a veth and with a TUN. */
	if (r == 0 &&
	    (mtu < ETH_MIN_MTU ||
	     mtu > 65535 - (client->kind == TUNCLIENT_TAP ? ETH_HLEN : 0)))
		r = done(client, -EINVAL);
	return r < 0 ? r : configure(client, &config);
}

PUBLIC int tunclient_get_mac(struct tunclient *client, unsigned char *ret_mac)
{
	struct tund_link link;
	int r;

	if (!ret_mac)
		return -EINVAL;
	r = ask(client, &link);
	if (r < 0)
		return r;
	if (client->kind != TUNCLIENT_TAP)
		return done(client, -EOPNOTSUPP);
	memcpy(ret_mac, link.mac, TUNCLIENT_MAC_SIZE);
	return 0;
}

PUBLIC int tunclient_set_mac(struct tunclient *client, const unsigned char *mac)
{
	struct tund_config config = {.what = TUND_CONFIG_MAC};
	int r;

	if (!mac)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r == 0 && client->kind != TUNCLIENT_TAP)
		r = done(client, -EOPNOTSUPP);
	if (r < 0)
		return r;
	memcpy(config.address, mac, TUNCLIENT_MAC_SIZE);
	return configure(client, &config);
}

/* "10.1.0.1" and "fd00::1" themselves; returns the family, 0 for neither. */
static __u8 read_address(const char *text, size_t length, __u8 *ret_address)
{
	char copy[INET6_ADDRSTRLEN];

	if (length >= sizeof(copy))
		return 0;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, ret_address) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, copy, ret_address) == 1 ? AF_INET6 : 0;
}

/* Bits behind the '/', as far as they can be right; -1: they cannot be. */
static int read_bits(const char *text, int max)
{
	int bits = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		bits = bits * 10 + (*text - '0');
		if (bits > max)
			return -1;
	}
	return bits;
}

static int read_network(const char *text, struct tund_config *config)
{
	size_t length = strcspn(text, "/");
	int max, bits;

	config->family = read_address(text, length, config->address);
	if (!config->family)
		return -EINVAL;
	max = config->family == AF_INET ? 32 : 128;
	bits = text[length] ? read_bits(text + length + 1, max) : max;
	if (bits < 0)
		return -EINVAL;
	config->prefix = (__u8)bits;
	return 0;
}

/* config with both addresses; other is the peer or the gateway, or NULL. */
static int configure_address(struct tunclient *client,
			     struct tund_config *config, const char *text,
			     const char *other)
{
	int r;

	if (!text)
		return -EINVAL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	r = read_network(text, config);
	if (r == 0 && other &&
	    read_address(other, strlen(other), config->peer) != config->family)
		r = -EINVAL;
	if (r < 0)
		return tunclient_fail_(client, r,
				       "an address is not valid: it is like "
				       "10.1.0.1/24 or fd00::1/64, and both "
				       "are of one family");
	return configure(client, config);
}

PUBLIC int tunclient_add_address(struct tunclient *client, const char *address,
				 const char *peer)
{
	struct tund_config config = {.what = TUND_CONFIG_ADDRESS_ADD};

	return configure_address(client, &config, address, peer);
}

PUBLIC int tunclient_remove_address(struct tunclient *client,
				    const char *address, const char *peer)
{
	struct tund_config config = {.what = TUND_CONFIG_ADDRESS_DEL};

	return configure_address(client, &config, address, peer);
}

PUBLIC int tunclient_add_route(struct tunclient *client, const char *network,
			       const char *gateway, unsigned int metric)
{
	struct tund_config config = {.what = TUND_CONFIG_ROUTE_ADD,
				     .value = metric};

	return configure_address(client, &config, network, gateway);
}

PUBLIC int tunclient_remove_route(struct tunclient *client, const char *network,
				  const char *gateway, unsigned int metric)
{
	struct tund_config config = {.what = TUND_CONFIG_ROUTE_DEL,
				     .value = metric};

	return configure_address(client, &config, network, gateway);
}

PUBLIC int tunclient_set_persist(struct tunclient *client, int persist)
{
	return set_value(client, TUNSETPERSIST, persist != 0);
}

PUBLIC int tunclient_set_owner(struct tunclient *client, uid_t owner)
{
	return set_value(client, TUNSETOWNER, owner);
}

PUBLIC int tunclient_set_group(struct tunclient *client, gid_t group)
{
	return set_value(client, TUNSETGROUP, group);
}
