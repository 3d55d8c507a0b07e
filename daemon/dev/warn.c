/* SPDX-License-Identifier: MIT */
/* warn.c - puts such a line together. */
#include "dev/warn.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

void dev_warn(dev_warn_fn *warn, const struct dev_place *place,
	      const char *what, int error, const char *remedy)
{
	char message[2 * PATH_MAX + 512];

	snprintf(message, sizeof(message), "%s:%u: %s: %s: %s; %s", place->file,
		 place->line, place->name, what, strerror(-error), remedy);
	warn(message);
}

void dev_warn_log(const char *message)
{
	log_warning("%s", message);
}
