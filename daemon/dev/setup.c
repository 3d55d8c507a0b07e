/* SPDX-License-Identifier: MIT */
/* setup.c - one step after the other, by the host's call for it. */
#include "dev/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device.h"

static int always(void *arg, int ns_fd)
{
	return 0;
}

static void describe(const struct tund_config *step, char *ret_text,
		     size_t size)
{
	static const uint8_t none[sizeof(step->peer)];
	bool address = step->what == TUND_CONFIG_ADDRESS_ADD;
	char own[INET6_ADDRSTRLEN] = "", peer[INET6_ADDRSTRLEN] = "";

	switch (step->what) {
	case TUND_CONFIG_MTU:
		snprintf(ret_text, size, "MTU=%u", step->value);
		return;
	case TUND_CONFIG_UP:
		snprintf(ret_text, size, "setting it up");
		return;
	}
	inet_ntop(step->family, step->address, own, sizeof(own));
	if (memcmp(step->peer, none, sizeof(none)) != 0)
		inet_ntop(step->family, step->peer, peer, sizeof(peer));
	snprintf(ret_text, size, "%s=%s/%u%s%s", address ? "Address" : "Route",
		 own, step->prefix,
		 !peer[0]  ? ""
		 : address ? " peer "
			   : " via ",
		 peer);
}

static const char *remedy_of_value(const struct tund_config *step)
{
	switch (step->what) {
	case TUND_CONFIG_MTU:
		return "write another MTU=";
	case TUND_CONFIG_ADDRESS_ADD:
		return "write an address that a host can have";
	case TUND_CONFIG_UP:
		return "mend that and reload";
	default:
		return "name another host as the gateway, or leave \"via\" out";
	}
}

static const char *remedy(const struct tund_config *step, int error)
{
	switch (error) {
	case -EEXIST:
		return "a route that goes elsewhere has this network and "
		       "metric, and stays: remove it with \"ip route del\" and "
		       "reload, or write another \"metric\"";
	case -EINVAL:
	case -EADDRNOTAVAIL:
		return remedy_of_value(step);
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return "write an Address= whose network the gateway is in, or "
		       "leave \"via\" out";
	case -EACCES:
	case -EOPNOTSUPP:
	case -EAFNOSUPPORT:
		return "switch IPv6 on there with sysctl(8), or leave the key "
		       "out";
	case -ENODEV:
		return "somebody has removed the interface: reload to have it "
		       "made anew";
	default:
		return "mend that and reload, or leave the key out";
	}
}

int device_set_up(struct device *dev, int home_ns_fd, const char *file,
		  const struct dev_setup *setup, dev_warn_fn *warn)
{
	const struct host_permit permit = {.ask = always};
	int result = 0;

	for (size_t i = 0; i < setup->n; i++) {
		const struct tund_config *step = &setup->steps[i].config;
		struct host_state state;
		char text[2 * INET6_ADDRSTRLEN + 32];
		int r = dev->host->configure(dev->link, home_ns_fd, &permit,
					     step);

		if (r >= 0)
			continue;
		/* It stays, and is no reason to refuse the interface. */
		if (result == 0 && r != -EEXIST)
			result = r;
		device_get_state(dev, &state);
		describe(step, text, sizeof(text));
		dev_warn(warn,
			 &(struct dev_place){file, setup->steps[i].line,
					     state.name},
			 text, r, remedy(step, r));
	}
	return result;
}

/* ---- later ---- */

struct dev_pending {
	struct dev_setup setup;
	char *file;
};

struct dev_pending *dev_pending_new(const char *file,
				    const struct dev_setup *setup)
{
	size_t size = setup->n * sizeof(*setup->steps);
	struct dev_pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->file = strdup(file);
	pending->setup.n = setup->n;
	pending->setup.steps = malloc(size);
	if (!pending->file || !pending->setup.steps) {
		dev_pending_free(pending);
		return NULL;
	}
	memcpy(pending->setup.steps, setup->steps, size);
	return pending;
}

void dev_pending_free(struct dev_pending *pending)
{
	if (!pending)
		return;
	free(pending->setup.steps);
	free(pending->file);
	free(pending);
}

bool device_set_pending(struct device *dev, struct dev_pending *pending)
{
	struct dev_pending *before;
	bool idle;

	lock_acquire(&dev->lock);
	before = dev->pending;
	dev->pending = pending;
	idle = dev->phase == DEVICE_IDLE;
	lock_release(&dev->lock);
	dev_pending_free(before);
	return idle;
}

void device_do_pending(struct device *dev, int home_ns_fd, dev_warn_fn *warn)
{
	struct dev_pending *pending;

	lock_acquire(&dev->lock);
	pending = dev->pending;
	dev->pending = NULL;
	lock_release(&dev->lock);
	if (!pending)
		return;
	device_set_up(dev, home_ns_fd, pending->file, &pending->setup, warn);
	dev_pending_free(pending);
}

bool device_become_idle(struct device *dev, int home_ns_fd)
{
	bool parting, more;

	do {
		device_do_pending(dev, home_ns_fd, dev_warn_log);
		lock_acquire(&dev->lock);
		parting = dev->phase == DEVICE_PARTING;
		more = parting && dev->pending;
		if (parting && !more)
			dev->phase = DEVICE_IDLE;
		lock_release(&dev->lock);
	} while (more);
	return parting;
}
