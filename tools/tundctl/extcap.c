/* SPDX-License-Identifier: MIT */
/*
 * extcap.c - tundctl as Wireshark and tshark start it, see extcap(4): says
 * which devices there are, and starts `tundctl capture` on one. It captures
 * nothing itself.
 */
#include "extcap.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture_filter.h"
#include "capture_link.h"
#include "control.h"
#include "netns.h"
#include "pcapng.h"
#include "table.h"

/* The name of the link in Wireshark's directory. */
#define NAME   "tund-extcap"
#define PREFIX "tund:"

/* Wireshark waits for the list, for ever. */
#define PATIENCE 5 /* seconds */

/* To find somebody at the other end of a FIFO: a second. */
#define END_TRIES 100

enum { VALUE_MAX = 512 };

struct request {
	int what; /* of the options below */
	const char *interface, *fifo, *filter;
};

enum {
	LIST = 1,
	DLTS,
	CONFIG,
	CAPTURE,
	INTERFACE,
	FIFO,
	FILTER,
	IGNORED,
	VERSION,
	HELP,
};

static const struct option options[] = {
	{"extcap-interfaces", no_argument, NULL, LIST},
	{"extcap-dlts", no_argument, NULL, DLTS},
	{"extcap-config", no_argument, NULL, CONFIG},
	{"capture", no_argument, NULL, CAPTURE},
	{"extcap-interface", required_argument, NULL, INTERFACE},
	{"extcap-capture-filter", required_argument, NULL, FILTER},
	{"fifo", required_argument, NULL, FIFO},
	/* Wireshark's own version, and the pipes of a toolbar. */
	{"extcap-version", optional_argument, NULL, IGNORED},
	{"extcap-control-in", required_argument, NULL, IGNORED},
	{"extcap-control-out", required_argument, NULL, IGNORED},
	{"version", no_argument, NULL, VERSION},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

bool extcap_is_called(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash ? slash + 1 : argv0, NAME) == 0;
}

/* ---- the devices ---- */

/* The exit status then. Of whatever reason it is empty, a list is a list. */
static volatile sig_atomic_t late_status = 1;

static void too_late(int number)
{
	static const char text[] =
		"tundctl: the daemon does not answer: look at its log\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(late_status);
}

/* NULL after a complaint. */
static json_t *ask_devices(void)
{
	const struct control_options where = {.path = CONTROL_PATH};
	json_t *result, *devices;

	signal(SIGALRM, too_late);
	alarm(PATIENCE);
	result = control_result(&where, "list");
	alarm(0);
	devices = json_incref(json_object_get(result, "devices"));
	json_decref(result);
	return devices;
}

static bool is_alone(const json_t *devices, const char *name)
{
	unsigned int n = 0;
	const json_t *d;
	size_t i;

	json_array_foreach(devices, i, d)
	{
		n += strcmp(word_of(d, "name"), name) == 0;
	}
	return n == 1;
}

/*
 * The word by which Wireshark knows a device: its name, and where it is if
 * there are others of that name and it is not here. False: Wireshark could not
 * read it.
 */
static bool make_value(const json_t *devices, const json_t *device,
		       char ret_value[VALUE_MAX])
{
	const char *name = word_of(device, "name");
	const char *netns = netns_name((uint64_t)number_of(device, "netns"));
	bool here = strcmp(netns, "-") == 0;
	char harmless[VALUE_MAX];

	if (here || is_alone(devices, name))
		snprintf(ret_value, VALUE_MAX, PREFIX "%s", name);
	else
		snprintf(ret_value, VALUE_MAX, PREFIX "%s@%s", name, netns);
	strcpy(harmless, ret_value);
	make_harmless(harmless);
	return !strpbrk(ret_value, "{}") && strcmp(harmless, ret_value) == 0;
}

/* NULL after a complaint. */
static json_t *find_device(const char *interface)
{
	json_t *devices = ask_devices(), *found = NULL, *d;
	char value[VALUE_MAX];
	size_t i;

	json_array_foreach(devices, i, d)
	{
		if (!found && make_value(devices, d, value) &&
		    strcmp(value, interface) == 0)
			found = json_incref(d);
	}
	if (devices && !found)
		complain("there is no device \"%s\" any more: have the list of "
			 "interfaces made again",
			 interface);
	json_decref(devices);
	return found;
}

static bool is_tap(const json_t *device)
{
	return capture_link_of(device) == LINK_ETHERNET;
}

/* ---- the answers ---- */

static int print_list(void)
{
	json_t *devices;
	const json_t *d;
	size_t i;

	printf("extcap {version=" TUND_VERSION "}{display=tund}\n");
	fflush(stdout);
	late_status = 0;
	devices = ask_devices();
	json_array_foreach(devices, i, d)
	{
		char value[VALUE_MAX];

		if (make_value(devices, d, value))
			printf("interface {value=%s}{display=%s of tund}\n",
			       value, is_tap(d) ? "TAP" : "TUN");
	}
	json_decref(devices);
	return 0;
}

