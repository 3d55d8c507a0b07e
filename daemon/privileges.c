/* SPDX-License-Identifier: MIT */
/* privileges.c - libcap-ng and one table. */
#include "privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/util.h"

#define NEED(cap, purpose)                                                     \
	{                                                                      \
		cap, #cap, purpose                                             \
	}

static const struct {
	unsigned int capability;
	const char *name;
	const char *purpose;
} needed[] = {
	NEED(CAP_SYS_ADMIN, "mount the device file, visit network namespaces"),
	NEED(CAP_NET_ADMIN, "make interfaces"),
	NEED(CAP_NET_RAW, "carry packets through packet sockets"),
	NEED(CAP_NET_BROADCAST, "hear of changes in other network namespaces"),
	NEED(CAP_SYS_PTRACE, "read the arguments and credentials of programs"),
	NEED(CAP_DAC_READ_SEARCH, "reach mount points in private directories"),
};

/* Kept if it is there: to place the workers, and bring them back. */
#define WANTED CAP_SYS_NICE

int privileges_check(void)
{
	int r = 0;

	if (capng_get_caps_process() < 0) {
		log_error("cannot read my own capabilities");
		return -EPERM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (capng_have_capability(CAPNG_EFFECTIVE,
					  needed[i].capability))
			continue;
		log_error("%s is missing, needed to %s; run tund as root",
			  needed[i].name, needed[i].purpose);
		r = -EPERM;
	}
	return r;
}

int privileges_drop(void)
{
	bool wanted = capng_have_capability(CAPNG_EFFECTIVE, WANTED);

	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			     needed[i].capability);
	if (wanted)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			     WANTED);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0) {
		log_error("cannot give up capabilities");
		return -EPERM;
	}
	return 0;
}
