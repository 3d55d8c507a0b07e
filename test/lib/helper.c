/* SPDX-License-Identifier: MIT */
/*
 * helper.c - main() of tund-test-helper, its options, its counters, and how
 * it attaches to a device. What it then does is in the command's file.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct options opt = {
	.device = "/dev/net/tun",
	.name = "",
	.mode = "",
	.fd = -1,
	.sport = 20000,
	.dport = 9000,
	.flows = 1,
	.min = 1,
	.max = 1472,
	.threads = 1,
	.seed = 1,
};

volatile sig_atomic_t stopping;

static uint64_t private_counters[C_MAX];
static uint64_t *counters = private_counters;

void count(enum counter c, uint64_t n)
{
	__atomic_fetch_add(&counters[c], n, __ATOMIC_RELAXED);
}

void count_set(enum counter c, uint64_t value)
{
	__atomic_store_n(&counters[c], value, __ATOMIC_RELEASE);
}

uint64_t counter(enum counter c)
{
	return __atomic_load_n(&counters[c], __ATOMIC_RELAXED);
}

bool count_tx(long result)
{
	count(C_CALLS, 1);
	if (result >= 0) {
		count(C_TX, 1);
		count(C_TX_BYTES, (uint64_t)result);
		return true;
	}
	if (errno == EINTR) {
		count(C_EINTR, 1);
		return false;
	}
	count_set(C_TX_ERRNO, (uint64_t)errno);
	count(C_TX_ERRORS, 1);
	return false;
}

void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	fprintf(stderr, "tund-test-helper: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, " (%s)\n", strerror(error));
	va_end(args);
	_exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Keeps opt.rate packets a second; *next is 0 at first. */
