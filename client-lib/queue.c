/* SPDX-License-Identifier: MIT */
/*
 * client-lib/queue.c - several handles on one interface, a queue each.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include "client.h"
#include "plane.h"

static int elsewhere(struct tunclient *queue)
{
	tunclient_say_constant_(queue, "the calling thread is in another "
				       "network namespace than the interface");
	return -EXDEV;
}

/* The same as the first, but for what has become of the options. */
static int open_same(struct tunclient *client, struct tunclient *queue)
{
	int fd;

	queue->options = client->options;
	queue->options.plane = client->plane->number;
	queue->device = strdup(client->device);
	if (!queue->device)
		return -ENOMEM;
	fd = tunclient_try_device_(queue, queue->device);
	if (fd < 0) {
		tunclient_say_(queue, "cannot open ", queue->device, ": ",
			       tunclient_open_reason_(fd), NULL);
		return fd;
	}
	tunclient_take_file_(queue, fd);
	if (queue->netns == client->netns || !queue->netns || !client->netns)
		return 0;
	tunclient_drop_file_(queue);
	return elsewhere(queue);
}

/*
 * The interface may have been moved; or the thread is elsewhere, and nothing
 * has told so before. Then it has made another one, or met one.
 */
static int check_same(struct tunclient *client, struct tunclient *queue)
{
	struct tund_link first, second;
	int r = 0;

	if (!client->plane->link)
		return 0;
	r = client->plane->link(client, &first);
	if (r == 0)
		r = queue->plane->link(queue, &second);
	/* Without an answer there is nothing that could be compared. */
	if (r == -EOPNOTSUPP)
		return 0;
	if (r == -ENODEV || (r == 0 && first.ifindex != second.ifindex))
		r = -EXDEV;
	return r;
}

PUBLIC int tunclient_open_queue(struct tunclient *client,
				struct tunclient **ret_queue)
{
	char name[TUNCLIENT_NAME_SIZE];
	struct tunclient *queue;
	int r;

	if (!ret_queue)
		return -EINVAL;
	*ret_queue = NULL;
	r = tunclient_check_(client);
	if (r < 0)
		return r;
	if (!client->multi_queue)
		return tunclient_fail_(client, -EINVAL,
				       "the interface has one queue only: "
				       "attach with TUNCLIENT_MULTI_QUEUE");
	r = tunclient_name(client, name, sizeof(name));
	if (r < 0)
		return r;
	queue = *ret_queue = tunclient_new_();
	if (!queue)
		return -ENOMEM;
	r = open_same(client, queue);
	if (r == 0)
		r = tunclient_attach(queue, name,
				     client->kind | TUNCLIENT_MULTI_QUEUE);
	if (r < 0)
		return r;
	r = check_same(client, queue);
	if (r == -EXDEV)
		elsewhere(queue);
	/* Attached, it has those of the options, and so have all. */
	if (r == 0 && queue->has_offloads)
		r = tunclient_set_offloads(queue, client->offloads);
	if (r < 0) {
		tunclient_leave_(queue);
		tunclient_drop_file_(queue);
	}
	return r;
}

PUBLIC int tunclient_set_queue(struct tunclient *client, int on)
{
	struct ifreq request = {0};
	int r = tunclient_check_(client);

	if (r < 0)
		return r;
	if (!client->multi_queue)
		return tunclient_fail_(client, -EINVAL,
				       "the interface has one queue only");
	if (ioctl(client->file, TUNGETIFF, &request) < 0)
		return tunclient_fail_(client, -errno, tunclient_no_interface_);
	if (!(request.ifr_flags & IFF_DETACH_QUEUE) == (on != 0))
		return 0;
	request.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
	if (ioctl(client->file, TUNSETQUEUE, &request) < 0)
		return tunclient_fail_(client, -errno,
				       "the queue could not be switched");
	if (!on && client->plane->drain)
		client->plane->drain(client);
	return 0;
}
