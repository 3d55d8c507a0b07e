/* SPDX-License-Identifier: MIT */
/*
 * main.c - start, order of parts, end. The floors below do the work; only here
 * do net/ and fuse/ meet.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "background.h"
#include "base/log.h"
#include "base/util.h"
#include "control.h"
#include "dev/table.h"
#include "fuse/callermem.h"
#include "fuse/server.h"
#include "loop.h"
#include "net/net.h"
#include "notify.h"
#include "options.h"
#include "privileges.h"
#include "reload.h"

/* With one of these set the kernel would abort a mount with a parked read. */
static int check_request_timeouts(void)
{
	static const char *const knobs[] = {
		"default_request_timeout",
		"max_request_timeout",
	};

	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		char path[64];
		unsigned int seconds = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/sys/fs/fuse/%s", knobs[i]);
		f = fopen(path, "re");
		if (!f)
			continue; /* an older kernel has no timeout */
		if (fscanf(f, "%u", &seconds) != 1)
			seconds = 0;
		fclose(f);
		if (seconds == 0)
			continue;
		log_error("fs.fuse.%s is %u: the kernel would end the device "
			  "whenever a program waits so long for a packet; "
			  "set it to 0 with \"sysctl fs.fuse.%s=0\"",
			  knobs[i], seconds, knobs[i]);
		return -EINVAL;
	}
	return 0;
}

/* Every device costs two descriptors, every open file one. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the limit of open files: %s",
			    strerror(errno));
}

/* Only the default mount point is ours to make. */
static void make_default_mount(const char *mount)
{
	if (strcmp(mount, DEFAULT_MOUNT) != 0)
		return;
	mkdir("/run/tund", 0755);
	mkdir(DEFAULT_MOUNT, 0755);
}

static void on_unmounted(void *arg)
{
	loop_quit(arg);
}

/* Without a watchdog an idle daemon has no timer. */
static int start_watchdog(struct loop *loop)
{
	unsigned int ms = notify_watchdog_ms();

	return ms ? loop_add_timer(loop, ms, notify_alive, NULL) : 0;
}

/* Serves until a signal. Returns the exit status. */
static int serve(struct options *options, struct background *background,
		 struct loop *loop, struct control *control)
{
	struct fs_server_options server_options = {
		.path = options->mount,
		.unmounted = on_unmounted,
		.arg = loop,
	};
	struct fs_server *server;
	struct dev_table *table;
	int signal = 0;
	int r;

	r = dev_table_new(&net_host_ops, &table);
	if (r < 0)
		return 1;
	server_options.table = table;
	server_options.abilities = net_abilities();
	r = control_start(control, options, table, loop);
	if (r == 0) {
		reload_begin(options, table);
		r = fs_server_start(&server_options, &server);
	}
	if (r == 0) {
		log_notice("serving %s", options->mount);
		background_ready(background);
		reload_notify();
		signal = loop_run(loop);
		if (signal)
			log_notice("%s: ending", strsignal(signal));
		else
			log_error("%s was unmounted by somebody else: ending",
				  options->mount);
		notify_stopping();
		fs_server_stop(server);
	}
	control_stop(control);
	/* Answers whatever is parked. */
	dev_table_free(table);
	if (r == 0)
		fs_server_free(server);
	return signal ? 0 : 1;
}

static int run(struct options *options, struct background *background)
{
	struct control *control = NULL;
	struct loop *loop;
	int status = 1;

	if (privileges_check() < 0 || check_request_timeouts() < 0 ||
	    control_open(options, &control) < 0)
		return 1;
	if (privileges_drop() < 0 || callermem_start() < 0) {
		control_close(control);
		return 1;
	}
	raise_file_limit();
	make_default_mount(options->mount);
	if (loop_new(&loop) < 0) {
		control_close(control);
		return 1;
	}
	if (net_start() == 0) {
		if (net_check() == 0 &&
		    loop_add_fd(loop, net_changes_fd(), net_dispatch, NULL) ==
			    0 &&
		    loop_add_signal(loop, SIGHUP, reload_on_signal, NULL) ==
			    0 &&
		    start_watchdog(loop) == 0)
			status = serve(options, background, loop, control);
		net_stop();
	}
	loop_free(loop);
	control_close(control);
	callermem_stop();
	return status;
}

/* A descriptor of ours must not be taken for standard error. */
static void open_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

/*
 * Packets are freed in another thread than they are made in, hundreds at once:
 * without this the heap's end would go back to the kernel each time, and every
 * page of it be cleared again.
 */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

int main(int argc, char **argv)
{
	struct background background;
	struct options options;
	int status;

	open_standard_files();
	switch (options_parse(argc, argv, &options)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_FAILED:
		return 1;
	case OPTIONS_USAGE:
		return 2;
	}
	log_set_level(options.log_level);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	umask(022);
	keep_memory();

	status = background_start(&background, options.foreground);
	if (status < 0)
		status = run(&options, &background);
	options_free(&options);
	return status;
}
