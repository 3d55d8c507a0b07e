/* SPDX-License-Identifier: MIT */
/*
 * tools/bench/app.c - the application of the benchmark: receives, sends or
 * echoes UDP packets on one path for the time of one window, and prints what
 * that was. It configures no interface and starts nothing: bench does.
 */
#include "app.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many packets may pass until it looks at the clock. */
#define BETWEEN_LOOKS 16

#define HEADERS	      (sizeof(struct iphdr) + sizeof(struct udphdr))

static const struct path *const paths[] = {
	&path_tun,	 &path_tun_vnet,     &path_veth_batch,
	&path_veth_ring, &path_veth_tx_ring,
};

static struct {
	const char *action;
	const char *netns;
	const char *peer_netns; /* of a forwarder's other port */
	int cpu;
	unsigned int size;  /* bytes of UDP's payload */
	uint16_t port;	    /* that is counted, or sent to */
	uint16_t echo_port; /* that is echoed */
	struct in_addr from, to;
	unsigned int tracepoint;
	pid_t daemon;
} opt = {
	.cpu = -1,
	.size = 64,
	.port = 9,
	.echo_port = 7,
};

/* The UDP port that a packet goes to, 0 if it is none of ours. */
static uint16_t port_of(const struct packet *packet)
{
	const unsigned char *p = packet->data;

	if (packet->length < HEADERS || p[0] != 0x45 || p[9] != IPPROTO_UDP)
		return 0;
	return (uint16_t)(p[22] << 8 | p[23]);
}

/* Ends the process, unless it was a single packet's loss. */
static void failed(const struct path *path, const char *what, int error)
{
	if (error == -EINTR || error == -EAGAIN || error == -ENOBUFS ||
	    error == -ENETDOWN)
		return;
	errno = -error;
	if (error == -EOPNOTSUPP)
		not_here("%s: %s", path->name, what);
	die("%s: %s", path->name, what);
}

static void receive_packets(struct port *port, struct window *window)
{
	const struct path *path = port->path;
	struct packet packets[BATCH_MAX];
	uint64_t count = 0, bytes = 0;
	unsigned int since = 0;

	for (;;) {
		int n = path->receive(port, packets);

		if (n < 0)
			failed(path, "receive", n);
		for (int i = 0; i < n; i++) {
			if (port_of(&packets[i]) != opt.port)
				continue;
			count++;
			bytes += packets[i].length;
		}
		if (n > 0)
			path->release(port, (unsigned int)n);
		since += n > 0 ? (unsigned int)n : BETWEEN_LOOKS;
		if (since < BETWEEN_LOOKS)
			continue;
		since = 0;
		if (!window_goes_on(window, count, bytes))
			return;
	}
}

static uint16_t checksum(const void *data, size_t size, uint32_t sum)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void build(struct packet *packet)
{
	uint16_t udp_size = (uint16_t)(sizeof(struct udphdr) + opt.size);
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + udp_size)),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.saddr = opt.from.s_addr,
		.daddr = opt.to.s_addr,
	};
	struct udphdr udp = {
		.source = htons(opt.port),
		.dest = htons(opt.port),
		.len = htons(udp_size),
	};
	unsigned char *p = packet->data + sizeof(ip);
	const unsigned char *pseudo = (unsigned char *)&ip.saddr;
	uint32_t sum = IPPROTO_UDP + udp_size;

	ip.check = checksum(&ip, sizeof(ip), 0);
	memcpy(packet->data, &ip, sizeof(ip));
	memcpy(p, &udp, sizeof(udp));
	memset(p + sizeof(udp), 'b', opt.size);
	for (size_t i = 0; i < 8; i++)
		sum += i % 2 ? pseudo[i] : (uint32_t)pseudo[i] << 8;
	udp.check = checksum(p, udp_size, sum);
	memcpy(p, &udp, sizeof(udp));
	packet->length = (unsigned int)(sizeof(ip) + udp_size);
}

static void send_packets(struct port *port, struct window *window)
{
	static unsigned char buffers[BATCH_MAX][HEADROOM + PACKET_ROOM];
	const struct path *path = port->path;
	struct packet packets[BATCH_MAX];
	uint64_t count = 0, failures = 0;
	unsigned int since = 0;

	for (unsigned int i = 0; i < port->batch; i++) {
		packets[i].data = buffers[i] + HEADROOM;
		build(&packets[i]);
	}
	for (;;) {
		int n = path->send(port, packets, port->batch);

		if (n < 0)
			failed(path, "send", n);
		count += n > 0 ? (unsigned int)n : 0;
		failures += n < 0;
		since += n > 0 ? (unsigned int)n : BETWEEN_LOOKS;
		if (since < BETWEEN_LOOKS)
			continue;
		since = 0;
		if (!window_goes_on(window, count, failures))
			return;
	}
}

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	while (size--) {
		unsigned char byte = a[size];

		a[size] = b[size];
		b[size] = byte;
	}
}

