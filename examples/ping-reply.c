/* SPDX-License-Identifier: MIT */
/*
 * examples/ping-reply.c - answers every ICMP and ICMPv6 echo request that the
 * host routes to a TUN interface. It is an example of libtunclient's single
 * calls, not an IP stack: no fragments, no extension headers.
 *
 *	cc ping-reply.c $(pkg-config --cflags --libs tunclient)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include <tunclient.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* The sum of RFC 1071, to be folded once all of it is in. */
static uint32_t add(uint32_t sum, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/* Makes an IPv4 echo request its own reply; returns the size, 0 if none. */
static size_t reply4(unsigned char *packet, size_t size)
{
	struct ip ip;
	struct icmphdr icmp;
	struct in_addr asked;
	size_t header, total;

	if (size < sizeof(ip))
		return 0;
	memcpy(&ip, packet, sizeof(ip));
	header = ip.ip_hl * 4u;
	total = ntohs(ip.ip_len);
	if (header < sizeof(ip) || total > size ||
	    total < header + sizeof(icmp) || ip.ip_p != IPPROTO_ICMP ||
	    ntohs(ip.ip_off) & (IP_MF | IP_OFFMASK) ||
	    IN_MULTICAST(ntohl(ip.ip_dst.s_addr)))
		return 0;
	memcpy(&icmp, packet + header, sizeof(icmp));
	if (icmp.type != ICMP_ECHO ||
	    checksum(add(0, packet + header, total - header)))
		return 0;

	icmp.type = ICMP_ECHOREPLY;
	icmp.checksum = 0;
	memcpy(packet + header, &icmp, sizeof(icmp));
	icmp.checksum = checksum(add(0, packet + header, total - header));
	memcpy(packet + header, &icmp, sizeof(icmp));

	asked = ip.ip_dst;
	ip.ip_dst = ip.ip_src;
	ip.ip_src = asked;
	ip.ip_ttl = 64;
	ip.ip_sum = 0;
	memcpy(packet, &ip, sizeof(ip));
	ip.ip_sum = checksum(add(0, packet, header));
	memcpy(packet, &ip, sizeof(ip));
	return total;
}

/* ICMPv6 covers the addresses too. */
static uint32_t sum6(const struct ip6_hdr *ip, const void *icmp, size_t size)
{
	uint32_t sum = IPPROTO_ICMPV6 + (uint32_t)size;

	sum = add(sum, &ip->ip6_src, sizeof(ip->ip6_src));
	sum = add(sum, &ip->ip6_dst, sizeof(ip->ip6_dst));
	return add(sum, icmp, size);
}

/* The same for IPv6. */
static size_t reply6(unsigned char *packet, size_t size)
{
	unsigned char *body = packet + sizeof(struct ip6_hdr);
	struct ip6_hdr ip;
	struct icmp6_hdr icmp;
	struct in6_addr asked;
	size_t length;

	if (size < sizeof(ip))
		return 0;
	memcpy(&ip, packet, sizeof(ip));
	length = ntohs(ip.ip6_plen);
	if (length > size - sizeof(ip) || length < sizeof(icmp) ||
	    ip.ip6_nxt != IPPROTO_ICMPV6 || IN6_IS_ADDR_MULTICAST(&ip.ip6_dst))
		return 0;
	memcpy(&icmp, body, sizeof(icmp));
	if (icmp.icmp6_type != ICMP6_ECHO_REQUEST ||
	    checksum(sum6(&ip, body, length)))
		return 0;

	asked = ip.ip6_dst;
	ip.ip6_dst = ip.ip6_src;
	ip.ip6_src = asked;
	ip.ip6_hlim = 64;
	memcpy(packet, &ip, sizeof(ip));
	icmp.icmp6_type = ICMP6_ECHO_REPLY;
	icmp.icmp6_cksum = 0;
	memcpy(body, &icmp, sizeof(icmp));
	icmp.icmp6_cksum = checksum(sum6(&ip, body, length));
	memcpy(body, &icmp, sizeof(icmp));
	return sizeof(ip) + length;
}

/* Reads a packet and answers it; returns 0, or a negative error. */
static int answer(struct tunclient *tun)
{
	static unsigned char packet[TUNCLIENT_PACKET_MAX];
	size_t size;
	ssize_t n;

	n = tunclient_read(tun, packet, sizeof(packet));
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	if (packet[0] >> 4 == 4)
		size = reply4(packet, (size_t)n);
	else
		size = reply6(packet, (size_t)n);
	if (size == 0)
		return 0;
	n = tunclient_write(tun, packet, size);
	/* Down, or no room: the one who asked will ask again. */
	if (n == -EIO || n == -EAGAIN || n == -EINTR)
		return 0;
	return n < 0 ? (int)n : 0;
}

/*
 * A signal between a test of stop and a wait would be waited over: signals
 * are let in only while pselect() waits, with the mask that is given back.
 */
static void catch_signals(sigset_t *ret_outside)
{
	struct sigaction action;
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, ret_outside);
	sigdelset(ret_outside, SIGINT);
	sigdelset(ret_outside, SIGTERM);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int serve(struct tunclient *tun, const sigset_t *outside)
{
	int fd = tunclient_fd(tun);
	fd_set readable;
	int r = 0;

	FD_ZERO(&readable);
	while (!stop && r == 0) {
		FD_SET(fd, &readable);
		if (pselect(fd + 1, &readable, NULL, NULL, NULL, outside) > 0)
			r = answer(tun);
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}

static void show(const char *name)
{
	printf("interface: %s\n"
	       "Try it, as root, in another terminal:\n"
	       "  ip link set %s up\n"
	       "  ip addr add 192.0.2.1/24 dev %s && ping 192.0.2.2\n"
	       "  ip addr add 2001:db8::1/64 dev %s && ping 2001:db8::2\n"
	       "Ctrl-C ends it.\n",
	       name, name, name, name);
	fflush(stdout);
}

static int run(struct tunclient *tun, const char *name)
{
	char real_name[TUNCLIENT_NAME_SIZE];
	sigset_t outside;
	int r;

	catch_signals(&outside);
	r = tunclient_attach(tun, name, TUNCLIENT_TUN);
	if (r < 0)
		return r;
	r = tunclient_name(tun, real_name, sizeof(real_name));
	if (r < 0)
		return r;
	show(real_name);
	return serve(tun, &outside);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: ping-reply [-d DEVICE] [NAME]\n"
		"Answers pings on a new TUN interface NAME (default tun%%d).\n"
		"  -d DEVICE  the TUN device (default: the one that "
		"libtunclient(3) finds)\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct tunclient_options options = {
		.size = sizeof(options),
		.flags = TUNCLIENT_NONBLOCK,
	};
	struct tunclient *tun;
	int option, r;

	opterr = 0;
	while ((option = getopt(argc, argv, "d:")) != -1) {
		if (option != 'd')
			return usage();
		options.device = optarg;
	}
	if (argc - optind > 1)
		return usage();

	r = tunclient_open(&options, &tun);
	if (r == 0)
		r = run(tun, argv[optind]);
	if (r < 0)
		fprintf(stderr, "ping-reply: %s (%s)\n", tunclient_error(tun),
			strerror(-r));
	tunclient_close(tun);
	return r < 0 ? 1 : 0;
}
