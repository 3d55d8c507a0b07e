/* SPDX-License-Identifier: MIT */
/* tuntap.h - what `tundctl tuntap` was asked for, in the words of ip-tuntap. */
#ifndef TUNDCTL_TUNTAP_H
#define TUNDCTL_TUNTAP_H

#include <net/if.h>
#include <stdbool.h>
#include <sys/types.h>

struct tuntap {
	char name[IFNAMSIZ]; /* "": none is given */
	unsigned int flags;  /* IFF_* */
	uid_t user;	     /* -1: none is given */
	gid_t group;	     /* the same */
	bool statistics;
};

/* Prints the devices that fit. Returns the exit status. */
int tuntap_show(int device, const struct tuntap *which);

#endif
