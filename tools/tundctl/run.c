/* SPDX-License-Identifier: MIT */
/*
 * run.c - tundctl run: this very process becomes the program, so that signals,
 * job control and the exit status are right by construction. A supervisor,
 * detached from it, makes the ioctls that FUSE keeps from the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "filter.h"
#include "message.h"
#include "supervisor.h"
#include "tundctl.h"

/* As env(1), nice(1) and timeout(1) do. */
enum {
	EXIT_FAILED = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

static const char help[] =
	"Usage: tundctl run [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
	"Runs a program, of any kind, such that all its ioctls work on tund's\n"
	"device file, and its packets go past the daemon where that can be.\n"
	"\n"
	"  --device PATH   tund's device file, which must answer at the "
	"start;\n"
	"                  default /dev/net/tun if that is tund's, else\n"
	"                  /run/tund/dev/net/tun\n"
	"  --plane PLANE   auto: directly where the daemon can (the default);\n"
	"                  direct: refuse what cannot go directly;\n"
	"                  file: all packets through the device file\n"
	"  --log FILE      append what is done for the program\n"
	"\n"
	"Exit status: that of PROGRAM; 127 if it is not found, 126 if it\n"
	"cannot be run, 125 if tundctl fails before, 2 usage.\n";

struct options {
	const char *device;
	const char *log;
	enum plane plane;
};

/* Returns 0, or the exit status after a complaint. */
static int read_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option names[] = {
		{"device", required_argument, NULL, 'd'},
		{"log", required_argument, NULL, 'l'},
		{"plane", required_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int c;

	/* The first word that is no option is the program. */
	while ((c = next_option(&command_run, argc, argv, "+:", names)) >= 0) {
		switch (c) {
		case 'd':
			ret_options->device = optarg;
			break;
		case 'l':
			ret_options->log = optarg;
			break;
		case 'p':
			if (carry_read_plane(optarg, &ret_options->plane))
				break;
			return usage_error(&command_run,
					   "--plane %s: not one of auto, "
					   "direct, file",
					   optarg);
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return usage_error(&command_run, "no program is given");
	return 0;
}

/*
 * Orphans come to the first process of a pid namespace, and to who asked for
 * them: such a program would find the supervisor among its children.
 */
static bool gets_orphans(void)
{
	int subreaper = 0;

	prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
	return getpid() == 1 || subreaper;
}

/*
 * The program shall not find a child that it did not make, nor a SIGCHLD of
 * it: so the child ends without a signal, and its own child is orphaned; or
 * there is the one alone, which wait(2) does not see.
 */
static int start_supervisor(const struct supervisor_options *options, int log,
			    int *ret_fd)
{
	bool alone = gets_orphans();
	int sv[2];
	long pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	pid = syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		close(sv[0]);
		setsid();
		if (alone || fork() == 0)
			supervisor_run(options, sv[1], log);
		_exit(0);
	}
	close(sv[1]);
	*ret_fd = sv[0];
	if (pid < 0)
		return -1;
	while (!alone && waitpid((pid_t)pid, NULL, __WALL) < 0 &&
	       errno == EINTR)
		;
	return 0;
}

/* Returns when nothing can go wrong any more between the two. */
static int hand_over(int fd)
{
	_cleanup_close_ int listener = -1;
	pid_t supervisor;

	/* It is there, and tells its number. */
	if (message_receive(fd, &supervisor, sizeof(supervisor), NULL) < 0)
		return -1;
	/* Where Yama restricts ptrace(2), else it may not look at us. */
	prctl(PR_SET_PTRACER, (unsigned long)supervisor, 0, 0, 0);
	listener = filter_install();
	if (listener < 0)
		exit(EXIT_FAILED);
	if (message_send(fd, "", 1, listener) < 0 ||
	    message_receive(fd, &supervisor, sizeof(supervisor), NULL) < 0)
		return -1;
	return 0;
}

static int open_log(const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0) {
		complain_of_file(path, errno);
		exit(EXIT_FAILED);
	}
	return fd;
}

static int become(char **program)
{
	int error;

	execvp(program[0], program);
	error = errno;
	complain("cannot run \"%s\": %s: %s", program[0], strerror(error),
		 error == ENOENT ? "is it installed, and where PATH says?"
				 : "is it a program, and may you run it?");
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int run(int argc, char **argv)
{
	struct options options = {.plane = PLANE_AUTO};
	struct supervisor_options supervisor;
	int r = read_options(argc, argv, &options);
	int device, log, fd;

	if (r != 0)
		return r;
	device = device_open(options.device);
	if (device < 0)
		return EXIT_FAILED;
	close(device);
	log = open_log(options.log);
	supervisor.plane = options.plane;
	if (start_supervisor(&supervisor, log, &fd) < 0 || hand_over(fd) < 0) {
		complain("the supervisor does not start: %s", strerror(errno));
		return EXIT_FAILED;
	}
	close(fd);
	if (log >= 0)
		close(log);
	return become(argv + optind);
}

const struct command command_run = {
	.name = "run",
	.sentence = "run a program such that all its TUN ioctls work",
	.help = help,
	.run = run,
};
