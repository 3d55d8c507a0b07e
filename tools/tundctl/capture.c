/* SPDX-License-Identifier: MIT */
/*
 * capture.c - tundctl capture: from the socket that the daemon hands out into a
 * pcapng file, until somebody ends it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture_file.h"
#include "capture_filter.h"
#include "capture_link.h"
#include "capture_order.h"
#include "control.h"
#include "netns.h"
#include <tund/abi.h>

/* Messages of one system call. */
#define BATCH	    32
#define MESSAGE_MAX (sizeof(struct tund_capture) + TUND_MAX_PACKET)

struct capture {
	struct control_options control;
	const char *filter;
	unsigned int link_type; /* that the filter is for; 0: not known */
	uint32_t snaplen;
	uint64_t count; /* 0: no end */
	bool quiet;

	int control_fd, fd;
	struct capture_file file;
	struct capture_order order;
	uint64_t written;
	bool asked; /* the daemon has been told to end it */
	bool full;  /* there are enough packets */
	bool idle;  /* nothing more has come yet */
};

/* ---- options ---- */

/* From where the number begins in the text. */
static int number_option(const struct option *option, const char *text,
			 size_t from, uint64_t max, uint64_t *ret_number)
{
	const char *digits = text + from;
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || *end || errno || number == 0 ||
	    number > max)
		return usage_error(&command_capture,
				   "--%s %s: it takes a number from 1 to %llu",
				   option->name, text, (unsigned long long)max);
	*ret_number = number;
	return 0;
}

/* As dumpcap(1): filesize:KB or files:N. */
static int ring_option(const struct option *option, const char *text,
		       struct capture_file *file)
{
	uint64_t number;
	int r;

	if (strncmp(text, "filesize:", 9) == 0) {
		r = number_option(option, text, 9, 1u << 30, &number);
		if (r == 0)
			file->max_size = number * 1000;
	} else if (strncmp(text, "files:", 6) == 0) {
		r = number_option(option, text, 6, 100000, &number);
		if (r == 0)
			file->max_files = (unsigned int)number;
	} else {
		r = usage_error(&command_capture,
				"--ring %s: it takes filesize:KB or files:N",
				text);
	}
	return r;
}

static int set_option(const struct option *option, struct capture *c)
{
	uint64_t number;
	int r = 0;

	switch (option->val) {
	case 'C':
		c->control.path = optarg;
		break;
	case 'N':
		r = netns_find(optarg, &c->control.netns) < 0;
		break;
	case 'w':
		c->file.path = optarg;
		break;
	case 'f':
		c->filter = optarg;
		break;
	case 'b':
		r = ring_option(option, optarg, &c->file);
		break;
	case 'c':
		r = number_option(option, optarg, 0, UINT64_MAX / 2, &c->count);
		break;
	case 's':
		r = number_option(option, optarg, 0, CAPTURE_MAX_SNAPLEN,
				  &number);
		if (r == 0)
			c->snaplen = (uint32_t)number;
		break;
	default:
		c->quiet = true;
	}
	return r;
}

static int check_options(struct capture *c)
{
	struct capture_file *file = &c->file;

	if (file->path && strcmp(file->path, "-") == 0)
		file->path = NULL;
	if (file->max_files && !file->max_size)
		return usage_error(&command_capture,
				   "--ring files:N needs --ring filesize:KB");
	if (file->max_size && !file->path)
		return usage_error(&command_capture,
				   "--ring needs a file: --write FILE");
	if (!file->path && isatty(STDOUT_FILENO)) {
		complain("a terminal cannot show packets: write them to a "
			 "file with -w FILE, or into a program, as in "
			 "\"tundctl capture %s | tcpdump -r -\" or \"| tshark "
			 "-r -\"",
			 c->control.name);
		return 1;
	}
	return 0;
}

