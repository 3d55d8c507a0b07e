/* SPDX-License-Identifier: MIT */
/*
 * shell_work.c - what takes longer than a call: threads that read, and
 * forwarding between two handles.
 */
#include "shell.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- readers ---- */

struct reader {
	struct tunclient *client;
	pthread_t thread;
	int last;
	unsigned int packets;
};

/* Until a packet of one byte of data comes, or an error. */
static void *read_all(void *data)
{
	struct reader *reader = data;
	unsigned char packet[2048];
	ssize_t n;

	do {
		n = tunclient_read(reader->client, packet, sizeof(packet));
		if (n > 0)
			reader->packets++;
	} while (n != 29 && (n > 0 || n == -EINTR));
	reader->last = (int)n;
	return NULL;
}

/* `readers H N`: how each ended, and the packets of all. */
static void command_readers(void)
{
	struct reader readers[16];
	struct tunclient *client = shell_handle();
	unsigned int n = shell_number() % 16, packets = 0;

	for (unsigned int i = 0; i < n; i++) {
		readers[i] = (struct reader){.client = client};
		pthread_create(&readers[i].thread, NULL, read_all, &readers[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(readers[i].thread, NULL);
		packets += readers[i].packets;
		shell_say("%d ", readers[i].last);
	}
	shell_say("%u", packets);
}

/* ---- forwarding ---- */

enum { BATCH = 32 };

static volatile sig_atomic_t stop;

static struct {
	unsigned int packets, segmented, unfinished;
} seen;

static void on_stop(int number)
{
	stop = 1;
}

static void look_at(const struct tunclient_packet *packets, int n)
{
	for (int i = 0; i < n; i++) {
		seen.packets++;
		seen.segmented += packets[i].gso_type != 0;
		seen.unfinished += packets[i].flags & TUNCLIENT_NEEDS_CSUM;
	}
}

/* What cannot be sent is lost, as on any wire. */
static void send_all(struct tunclient *to, struct tunclient_packet *packets,
		     int n)
{
	int done = 0, r;

	while (done < n) {
		r = tunclient_send_batch(to, packets + done,
					 (unsigned int)(n - done));
		done += r > 0 ? r : 1;
	}
}

static int pass_batch(struct tunclient *from, struct tunclient *to)
{
	static unsigned char memory[BATCH][TUNCLIENT_PACKET_MAX];
	struct tunclient_packet packets[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++) {
		packets[i].data = memory[i];
		packets[i].size = sizeof(memory[i]);
	}
	n = tunclient_recv_batch(from, packets, BATCH);
	if (n > 0) {
		look_at(packets, n);
		send_all(to, packets, n);
	}
	return n;
}

static int pass_ring(struct tunclient *from, struct tunclient *to)
{
	struct tunclient_packet packets[BATCH];
	int n = tunclient_ring_receive(from, packets, BATCH);

	if (n > 0) {
		look_at(packets, n);
		send_all(to, packets, n);
		tunclient_ring_release(from, (unsigned int)n);
	}
	return n;
}

/* From one ring to the other, which is a copy. */
static int pass_rings(struct tunclient *from, struct tunclient *to)
{
	struct tunclient_packet packets[BATCH], room[BATCH];
	int n = tunclient_ring_receive(from, packets, BATCH), r;

	if (n <= 0)
		return n;
	look_at(packets, n);
	r = tunclient_ring_allocate(to, room, (unsigned int)n);
	for (int i = 0; i < r; i++) {
		void *data = room[i].data;

		memcpy(data, packets[i].data, packets[i].length);
		room[i] = packets[i];
		room[i].data = data;
	}
	for (int i = 0; i < r;) {
		int done = tunclient_ring_commit(to, room + i,
						 (unsigned int)(r - i));

		if (done < 0) {
			room[i].length = 0;
			done = 0;
		}
		i += done;
	}
	tunclient_ring_release(from, (unsigned int)n);
	return n;
}

static int pass_single(struct tunclient *from, struct tunclient *to)
{
	static unsigned char packet[TUNCLIENT_PACKET_MAX];
	ssize_t n = tunclient_read(from, packet, sizeof(packet));

	if (n > 0) {
		seen.packets++;
		tunclient_write(to, packet, (size_t)n);
	}
	return (int)n;
}

/* `forward A B HOW`, until SIGTERM; says "ready" when it is. */
static void command_forward(void)
{
	struct tunclient *ends[] = {shell_handle(), shell_handle()};
	const char *how = shell_must_word();
	int (*pass)(struct tunclient *, struct tunclient *) =
		!strcmp(how, "ring")	? pass_ring
		: !strcmp(how, "rings") ? pass_rings
		: !strcmp(how, "batch") ? pass_batch
					: pass_single;
	struct sigaction action = {.sa_handler = on_stop};
	struct pollfd p[2];
	int r = 0;

	sigaction(SIGTERM, &action, NULL);
	memset(&seen, 0, sizeof(seen));
	stop = 0;
	for (int i = 0; i < 2; i++)
		p[i] = (struct pollfd){.fd = tunclient_fd(ends[i]),
				       .events = POLLIN};
	/* A ring begins with its first call. */
	for (int i = 0; i < 2; i++)
		pass(ends[i], ends[!i]);
	printf("ready\n");
	fflush(stdout);
	while (!stop && (r >= 0 || r == -EAGAIN || r == -EINTR)) {
		if (poll(p, 2, -1) < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (p[i].revents)
				r = pass(ends[i], ends[!i]);
	}
	shell_say("%d %u %u %u", stop ? 0 : r, seen.packets, seen.segmented,
		  seen.unfinished);
}

int shell_work_command(const char *command)
{
	if (!strcmp(command, "readers"))
		command_readers();
	else if (!strcmp(command, "forward"))
		command_forward();
	else
		return 0;
	return 1;
}
