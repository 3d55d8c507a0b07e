/* SPDX-License-Identifier: MIT */
/*
 * shell_packet.c - the calls that move packets. One that is received is said
 * as length:status:flags:gso_type:gso_size:csum_start:csum_offset:digest:hex,
 * with its first bytes; one that is to be sent as hex, or as
 * flags:gso_type:hdr_len:gso_size:csum_start:csum_offset:hex.
 */
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Bytes that are shown; the digest is over all. */
enum { SHOWN = 128 };

static struct tunclient_packet packets[SHELL_PACKETS];

/* FNV-1a. */
static uint64_t digest(const unsigned char *data, size_t size)
{
	uint64_t d = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		d = (d ^ data[i]) * 0x100000001b3u;
	return d;
}

static void say_data(const unsigned char *data, size_t size)
{
	shell_say("%016llx:", (unsigned long long)digest(data, size));
	for (size_t i = 0; i < size && i < SHOWN; i++)
		shell_say("%02x", data[i]);
}

static void say_packets(int n)
{
	shell_say("%d", n);
	for (int i = 0; i < n; i++) {
		const struct tunclient_packet *p = &packets[i];

		shell_say(" %u:%u:%u:%u:%u:%u:%u:", p->length, p->status,
			  p->flags, p->gso_type, p->gso_size, p->csum_start,
			  p->csum_offset);
		say_data(p->data, p->length);
	}
}

static size_t from_hex(const char *hex, unsigned char *ret_data)
{
	size_t n = 0;

	while (hex[0] && hex[1]) {
		sscanf(hex, "%2hhx", &ret_data[n++]);
		hex += 2;
	}
	return n;
}

/* With data to be filled in. */
static void read_packet(char *word, struct tunclient_packet *packet)
{
	char *hex = strrchr(word, ':');
	unsigned int v[6] = {0};

	if (hex)
		sscanf(word, "%u:%u:%u:%u:%u:%u", &v[0], &v[1], &v[2], &v[3],
		       &v[4], &v[5]);
	packet->flags = v[0];
	packet->gso_type = v[1];
	packet->hdr_len = v[2];
	packet->gso_size = v[3];
	packet->csum_start = v[4];
	packet->csum_offset = v[5];
	packet->length = from_hex(hex ? hex + 1 : word, packet->data);
}

static void command_read(void)
{
	struct tunclient *client = shell_handle();
	size_t size = shell_number();
	unsigned char *data = malloc(size ? size : 1);
	ssize_t n = tunclient_read(client, data, size);

	shell_say("%zd ", n);
	if (n > 0)
		say_data(data, (size_t)n);
	free(data);
}

/* Into what is not memory. */
static void command_read_nowhere(void)
{
	struct tunclient *client = shell_handle();

	shell_say("%zd", tunclient_read(client, (void *)64, 100));
}

/* `recv_nowhere H`: two packets, of which the second goes there. */
static void command_recv_nowhere(void)
{
	struct tunclient *client = shell_handle();
	unsigned char data[100];

	packets[0].data = data;
	packets[1].data = (void *)64;
	packets[0].size = packets[1].size = sizeof(data);
	shell_say("%d", tunclient_recv_batch(client, packets, 2));
}

/* Exactly as large as it is: a sanitizer sees whoever reads more. */
static void command_write(void)
{
	struct tunclient *client = shell_handle();
	const char *hex = shell_word();
	size_t size = hex ? strlen(hex) / 2 : 0;
	unsigned char *data = malloc(size ? size : 1);

	if (hex)
		from_hex(hex, data);
	shell_say("%zd", tunclient_write(client, data, size));
	free(data);
}

/* `write_large H SIZE`: an IPv4 packet of zeroes but for its version. */
static void command_write_large(void)
{
	struct tunclient *client = shell_handle();
	size_t size = shell_number();
	unsigned char *data = calloc(1, size);

	data[0] = 0x45;
	shell_say("%zd", tunclient_write(client, data, size));
	free(data);
}

