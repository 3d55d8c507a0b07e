/* SPDX-License-Identifier: MIT */
/*
 * traffic.c - the commands that send and receive numbered packets: over UDP
 * sockets on the host's side, over an attached device on the other.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE 33
#endif

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_of(const struct frame_format *f,
			    const struct in6_addr *host, unsigned int port,
			    union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (f->v6) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_addr = *host;
		ret->v6.sin6_port = htons((uint16_t)port);
		return sizeof(ret->v6);
	}
	ret->v4.sin_family = AF_INET;
	memcpy(&ret->v4.sin_addr, host, 4);
	ret->v4.sin_port = htons((uint16_t)port);
	return sizeof(ret->v4);
}

static int bound_socket(const struct frame_format *f,
			const struct in6_addr *host, unsigned int port)
{
	union address address;
	socklen_t size = address_of(f, host, port, &address);
	int family = address.any.sa_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &address.any, size) < 0)
		die("cannot bind port %u", port);
	return fd;
}

int command_udp_send(void)
{
	static uint8_t buf[BUFFER_SIZE];
	struct frame_format f;
	union address to;
	int fd[MAX_FLOWS];
	socklen_t size;
	uint64_t next = 0;

	frame_format_of_options(&f);
	enter_netns(opt.netns);
	size = address_of(&f, &f.dst, f.dport, &to);
	for (unsigned int i = 0; i < opt.flows; i++)
		fd[i] = bound_socket(&f, &f.src, f.sport + i);
	stop_on_sigterm();
	count_set(C_READY, 1);
	for (uint64_t n = 0; !stopping && (!opt.count || n < opt.count); n++) {
		unsigned int flow = (unsigned int)(n % opt.flows);
		uint64_t seq = n / opt.flows;
		unsigned int bytes = payload_size(flow, seq);

		payload_fill(buf, bytes, flow, seq);
		count_tx(sendto(fd[flow], buf, bytes, 0, &to.any, size));
		pace(&next);
	}
	count_set(C_DONE, 1);
	return 0;
}

/* After SIGTERM: takes what is still there, waits for nothing. */
static bool receive_failed(int fd)
{
	count(C_CALLS, 1);
	if (errno == EAGAIN)
		return stopping;
	if (errno == EINTR) {
		count(C_EINTR, 1);
		if (stopping)
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		return false;
	}
	count_set(C_RX_ERRNO, (uint64_t)errno);
	count(C_RX_ERRORS, 1);
	return true;
}

int command_udp_recv(void)
{
	static uint8_t buf[BUFFER_SIZE];
	struct flow_check check = {0};
	struct frame_format f;
	union address from;
	int room = 8 << 20;
	int fd;

	frame_format_of_options(&f);
	enter_netns(opt.netns);
	fd = bound_socket(&f, &f.dst, f.dport);
	if (strcmp(opt.mode, "small"))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	stop_on_sigterm();
	count_set(C_READY, 1);
	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, &from.any, &size);
		unsigned int flow;

		if (n < 0) {
			if (receive_failed(fd))
				break;
			continue;
		}
		flow = ntohs(f.v6 ? from.v6.sin6_port : from.v4.sin_port) -
		       f.sport;
		if (flow >= opt.flows)
			count(C_RX_OTHER, 1);
		else
			payload_check(&check, buf, (unsigned int)n, flow);
	}
	count_set(C_DONE, 1);
	return 0;
}

int command_tun_send(void)
{
	static uint8_t buf[BUFFER_SIZE];
	struct frame_format f;
	char name[16];
	uint64_t next = 0;
	int fd = device_of_options(name);

	frame_format_of_options(&f);
	if (f.tap)
		hardware_address(name, f.dst_mac);
	stop_on_sigterm();
	count_set(C_READY, 1);
	for (uint64_t n = 0; !stopping && (!opt.count || n < opt.count); n++) {
		size_t size = frame_build(
			&f, buf, (unsigned int)(n % opt.flows), n / opt.flows);
		ssize_t done = write(fd, buf, size);

		if (count_tx(done) && (size_t)done != size)
			count(C_CORRUPT, 1);
		pace(&next);
	}
	count_set(C_DONE, 1);
	return 0;
}

int command_tun_recv(void)
{
	static uint8_t buf[BUFFER_SIZE];
	struct flow_check check = {0};
	struct frame_format f;
	char name[16];
	int fd = device_of_options(name);

	frame_format_of_options(&f);
	stop_on_sigterm();
	count_set(C_READY, 1);
	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n >= 0)
			frame_check(&f, &check, buf, (size_t)n);
		else if (receive_failed(fd))
			break;
	}
	count_set(C_DONE, 1);
	return 0;
}
