/* SPDX-License-Identifier: MIT */
/* event.c - tells the table's observer, if there is one. */
#include "dev/event.h"

#include <string.h>

#include "dev/device.h"

void dev_table_observe(struct dev_table *table,
		       void (*observe)(void *arg,
				       const struct dev_event *event),
		       void *arg)
{
	table->observe = observe;
	table->observe_arg = arg;
}

static void tell(struct device *dev, struct dev_event *event,
		 const struct host_state *state)
{
	event->device = dev->id;
	event->ns_id = dev->ns_id;
	event->ifindex = state->ifindex;
	memcpy(event->name, state->name, IFNAMSIZ);
	dev->table->observe(dev->table->observe_arg, event);
}

void device_tell(struct device *dev, enum dev_event_kind kind,
		 const struct host_state *state, const struct dev_file *file)
{
	struct dev_event event = {.kind = kind};

	if (!dev->table->observe)
		return;
	if (file)
		event.opener = *dev_file_opener(file);
	tell(dev, &event, state);
}

void device_tell_changes(struct device *dev, const struct host_state *before,
			 const struct host_state *state)
{
	struct dev_event renamed = {.kind = DEV_EVENT_RENAMED};

	if (!dev->table->observe)
		return;
	if (!before->name[0]) {
		device_tell(dev, DEV_EVENT_MADE, state, NULL);
	} else if (strcmp(before->name, state->name) != 0) {
		memcpy(renamed.old_name, before->name, IFNAMSIZ);
		tell(dev, &renamed, state);
	}
	if (state->moved != before->moved)
		device_tell(dev, DEV_EVENT_MOVED, state, NULL);
	if (state->up != before->up)
		device_tell(dev, state->up ? DEV_EVENT_UP : DEV_EVENT_DOWN,
			    state, NULL);
}
