/* SPDX-License-Identifier: MIT */
/* control.c - asks the daemon one thing, and takes its answer. */
#include "control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "netns.h"

#define VERSION	   1
#define MAX_ANSWER (17u << 20)

/* So long the answer may take; a reload looks up users, and makes devices. */
#define ANSWER_SECONDS 10
#define RELOAD_SECONDS 60

/* ---- options ---- */

static bool is_taken(int option, unsigned int takes)
{
	switch (option) {
	case 'n':
		return takes & CONTROL_NETNS;
	case 't':
		return takes & CONTROL_TEXTFILE;
	default:
		return option == 'c' || option == 'j';
	}
}

static int set_option(int option, struct control_options *options)
{
	switch (option) {
	case 'c':
		options->path = optarg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 't':
		options->textfile = optarg;
		return 0;
	default:
		return netns_find(optarg, &options->netns) < 0;
	}
}

static const char *name_of(const struct option *names, int c)
{
	while (names->val != c)
		names++;
	return names->name;
}

int control_options(const struct command *command, unsigned int takes, int argc,
		    char **argv, struct control_options *ret_options)
{
	static const struct option names[] = {
		{"control", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"netns", required_argument, NULL, 'n'},
		{"textfile", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*ret_options = (struct control_options){.path = CONTROL_PATH};
	while ((c = next_option(command, argc, argv, ":j", names)) >= 0) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'j' && takes & CONTROL_NO_JSON)
			return usage_error(command,
					   "it takes no \"--json\", for it "
					   "prints OpenMetrics: \"tundctl "
					   "stats -j\" has these numbers");
		if (!is_taken(c, takes))
			return usage_error(command, "it takes no \"--%s\"",
					   name_of(names, c));
		if (set_option(c, ret_options) != 0)
			return 1;
	}
	if (takes & (CONTROL_NAME_MAY | CONTROL_NAME_MUST))
		ret_options->name = argv[optind] ? argv[optind++] : NULL;
	if (argv[optind])
		return usage_error(command, "\"%s\" is one word too many",
				   argv[optind]);
	if (takes & CONTROL_NAME_MUST && !ret_options->name)
		return usage_error(command, "it needs a device's name: "
					    "\"tundctl list\" shows them");
	return 0;
}

/* ---- the conversation ---- */

static bool is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void complain_of_silence(void)
{
	complain("the daemon does not answer: it is stopped, hangs or is busy; "
		 "look at its log, or start it again with \"systemctl restart "
		 "tund\"");
}

static void explain(const char *path, int error)
{
	switch (error) {
	case EAGAIN: /* it has not accepted others, either */
		complain_of_silence();
		break;
	case ENOENT:
		complain("%s is not there: start the daemon with \"systemctl "
			 "start tund\" or \"tund\", or name its socket with "
			 "--control PATH",
			 path);
		break;
	case ECONNREFUSED:
		if (is_socket(path))
			complain("nobody answers at %s: the daemon has ended; "
				 "start it again with \"systemctl start tund\" "
				 "or \"tund\"",
				 path);
		else
			complain("%s is no socket: name the daemon's with "
				 "--control PATH",
				 path);
		break;
	case EACCES:
	case EPERM:
		complain("%s: %s: its mode, or a directory's above it, keeps "
			 "you out; use sudo",
			 path, strerror(error));
		break;
	default:
		complain("%s: %s: name the daemon's socket with --control PATH",
			 path, strerror(error));
	}
}

/* How long a call may wait; 0: for ever. */
static void set_patience(int fd, time_t seconds)
{
	const struct timeval time = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

static int open_socket(const char *path, time_t patience)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errno = ENAMETOOLONG;
	else if (fd >= 0) {
		strcpy(address.sun_path, path);
		set_patience(fd, patience);
		if (connect(fd, (const struct sockaddr *)&address,
			    sizeof(address)) == 0)
			return fd;
	}
	explain(path, errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool send_all(int fd, const void *data, size_t len)
{
	const char *bytes = data;

	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* As the daemon shows it, in which a byte may be four characters. */
static bool is_name(const char *name)
{
	json_t *text = json_string(name); /* of UTF-8 */
	size_t len = json_string_length(text);

	json_decref(text);
	return len > 0 && len < 4 * IFNAMSIZ;
}

static char *make_request(const struct control_options *options,
			  const char *command)
{
	json_t *request = json_pack("{s:i, s:s, s:s*}", "version", VERSION,
				    "command", command, "name", options->name);
	char *text;

	if (options->name && !is_name(options->name)) {
		complain("\"%s\" is no name of an interface: \"tundctl list\" "
			 "shows those of tund",
			 options->name);
		json_decref(request);
		return NULL;
	}
	if (request && options->netns)
		json_object_set_new(request, "netns",
				    json_integer((json_int_t)options->netns));
	if (request && options->more)
		json_object_update(request, options->more);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	if (!text)
		complain("no memory is left");
	return text;
}

int control_ask(const struct control_options *options, const char *command)
{
	char *text = make_request(options, command);
	uint32_t head = text ? htonl((uint32_t)strlen(text)) : 0;
	time_t patience = strcmp(command, "reload") == 0 ? RELOAD_SECONDS
							 : ANSWER_SECONDS;
	int fd = text ? open_socket(options->path, patience) : -1;

	/* If it was refused, the answer says why. */
	if (fd >= 0 && send_all(fd, &head, sizeof(head)))
		send_all(fd, text, strlen(text));
	free(text);
	return fd;
}

/* As recv(); with `ret_passed` a descriptor may come, too. */
static ssize_t receive(int fd, void *ret_data, size_t len, int *ret_passed)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = ret_data, .iov_len = len};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ret_passed ? &control : NULL,
		.msg_controllen = ret_passed ? sizeof(control.space) : 0,
	};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_passed, CMSG_DATA(c), sizeof(int));
	return n;
}

