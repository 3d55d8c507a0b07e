/* SPDX-License-Identifier: MIT */
/*
 * capture_link.c - looks in the list: whoever may capture a device finds it
 * there. Why one is not there is for the capture's refusal to say.
 */
#include "capture_link.h"

#include <string.h>

#include "pcapng.h"
#include "table.h"

unsigned int capture_link_of(const json_t *device)
{
	return strcmp(word_of(device, "kind"), "tap") == 0 ? LINK_ETHERNET
							   : LINK_RAW;
}

static bool is_wanted(const struct control_options *wanted,
		      const json_t *device)
{
	return strcmp(word_of(device, "name"), wanted->name) == 0 &&
	       (wanted->netns == 0 ||
		wanted->netns == (uint64_t)number_of(device, "netns"));
}

static int find(const struct control_options *wanted, const json_t *devices,
		unsigned int *ret_link)
{
	const json_t *d;
	size_t i;

	*ret_link = 0;
	json_array_foreach(devices, i, d)
	{
		if (!is_wanted(wanted, d))
			continue;
		if (*ret_link && *ret_link != capture_link_of(d)) {
			complain("there are a TUN and a TAP \"%s\": name the "
				 "network namespace of one with --netns",
				 wanted->name);
			return -1;
		}
		*ret_link = capture_link_of(d);
	}
	return 0;
}

int capture_link_find(const struct control_options *wanted,
		      unsigned int *ret_link)
{
	const struct control_options all = {.path = wanted->path};
	json_t *result;
	int r;

	if (control_try(&all, "list", &result) < 0)
		return -1;
	r = find(wanted, json_object_get(result, "devices"), ret_link);
	json_decref(result);
	return r;
}
