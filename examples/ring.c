/* SPDX-License-Identifier: MIT */
/*
 * examples/ring.c - counts what the host sends to a TUN interface, without
 * copying a packet: on the direct plane they lie in memory that the kernel
 * shares with the program. It is an example of tunclient_ring_receive(): take,
 * look, give back.
 *
 *	cc ring.c $(pkg-config --cflags --libs tunclient)
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tunclient.h>

#define BATCH 64

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

struct count {
	unsigned long packets, bytes, per_version[16];
};

static void look(const struct tunclient_packet *packet, struct count *count)
{
	const unsigned char *ip = packet->data;

	count->packets++;
	count->bytes += packet->length;
	count->per_version[ip[0] >> 4]++;
}

/* Everything that is there; returns 0, or a negative error. */
static int receive(struct tunclient *tun, struct count *count)
{
	struct tunclient_packet packets[BATCH];
	int n;

	while ((n = tunclient_ring_receive(tun, packets, BATCH)) > 0) {
		for (int i = 0; i < n; i++)
			look(&packets[i], count);
		/* From here on the memory is the ring's again. */
		tunclient_ring_release(tun, (unsigned int)n);
	}
	return n == -EAGAIN || n == -EINTR ? 0 : n;
}

static void show(const struct count *count)
{
	printf("%lu packets, %lu bytes, IPv4 %lu, IPv6 %lu\n", count->packets,
	       count->bytes, count->per_version[4], count->per_version[6]);
	fflush(stdout);
}

static int run(struct tunclient *tun, const char *name, struct count *count)
{
	struct tunclient_info info = {.size = sizeof(info)};
	char real_name[TUNCLIENT_NAME_SIZE];
	struct sigaction action;
	struct pollfd pfd;
	int r;

	r = tunclient_attach(tun, name, TUNCLIENT_TUN);
	if (r == 0)
		r = tunclient_name(tun, real_name, sizeof(real_name));
	if (r == 0)
		r = tunclient_info(tun, &info);
	if (r < 0)
		return r;
	/* Without SA_RESTART: a signal ends the wait. */
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	printf("interface: %s (%s)\n", real_name,
	       info.abilities & TUNCLIENT_ABILITY_ZERO_COPY
		       ? "nothing is copied"
		       : "copied once");
	fflush(stdout);
	pfd.fd = tunclient_fd(tun);
	pfd.events = POLLIN;
	/*
	 * A second at most, for a signal may come between the two; a program
	 * that must not wait for it has signalfd(2).
	 */
	while (!stop && r == 0) {
		if (poll(&pfd, 1, 1000) > 0)
			r = receive(tun, count);
		else
			show(count);
	}
	return r;
}

static int usage(void)
{
	fprintf(stderr, "usage: ring [-d DEVICE] [NAME]\n"
			"Counts what is sent to a new TUN interface, until "
			"Ctrl-C, and says so when\n"
			"nothing comes.\n"
			"  -d DEVICE  the TUN device (default: the one that "
			"libtunclient(3) finds)\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct tunclient_options options = {
		.size = sizeof(options),
		/* The ring is there from the attach on: nothing is lost. */
		.flags = TUNCLIENT_NONBLOCK | TUNCLIENT_RING,
	};
	struct count count = {0};
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
		r = run(tun, argv[optind], &count);
	if (r < 0)
		fprintf(stderr, "ring: %s (%s)\n", tunclient_error(tun),
			strerror(-r));
	show(&count);
	tunclient_close(tun);
	return r < 0 ? 1 : 0;
}
