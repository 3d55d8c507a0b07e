/* SPDX-License-Identifier: MIT */
/*
 * forward.c - the command `forward A B`: what comes out of one end is put
 * into the other, as a tunnel does. An end is a device or a UDP socket.
 *
 *     tun:NAME[,netns=PATH][,addr=A.B.C.D/LEN][,tap][,pi][,vnet=OFFLOAD]
 *     udp:LOCAL:PORT:REMOTE:PORT[,netns=PATH]
 *
 * With vnet= a packet has its virtio-net header, and OFFLOAD are the TUN_F_* of
 * TUNSETOFFLOAD; it is for two devices that have it both. 0 asks for none.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int home = -1;

static int open_udp(char *spec)
{
	struct sockaddr_in local = {.sin_family = AF_INET};
	struct sockaddr_in remote = local;
	int room = 4 << 20;
	char *part[4];
	int fd;

	for (int i = 0; i < 4; i++) {
		part[i] = strsep(&spec, ":");
		if (!part[i])
			die("udp:LOCAL:PORT:REMOTE:PORT");
	}
	local.sin_port = htons((uint16_t)atoi(part[1]));
	remote.sin_port = htons((uint16_t)atoi(part[3]));
	inet_pton(AF_INET, part[0], &local.sin_addr);
	inet_pton(AF_INET, part[2], &remote.sin_addr);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    connect(fd, (struct sockaddr *)&remote, sizeof(remote)) < 0)
		die("cannot make the socket");
	return fd;
}

static int open_end(char *spec)
{
	char *kind = strsep(&spec, ":");
	char *where = strsep(&spec, ",");
	char *word, *addr = NULL;
	bool tap = false, pi = false;
	long vnet = -1;
	int fd;

	if (setns(home, 0) < 0)
		die("setns");
	while ((word = strsep(&spec, ","))) {
		if (!strncmp(word, "netns=", 6))
			enter_netns(word + 6);
		else if (!strncmp(word, "addr=", 5))
			addr = word + 5;
		else if (!strcmp(word, "tap"))
			tap = true;
		else if (!strcmp(word, "pi"))
			pi = true;
		else if (!strncmp(word, "vnet=", 5))
			vnet = strtol(word + 5, NULL, 0);
		else
			die("what is %s?", word);
	}
	if (!strcmp(kind, "udp"))
		return open_udp(where);
	opt.vnet_hdr = vnet >= 0;
	fd = device_attach(opt.device, where, tap, pi);
	if (vnet >= 0 && ioctl(fd, TUNSETOFFLOAD, (unsigned long)vnet) < 0)
		die("no offload %#lx", (unsigned long)vnet);
	if (addr)
		interface_up(where, addr);
	return fd;
}

/*
 * Moves one packet. An end that is down or full loses it, and counts it; an
 * end that is gone ends the forwarder.
 */
static bool move(int from, int to)
{
	static __thread uint8_t buf[BUFFER_SIZE];
	ssize_t n = read(from, buf, sizeof(buf));

	count(C_CALLS, 1);
	if (n < 0) {
		if (errno == EINTR || errno == EAGAIN || errno == ECONNREFUSED)
			return true;
		count_set(C_RX_ERRNO, (uint64_t)errno);
		count(C_RX_ERRORS, 1);
		return false;
	}
	count(C_RX, 1);
	count(C_RX_BYTES, (uint64_t)n);
	if ((uint64_t)n > counter(C_LARGEST))
		count_set(C_LARGEST, (uint64_t)n);
	return count_tx(write(to, buf, (size_t)n)) || errno != EBADFD;
}

struct direction {
	int from, to;
};

static void *forward_thread(void *data)
{
	struct direction *d = data;

	while (move(d->from, d->to))
		;
	count_set(C_DONE, 1);
	return NULL;
}

static void with_poll(const int end[2])
{
	struct pollfd p[2] = {{end[0], POLLIN, 0}, {end[1], POLLIN, 0}};

	for (;;) {
		int n = poll(p, 2, -1);

		if (n < 0 && errno != EINTR)
			die("poll");
		count(C_EVENTS, 1);
		for (int i = 0; i < 2; i++) {
			if (p[i].revents & POLLERR && n > 0)
				count(C_POLLERR, 1);
			if (n > 0 && p[i].revents && !move(end[i], end[!i]))
				return;
		}
	}
}

int command_forward(void)
{
	pthread_t thread[2];
	int end[2];

	if (opt.nargs != 2)
		return 2;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++)
		end[i] = open_end(opt.args[i]);
	if (!strcmp(opt.mode, "poll")) {
		for (int i = 0; i < 2; i++)
			fcntl(end[i], F_SETFL,
			      fcntl(end[i], F_GETFL) | O_NONBLOCK);
		count_set(C_READY, 1);
		with_poll(end);
		count_set(C_DONE, 1);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		static struct direction d[2];

		d[i] = (struct direction){end[i], end[!i]};
		errno = pthread_create(&thread[i], NULL, forward_thread, &d[i]);
		if (errno)
			die("no thread");
	}
	count_set(C_READY, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