static int parse(int argc, char **argv, struct capture *c)
{
	static const struct option names[] = {
		{"control", required_argument, NULL, 'C'},
		{"netns", required_argument, NULL, 'N'},
		{"write", required_argument, NULL, 'w'},
		{"filter", required_argument, NULL, 'f'},
		{"ring", required_argument, NULL, 'b'},
		{"count", required_argument, NULL, 'c'},
		{"snaplen", required_argument, NULL, 's'},
		{"quiet", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	int o, r;

	while ((o = next_option(&command_capture, argc, argv, ":w:f:b:c:s:q",
				names)) >= 0) {
		const struct option *option = names;

		if (o == '?')
			return EXIT_USAGE;
		while (option->val != o)
			option++;
		r = set_option(option, c);
		if (r != 0)
			return r;
	}
	c->control.name = argv[optind] ? argv[optind++] : NULL;
	if (argv[optind])
		return usage_error(&command_capture,
				   "\"%s\" is one word too many; an expression "
				   "belongs behind --filter, as one word",
				   argv[optind]);
	if (!c->control.name)
		return usage_error(&command_capture,
				   "it needs a device's name: \"tundctl list\" "
				   "shows them");
	return check_options(c);
}

/* ---- the end ---- */

/* Writable when a signal has come; the next one of its kind kills. */
static int signal_pipe[2];

static void on_signal(int number)
{
	int saved = errno;
	ssize_t n = write(signal_pipe[1], "", 1);

	(void)n;
	errno = saved;
}

static int catch_signals(void)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	signal(SIGPIPE, SIG_IGN);
	if (pipe(signal_pipe) < 0)
		return -1;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	return 0;
}

/* What the daemon has seen until now still comes, and then its totals. */
static void ask_to_end(struct capture *c)
{
	if (!c->asked)
		shutdown(c->control_fd, SHUT_WR);
	c->asked = true;
}

/* ---- packets ---- */

static int write_packets(struct capture *c, bool all)
{
	struct captured *packet;
	int r = 0;

	while (r == 0 && (packet = capture_order_get(&c->order, all))) {
		/* A filter that cuts knows no packet's end. */
		if (packet->len > c->snaplen)
			packet->len = c->snaplen;
		if (!c->full)
			r = capture_file_add(&c->file, packet);
		free(packet);
		c->full |= c->count && ++c->written >= c->count;
	}
	if (c->full)
		ask_to_end(c);
	return r;
}

/* Returns 1, 0 at the end, or -1. */
static int take_packets(struct capture *c)
{
	static uint8_t bytes[BATCH][MESSAGE_MAX];
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
		msgs[i].msg_hdr = (struct msghdr){
			.msg_iov = &iovs[i],
			.msg_iovlen = 1,
		};
	}
	n = recvmmsg(c->fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	c->idle = n < BATCH;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : 0;
	for (int i = 0; i < n; i++) {
		if (msgs[i].msg_len < sizeof(struct tund_capture))
			return 0;
		if (!capture_order_put(&c->order, bytes[i], msgs[i].msg_len)) {
			complain("no memory is left");
			return -1;
		}
	}
	return n > 0;
}

static int copy_packets(struct capture *c)
{
	struct pollfd fds[] = {
		{.fd = c->fd, .events = POLLIN},
		{.fd = signal_pipe[0], .events = POLLIN},
		{.events = 0}, /* the pipe, if it is one, has no reader */
	};
	int r = 1, n;

	while (r > 0) {
		fds[2].fd = c->file.out.fd;
		n = poll(fds, 3, c->order.n > 0 ? CAPTURE_ORDER_MS : -1);
		if (n > 0 && fds[1].revents) {
			ask_to_end(c);
			fds[1].fd = -1;
		}
		if (n > 0 && fds[2].revents) {
			c->file.broken = true;
			return -1;
		}
		if (n > 0 && fds[0].revents)
			r = take_packets(c);
		if (r < 0 || write_packets(c, n == 0 || r == 0) < 0)
			return -1;
		/* Whoever reads it may want to see them as they come. */
		if ((n == 0 || c->idle) && capture_file_flush(&c->file) < 0)
			return -1;
	}
	return 0;
}

/* ---- the filter ---- */

/*
 * Before the capture begins: libpcap may need long for it, and packets would be
 * copied meanwhile.
 */
static int compile(struct capture *c, struct sock_fprog *ret_program)
{
	if (c->filter && capture_link_find(&c->control, &c->link_type) < 0)
		return -1;
	if (c->filter && c->link_type == 0)
		return 0;
	return capture_filter_compile(c->filter,
				      c->filter ? c->link_type : LINK_RAW,
				      c->snaplen, ret_program);
}

static int check_link_type(const struct capture *c, const json_t *device)
{
	if (!c->filter || c->link_type == capture_link_of(device))
		return 0;
	complain("\"%s\" has just been made, or made anew as another kind of "
		 "device, for which the filter is not: begin again",
		 c->control.name);
	return -1;
}

/* ---- the whole ---- */

static void describe(struct capture *c, const json_t *device)
{
	static char descriptions[CAPTURE_PLANES][64];
	unsigned int link_type = capture_link_of(device);

	for (int i = 0; i < CAPTURE_PLANES; i++) {
		snprintf(descriptions[i], sizeof(descriptions[i]),
			 "tund %s, %s plane",
			 link_type == LINK_ETHERNET ? "TAP" : "TUN",
			 i == 0 ? "file" : "direct");
		c->file.interfaces[i] = (struct pcapng_interface){
			.link_type = link_type,
			.snaplen = c->snaplen,
			.name = c->control.name,
			.description = descriptions[i],
			.filter = c->filter,
		};
	}
	c->file.interfaces[1].comment =
		"On the direct plane packets go past the daemon: their queue, "
		"and which were dropped and why, is not known.";
}

static bool is_direct(const json_t *device)
{
	const char *plane = json_string_value(json_object_get(device, "plane"));

	return plane && strcmp(plane, "direct") == 0;
}

static void announce(const struct capture *c, const json_t *device)
{
	if (c->quiet)
		return;
	if (is_direct(device))
		complain("%s is on the direct plane: the packets' queue, and "
			 "which are dropped and why, cannot be known there",
			 c->control.name);
	complain("capturing the packets of %s; Ctrl-C ends it",
		 c->control.name);
}

static uint64_t total(const json_t *totals, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(totals, key));
}