static int print_dlts(const char *interface)
{
	json_t *device = find_device(interface);

	if (!device)
		return 1;
	if (is_tap(device))
		puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
	else
		puts("dlt {number=12}{name=RAW}{display=Raw IP}");
	json_decref(device);
	return 0;
}

/* What is wrong with it is an answer, and belongs where Wireshark reads. */
static int check_filter(const struct request *request)
{
	json_t *device = find_device(request->interface);
	struct sock_fprog program = {0};

	if (!device)
		return 1;
	dup2(STDOUT_FILENO, STDERR_FILENO);
	capture_filter_compile(request->filter, capture_link_of(device),
			       CAPTURE_MAX_SNAPLEN, &program);
	free(program.filter);
	json_decref(device);
	return 0;
}

/*
 * Wireshark has somebody wait for who opens the FIFO, also for a program that
 * was refused: without an end he would wait for ever.
 */
static void end_fifo(const char *path)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	struct stat st;
	int fd = -1;

	if (stat(path, &st) < 0 || !S_ISFIFO(st.st_mode))
		return;
	for (int i = 0; i < END_TRIES && fd < 0; i++) {
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno == ENXIO)
			nanosleep(&pause, NULL);
	}
	if (fd >= 0)
		close(fd);
}

/* Ends with the reader of the FIFO, or with a signal, as the command does. */
static int capture(const struct request *request)
{
	json_t *device = find_device(request->interface);
	char netns[32], name[64];
	int status;
	const char *argv[] = {
		"capture", "-q",	  "--netns", netns,
		"-w",	   request->fifo, "-f",	     request->filter,
		"--",	   name,	  NULL,
	};

	if (!device) {
		end_fifo(request->fifo);
		return 1;
	}
	snprintf(netns, sizeof(netns), "net:[%lld]",
		 number_of(device, "netns"));
	snprintf(name, sizeof(name), "%s", word_of(device, "name"));
	json_decref(device);
	if (!request->filter || !*request->filter)
		argv[6] = argv[7] = "-q"; /* instead */
	optind = 1;
	status = command_capture.run(ARRAY_SIZE(argv) - 1, (char **)argv);
	if (status != 0)
		end_fifo(request->fifo);
	return status;
}

static void print_help(void)
{
	puts("Usage: " NAME " OPTION...\n"
	     "Wireshark and tshark start this program: the devices of tund\n"
	     "are in their lists of interfaces as " PREFIX "NAME. By hand, "
	     "use\n"
	     "\"tundctl capture\". See tundctl(1) and extcap(4).\n"
	     "\n"
	     "  --extcap-interfaces          list the devices\n"
	     "  --extcap-dlts                say what a device's packets are\n"
	     "  --extcap-config              list options, of which there are "
	     "none\n"
	     "  --capture                    capture into the FIFO\n"
	     "  --extcap-interface NAME      of which device; tund:NAME\n"
	     "  --extcap-capture-filter EXPRESSION\n"
	     "                               without --capture: say what is "
	     "wrong with it\n"
	     "  --fifo PATH                  where to write to\n"
	     "  --version, --help");
}

static int mistake(const char *word, const char *what)
{
	complain("\"%s\": %s; see \"" NAME " --help\"", word, what);
	return EXIT_USAGE;
}

/* Returns 0, or the exit status after a complaint. */
static int read_request(int argc, char **argv, struct request *ret_request)
{
	int c;

	*ret_request = (struct request){0};
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		if (c == ':')
			return mistake(argv[optind - 1], "it needs a value");
		if (c == '?')
			return mistake(argv[optind - 1],
				       "there is no such option");
		if (c == INTERFACE)
			ret_request->interface = optarg;
		else if (c == FIFO)
			ret_request->fifo = optarg;
		else if (c == FILTER)
			ret_request->filter = optarg;
		else if (c != IGNORED)
			ret_request->what = c;
	}
	if (argv[optind])
		return mistake(argv[optind], "it is one word too many");
	if (ret_request->what == 0 && ret_request->filter)
		ret_request->what = FILTER;
	return 0;
}

int extcap_run(int argc, char **argv)
{
	struct request request;
	int status = read_request(argc, argv, &request);

	if (status != 0)
		return status;
	switch (request.what) {
	case LIST:
		return print_list();
	case VERSION:
		puts(NAME " " TUND_VERSION);
		return 0;
	case HELP:
		print_help();
		return 0;
	case CONFIG:
		return 0;
	case 0:
		return mistake(argv[0], "what shall it do?");
	}
	if (!request.interface)
		return mistake(argv[0], "it needs --extcap-interface NAME");
	if (request.what == CAPTURE && !request.fifo)
		return mistake(argv[0], "--capture needs --fifo PATH");
	switch (request.what) {
	case DLTS:
		return print_dlts(request.interface);
	case FILTER:
		return check_filter(&request);
	default:
		return capture(&request);
	}
}
