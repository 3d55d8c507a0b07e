/* SPDX-License-Identifier: MIT */
/*
 * filter.h - what a TAP's program does not want to be given: by a classic BPF
 * program that the kernel runs, and by destination address. With the results of
 * the kernel's TUN.
 */
#ifndef TUND_DEV_FILTER_H
#define TUND_DEV_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct dev_file;
struct device;
struct sock_filter;

struct dev_filter {
	struct sock_filter *program; /* NULL: there is none */
	uint16_t len;
	bool active; /* for who is attached now */
	/* What was last asked for, good or not: TUNGETFILTER tells. */
	uint16_t told_len;
	uint64_t told_address;
};

/* Whether a filter can be had, before it is looked at; remembers the words. */
int dev_filter_announce(struct dev_file *file, uint16_t len, uint64_t address);

/* TUNATTACHFILTER; NULL and 0 are TUNDETACHFILTER. Slow. */
int dev_filter_set(struct dev_file *file, const struct sock_filter *program,
		   uint16_t len);

/* TUNGETFILTER. */
int dev_filter_get(struct dev_file *file, uint16_t *ret_len,
		   uint64_t *ret_address);

/*
 * TUNSETTXFILTER: returns the number of addresses that are matched exactly.
 * Before that, whether it can be had at all.
 */
int dev_check_mac_filter(struct dev_file *file);
int dev_set_mac_filter(struct dev_file *file, uint16_t flags, uint16_t count,
		       const uint8_t *macs);

/*
 * For dev/: who attaches asks for the persistent device's filter, or not; and
 * the device's end. Slow.
 */
int dev_filter_apply(struct device *dev, bool wanted);
void dev_filter_free(struct dev_filter *filter);

#endif