/* Neither checksum changes when the two sides change places. */
static void send_back(struct port *port, const struct packet *packet)
{
	unsigned char buffer[PACKET_ROOM];
	struct packet reply = {buffer, packet->length};

	if (packet->length > sizeof(buffer))
		return;
	memcpy(buffer, packet->data, packet->length);
	swap(buffer + 12, buffer + 16, 4);
	swap(buffer + 20, buffer + 22, 2);
	port->path->send(port, &reply, 1);
}

static void echo_packets(struct port *port, struct window *window)
{
	const struct path *path = port->path;
	struct packet packets[BATCH_MAX];
	uint64_t count = 0;

	do {
		int n = path->receive(port, packets);

		if (n < 0)
			failed(path, "receive", n);
		for (int i = 0; i < n; i++) {
			uint16_t to = port_of(&packets[i]);

			count += to == opt.port;
			if (to == opt.echo_port)
				send_back(port, &packets[i]);
		}
		if (n > 0)
			path->release(port, (unsigned int)n);
	} while (window_goes_on(window, count, 0));
}

static const struct path *path_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (!strcmp(paths[i]->name, name))
			return paths[i];
	for (i = 0; i < n_paths_library; i++)
		if (!strcmp(paths_library[i].name, name))
			return &paths_library[i];
	errno = 0;
	not_here("bench-app has no path %s", name);
}

static const struct option options[] = {
	{"path", required_argument, NULL, 'p'},
	{"device", required_argument, NULL, 'd'},
	{"name", required_argument, NULL, 'n'},
	{"address", required_argument, NULL, 'a'},
	{"netns", required_argument, NULL, 'N'},
	{"peer-netns", required_argument, NULL, 'P'},
	{"batch", required_argument, NULL, 'b'},
	{"cpu", required_argument, NULL, 'c'},
	{"size", required_argument, NULL, 's'},
	{"from", required_argument, NULL, 'f'},
	{"to", required_argument, NULL, 't'},
	{"tracepoint", required_argument, NULL, 'T'},
	{"daemon", required_argument, NULL, 'D'},
	{NULL, 0, NULL, 0},
};

static void parse_address(struct port *port, const char *text)
{
	unsigned char *a = port->address;

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", a, a + 1, a + 2,
		   a + 3, a + 4, a + 5) != 6) {
		errno = 0;
		die("%s is no hardware address", text);
	}
}

static void parse(struct port *port, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned int number =
			optarg ? (unsigned int)strtoul(optarg, NULL, 0) : 0;

		switch (c) {
		case 'p':
			port->path = path_of(optarg);
			break;
		case 'd':
			port->device = optarg;
			break;
		case 'n':
			snprintf(port->name, 16, "%s", optarg);
			break;
		case 'a':
			parse_address(port, optarg);
			break;
		case 'N':
			opt.netns = optarg;
			break;
		case 'P':
			opt.peer_netns = optarg;
			break;
		case 'b':
			port->batch = number;
			break;
		case 'c':
			opt.cpu = (int)number;
			break;
		case 's':
			opt.size = number;
			break;
		case 'f':
			inet_aton(optarg, &opt.from);
			break;
		case 't':
			inet_aton(optarg, &opt.to);
			break;
		case 'T':
			opt.tracepoint = number;
			break;
		case 'D':
			opt.daemon = (pid_t)number;
			break;
		default:
			exit(2);
		}
	}
	errno = 0;
	if (!port->path || optind != argc - 1 || port->batch < 1 ||
	    port->batch > BATCH_MAX || opt.size > PACKET_ROOM - HEADERS)
		die("usage: bench-app --path NAME ... "
		    "receive|send|echo|forward");
	opt.action = argv[optind];
}

/* Until it is killed. */
static noreturn void forward(struct port *port)
{
	struct port other = *port;

	enter_netns(opt.peer_netns);
	port->path->attach(&other);
	printf("ready %s\n", port->name);
	fflush(stdout);
	forward_packets(port, &other);
}

int main(int argc, char **argv)
{
	struct port port = {.fd = -1, .batch = 64};
	struct window window;

	parse(&port, argc, argv);
	run_on_cpu(opt.cpu);
	enter_netns(opt.netns);
	port.path->attach(&port);
	if (!strcmp(opt.action, "forward"))
		forward(&port);
	window_wait(&window, port.name);
	count_calls(opt.tracepoint, opt.daemon);
	if (!strcmp(opt.action, "receive"))
		receive_packets(&port, &window);
	else if (!strcmp(opt.action, "send"))
		send_packets(&port, &window);
	else
		echo_packets(&port, &window);
	window_print(&window);
	puts("}");
	return 0;
}
