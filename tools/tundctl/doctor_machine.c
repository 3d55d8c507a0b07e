/* SPDX-License-Identifier: MIT */
/*
 * doctor_machine.c - what a TUN is made of on this machine: the driver, FUSE,
 * veth, packet sockets, a daemon. The last ones but one are tried for real, in
 * a network namespace that goes with the child that tries.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "doctor.h"
#include "tundctl.h"

/* ---- the driver ---- */

static bool file_has(const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (f && !found && getline(&line, &size, f) > 0)
		found = strstr(line, text);
	free(line);
	if (f)
		fclose(f);
	return found;
}

static void find_module(struct doctor *d)
{
	char builtin[300], dep[300], config[300];
	struct utsname u;

	uname(&u);
	snprintf(builtin, sizeof(builtin), "/lib/modules/%s/modules.builtin",
		 u.release);
	snprintf(dep, sizeof(dep), "/lib/modules/%s/modules.dep", u.release);
	snprintf(config, sizeof(config), "/boot/config-%s", u.release);
	if (file_has("/proc/misc", "200 tun"))
		doctor_find(d, CHECK_MODULE, DOCTOR_OK,
			    "the kernel's driver is there (/proc/misc)");
	else if (file_has(dep, "/tun.ko") || file_has(builtin, "/tun.ko"))
		doctor_find(d, CHECK_MODULE, DOCTOR_NOT_OK,
			    "the kernel's driver is not loaded (%s has it); "
			    "tund needs none",
			    dep);
	else if (file_has(config, "# CONFIG_TUN is not set"))
		doctor_find(d, CHECK_MODULE, DOCTOR_NOT_OK,
			    "the kernel was built without CONFIG_TUN (%s); "
			    "tund needs no driver",
			    config);
	else
		doctor_find(d, CHECK_MODULE, DOCTOR_NOT_OK,
			    "the kernel's driver is not there (/proc/misc has "
			    "no tun); tund needs none");
}

/* ---- FUSE ---- */

static unsigned int read_knob(const char *path)
{
	unsigned int value = 0;
	FILE *f = fopen(path, "re");

	if (f && fscanf(f, "%u", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	return value;
}

static void find_fuse(struct doctor *d)
{
	static const char *const knobs[] = {"default_request_timeout",
					    "max_request_timeout"};
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int error = errno;

	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/sys/fs/fuse/%s", knobs[i]);
		if (read_knob(path) == 0)
			continue;
		doctor_find(d, CHECK_FUSE, DOCTOR_NOT_OK,
			    "fs.fuse.%s is %u: the kernel would end a device "
			    "in which a program waits so long",
			    knobs[i], read_knob(path));
		return;
	}
	if (fd >= 0)
		doctor_find(d, CHECK_FUSE, DOCTOR_OK, "/dev/fuse opens");
	else
		doctor_find(d, CHECK_FUSE, DOCTOR_NOT_OK,
			    "/dev/fuse: %s%s; only the daemon needs it",
			    strerror(error),
			    file_has("/proc/filesystems", "\tfuse\n")
				    ? ""
				    : ", and the kernel has no FUSE");
}

/* ---- veth and packet sockets ---- */

/* Without a word of what the peer shall be, it is as the first end. */
static int make_veth(void)
{
	static const char kind[] = "veth";
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		struct rtattr info;
		struct rtattr kind;
		char name[4];
	} m = {
		.nlh = {.nlmsg_len = sizeof(m),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
				       NLM_F_CREATE | NLM_F_EXCL},
		.info = {sizeof(m.info) + sizeof(m.kind) + sizeof(m.name),
			 IFLA_LINKINFO},
		.kind = {sizeof(m.kind) + sizeof(kind) - 1, IFLA_INFO_KIND},
	};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char more[512];
	} answer;

	memcpy(m.name, kind, sizeof(kind) - 1);
	if (fd < 0 || send(fd, &m, sizeof(m), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		return errno;
	return -answer.err.error;
}

static int make_packet_socket(void)
{
	_cleanup_close_ int fd =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	return fd < 0 ? errno : 0;
}

static void tell(struct doctor *d, enum doctor_check check, int error,
		 int missing, const char *what)
{
	if (error == 0)
		doctor_find(d, check, DOCTOR_OK,
			    "%s made in a network namespace for the trial",
			    what);
	else
		doctor_find(d, check, DOCTOR_NOT_OK, "%s: %s%s", what,
			    strerror(error),
			    error == missing ? ": the kernel has none" : "");
}

static void try_net(struct doctor *d)
{
	int error = 0;

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		error = errno;
	if (error) {
		for (int i = CHECK_VETH; i <= CHECK_PACKET; i++)
			doctor_find(d, (enum doctor_check)i, DOCTOR_UNKNOWN,
				    "not tried: no network namespace could be "
				    "made for it: %s",
				    strerror(error));
		return;
	}
	tell(d, CHECK_VETH, make_veth(), EOPNOTSUPP, "a pair of veth");
	tell(d, CHECK_PACKET, make_packet_socket(), EAFNOSUPPORT,
	     "a packet socket");
}

static void find_net(struct doctor *d)
{
	pid_t child = fork();

	if (child == 0) {
		try_net(d);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

/* ---- the daemon ---- */

/* A process of that name, or 0. */
static pid_t find_process(const struct doctor *d, const char *name)
{
	int fd = openat(d->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	pid_t found = 0;

	while (dir && !found && (entry = readdir(dir))) {
		struct doctor one = *d;
		char comm[32];

		one.pid = (pid_t)atoi(entry->d_name);
		if (one.pid > 0 &&
		    doctor_read(&one, "comm", comm, sizeof(comm)) &&
		    strcmp(comm, name) == 0)
			found = one.pid;
	}
	if (dir)
		closedir(dir);
	return found;
}

static void find_daemon(struct doctor *d)
{
	pid_t pid = find_process(d, "tund");

	if (pid)
		doctor_find(d, CHECK_DAEMON, DOCTOR_OK, "tund runs, process %d",
			    (int)pid);
	else if (d->paths[0].ours || d->paths[1].ours)
		doctor_find(d, CHECK_DAEMON, DOCTOR_UNKNOWN,
			    "no process tund is seen here; its file is");
	else
		doctor_find(d, CHECK_DAEMON, DOCTOR_NOT_OK,
			    "no process tund is seen here");
}

void doctor_machine(struct doctor *d)
{
	find_module(d);
	find_fuse(d);
	find_net(d);
	find_daemon(d);
}
