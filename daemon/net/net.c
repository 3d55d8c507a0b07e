/* SPDX-License-Identifier: MIT */
/*
 * net.c - puts net/ together: the table of calls for dev/, the started links,
 * and the check at start.
 */
#include "net/net.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/capture.h"
#include "net/direct.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/pump.h"
#include <tund/abi.h>

struct handle_table net_links;

/* All watch sockets, in one descriptor for the event loop. */
static int changes_fd = -1;

static void ref_owner(void *object)
{
	struct host_link *link = object;

	device_ref(link->owner);
}

static int start_link(struct host_link *link)
{
	struct epoll_event event = {.events = EPOLLIN};
	int r;

	/* The first state, and whatever has happened since. */
	watch_tell(link);
	r = handle_add(&net_links, link, &link->handle);
	if (r < 0)
		return r;
	event.data.u64 = link->handle;
	if (epoll_ctl(changes_fd, EPOLL_CTL_ADD, link->watch_fd, &event) < 0)
		return -errno;
	return pump_add(link);
}

static void stop_link(struct host_link *link)
{
	if (link->handle)
		handle_remove(&net_links, link->handle);
	pump_del(link);
	capture_switch(link, false);
	epoll_ctl(changes_fd, EPOLL_CTL_DEL, link->watch_fd, NULL);
	link_remove_interface(link);
}

const struct host_ops net_host_ops = {
	.ns_open = link_ns_open,
	.ns_close = link_ns_close,
	.find = link_ns_find,
	.link_new = link_new,
	.link_start = start_link,
	.link_stop = stop_link,
	.link_free = link_free,
	.set_carrier = link_set_carrier,
	.set_mac = link_ns_set_mac,
	.set_noarp = link_set_noarp,
	.set_offload = link_set_offload,
	.configure = link_configure,
	.open_ns = link_open_ns,
	.set_filter = link_set_filter,
	.direct_begin = direct_begin,
	.direct_switch = direct_switch,
	.direct_end = direct_end,
	.capture = capture_switch,
	.counters = link_counters,
	.send = pump_send,
	.want_send = pump_want_send,
	.pause = pump_pause,
	.settle = pump_settle,
	.resume = pump_resume,
	.sync = watch_sync,
	.drops = link_drops,
};

int net_start(void)
{
	int r;

	r = netns_init();
	if (r < 0)
		return r;
	changes_fd = epoll_create1(EPOLL_CLOEXEC);
	if (changes_fd < 0)
		return -errno;
	handle_table_init(&net_links, "links", ref_owner);
	r = pump_start();
	return r < 0 ? r : capture_start();
}

void net_stop(void)
{
	capture_stop();
	pump_stop();
	handle_table_destroy(&net_links);
	close(changes_fd);
	netns_exit();
}

int net_changes_fd(void)
{
	return changes_fd;
}

void net_dispatch(void *unused)
{
	struct epoll_event events[16];
	int n = epoll_wait(changes_fd, events, ARRAY_SIZE(events), 0);

	for (int i = 0; i < n; i++) {
		struct host_link *link =
			handle_get(&net_links, (uint32_t)events[i].data.u64);
		struct device *dev;

		if (!link)
			continue;
		dev = link->owner;
		watch_process(link);
		device_unref(dev);
	}
}

static const char *remedy(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return "run tund as root, or give it CAP_NET_ADMIN, "
		       "CAP_NET_RAW and CAP_SYS_ADMIN";
	case -EOPNOTSUPP:
		return "the kernel has no veth: load the module with "
		       "\"modprobe veth\" (CONFIG_VETH)";
	case -EAFNOSUPPORT:
		return "the kernel has no packet sockets: load the module "
		       "with \"modprobe af_packet\" (CONFIG_PACKET)";
	case -EINVAL:
	case -ENOPROTOOPT:
		return "the kernel is too old, tund needs 4.20 or later, or "
		       "has no network namespaces (CONFIG_NET_NS)";
	default:
		return "see the lines above";
	}
}

static uint64_t abilities;

uint64_t net_abilities(void)
{
	return abilities;
}

static uint64_t try_direct(struct host_link *link, int home_ns_fd)
{
	const struct host_direct how = {.nonblock = true};
	_cleanup_close_ int fd = -1;
	uint64_t id;
	int r = direct_begin(link, home_ns_fd, &how, &fd, &id);

	if (r == 0 && link->visible_program_fds[BPF_SIDE_INGRESS] >= 0)
		return TUND_ABILITY_DIRECT | TUND_ABILITY_BYPASS;
	/* A TUN cannot, as was said; a TAP needs no more than we have here. */
	if (r == 0 || r == -EOPNOTSUPP)
		return TUND_ABILITY_DIRECT;
	log_notice("no packet sockets for programs: %s", strerror(-r));
	return 0;
}

static int try_bridge(void)
{
	const struct host_spec spec = {
		.kind = DEV_TUN,
		.name = "tund%d",
		.carrier = true,
		.queue_len = 1,
	};
	_cleanup_close_ int ns_fd = -1;
	struct host_link *link;
	struct host_ns *ns;
	int r;

	r = netns_enter_new(&ns_fd);
	if (r < 0)
		return r;
	netns_leave();
	r = link_ns_open(ns_fd, &ns);
	if (r < 0)
		return r;
	r = link_new(ns, &spec, NULL, &link);
	/* The pair goes with its sockets and namespaces. */
	if (r == 0) {
		abilities = try_direct(link, ns_fd);
		link_free(link);
	}
	link_ns_close(ns);
	return r;
}

int net_check(void)
{
	int r = try_bridge();

	if (r < 0)
		log_error("cannot make a veth pair with a packet socket: %s; "
			  "%s",
			  strerror(-r), remedy(r));
	return r;
}
