/* SPDX-License-Identifier: MIT */
/*
 * test/unit/client/test-packet.c - real packets through libtunclient's read
 * and write, and their errors. The other end is the host's own UDP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>
#include <tunclient.h>

#include "world.h"

#define HOST	  "10.77.0.1"
#define PEER	  "10.77.0.2"
#define HOST_PORT 7001
#define PEER_PORT 7002
#define ETHERNET  14
#define HEADERS	  28 /* of IPv4 and UDP */

static const unsigned char peer_mac[6] = {2, 0, 0, 0, 0, 2};

/* A device with an interface that is up, and the host's UDP socket. */
struct line {
	struct tunclient *client;
	int udp;
};

static void interface_up(const char *name)
{
	world_run("ip addr add " HOST "/24 dev %s", name);
	world_run("ip link set %s up", name);
	/* TUN has no neighbours; on TAP the peer must not be asked for. */
	world_run("ip neigh add " PEER
		  " lladdr 02:00:00:00:00:02 dev %s nud permanent",
		  name);
}

static int line_udp(void)
{
	struct sockaddr_in host = {.sin_family = AF_INET,
				   .sin_port = htons(HOST_PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	inet_pton(AF_INET, HOST, &host.sin_addr);
	assert_int_equal(bind(fd, (void *)&host, sizeof(host)), 0);
	return fd;
}

static void line_open(struct line *line, unsigned int kind, unsigned int flags)
{
	assert_int_equal(world_open(WORLD_DEVICE, flags, &line->client), 0);
	assert_int_equal(tunclient_attach(line->client, "line", kind), 0);
	interface_up("line");
	/* tund learns from netlink that it is up. */
	assert_true(world_poll(tunclient_fd(line->client), POLLOUT));
	line->udp = line_udp();
}

static void line_close(struct line *line)
{
	close(line->udp);
	tunclient_close(line->client);
	assert_true(world_wait(world_no_interface, "line"));
}

static void host_sends(struct line *line, const void *data, size_t size)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons(PEER_PORT)};

	inet_pton(AF_INET, PEER, &peer.sin_addr);
	assert_int_equal(
		sendto(line->udp, data, size, 0, (void *)&peer, sizeof(peer)),
		size);
}

static uint32_t sum(uint32_t total, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		total += i % 2 ? data[i] : data[i] << 8;
	return total;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint32_t udp_sum(const unsigned char *ip, size_t size)
{
	uint32_t pseudo = sum(IPPROTO_UDP + size - 20, ip + 12, 8);

	return sum(pseudo, ip + 20, size - 20);
}

/* Fills an IPv4 UDP packet from the peer to the host; returns its size. */
static size_t peer_packet(unsigned char *ip, const void *data, size_t size)
{
	const uint16_t lengths[] = {htons(HEADERS + size), htons(8 + size)};
	const uint16_t ports[] = {htons(PEER_PORT), htons(HOST_PORT)};
	uint16_t check;

	memset(ip, 0, HEADERS);
	ip[0] = 0x45;
	memcpy(ip + 2, &lengths[0], 2);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	inet_pton(AF_INET, PEER, ip + 12);
	inet_pton(AF_INET, HOST, ip + 16);
	check = htons(fold(sum(0, ip, 20)));
	memcpy(ip + 10, &check, 2);
	memcpy(ip + 20, ports, 4);
	memcpy(ip + 24, &lengths[1], 2);
	memcpy(ip + HEADERS, data, size);
	check = htons(fold(udp_sum(ip, HEADERS + size)));
	memcpy(ip + 26, &check, 2);
	return HEADERS + size;
}

static void assert_host_packet(const unsigned char *ip, size_t size,
			       const void *data, size_t data_size)
{
	unsigned char peer[4];

	inet_pton(AF_INET, PEER, peer);
	assert_int_equal(size, HEADERS + data_size);
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[9], IPPROTO_UDP);
	assert_memory_equal(ip + 16, peer, 4);
	assert_memory_equal(ip + HEADERS, data, data_size);
	assert_int_equal(fold(sum(0, ip, 20)), 0);
	assert_int_equal(fold(udp_sum(ip, size)), 0);
}

static void assert_host_receives(struct line *line, const char *data)
{
	char received[2048];
	ssize_t n;

	assert_true(world_poll(line->udp, POLLIN));
	n = recv(line->udp, received, sizeof(received), MSG_DONTWAIT);
	assert_int_equal(n, strlen(data));
	assert_memory_equal(received, data, n);
}

