/* SPDX-License-Identifier: MIT */
/*
 * file-time.c - what one read, one write, or a poll and a read of a device
 * file costs, packet by packet. It knows the file only: any TUN's, or that of
 * null-fuse.
 *
 *     file-time [--mode read|write|poll-read] [--size BYTES] [--count N]
 *               [--cpu CPU] [--tun] [--load] FILE
 *
 * With --tun the file is attached to an interface in the namespace that it is
 * started in (which must be one of its own), and what is read has been sent to
 * that interface before, as much as it can queue: the time of a read is that
 * of a packet that is there. Without it every read is expected to succeed, as
 * on null-fuse. With --load packets keep coming from another process instead,
 * which stays away from CPU; without --tun it sends them to itself.
 * SIZE is that of the IP packet. Prints one JSON object: nanoseconds for each
 * packet, and of the processors for it ("own" is this process's time, "all"
 * that of the whole machine).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OURS	 "10.99.0.1"
#define THEIRS	 "10.99.0.2"
#define LOOPBACK "127.0.0.1"
#define PORT	 9
#define HEADERS	 (sizeof(struct iphdr) + sizeof(struct udphdr))
#define BURST	 8000 /* what the interface is told to queue */
#define SETTLE	 1000 /* calls before the clock runs: caches, and what adapts */
#define MAX_SIZE 65535

enum mode { MODE_READ, MODE_WRITE, MODE_POLL_READ };

static struct {
	const char *path;
	enum mode mode;
	size_t size;
	long count;
	int cpu;
	bool tun, load;
	int fd;
	int udp;
	int64_t cost[3];
	long done;
} t = {.mode = MODE_READ, .size = 1400, .count = 20000, .cpu = -1};

static const char *const mode_names[] = {"read", "write", "poll-read"};

