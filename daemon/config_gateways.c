/* SPDX-License-Identifier: MIT */
/*
 * config_gateways.c - whether a declared device's routes lead anywhere, by the
 * kernel's rule for gateways, as far as the file alone can say.
 */
#include <arpa/inet.h>
#include <string.h>

#include "config_reading.h"

static const uint8_t none[16];

bool config_has_gateway(const struct tund_config *route)
{
	return memcmp(route->peer, none, sizeof(none)) != 0;
}

/* What is at hand through the step, if anything. */
static bool reaches(const struct tund_config *step,
		    const struct tund_config *route)
{
	bool route_step = step->what == TUND_CONFIG_ROUTE_ADD;
	struct ip_prefix prefix = {step->family, step->prefix, {0}};
	bool peer = !route_step && config_has_gateway(step);

	if (step->what != TUND_CONFIG_ADDRESS_ADD && !route_step)
		return false;
	if (route_step && config_has_gateway(step))
		return false;
	memcpy(prefix.address, peer ? step->peer : step->address,
	       sizeof(prefix.address));
	return ip_prefix_has(&prefix, route->family, route->peer);
}

static bool is_at_hand(const struct dev_setup *setup,
		       const struct tund_config *route)
{
	/* Each IPv6 interface has an address there. */
	static const struct ip_prefix link_local = {AF_INET6, 10, {0xfe, 0x80}};

	for (size_t i = 0; i < setup->n; i++)
		if (reaches(&setup->steps[i].config, route))
			return true;
	return ip_prefix_has(&link_local, route->family, route->peer);
}

void config_check_gateways(struct reading *reading,
			   const struct dev_setup *setup)
{
	unsigned int line = reading->line;
	char gateway[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < setup->n; i++) {
		const struct tund_config *step = &setup->steps[i].config;

		if (step->what != TUND_CONFIG_ROUTE_ADD ||
		    !config_has_gateway(step) || is_at_hand(setup, step))
			continue;
		inet_ntop(step->family, step->peer, gateway, sizeof(gateway));
		reading->line = setup->steps[i].line;
		config_mistake(reading,
			       "Route=: no Address= of [%s] reaches the "
			       "gateway %s: write one whose network it is in, "
			       "or leave \"via\" out",
			       reading->header, gateway);
	}
	reading->line = line;
}