/* Returns 1, 0 at the end, or -1. */
static int read_all(int fd, void *ret_data, size_t len, int *ret_passed)
{
	char *bytes = ret_data;

	while (len > 0) {
		ssize_t n = receive(fd, bytes, len, ret_passed);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		bytes += n;
		len -= (size_t)n;
	}
	return 1;
}

/* `ret_error`: 0 at the end, EAGAIN if nothing comes, or another one. */
static json_t *read_message(int fd, int *ret_error, int *ret_passed)
{
	json_t *message = NULL;
	char *text = NULL;
	uint32_t len;
	int r = read_all(fd, &len, sizeof(len), ret_passed);

	*ret_error = r < 0 ? errno : 0;
	if (r <= 0)
		return NULL;
	len = ntohl(len);
	if (len <= MAX_ANSWER)
		text = malloc(len);
	r = text ? read_all(fd, text, len, NULL) : 0;
	*ret_error = r < 0 ? errno : EPROTO;
	if (r == 1)
		message = json_loadb(text, len, 0, NULL);
	free(text);
	return message;
}

/* NULL after a complaint. */
static json_t *read_or_complain(int fd, int *ret_passed)
{
	int error;
	json_t *message = read_message(fd, &error, ret_passed);

	/* What comes after an answer comes when there is something to tell. */
	if (message)
		set_patience(fd, 0);
	else if (error == EAGAIN)
		complain_of_silence();
	else
		complain(error == 0 ? "the daemon has closed the connection: "
				      "look at its log"
				    : "the daemon's answer cannot be "
				      "understood: is it of this version?");
	return message;
}

/* NULL: it is a refusal. */
static json_t *value_of(const json_t *message)
{
	json_t *value = json_object_get(message, "result");

	return value ? value : json_object_get(message, "event");
}

json_t *control_read(int fd)
{
	return control_read_passed(fd, NULL);
}

json_t *control_read_passed(int fd, int *ret_passed)
{
	json_t *message = read_or_complain(fd, ret_passed), *value;
	const char *why;

	if (!message)
		return NULL;
	value = json_incref(value_of(message));
	if (!value) {
		why = json_string_value(json_object_get(
			json_object_get(message, "error"), "message"));
		complain("%s", why ? why : "the daemon has refused it");
	}
	json_decref(message);
	return value;
}

int control_try(const struct control_options *options, const char *command,
		json_t **ret_result)
{
	_cleanup_close_ int fd = control_ask(options, command);
	json_t *message = fd < 0 ? NULL : read_or_complain(fd, NULL);

	*ret_result = json_incref(value_of(message));
	json_decref(message);
	return message ? 0 : -1;
}

json_t *control_result(const struct control_options *options,
		       const char *command)
{
	_cleanup_close_ int fd = control_ask(options, command);

	return fd < 0 ? NULL : control_read(fd);
}

int control_print_json(const json_t *value)
{
	/* In ASCII nothing works the terminal. */
	if (json_dumpf(value, stdout,
		       JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) < 0)
		return 1;
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 1;
}

int control_run(const struct command *command, unsigned int takes, int argc,
		char **argv,
		int (*print)(const struct control_options *options,
			     const json_t *result))
{
	struct control_options options;
	int status = control_options(command, takes, argc, argv, &options);
	json_t *result;

	if (status != 0)
		return status;
	result = control_result(&options, command->name);
	if (!result)
		return 1;
	if (options.json)
		status = control_print_json(result);
	else if (print)
		status = print(&options, result);
	json_decref(result);
	return status;
}
