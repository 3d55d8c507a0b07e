/* SPDX-License-Identifier: MIT */
/*
 * programs.c - puts the programs of bpf.c where they belong, in the namespaces
 * of both ends.
 */
#include "net/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "net/bpf.h"
#include "net/netns.h"
#include "net/rtnl.h"

int programs_set_mac(struct host_link *link, const uint8_t mac[ETH_ALEN])
{
	_cleanup_close_ int program_fd = -1;
	struct rtnl *rtnl;
	int r;

	r = bpf_load_header(mac, &program_fd);
	if (r == 0)
		r = link_open_hidden_rtnl(link, &rtnl);
	if (r < 0)
		return r;
	r = bpf_attach_egress(rtnl, link->hidden_ifindex, program_fd);
	rtnl_close(rtnl);
	return r;
}

static int
at_visible(struct host_link *link, enum bpf_side side, int program_fd,
	   int (*call)(int ifindex, int program_fd, enum bpf_side side))
{
	struct rtnl_link visible;
	int r;

	r = link_enter_visible(link, link->home_ns_fd, &visible);
	if (r < 0)
		return r;
	r = call(visible.ifindex, program_fd, side);
	netns_leave();
	return r;
}

/* Takes the program. */
static int put_visible(struct host_link *link, enum bpf_side side,
		       int program_fd)
{
	int r = at_visible(link, side, program_fd, bpf_attach);

	if (r < 0)
		close(program_fd);
	else
		link->visible_program_fds[side] = program_fd;
	return r;
}

/* Without it the program could send what it must not. */
static int put_policy(struct host_link *link, const struct host_direct *how)
{
	int state_fd = link->policy_state_fd, program_fd, r = 0;

	if (state_fd < 0)
		r = bpf_policy_state_new(&state_fd);
	if (r < 0)
		return r;
	/* It counts as long as the link is there. */
	atomic_store(&link->policy_state_fd, state_fd);
	r = bpf_policy_state_spend(state_fd, how->spent_ns);
	if (r < 0)
		return r;
	r = bpf_load_policy(link->kind == DEV_TUN, how, state_fd, &program_fd);
	return r < 0 ? r : put_visible(link, BPF_SIDE_INGRESS, program_fd);
}

/*
 * Packets pass without it. But whoever has the socket of a TUN may have it pass
 * by the hidden end's program: with this one what is not IP comes no further
 * than the visible end, and what is IP is the host's. Where the kernel can, a
 * TUN must have it, for programs are told so.
 */
static int put_ip_only(struct host_link *link)
{
	int program_fd, r;

	r = bpf_load_ip_only(&program_fd);
	if (r == 0)
		r = put_visible(link, BPF_SIDE_INGRESS, program_fd);
	if (r == -EOPNOTSUPP)
		log_debug("frames that are not IP are not kept from a TUN: %s",
			  strerror(-r));
	return r == -EOPNOTSUPP ? 0 : r;
}

/* Whoever reads the socket of a TAP would not see the tag of a VLAN. */
static void put_keep_tags(struct host_link *link)
{
	int program_fd, r;

	r = bpf_load_keep_tags(&program_fd);
	if (r == 0)
		r = put_visible(link, BPF_SIDE_EGRESS, program_fd);
	if (r < 0)
		log_debug("VLAN tags are lost on the way to a TAP: %s",
			  strerror(-r));
}

static int put_visible_programs(struct host_link *link,
				const struct host_direct *how)
{
	if (link->kind == DEV_TAP)
		put_keep_tags(link);
	if (how->n_sources > 0 || how->rate.packet_ns)
		return put_policy(link, how);
	return link->kind == DEV_TUN ? put_ip_only(link) : 0;
}

int programs_put(struct host_link *link, int home_ns_fd,
		 const struct host_direct *how)
{
	uint64_t mac = atomic_load(&link->mac);
	uint8_t address[sizeof(mac)];
	int r = 0;

	if (home_ns_fd >= 0)
		link->home_ns_fd = fcntl(home_ns_fd, F_DUPFD_CLOEXEC, 0);
	if (home_ns_fd >= 0 && link->home_ns_fd < 0)
		return -errno;
	memcpy(address, &mac, sizeof(mac));
	if (link->kind == DEV_TUN)
		r = programs_set_mac(link, address);
	if (r == 0)
		r = put_visible_programs(link, how);
	return r;
}

void programs_remove(struct host_link *link)
{
	struct rtnl *rtnl;

	if (link->kind == DEV_TUN && link_open_hidden_rtnl(link, &rtnl) == 0) {
		bpf_detach_egress(rtnl, link->hidden_ifindex);
		rtnl_close(rtnl);
	}
	for (int side = 0; side < BPF_SIDES; side++) {
		int *fd = &link->visible_program_fds[side];

		if (*fd < 0)
			continue;
		at_visible(link, side, *fd, bpf_detach);
		close(*fd);
		*fd = -1;
	}
	if (link->home_ns_fd >= 0)
		close(link->home_ns_fd);
	link->home_ns_fd = -1;
}