/* `recv H N SIZE` */
static void command_recv(void)
{
	struct tunclient *client = shell_handle();
	unsigned int n = shell_number(), size = shell_number();

	for (unsigned int i = 0; i < n; i++) {
		packets[i].data = malloc(size);
		packets[i].size = size;
	}
	say_packets(tunclient_recv_batch(client, packets, n));
	for (unsigned int i = 0; i < n; i++)
		free(packets[i].data);
}

static void command_send(void)
{
	struct tunclient *client = shell_handle();
	unsigned int n = 0;
	char *word;

	memset(packets, 0, sizeof(packets));
	while ((word = shell_word())) {
		packets[n].data = malloc(strlen(word));
		read_packet(word, &packets[n++]);
	}
	shell_say("%d", tunclient_send_batch(client, packets, n));
	for (unsigned int i = 0; i < n; i++)
		free(packets[i].data);
}

/*
 * `send_on H PACKET FILE`: until there is no interface; the errors that came.
 * The file has a byte for each call that has returned.
 */
static void command_send_on(void)
{
	const struct timespec pause = {.tv_nsec = 1000};
	struct tunclient *client = shell_handle();
	char *word = shell_word();
	int fd = open(shell_word(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool seen[256] = {false};
	int r;

	packets[0] = (struct tunclient_packet){.data = malloc(strlen(word))};
	read_packet(word, &packets[0]);
	do {
		r = tunclient_send_batch(client, packets, 1);
		if (r < 0 && r > -256)
			seen[-r] = true;
		if (write(fd, "", 1) < 0)
			break;
		/* The host has to keep pace, or its backlog is full. */
		nanosleep(&pause, NULL);
	} while (r != -EBADFD);
	close(fd);
	free(packets[0].data);
	for (int i = 0; i < 256; i++)
		if (seen[i])
			shell_say("%d ", -i);
}

static void command_ring(void)
{
	struct tunclient *client = shell_handle();

	say_packets(tunclient_ring_receive(client, packets, shell_number()));
}

/* `ring_send H PACKET...`: what was allocated, and what was taken. */
static void command_ring_send(void)
{
	struct tunclient *client = shell_handle();
	char *words[SHELL_PACKETS];
	unsigned int n = 0;
	int r;

	while ((words[n] = shell_word()))
		n++;
	r = tunclient_ring_allocate(client, packets, n);
	shell_say("%d", r);
	if (r <= 0)
		return;
	for (int i = 0; i < r; i++)
		if (!strcmp(words[i], "-"))
			packets[i].length = 0;
		else
			read_packet(words[i], &packets[i]);
	shell_say(" %d", tunclient_ring_commit(client, packets, (unsigned)r));
}

/* `allocate H N`, `commit H FIRST N`: of what was allocated last. */
static void command_allocate(void)
{
	struct tunclient *client = shell_handle();

	shell_say("%d",
		  tunclient_ring_allocate(client, packets, shell_number()));
}

static void command_commit(void)
{
	struct tunclient *client = shell_handle();
	unsigned int first = shell_number();

	shell_say("%d", tunclient_ring_commit(client, packets + first,
					      shell_number()));
}

static void command_poll(void)
{
	struct pollfd p = {.fd = tunclient_fd(shell_handle())};
	int r;

	p.events = (short)shell_number();
	do
		r = poll(&p, 1, (int)shell_number());
	while (r < 0 && errno == EINTR);
	shell_say("%d %d", r, p.revents);
}

int shell_packet_command(const char *command)
{
	if (!strcmp(command, "read"))
		command_read();
	else if (!strcmp(command, "write"))
		command_write();
	else if (!strcmp(command, "write_large"))
		command_write_large();
	else if (!strcmp(command, "recv"))
		command_recv();
	else if (!strcmp(command, "send"))
		command_send();
	else if (!strcmp(command, "read_nowhere"))
		command_read_nowhere();
	else if (!strcmp(command, "recv_nowhere"))
		command_recv_nowhere();
	else if (!strcmp(command, "send_on"))
		command_send_on();
	else if (!strcmp(command, "ring"))
		command_ring();
	else if (!strcmp(command, "ring_send"))
		command_ring_send();
	else if (!strcmp(command, "allocate"))
		command_allocate();
	else if (!strcmp(command, "commit"))
		command_commit();
	else if (!strcmp(command, "poll"))
		command_poll();
	else
		return 0;
	return 1;
}