static ssize_t read_soon(struct line *line, void *packet, size_t size)
{
	assert_true(world_poll(tunclient_fd(line->client), POLLIN));
	return tunclient_read(line->client, packet, size);
}

static void tun_carries_ip(void **state)
{
	unsigned char packet[2048];
	struct line line;
	ssize_t n;

	line_open(&line, TUNCLIENT_TUN, 0);
	host_sends(&line, "ping!", 5);
	n = read_soon(&line, packet, sizeof(packet));
	assert_host_packet(packet, n, "ping!", 5);
	n = peer_packet(packet, "pong", 4);
	assert_int_equal(tunclient_write(line.client, packet, n), n);
	assert_host_receives(&line, "pong");
	line_close(&line);
}

static void tap_carries_frames(void **state)
{
	unsigned char frame[2048];
	struct line line;
	ssize_t n;

	line_open(&line, TUNCLIENT_TAP, 0);
	host_sends(&line, "ping!", 5);
	n = read_soon(&line, frame, sizeof(frame));
	assert_memory_equal(frame, peer_mac, 6);
	assert_memory_equal(frame + 12, "\x08\x00", 2);
	assert_host_packet(frame + ETHERNET, n - ETHERNET, "ping!", 5);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, peer_mac, 6);
	n = ETHERNET + peer_packet(frame + ETHERNET, "pong", 4);
	assert_int_equal(tunclient_write(line.client, frame, n), n);
	assert_host_receives(&line, "pong");
	line_close(&line);
}

static void end_of_a_packet_is_lost(void **state)
{
	unsigned char packet[2048];
	struct line line;
	ssize_t n;

	line_open(&line, TUNCLIENT_TUN, 0);
	host_sends(&line, "first packet", 12);
	host_sends(&line, "second", 6);
	memset(packet, 0xee, sizeof(packet));
	assert_int_equal(read_soon(&line, packet, 30), 30);
	assert_memory_equal(packet + HEADERS, "fi\xee", 3);
	n = read_soon(&line, packet, sizeof(packet));
	assert_host_packet(packet, n, "second", 6);
	line_close(&line);
}

static void size_beyond_the_largest_reads(void **state)
{
	size_t size = 4 << 20;
	unsigned char *packet = malloc(size);
	struct line line;
	ssize_t n;

	assert_non_null(packet);
	line_open(&line, TUNCLIENT_TUN, 0);
	host_sends(&line, "ping!", 5);
	n = read_soon(&line, packet, size);
	assert_host_packet(packet, n, "ping!", 5);
	line_close(&line);
	free(packet);
}

static void nonblocking_read_says_again(void **state)
{
	unsigned char packet[2048];
	struct line line;

	line_open(&line, TUNCLIENT_TUN, TUNCLIENT_NONBLOCK);
	assert_int_equal(tunclient_read(line.client, packet, sizeof(packet)),
			 -EAGAIN);
	assert_string_equal(tunclient_error(line.client), "no error");
	line_close(&line);
}

static void unattached_handle_has_no_packets(void **state)
{
	static const char sentence[] =
		"the handle is not attached, or its interface was deleted";
	struct tunclient *client;
	char byte = 0x45;

	assert_int_equal(world_open(WORLD_DEVICE, 0, &client), 0);
	assert_int_equal(tunclient_read(client, &byte, 1), -EBADFD);
	assert_string_equal(tunclient_error(client), sentence);
	tunclient_close(client);

	assert_int_equal(world_open(WORLD_DEVICE, 0, &client), 0);
	assert_int_equal(tunclient_write(client, &byte, 1), -EBADFD);
	assert_string_equal(tunclient_error(client), sentence);
	tunclient_close(client);
}

static bool write_meets_down(const void *client)
{
	return tunclient_write((struct tunclient *)client, "E", 1) == -EIO;
}

static void interface_down_takes_nothing(void **state)
{
	struct line line;

	line_open(&line, TUNCLIENT_TUN, 0);
	world_run("ip link set line down");
	assert_true(world_wait(write_meets_down, line.client));
	assert_string_equal(tunclient_error(line.client),
			    "the interface is down: set it up before a packet "
			    "is written");
	line_close(&line);
}

static void deleted_interface_has_no_packets(void **state)
{
	struct line line;
	char byte = 0x45;

	line_open(&line, TUNCLIENT_TUN, TUNCLIENT_NONBLOCK);
	world_run("ip link del line");
	assert_true(world_poll(tunclient_fd(line.client), 0));
	assert_int_equal(tunclient_read(line.client, &byte, 1), -EBADFD);
	assert_int_equal(tunclient_write(line.client, &byte, 1), -EBADFD);
	line_close(&line);
}

