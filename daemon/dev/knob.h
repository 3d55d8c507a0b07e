/* SPDX-License-Identifier: MIT */
/*
 * knob.h - what a program can set on the device that it is attached to, beside
 * moving packets, with the results of the kernel's TUN. Some knobs have no
 * effect here and are kept for who reads them again.
 *
 * All give -EBADFD on an unattached file. After the attach no privilege is
 * needed for any.
 */
#ifndef TUND_DEV_KNOB_H
#define TUND_DEV_KNOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dev_file;

/* The state of a new device. */
struct dev_knobs {
	bool persist;
	bool has_owner, has_group;
	uid_t owner;
	gid_t group;
	/*
	 * Made by a rule and without CAP_NET_ADMIN: so it has no owner who
	 * needs no rule, until one with it has said who that is.
	 */
	bool by_rule;
	int vnet_hdr_size;
	bool vnet_le;
	unsigned int offload;
	unsigned int link_type; /* ARPHRD_* */
	/* The administrator's: no program changes them. */
	bool declared;		  /* nor owner, group and whether it stays */
	unsigned int declaration; /* the table's number of then */
	unsigned int max_queues;
	unsigned int may_offload; /* TUN_F_* */
};

void dev_knobs_init(struct dev_knobs *ret_knobs, bool tap);

/* Whether the device stays when its last file is closed. */
int dev_set_persist(struct dev_file *file, bool on);
/* Who may attach without CAP_NET_ADMIN. -EINVAL for (uid_t)-1. */
int dev_set_owner(struct dev_file *file, uid_t owner);
int dev_set_group(struct dev_file *file, gid_t group);

int dev_set_sndbuf(struct dev_file *file, int bytes);
int dev_get_sndbuf(struct dev_file *file, int *ret_bytes);
int dev_set_vnet_hdr_size(struct dev_file *file, int bytes);
int dev_get_vnet_hdr_size(struct dev_file *file, int *ret_bytes);
int dev_set_vnet_le(struct dev_file *file, bool on);
int dev_get_vnet_le(struct dev_file *file, int *ret_on);
/* TUN_F_*; -EINVAL for what the kernel would not take. */
int dev_set_offload(struct dev_file *file, uint64_t flags);
/* -EBUSY while the interface is up. */
int dev_set_link_type(struct dev_file *file, unsigned int type);

/* Slow, these two. */
int dev_set_carrier(struct dev_file *file, bool on);
int dev_set_mac(struct dev_file *file, unsigned int family,
		const uint8_t mac[6]);
/* The family is that of the link type. */
int dev_get_mac(struct dev_file *file, unsigned int *ret_family,
		uint8_t ret_mac[6]);

#endif
