/* SPDX-License-Identifier: MIT */
/*
 * shell.c - the lines, and the calls that move no packets. An answer begins
 * with the call's result; it asserts nothing.
 */
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tunclient *shell_handles[SHELL_HANDLES];

static char *rest;

char *shell_word(void)
{
	return strtok_r(NULL, " \n", &rest);
}

char *shell_must_word(void)
{
	char *word = shell_word();

	if (word)
		return word;
	fprintf(stderr, "a word is missing\n");
	exit(2);
}

unsigned long shell_number(void)
{
	return strtoul(shell_must_word(), NULL, 0);
}

struct tunclient *shell_handle(void)
{
	return shell_handles[shell_number() % SHELL_HANDLES];
}

void shell_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
}

static void command_open(void)
{
	struct tunclient_options options = {.size = sizeof(options)};
	unsigned long number = shell_number() % SHELL_HANDLES;
	char *word;

	while ((word = shell_word())) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!strcmp(word, "device"))
			options.device = value;
		else if (!strcmp(word, "plane"))
			options.plane = strtoul(value, NULL, 0);
		else if (!strcmp(word, "offloads"))
			options.offloads = strtoul(value, NULL, 0);
		else if (!strcmp(word, "ring"))
			options.ring_bytes = strtoul(value, NULL, 0);
		else
			options.flags = strtoul(word, NULL, 0);
	}
	shell_say("%d", tunclient_open(&options, &shell_handles[number]));
}

static void command_attach(void)
{
	struct tunclient *client = shell_handle();
	const char *name = shell_must_word();
	unsigned int flags = shell_number();

	shell_say("%d",
		  tunclient_attach(client, !strcmp(name, "-") ? NULL : name,
				   flags));
}

static void command_close(void)
{
	unsigned long number = shell_number() % SHELL_HANDLES;

	tunclient_close(shell_handles[number]);
	shell_handles[number] = NULL;
	shell_say("0");
}

static void command_queue(void)
{
	struct tunclient *client = shell_handle();
	unsigned long number = shell_number() % SHELL_HANDLES;

	shell_say("%d", tunclient_open_queue(client, &shell_handles[number]));
}

static void command_info(void)
{
	struct tunclient_info info = {.size = sizeof(info)};
	int r = tunclient_info(shell_handle(), &info);

	shell_say("%d %u %u %u %u %u", r, info.plane, info.kind,
		  info.multi_queue, info.abilities, info.offloads);
}

static void command_name(void)
{
	char name[TUNCLIENT_NAME_SIZE] = "-";
	int r = tunclient_name(shell_handle(), name, sizeof(name));

	shell_say("%d %s", r, name);
}

static void command_stats(void)
{
	struct tunclient_stats s = {.size = sizeof(s)};
	int r = tunclient_stats(shell_handle(), &s);

	shell_say("%d %llu %llu %llu %llu %llu %llu", r,
		  (unsigned long long)s.received_packets,
		  (unsigned long long)s.received_bytes,
		  (unsigned long long)s.received_dropped,
		  (unsigned long long)s.sent_packets,
		  (unsigned long long)s.sent_bytes,
		  (unsigned long long)s.sent_dropped);
}

static void command_get_mac(void)
{
	unsigned char mac[TUNCLIENT_MAC_SIZE] = {0};
	int r = tunclient_get_mac(shell_handle(), mac);

	shell_say("%d ", r);
	for (int i = 0; i < TUNCLIENT_MAC_SIZE; i++)
		shell_say("%02x", mac[i]);
}

static void command_set_mac(void)
{
	struct tunclient *client = shell_handle();
	const char *hex = shell_must_word();
	unsigned char mac[TUNCLIENT_MAC_SIZE] = {0};

	for (int i = 0; i < TUNCLIENT_MAC_SIZE; i++)
		sscanf(hex + 2 * i, "%2hhx", &mac[i]);
	shell_say("%d", tunclient_set_mac(client, mac));
}

static void command_address(int (*call)(struct tunclient *, const char *,
					const char *))
{
	struct tunclient *client = shell_handle();
	const char *address = shell_must_word();

	shell_say("%d", call(client, address, shell_word()));
}