/* Returns the exit status. */
static int finish(struct capture *c, int r)
{
	struct capture_counts counts = {0};
	json_t *totals = NULL;
	const char *how;
	int status = r < 0 && !c->file.broken;

	struct captured *packet;

	ask_to_end(c);
	/* After a failure some are left. */
	while ((packet = capture_order_get(&c->order, true)))
		free(packet);
	/* Who has gone cannot tell; that is told. */
	if (r == 0)
		totals = control_read(c->control_fd);
	if (totals)
		counts = (struct capture_counts){
			.known = true,
			.received = total(totals, "packets"),
			.dropped = total(totals, "dropped"),
			.lost = total(totals, "lost"),
		};
	else
		status |= r == 0;
	if (capture_file_close(&c->file, &counts) < 0)
		status |= !c->file.broken;
	how = json_string_value(json_object_get(totals, "ended"));
	if (how && strcmp(how, "gone") == 0 && !c->quiet)
		complain("%s is gone", c->control.name);
	if (how && strcmp(how, "stopped") == 0 && !c->quiet)
		complain("the daemon has been ended");
	if (how && strcmp(how, "revoked") == 0) {
		complain("you may see the packets of %s no more: its owner or "
			 "group is another one now, or CaptureGroup= of "
			 "tund.conf is",
			 c->control.name);
		status = 1;
	}
	if (totals && !c->quiet)
		complain("%llu packets seen, %llu of them not captured for "
			 "want of time; %llu dropped by the daemon",
			 (unsigned long long)counts.received,
			 (unsigned long long)counts.lost,
			 (unsigned long long)counts.dropped);
	json_decref(totals);
	return status;
}

static int capture(struct capture *c, const json_t *device,
		   const struct sock_fprog *program)
{
	describe(c, device);
	if (check_link_type(c, device) < 0 ||
	    capture_filter_attach(c->fd, program) < 0 ||
	    capture_file_open(&c->file, is_direct(device)) < 0)
		return 1;
	announce(c, device);
	return finish(c, copy_packets(c));
}

static int begin(struct capture *c, const struct sock_fprog *program)
{
	json_t *device = NULL;
	int status = 1;

	if (catch_signals() < 0)
		complain("no pipe: %s", strerror(errno));
	else
		c->control_fd = control_ask(&c->control, "capture");
	if (c->control_fd >= 0)
		device = control_read_passed(c->control_fd, &c->fd);
	if (device && c->fd < 0)
		complain("the daemon has handed out no socket: is a "
			 "descriptor left, and is it of this version?");
	if (device && c->fd >= 0)
		status = capture(c, device, program);
	json_decref(device);
	cleanup_close(&c->fd);
	cleanup_close(&c->control_fd);
	return status;
}

static int capture_run(int argc, char **argv)
{
	struct capture c = {
		.control.path = CONTROL_PATH,
		.snaplen = CAPTURE_MAX_SNAPLEN,
		.control_fd = -1,
		.fd = -1,
	};
	struct sock_fprog program = {0};
	int status = parse(argc, argv, &c);

	if (status != 0)
		return status;
	status = compile(&c, &program) < 0 ? 1 : begin(&c, &program);
	free(program.filter);
	return status;
}

const struct command command_capture = {
	.name = "capture",
	.sentence = "write a device's packets to a file or a program",
	.help = "Usage: tundctl capture [OPTION...] NAME\n"
		"Writes the packets of a device as pcapng, with their "
		"direction and\n"
		"queue and, if they were dropped, the reason.\n"
		"\n"
		"  -w, --write FILE   the file; - or nothing is standard "
		"output, which\n"
		"                     must not be a terminal\n"
		"  -f, --filter EXPR  only what this expression of "
		"pcap-filter(7)\n"
		"                     says, in one word\n"
		"  -c, --count N      end after so many packets\n"
		"  -s, --snaplen N    only so many bytes of each packet\n"
		"  -b, --ring filesize:KB\n"
		"                     go on in another file after so many kB\n"
		"  -b, --ring files:N keep only so many of these files\n"
		"  -q, --quiet        say nothing but what is wrong\n"
		"  --control PATH     the daemon's socket; default\n"
		"                     /run/tund/control\n"
		"\n" NETNS_HELP STATUS_HELP,
	.run = capture_run,
};
