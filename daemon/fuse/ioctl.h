/* SPDX-License-Identifier: MIT */
/*
 * ioctl.h - one ioctl in progress, for the files that carry ioctls out. Private
 * to fuse/.
 */
#ifndef TUND_FUSE_IOCTL_H
#define TUND_FUSE_IOCTL_H

#include <net/if.h>

#include "fuse/callermem.h"
#include "fuse/private.h"
#include <tund/abi.h>

/* struct ifreq as the caller has it: only its size depends on the program. */
#define IFREQ_SIZE	  40
#define IFREQ_SIZE_COMPAT 32

struct raw_ifreq {
	char name[IFNAMSIZ];
	union {
		int16_t flags;
		struct {
			uint16_t family;
			uint8_t data[14];
		} hwaddr;
		uint8_t rest[IFREQ_SIZE - IFNAMSIZ];
	} u;
};

_Static_assert(sizeof(struct raw_ifreq) == IFREQ_SIZE, "no padding");

/* struct sock_fprog; a 32-bit program has no other. */
struct raw_fprog {
	uint16_t len;
	uint16_t reserved[3];
	uint64_t address;
};

/* What an ioctl answers with. */
struct answer {
	union {
		struct tund_info info;
		struct tund_device device;
		struct tund_stats stats;
		struct tund_link link;
		struct raw_fprog fprog;
		int32_t number;
	} out;
	size_t size;
};

struct call {
	fuse_req_t req;
	struct fs_file *file;
	unsigned int cmd;
	struct callermem_thread thread;
	uint64_t arg;
	/* The bytes that the kernel copied, as far as the number says. */
	union {
		int32_t number;
		struct tund_value value;
		struct tund_mode mode;
		struct tund_fd fd;
		struct tund_device device;
		struct tund_config config;
		struct raw_fprog fprog;
		uint8_t bytes[256];
	} in;
	size_t in_size;
	size_t ifreq_size;
};

/* Answers; the file is put. */
void ioctl_reply(const struct call *c, int result, const void *out,
		 size_t size);

int ioctl_read_ifreq(const struct call *c, struct raw_ifreq *ret_ifr);
int ioctl_write_ifreq(const struct call *c, const struct raw_ifreq *ifr);

/* Carries out and answers what ioctl_slow() has no function of its own for. */
void ioctl_call(const struct call *c);

/*
 * ioctl_slow.c: those that wait for the kernel's configuration lock, or touch
 * the caller's memory. They are carried out in another thread.
 */
bool ioctl_is_slow(unsigned int cmd);
void ioctl_slow(const struct call *c);

/* ioctl_filter.c: for slow threads. */
int ioctl_attach_filter(const struct call *c);
int ioctl_get_filter(const struct call *c, struct answer *a);
int ioctl_set_mac_filter(const struct call *c);
int ioctl_set_ebpf(const struct call *c);

/* ioctl_config.c; the first is for slow threads. */
int ioctl_configure(const struct call *c);
int ioctl_get_link(const struct call *c, struct answer *a);

/* ioctl_fd.c: TUND_IOC_FD, for slow threads. */
int ioctl_send_fd(const struct call *c);

#endif