static void command_route(int (*call)(struct tunclient *, const char *,
				      const char *, unsigned int))
{
	struct tunclient *client = shell_handle();
	const char *network = shell_must_word();
	const char *gateway = shell_must_word();

	if (!strcmp(gateway, "-"))
		gateway = NULL;
	shell_say("%d", call(client, network, gateway, shell_number()));
}

static void command_netns(void)
{
	int fd = open(shell_must_word(), O_RDONLY | O_CLOEXEC);

	shell_say("%d", fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0);
	close(fd);
}

static int value_command(const char *command)
{
	static const struct {
		const char *name;
		int (*call)(struct tunclient *, unsigned int);
	} calls[] = {
		{"set_mtu", tunclient_set_mtu},
		{"set_offloads", tunclient_set_offloads},
		{"set_owner", tunclient_set_owner},
		{"set_group", tunclient_set_group},
		{"release", tunclient_ring_release},
	};
	static const struct {
		const char *name;
		int (*call)(struct tunclient *, int);
	} switches[] = {
		{"set_up", tunclient_set_up},
		{"set_queue", tunclient_set_queue},
		{"set_persist", tunclient_set_persist},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(command, calls[i].name)) {
			struct tunclient *client = shell_handle();

			shell_say("%d", calls[i].call(client, shell_number()));
			return 1;
		}
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (!strcmp(command, switches[i].name)) {
			struct tunclient *client = shell_handle();

			shell_say("%d", switches[i].call(client,
							 (int)shell_number()));
			return 1;
		}
	return 0;
}

static int plain_command(const char *command)
{
	if (!strcmp(command, "open"))
		command_open();
	else if (!strcmp(command, "attach"))
		command_attach();
	else if (!strcmp(command, "detach"))
		shell_say("%d", tunclient_detach(shell_handle()));
	else if (!strcmp(command, "close"))
		command_close();
	else if (!strcmp(command, "queue"))
		command_queue();
	else if (!strcmp(command, "info"))
		command_info();
	else if (!strcmp(command, "name"))
		command_name();
	else if (!strcmp(command, "index"))
		shell_say("%d", tunclient_index(shell_handle()));
	else if (!strcmp(command, "fd"))
		shell_say("%d", tunclient_fd(shell_handle()));
	else if (!strcmp(command, "stats"))
		command_stats();
	else if (!strcmp(command, "error"))
		shell_say("%s", tunclient_error(shell_handle()));
	else if (!strcmp(command, "get_mtu"))
		shell_say("%d", tunclient_get_mtu(shell_handle()));
	else if (!strcmp(command, "get_mac"))
		command_get_mac();
	else if (!strcmp(command, "set_mac"))
		command_set_mac();
	else if (!strcmp(command, "add_address"))
		command_address(tunclient_add_address);
	else if (!strcmp(command, "remove_address"))
		command_address(tunclient_remove_address);
	else if (!strcmp(command, "add_route"))
		command_route(tunclient_add_route);
	else if (!strcmp(command, "remove_route"))
		command_route(tunclient_remove_route);
	else if (!strcmp(command, "netns"))
		command_netns();
	else
		return 0;
	return 1;
}

static void on_signal(int number)
{
}

/* A signal that comes too early for a call ends nothing. */
static bool next_line(char *ret_line, int size)
{
	for (;;) {
		errno = 0;
		if (fgets(ret_line, size, stdin))
			return true;
		if (errno != EINTR)
			return false;
		clearerr(stdin);
	}
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	static char line[1 << 20];
	char *command;

	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &action, NULL);
	while (next_line(line, sizeof(line))) {
		command = strtok_r(line, " \n", &rest);
		if (!command)
			continue;
		if (!plain_command(command) && !value_command(command) &&
		    !shell_packet_command(command) &&
		    !shell_work_command(command)) {
			fprintf(stderr, "no command %s\n", command);
			return 2;
		}
		putchar('\n');
		fflush(stdout);
	}
	for (int i = 0; i < SHELL_HANDLES; i++)
		tunclient_close(shell_handles[i]);
	return 0;
}