void pace(uint64_t *next)
{
	uint64_t now;
	struct timespec t;

	if (!opt.rate)
		return;
	now = now_ns();
	if (!*next || *next + 100000000u < now)
		*next = now;
	*next += 1000000000u / opt.rate;
	if (*next <= now)
		return;
	t.tv_sec = (time_t)(*next / 1000000000u);
	t.tv_nsec = (long)(*next % 1000000000u);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void on_sigterm(int sig)
{
	struct itimerval again = {{0, 20000}, {0, 20000}};

	stopping = 1;
	if (sig == SIGTERM)
		setitimer(ITIMER_REAL, &again, NULL);
}

void stop_on_sigterm(void)
{
	struct sigaction action = {.sa_handler = on_sigterm};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
}

void enter_netns(const char *path)
{
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("cannot enter %s", path);
	close(fd);
}

int device_attach(const char *device, const char *name, bool tap, bool pi)
{
	struct ifreq ifr = {0};
	int flags = O_RDWR | O_CLOEXEC | (opt.nonblock ? O_NONBLOCK : 0);
	int fd = open(device, flags);
	uint64_t end;

	if (fd < 0)
		die("cannot open %s", device);
	ifr.ifr_flags =
		(short)((tap ? IFF_TAP : IFF_TUN) | (pi ? 0 : IFF_NO_PI) |
			(opt.vnet_hdr ? IFF_VNET_HDR : 0));
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	end = now_ns() + opt.retry * 1000000u;
	while (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		if (now_ns() > end)
			die("cannot attach %s", name);
		usleep(2000);
	}
	if (opt.verbose)
		printf("attached %s\n", ifr.ifr_name);
	return fd;
}

static void interface_request(int sock, unsigned long number, const char *name,
			      struct ifreq *ifr, const char *what)
{
	strncpy(ifr->ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(sock, number, ifr) < 0)
		die("%s: cannot %s", name, what);
}

void interface_up(const char *name, const char *address)
{
	struct ifreq ifr = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char host[64];
	char *slash;
	int length;

	snprintf(host, sizeof(host), "%s", address);
	slash = strchr(host, '/');
	length = slash ? atoi(slash + 1) : 32;
	if (slash)
		*slash = '\0';
	in->sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		die("no address: %s", address);
	interface_request(sock, SIOCSIFADDR, name, &ifr, "set the address");
	in->sin_addr.s_addr = length ? htonl(~0u << (32 - length)) : 0;
	interface_request(sock, SIOCSIFNETMASK, name, &ifr, "set the mask");
	interface_request(sock, SIOCGIFFLAGS, name, &ifr, "get the flags");
	ifr.ifr_flags |= IFF_UP;
	interface_request(sock, SIOCSIFFLAGS, name, &ifr, "set the flags");
	close(sock);
}

void hardware_address(const char *name, uint8_t mac[6])
{
	struct ifreq ifr = {0};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	interface_request(sock, SIOCGIFHWADDR, name, &ifr, "get the MAC");
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	close(sock);
}

int device_of_options(char name[16])
{
	struct ifreq ifr = {0};
	int fd = opt.fd;

	enter_netns(opt.netns);
	if (fd < 0)
		fd = device_attach(opt.device, opt.name, opt.tap, opt.pi);
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		die("not attached");
	memcpy(name, ifr.ifr_name, IFNAMSIZ);
	if (opt.addr)
		interface_up(name, opt.addr);
	return fd;
}

static void open_counters(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	void *map;

	if (fd < 0 || ftruncate(fd, C_MAX * sizeof(uint64_t)) < 0)
		die("cannot make %s", path);
	map = mmap(NULL, C_MAX * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("cannot map %s", path);
	counters = map;
	close(fd);
}

enum {
	O_DEVICE = 1000,
	O_NAME,
	O_NETNS,
	O_MODE,
	O_ADDR,
	O_SRC,
	O_DST,
	O_FD,
	O_TAP,
	O_PI,
	O_NB,
	O_VERBOSE,
	O_SPORT,
	O_DPORT,
	O_FLOWS,
	O_MIN,
	O_MAX,
	O_RATE,
	O_THREADS,
	O_COUNT,
	O_SEED,
	O_STAT,
	O_RETRY,
};

static const struct option long_options[] = {
	{"device", 1, NULL, O_DEVICE},	 {"name", 1, NULL, O_NAME},
	{"netns", 1, NULL, O_NETNS},	 {"mode", 1, NULL, O_MODE},
	{"addr", 1, NULL, O_ADDR},	 {"src", 1, NULL, O_SRC},
	{"dst", 1, NULL, O_DST},	 {"fd", 1, NULL, O_FD},
	{"tap", 0, NULL, O_TAP},	 {"pi", 0, NULL, O_PI},
	{"nonblock", 0, NULL, O_NB},	 {"verbose", 0, NULL, O_VERBOSE},
	{"sport", 1, NULL, O_SPORT},	 {"dport", 1, NULL, O_DPORT},
	{"flows", 1, NULL, O_FLOWS},	 {"min", 1, NULL, O_MIN},
	{"max", 1, NULL, O_MAX},	 {"rate", 1, NULL, O_RATE},
	{"threads", 1, NULL, O_THREADS}, {"count", 1, NULL, O_COUNT},
	{"seed", 1, NULL, O_SEED},	 {"stat", 1, NULL, O_STAT},
	{"retry", 1, NULL, O_RETRY},	 {NULL, 0, NULL, 0},
};

static bool set_number(int c, const char *text)
{
	uint64_t n = text ? strtoull(text, NULL, 0) : 0;

	switch (c) {
	case O_FD:
		opt.fd = (int)n;
		return true;
	case O_SPORT:
		opt.sport = (unsigned int)n;
		return true;
	case O_DPORT:
		opt.dport = (unsigned int)n;
		return true;
	case O_FLOWS:
		opt.flows = (unsigned int)n;
		return n >= 1 && n <= MAX_FLOWS;
	case O_MIN:
		opt.min = (unsigned int)n;
		return true;
	case O_MAX:
		opt.max = (unsigned int)n;
		return n < BUFFER_SIZE - 100;
	case O_RATE:
		opt.rate = (unsigned int)n;
		return true;
	case O_THREADS:
		opt.threads = (unsigned int)n;
		return true;
	case O_COUNT:
		opt.count = n;
		return true;
	case O_SEED:
		opt.seed = n;
		return true;
	case O_RETRY:
		opt.retry = n;
		return true;
	default:
		return false;
	}
}

static bool set_option(int c, char *text)
{
	switch (c) {
	case O_DEVICE:
		opt.device = text;
		return true;
	case O_NAME:
		opt.name = text;
		return true;
	case O_NETNS:
		opt.netns = text;
		return true;
	case O_MODE:
		opt.mode = text;
		return true;
	case O_ADDR:
		opt.addr = text;
		return true;
	case O_SRC:
		opt.src = text;
		return true;
	case O_DST:
		opt.dst = text;
		return true;
	case O_TAP:
		opt.tap = true;
		return true;
	case O_PI:
		opt.pi = true;
		return true;
	case O_NB:
		opt.nonblock = true;
		return true;
	case O_VERBOSE:
		opt.verbose = true;
		return true;
	case O_STAT:
		open_counters(text);
		return true;
	default:
		return set_number(c, text);
	}
}

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{"udp-send", command_udp_send}, {"udp-recv", command_udp_recv},
	{"tun-send", command_tun_send}, {"tun-recv", command_tun_recv},
	{"client", command_client},	{"forward", command_forward},
	{"hostile", command_hostile},	{"answer", command_answer},
};

int main(int argc, char **argv)
{
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!set_option(c, optarg))
			return 2;
	if (optind >= argc) {
		fprintf(stderr, "usage: %s [OPTION...] COMMAND\n", argv[0]);
		return 2;
	}
	opt.args = argv + optind + 1;
	opt.nargs = (unsigned int)(argc - optind - 1);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[optind], commands[i].name))
			return commands[i].run();
	fprintf(stderr, "no command %s\n", argv[optind]);
	return 2;
}
