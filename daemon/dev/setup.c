/* SPDX-License-Identifier: MIT */
/* setup.c - one step after the other, by the host's call for it. */
#include "dev/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dev/device.h"

static int always(void *arg, int ns_fd)
{
	return 0;
}

static void describe(const struct tund_config *step, char *ret_text,
		     size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";

	switch (step->what) {
	case TUND_CONFIG_MTU:
		snprintf(ret_text, size, "MTU %u", step->value);
		break;
	case TUND_CONFIG_UP:
		snprintf(ret_text, size, "up");
		break;
	default:
		inet_ntop(step->family, step->address, address,
			  sizeof(address));
		snprintf(ret_text, size, "%s %s/%u",
			 step->what == TUND_CONFIG_ADDRESS_ADD ? "address"
							       : "route",
			 address, step->prefix);
	}
}

int device_set_up(struct device *dev, int home_ns_fd,
		  const struct dev_setup *setup)
{
	const struct host_permit permit = {.ask = always};
	int result = 0;

	for (size_t i = 0; i < setup->n; i++) {
		const struct tund_config *step = &setup->steps[i].config;
		struct host_state state;
		char text[80];
		int r = dev->host->configure(dev->link, home_ns_fd, &permit,
					     step);

		if (r >= 0 || r == -EEXIST)
			continue;
		if (result == 0)
			result = r;
		device_get_state(dev, &state);
		describe(step, text, sizeof(text));
		log_warning("cannot configure \"%s\" (%s): %s", state.name,
			    text, strerror(-r));
	}
	return result;
}
