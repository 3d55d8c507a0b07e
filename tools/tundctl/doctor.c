/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - `tundctl doctor`: the command line, and the order of the checks.
 * It asks no daemon but through the device file, and changes nothing.
 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tundctl.h"

static int doctor_run(int argc, char **argv);

const struct command command_doctor = {
	.name = "doctor",
	.sentence = "say why a program cannot have a TUN, and what to do",
	.help = "Usage: tundctl doctor [--pid PID | --container NAME] [-j]\n"
		"                      [--device PATH]\n"
		"Says whether a program can have a TUN here, why not, and the "
		"one thing to do.\n"
		"Needs no daemon, and no root unless the program is somebody "
		"else's.\n"
		"\n"
		"  --pid PID         as that process sees it\n"
		"  --container NAME  as the first process of a container of "
		"Docker, Podman,\n"
		"                    LXC or systemd does\n"
		"  --device PATH     the file that the program opens "
		"(default " DOCTOR_USUAL ")\n"
		"  -j, --json        in JSON\n"
		"\n"
		"Exit status: 0 a TUN can be had, 1 it cannot, or nobody can "
		"tell, 2 usage.\n",
	.run = doctor_run,
};

void doctor_find(struct doctor *d, enum doctor_check check,
		 enum doctor_state state, const char *format, ...)
{
	struct doctor_finding *finding = &d->findings[check];
	va_list args;

	va_start(args, format);
	vsnprintf(finding->evidence, sizeof(finding->evidence), format, args);
	va_end(args);
	finding->state = state;
}

int doctor_open(const struct doctor *d, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", (int)d->pid, what);
	return openat(d->proc, path, flags | O_CLOEXEC);
}

bool doctor_read(const struct doctor *d, const char *what, char *ret_text,
		 size_t size)
{
	_cleanup_close_ int fd = doctor_open(d, what, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, ret_text, size - 1);

	ret_text[n < 0 ? 0 : n] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return n >= 0;
}

/* The process, from the command line. -1 after a complaint. */
static pid_t read_pid(const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (end != text && !*end && pid > 0 && pid <= 1 << 22)
		return (pid_t)pid;
	usage_error(&command_doctor, "--pid %s: not the number of a process",
		    text);
	return -1;
}

struct arguments {
	const char *pid;
	const char *container;
	const char *device;
	bool json;
};

static int read_arguments(int argc, char **argv, struct arguments *ret_args)
{
	static const struct option options[] = {
		{"pid", required_argument, NULL, 'p'},
		{"container", required_argument, NULL, 'c'},
		{"device", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*ret_args = (struct arguments){.device = DOCTOR_USUAL};
	while ((c = next_option(&command_doctor, argc, argv, ":j", options)) >=
	       0) {
		if (c == 'p')
			ret_args->pid = optarg;
		else if (c == 'c')
			ret_args->container = optarg;
		else if (c == 'd')
			ret_args->device = optarg;
		else if (c == 'j')
			ret_args->json = true;
		else
			return EXIT_USAGE;
	}
	if (optind < argc)
		return usage_error(&command_doctor,
				   "\"%s\" is one word too many", argv[optind]);
	if (ret_args->pid && ret_args->container)
		return usage_error(&command_doctor,
				   "--pid and --container are two answers to "
				   "one question");
	if (ret_args->device[0] != '/')
		return usage_error(&command_doctor,
				   "--device %s: not an absolute path",
				   ret_args->device);
	return 0;
}

static int examine(const struct arguments *args, pid_t pid)
{
	struct doctor *d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (d == MAP_FAILED) {
		complain("doctor: %s", strerror(errno));
		return 1;
	}
	d->other = pid > 0;
	d->pid = d->other ? pid : getpid();
	d->paths[0].path = args->device;
	d->paths[1].path = DOCTOR_DAEMON;
	d->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->proc < 0) {
		complain("doctor: /proc: %s", strerror(errno));
		return 1;
	}
	if (faccessat(d->proc, "self", F_OK, 0) < 0) {
		complain("doctor: /proc is not mounted");
		return 1;
	}
	doctor_process(d);
	doctor_visit(d);
	doctor_machine(d);
	doctor_mounts(d);
	doctor_cgroup(d);
	doctor_print(d, args->json);
	return doctor_way(d) ? 0 : 1;
}

static int doctor_run(int argc, char **argv)
{
	struct arguments args;
	pid_t pid = 0;
	int r = read_arguments(argc, argv, &args);

	if (r != 0)
		return r;
	if (args.pid) {
		pid = read_pid(args.pid);
		if (pid < 0)
			return EXIT_USAGE;
	} else if (args.container) {
		pid = doctor_container(args.container);
		if (pid < 0)
			return 1;
	}
	if (pid > 0) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d", (int)pid);
		if (access(path, F_OK) < 0) {
			complain("doctor: there is no process %d: \"ps -e\" "
				 "lists them",
				 (int)pid);
			return 1;
		}
	}
	return examine(&args, pid);
}
