/* SPDX-License-Identifier: MIT */
/* Packets that the cases send, and the rig of one device and one socket behind
 * it; every datagram goes between two made-up addresses. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

unsigned int partial_sum4(const uint8_t *ip, size_t len)
{
	uint32_t sum = sum16(ip + 12, 8, ip[9] + (uint32_t)len - 20);

	/* What stands in the field itself, so not inverted. */
	return (uint16_t)~fold(sum);
}

void finish4(uint8_t *ip, size_t len)
{
	uint8_t *sum = ip + 20 + (ip[9] == IPPROTO_TCP ? 16 : 6);

	put16(ip + 2, (unsigned int)len);
	put16(ip + 10, 0);
	put16(ip + 10, fold(sum16(ip, 20, 0)));
	put16(sum, 0);
	put16(sum, fold(sum16(ip + 20, len - 20,
			      sum16(ip + 12, 8, ip[9] + (uint32_t)len - 20))));
}

static void put_udp(uint8_t *udp, size_t payload, uint32_t pseudo)
{
	size_t i;

	put16(udp, APP_PORT);
	put16(udp + 2, HOST_PORT);
	put16(udp + 4, (unsigned int)payload + 8);
	put16(udp + 6, 0);
	for (i = 0; i < payload; i++)
		udp[8 + i] = (uint8_t)i;
	put16(udp + 6, fold(sum16(udp, payload + 8, pseudo)));
}

size_t make_udp4(uint8_t *buf, size_t payload)
{
	size_t len = payload + UDP4_HDR;

	memset(buf, 0, UDP4_HDR);
	buf[0] = 0x45;
	put16(buf + 2, (unsigned int)len);
	buf[8] = 64;
	buf[9] = IPPROTO_UDP;
	inet_pton(AF_INET, APP_ADDR, buf + 12);
	inet_pton(AF_INET, HOST_ADDR, buf + 16);
	put16(buf + 10, fold(sum16(buf, 20, 0)));
	put_udp(buf + 20, payload,
		sum16(buf + 12, 8, IPPROTO_UDP + (uint32_t)payload + 8));
	return len;
}

size_t make_udp6(uint8_t *buf, size_t payload)
{
	memset(buf, 0, UDP6_HDR);
	buf[0] = 0x60;
	put16(buf + 4, (unsigned int)payload + 8);
	buf[6] = IPPROTO_UDP;
	buf[7] = 64;
	inet_pton(AF_INET6, APP_ADDR6, buf + 8);
	inet_pton(AF_INET6, HOST_ADDR6, buf + 24);
	put_udp(buf + 40, payload,
		sum16(buf + 8, 32, IPPROTO_UDP + (uint32_t)payload + 8));
	return payload + UDP6_HDR;
}

size_t make_frame4(uint8_t *buf, const uint8_t *mac, size_t payload)
{
	static const uint8_t app_mac[6] = {0x02, 0, 0, 0, 0, 0x02};

	memcpy(buf, mac, 6);
	memcpy(buf + 6, app_mac, 6);
	put16(buf + 12, 0x0800);
	return make_udp4(buf + 14, payload) + 14;
}

const char *check_ip(const uint8_t *p, size_t len)
{
	size_t hdr = p[0] >> 4 == 4 ? 20 : 40;
	size_t total = p[0] >> 4 == 4 ? get16(p + 2) : get16(p + 4) + hdr;
	size_t addr = p[0] >> 4 == 4 ? 12 : 8;
	uint8_t proto = p[0] >> 4 == 4 ? p[9] : p[6];
	uint32_t pseudo;

	if (len < hdr + 8 || len != total)
		return "bad length";
	if (p[0] >> 4 == 4 && fold(sum16(p, 20, 0)) != 0)
		return "bad IP checksum";
	if (proto != IPPROTO_UDP && proto != IPPROTO_TCP)
		return "other protocol";
	pseudo = sum16(p + addr, hdr - addr, proto + (uint32_t)(len - hdr));
	if (fold(sum16(p + hdr, len - hdr, pseudo)) != 0)
		return "bad checksum";
	return "ok";
}

void rig_make(struct rig *rig, int flags, int oflags)
{
	int ret;

	memset(rig, 0, sizeof(*rig));
	rig->sock = -1;
	rig->flags = flags;
	rig->fd = tun_open(oflags);
	ret = tun_attach(rig->fd, "tst0", flags, rig->name);
	if (ret < 0)
		give_up("attach", ret);
}

void rig_up(struct rig *rig)
{
	uint16_t family;
	int ret;

	ret = if_address(rig->name, HOST_ADDR);
	if (ret < 0)
		give_up("address", ret);
	ret = if_up(rig->name);
	if (ret < 0)
		give_up("up", ret);
	if (rig->flags & IFF_TAP) {
		if_hwaddr(rig->name, &family, rig->mac);
		ret = if_neighbour(rig->name, APP_ADDR);
		if (ret < 0)
			give_up("neighbour", ret);
	}
	wait_revents(rig->fd, POLLOUT | POLLWRNORM);
	if (!(rig->flags & IFF_NO_CARRIER))
		wait_running(rig->name, true);
	rig->sock = host_socket();
}

void rig_new(struct rig *rig, int flags, int oflags)
{
	rig_make(rig, flags, oflags);
	rig_up(rig);
}

int host_socket(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sin.sin_port = htons(HOST_PORT);
	inet_pton(AF_INET, HOST_ADDR, &sin.sin_addr);
	if (sock < 0 || bind(sock, (void *)&sin, sizeof(sin)) < 0)
		give_up("socket", -errno);
	return sock;
}

long host_send(int sock, size_t payload)
{
	static uint8_t data[65536];
	struct sockaddr_in sin = {.sin_family = AF_INET};
	size_t i;

	for (i = 0; i < payload; i++)
		data[i] = (uint8_t)i;
	sin.sin_port = htons(APP_PORT);
	inet_pton(AF_INET, APP_ADDR, &sin.sin_addr);
	return rc(sendto(sock, data, payload, 0, (void *)&sin, sizeof(sin)));
}

long host_frame(const char *name, const uint8_t *mac, size_t len)
{
	static uint8_t frame[PACKET_MAX];
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	long ret;

	memset(frame, 0x77, len);
	memcpy(frame, mac, 6);
	memcpy(frame + 6, "\2\0\0\0\0\7", 6);
	/* A protocol of nobody: the host itself never sends it. */
	put16(frame + 12, 0x88b5);
	to.sll_ifindex = (int)if_nametoindex(name);
	to.sll_protocol = htons(0x88b5);
	ret = rc(sendto(sock, frame, len, 0, (void *)&to, sizeof(to)));
	close(sock);
	return ret;
}

long host_recv(int sock)
{
	static uint8_t data[65536];
	struct pollfd p = {.fd = sock, .events = POLLIN};
	long n, i;

	if (poll(&p, 1, DEADLINE_MS) != 1)
		return -ETIMEDOUT;
	n = rc(recv(sock, data, sizeof(data), 0));
	for (i = 0; i < n; i++) {
		if (data[i] != (uint8_t)i)
			return -EBADMSG;
	}
	return n;
}

long app_read(int fd, void *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, DEADLINE_MS) != 1)
		return -ETIMEDOUT;
	return rc(read(fd, buf, size));
}