static void bad_packets_are_refused(void **state)
{
	static const char invalid[] =
		"this is no packet: TUN takes IPv4 and IPv6, TAP frames with "
		"an Ethernet header; or its offload does not fit it";
	static char large[TUNCLIENT_PACKET_MAX + 1] = {0x45};
	struct line line;

	line_open(&line, TUNCLIENT_TUN, 0);
	assert_int_equal(tunclient_write(line.client, "\x15", 1), -EINVAL);
	assert_string_equal(tunclient_error(line.client), invalid);
	assert_int_equal(tunclient_write(line.client, large, sizeof(large)),
			 -EMSGSIZE);
	assert_string_equal(tunclient_error(line.client),
			    "the packet is larger than the interface takes");
	assert_int_equal(tunclient_write(line.client, large, 0), -EINVAL);
	assert_string_equal(tunclient_error(line.client), invalid);
	assert_int_equal(tunclient_write(line.client, NULL, 1), -EINVAL);
	line_close(&line);

	line_open(&line, TUNCLIENT_TAP, 0);
	assert_int_equal(tunclient_write(line.client, large, ETHERNET - 1),
			 -EINVAL);
	line_close(&line);
}

static void nowhere_to_read_to_is_refused(void **state)
{
	struct line line;
	char byte;

	line_open(&line, TUNCLIENT_TUN, 0);
	host_sends(&line, "ping!", 5);
	assert_true(world_poll(tunclient_fd(line.client), POLLIN));
	assert_int_equal(tunclient_read(line.client, &byte, 0), -EINVAL);
	assert_int_equal(tunclient_read(line.client, NULL, 1), -EINVAL);
	assert_int_equal(tunclient_read(line.client, &byte, 1), 1);
	line_close(&line);
}

static void count_signal(int number)
{
}

/* The signal repeats: one that comes before the read must not hang the test. */
static void signal_ends_a_read(void **state)
{
	struct itimerval soon = {{0, 10000}, {0, 10000}};
	struct itimerval never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = count_signal};
	struct line line;
	char byte;
	ssize_t n;

	line_open(&line, TUNCLIENT_TUN, 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	n = tunclient_read(line.client, &byte, 1);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_equal(n, -EINTR);
	assert_string_equal(tunclient_error(line.client), "no error");
	line_close(&line);
}

struct reader {
	struct tunclient *client;
	_Atomic pid_t tid;
	unsigned char packet[2048];
	ssize_t result;
};

static void *run_reader(void *data)
{
	struct reader *reader = data;

	reader->tid = gettid();
	reader->result = tunclient_read(reader->client, reader->packet,
					sizeof(reader->packet));
	return NULL;
}

static bool is_in_read(const void *data)
{
	const struct reader *reader = data;
	char path[64], text[32] = "";
	int fd;

	if (!reader->tid)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", reader->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return text[0] >= '0' && text[0] <= '9' && atoi(text) == SYS_read;
}

static void blocked_reader_lets_write(void **state)
{
	static struct reader reader;
	unsigned char packet[256];
	pthread_t thread;
	struct line line;
	ssize_t n;

	line_open(&line, TUNCLIENT_TUN, 0);
	reader.client = line.client;
	assert_int_equal(pthread_create(&thread, NULL, run_reader, &reader), 0);
	assert_true(world_wait(is_in_read, &reader));
	n = peer_packet(packet, "pong", 4);
	assert_int_equal(tunclient_write(line.client, packet, n), n);
	assert_host_receives(&line, "pong");
	assert_true(is_in_read(&reader));
	host_sends(&line, "ping!", 5);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_host_packet(reader.packet, reader.result, "ping!", 5);
	line_close(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tun_carries_ip),
		cmocka_unit_test(tap_carries_frames),
		cmocka_unit_test(end_of_a_packet_is_lost),
		cmocka_unit_test(size_beyond_the_largest_reads),
		cmocka_unit_test(nonblocking_read_says_again),
		cmocka_unit_test(unattached_handle_has_no_packets),
		cmocka_unit_test(interface_down_takes_nothing),
		cmocka_unit_test(deleted_interface_has_no_packets),
		cmocka_unit_test(bad_packets_are_refused),
		cmocka_unit_test(nowhere_to_read_to_is_refused),
		cmocka_unit_test(signal_ends_a_read),
		cmocka_unit_test(blocked_reader_lets_write),
	};

	world_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
