/* SPDX-License-Identifier: MIT */
/*
 * ioctl_filter.c - ioctls that bring a filter: its arrays lie in the caller's
 * memory. Filters themselves are dev/filter.h's.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <stdlib.h>

#include "dev/filter.h"
#include "fuse/caller.h"
#include "fuse/ioctl.h"

int ioctl_attach_filter(const struct call *c)
{
	const struct raw_fprog *fprog = &c->in.fprog;
	struct dev_file *file = c->file->dev_file;
	struct sock_filter *program;
	size_t size = fprog->len * sizeof(*program);
	int r;

	r = dev_filter_announce(file, fprog->len, fprog->address);
	if (r < 0)
		return r;
	if (fprog->len == 0 || fprog->len > BPF_MAXINSNS || !fprog->address)
		return -EINVAL;
	program = malloc(size);
	if (!program)
		return -ENOMEM;
	r = callermem_read(&c->thread, fprog->address, program, size);
	if (r == 0)
		r = dev_filter_set(file, program, fprog->len);
	free(program);
	return r;
}

int ioctl_get_filter(const struct call *c, struct answer *a)
{
	a->out.fprog = (struct raw_fprog){0};
	a->size = sizeof(a->out.fprog);
	return dev_filter_get(c->file->dev_file, &a->out.fprog.len,
			      &a->out.fprog.address);
}

int ioctl_set_mac_filter(const struct call *c)
{
	struct dev_file *file = c->file->dev_file;
	struct tun_filter head;
	uint8_t *macs = NULL;
	size_t size;
	int r;

	r = dev_check_mac_filter(file);
	if (r == 0)
		r = callermem_read(&c->thread, c->arg, &head, sizeof(head));
	if (r < 0)
		return r;
	size = (size_t)head.count * ETH_ALEN;
	if (size > 0) {
		macs = malloc(size);
		if (!macs)
			return -ENOMEM;
		r = callermem_read(&c->thread, c->arg + sizeof(head), macs,
				   size);
	}
	if (r == 0)
		r = dev_set_mac_filter(file, head.flags, head.count, macs);
	free(macs);
	return r;
}

int ioctl_set_ebpf(const struct call *c)
{
	int32_t fd;
	int r;

	if (!dev_file_attached(c->file->dev_file))
		return -EBADFD;
	r = callermem_read(&c->thread, c->arg, &fd, sizeof(fd));
	if (r < 0)
		return r;
	/* There is never a program to take away, and no way to run one. */
	if (fd == -1)
		return 0;
	return caller_has_fd(c->thread.tid, fd) ? -EOPNOTSUPP : -EBADF;
}