static void die(const char *what)
{
	fprintf(stderr, "file-time: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the interface ---- */

static void set_up(struct ifreq ifr)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	ifr.ifr_addr = (struct sockaddr){.sa_family = AF_INET};
	inet_pton(AF_INET, OURS, &in->sin_addr);
	if (ioctl(s, SIOCSIFADDR, &ifr) < 0)
		die("SIOCSIFADDR");
	inet_pton(AF_INET, THEIRS, &in->sin_addr);
	if (ioctl(s, SIOCSIFDSTADDR, &ifr) < 0)
		die("SIOCSIFDSTADDR");
	ifr.ifr_mtu = MAX_SIZE;
	if (ioctl(s, SIOCSIFMTU, &ifr) < 0)
		die("SIOCSIFMTU");
	ifr.ifr_qlen = 2 * BURST;
	if (ioctl(s, SIOCSIFTXQLEN, &ifr) < 0)
		die("SIOCSIFTXQLEN");
	ifr.ifr_flags = IFF_UP | IFF_POINTOPOINT | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		die("SIOCSIFFLAGS");
	close(s);
}

static void open_udp(const char *from, const char *to)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(PORT)};

	/* It also takes what is written, or the host would complain of it. */
	t.udp = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, from, &in.sin_addr);
	if (bind(t.udp, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("bind");
	inet_pton(AF_INET, to, &in.sin_addr);
	if (connect(t.udp, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("connect");
}

static void attach(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	if (ioctl(t.fd, TUNSETIFF, &ifr) < 0)
		die("TUNSETIFF");
	set_up(ifr);
	open_udp(OURS, THEIRS);
}

/* So that somebody can send as much where there is no such interface. */
static void attach_loopback(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		die("lo");
	close(s);
	open_udp(LOOPBACK, LOOPBACK);
}

static void send_one(void)
{
	static char data[MAX_SIZE];

	if (send(t.udp, data, t.size - HEADERS, 0) < 0 && errno != ENOBUFS)
		die("send");
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len / 2; i++)
		sum += p[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void make_packet(uint8_t *packet)
{
	struct iphdr *ip = (struct iphdr *)packet;
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons((uint16_t)t.size),
		.saddr = inet_addr(THEIRS),
		.daddr = inet_addr(OURS),
	};
	ip->check = checksum(ip, sizeof(*ip));
	*udp = (struct udphdr){
		.source = htons(PORT),
		.dest = htons(PORT),
		.len = htons((uint16_t)(t.size - sizeof(*ip))),
	};
}

/* ---- the clock ---- */

static int64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Of the whole machine, in nanoseconds, to a hundredth of a second. */
static int64_t machine_time(void)
{
	long long v[8] = {0};
	FILE *f = fopen("/proc/stat", "r");

	if (!f ||
	    fscanf(f, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &v[0],
		   &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		die("/proc/stat");
	fclose(f);
	return (v[0] + v[1] + v[2] + v[5] + v[6]) *
	       (1000000000 / sysconf(_SC_CLK_TCK));
}

static void account(int sign)
{
	t.cost[0] += sign * read_clock(CLOCK_MONOTONIC);
	t.cost[1] += sign * read_clock(CLOCK_PROCESS_CPUTIME_ID);
	t.cost[2] += sign * machine_time();
}

/* ---- the calls ---- */

/* Returns false when there is no packet. */
static bool call(uint8_t *packet)
{
	struct pollfd pfd = {.fd = t.fd, .events = POLLIN};
	ssize_t n;

	if (t.mode == MODE_POLL_READ && poll(&pfd, 1, t.load ? -1 : 0) < 1)
		return false;
	if (t.mode == MODE_WRITE)
		n = write(t.fd, packet, t.size);
	else
		n = read(t.fd, packet, MAX_SIZE);
	if (n < 0 && errno != EAGAIN)
		die(t.mode == MODE_WRITE ? "write" : "read");
	return n > 0;
}

static void calls(uint8_t *packet, long n)
{
	account(-1);
	while (n-- > 0 && call(packet))
		t.done++;
	account(1);
}

/* Packets that were queued before the clock ran. */
static void queued_reads(uint8_t *packet)
{
	int tries = 0;

	fcntl(t.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	while (t.done < t.count) {
		long before = t.done;

		for (int i = 0; i < BURST; i++)
			send_one();
		/* They come by themselves; how long it takes nobody tells. */
		usleep(20000);
		for (int i = 0; i < SETTLE && call(packet); i++)
			;
		calls(packet, BURST);
		if (t.done == before && ++tries == 10) {
			fprintf(stderr, "file-time: no packet comes\n");
			exit(1);
		}
	}
}

/* On the other processors, if there are any. */
static void leave(int cpu)
{
	cpu_set_t set;
	long n = sysconf(_SC_NPROCESSORS_CONF);

	CPU_ZERO(&set);
	for (long i = 0; i < n && i < CPU_SETSIZE; i++)
		if (i != cpu)
			CPU_SET((int)i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static pid_t start_load(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (t.cpu >= 0)
		leave(t.cpu);
	for (;;)
		send_one();
}

static void measure(void)
{
	static uint8_t packet[MAX_SIZE];
	pid_t load = t.load ? start_load() : 0;

	make_packet(packet);
	if (t.tun && !t.load && t.mode != MODE_WRITE) {
		queued_reads(packet);
	} else {
		for (int i = 0; i < SETTLE; i++)
			call(packet);
		calls(packet, t.count);
	}
	if (load > 0) {
		kill(load, SIGKILL);
		waitpid(load, NULL, 0);
	}
}

static void print(void)
{
	printf("{\"mode\": \"%s\", \"size\": %zu, \"load\": %s, "
	       "\"packets\": %ld, \"ns\": %.0f, \"own_ns\": %.0f, "
	       "\"all_ns\": %.0f}\n",
	       mode_names[t.mode], t.size, t.load ? "true" : "false", t.done,
	       (double)t.cost[0] / (double)t.done,
	       (double)t.cost[1] / (double)t.done,
	       (double)t.cost[2] / (double)t.done);
}

/* ---- the command line ---- */

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("--cpu");
}

static void usage(void)
{
	fprintf(stderr,
		"usage: file-time [--mode read|write|poll-read] [--size BYTES] "
		"[--count N] [--cpu CPU] [--tun] [--load] FILE\n");
	exit(2);
}

static enum mode parse_mode(const char *name)
{
	for (int i = 0; i <= MODE_POLL_READ; i++)
		if (strcmp(name, mode_names[i]) == 0)
			return i;
	usage();
	return MODE_READ;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"mode", required_argument, NULL, 'm'},
		{"size", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'n'},
		{"cpu", required_argument, NULL, 'c'},
		{"tun", no_argument, NULL, 't'},
		{"load", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct stat st;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'm')
			t.mode = parse_mode(optarg);
		else if (c == 's')
			t.size = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			t.count = strtol(optarg, NULL, 0);
		else if (c == 'c')
			t.cpu = atoi(optarg);
		else if (c == 't')
			t.tun = true;
		else if (c == 'l')
			t.load = true;
		else
			usage();
	}
	if (optind != argc - 1 || t.size < HEADERS || t.size > MAX_SIZE ||
	    t.count < 1)
		usage();
	if (t.cpu >= 0)
		pin(t.cpu);
	t.path = argv[optind];
	t.fd = open(t.path, O_RDWR);
	/* Until its size was asked for, the kernel has writes take turns. */
	if (t.fd < 0 || fstat(t.fd, &st) < 0)
		die(t.path);
	if (t.tun)
		attach();
	else if (t.load)
		attach_loopback();
	measure();
	print();
	return 0;
}
