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

static int at_visible(struct host_link *link,
		      int (*call)(int ifindex, int program_fd,
				  enum bpf_side side))
{
	enum bpf_side side =
		link->kind == DEV_TUN ? BPF_SIDE_INGRESS : BPF_SIDE_EGRESS;
	_cleanup_close_ int ns_fd = -1;
	struct rtnl_link visible;
	int r;

	r = link_find_visible(link, link->home_ns_fd, &ns_fd, &visible);
	if (r == 0)
		r = netns_enter(ns_fd);
	if (r < 0)
		return r;
	r = call(visible.ifindex, link->visible_program_fd, side);
	netns_leave();
	return r;
}

static int load_visible_program(struct host_link *link,
				const struct host_direct *how)
{
	if (link->kind == DEV_TAP)
		return bpf_load_keep_tags(&link->visible_program_fd);
	return how->n_sources > 0
		       ? bpf_load_sources(how->sources, how->n_sources,
					  &link->visible_program_fd)
		       : bpf_load_ip_only(&link->visible_program_fd);
}

/*
 * Packets pass without it. But whoever has the socket of a TUN may have it pass
 * by the hidden end's program: with this one what is not IP comes no further
 * than the visible end, and what is IP is the host's. And whoever reads that of
 * a TAP would not see the tag of a VLAN. Where the kernel can, a TUN must have
 * it, for programs are told so.
 */
static int put_visible_program(struct host_link *link,
			       const struct host_direct *how)
{
	int r = load_visible_program(link, how);

	if (r == 0)
		r = at_visible(link, bpf_attach);
	if (r == 0)
		return 0;
	log_debug("%s: %s",
		  link->kind == DEV_TUN
			  ? "frames that are not IP are not kept from a TUN"
			  : "VLAN tags are lost on the way to a TAP",
		  strerror(-r));
	if (link->visible_program_fd >= 0)
		close(link->visible_program_fd);
	link->visible_program_fd = -1;
	/* Without it the program could send from anywhere. */
	if (how->n_sources > 0)
		return r;
	return link->kind == DEV_TAP || r == -EOPNOTSUPP ? 0 : r;
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
		r = put_visible_program(link, how);
	return r;
}

void programs_remove(struct host_link *link)
{
	struct rtnl *rtnl;

	if (link->kind == DEV_TUN && link_open_hidden_rtnl(link, &rtnl) == 0) {
		bpf_detach_egress(rtnl, link->hidden_ifindex);
		rtnl_close(rtnl);
	}
	if (link->visible_program_fd >= 0) {
		at_visible(link, bpf_detach);
		close(link->visible_program_fd);
	}
	link->visible_program_fd = -1;
	if (link->home_ns_fd >= 0)
		close(link->home_ns_fd);
	link->home_ns_fd = -1;
}
