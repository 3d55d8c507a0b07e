/* SPDX-License-Identifier: MIT */
/* options.c - the command line. It has the last word over the file. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"Usage: tund [OPTION...]\n"
	"Serves a TUN/TAP device file from user space.\n"
	"\n"
	"  --mount PATH      where: a directory (default " DEFAULT_MOUNT
	"), in\n"
	"                    which the device file is PATH/net/tun, or a file "
	"or\n"
	"                    character node, which becomes the device file\n"
	"  --control PATH    the control socket (default " DEFAULT_CONTROL ")\n"
	"  --foreground      stay in the foreground and log to standard error\n"
	"  --log-level L     " LOG_LEVEL_NAMES " (default notice)\n"
	"  --config FILE     default " DEFAULT_CONFIG ", if it is there;\n"
	"                    then FILE.d/*.conf\n"
	"  --check [FILE]    only look for mistakes in the configuration\n"
	"  --version         print the version\n"
	"  --help            print this\n"
	"\n"
	"SIGHUP: reads the configuration again.\n"
	"Exit status: 0 after SIGTERM or SIGINT, 1 failure, 2 usage or a "
	"mistake in\n"
	"the configuration; --check: 0 no mistake, 1 mistakes.\n"
	"See tund(8), tund.conf(5) and tund(4).\n";

enum {
	OPT_MOUNT = 256,
	OPT_CONTROL,
	OPT_FOREGROUND,
	OPT_LOG_LEVEL,
	OPT_CONFIG,
	OPT_CHECK,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"mount", required_argument, NULL, OPT_MOUNT},
	{"control", required_argument, NULL, OPT_CONTROL},
	{"foreground", no_argument, NULL, OPT_FOREGROUND},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check", no_argument, NULL, OPT_CHECK},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* What was given, before the configuration file is read. */
struct given {
	const char *mount;
	const char *control;
	const char *config;
	int log_level; /* -1: not given */
	bool foreground;
	bool check;
};

static enum options_result read_arguments(int argc, char **argv,
					  struct given *given)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (c) {
		case OPT_MOUNT:
			given->mount = optarg;
			break;
		case OPT_CONTROL:
			given->control = optarg;
			break;
		case OPT_FOREGROUND:
			given->foreground = true;
			break;
		case OPT_LOG_LEVEL:
			given->log_level = log_level_from_name(optarg);
			if (given->log_level >= 0)
				break;
			fprintf(stderr,
				"tund: --log-level %s: not one "
				"of " LOG_LEVEL_NAMES "\n",
				optarg);
			return OPTIONS_USAGE;
		case OPT_CONFIG:
			given->config = optarg;
			break;
		case OPT_CHECK:
			given->check = true;
			break;
		case OPT_VERSION:
			puts("tund " TUND_VERSION);
			return OPTIONS_DONE;
		case OPT_HELP:
			fputs(usage, stdout);
			return OPTIONS_DONE;
		default:
			/* getopt_long() has said what. */
			fputs("Try \"tund --help\".\n", stderr);
			return OPTIONS_USAGE;
		}
	}
	if (given->check && optind < argc && !given->config)
		given->config = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "tund: unexpected argument \"%s\"; %s\n",
			argv[optind],
			given->check ? "--check takes one file"
				     : "a mount point is given with --mount");
		return OPTIONS_USAGE;
	}
	return OPTIONS_RUN;
}

/* The background has another working directory. */
static bool make_absolute(const char *path, char ret_path[PATH_MAX])
{
	char cwd[PATH_MAX] = "";
	char *real;
	int n;

	if (path[0] == '\0') {
		fputs("tund: the mount point is empty\n", stderr);
		return false;
	}
	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd))) {
		fprintf(stderr, "tund: the working directory: %s\n",
			strerror(errno));
		return false;
	}
	n = snprintf(ret_path, PATH_MAX, "%s%s%s", cwd, cwd[0] ? "/" : "",
		     path);
	if (n >= PATH_MAX) {
		fputs("tund: the mount point's path is too long\n", stderr);
		return false;
	}
	/*
	 * A link would be followed when the mount is made, and not when it is
	 * taken away. A path that leads nowhere is told of by the mount.
	 */
	real = realpath(ret_path, NULL);
	if (real)
		strcpy(ret_path, real);
	free(real);
	return true;
}

static void print_mistake(const char *message)
{
	fprintf(stderr, "tund: %s\n", message);
}

static enum options_result check(const char *path, bool must_exist)
{
	struct config *config;
	int r = config_load(path, must_exist, print_mistake, &config);

	if (r == -ENOMEM)
		print_mistake(strerror(ENOMEM));
	if (r < 0)
		return OPTIONS_FAILED;
	printf("%s: no mistake; %zu device%s, %zu polic%s\n", path,
	       config->n_devices, config->n_devices == 1 ? "" : "s",
	       config->policy->n, config->policy->n == 1 ? "y" : "ies");
	config_free(config);
	return OPTIONS_DONE;
}

/* The background has another working directory. `what` is for a message. */
static bool set_path(const char *path, const char *what,
		     char ret_path[PATH_MAX])
{
	char cwd[PATH_MAX] = "";

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd))) {
		fprintf(stderr, "tund: the working directory: %s\n",
			strerror(errno));
		return false;
	}
	if (snprintf(ret_path, PATH_MAX, "%s%s%s", cwd, cwd[0] ? "/" : "",
		     path) >= PATH_MAX) {
		fprintf(stderr, "tund: the %s's path is too long\n", what);
		return false;
	}
	return true;
}

static bool set_paths(const struct given *given, struct options *options)
{
	options->config_must_exist = given->config;
	options->control_given = given->control;
	return set_path(given->config ? given->config : DEFAULT_CONFIG,
			"configuration", options->config_path) &&
	       set_path(given->control ? given->control : DEFAULT_CONTROL,
			"control socket", options->control);
}

static enum options_result read_config(const struct given *given,
				       struct options *options)
{
	char mount[PATH_MAX];

	if (!set_paths(given, options) ||
	    config_load(options->config_path, options->config_must_exist,
			print_mistake, &options->config) < 0)
		return OPTIONS_USAGE;
	options->log_level_given = given->log_level >= 0;
	options->log_level = options->log_level_given
				     ? (enum log_level)given->log_level
				     : options->config->log_level;
	if (!make_absolute(given->mount ? given->mount : options->config->mount,
			   mount))
		return OPTIONS_USAGE;
	memcpy(options->mount, mount, sizeof(mount));
	return OPTIONS_RUN;
}

enum options_result options_parse(int argc, char **argv,
				  struct options *ret_options)
{
	struct given given = {.log_level = -1};
	enum options_result result = read_arguments(argc, argv, &given);

	*ret_options = (struct options){.foreground = given.foreground};
	if (result != OPTIONS_RUN)
		return result;
	if (given.check)
		return check(given.config ? given.config : DEFAULT_CONFIG,
			     given.config != NULL);
	result = read_config(&given, ret_options);
	if (result != OPTIONS_RUN)
		options_free(ret_options);
	return result;
}

void options_free(struct options *options)
{
	config_free(options->config);
	options->config = NULL;
}
