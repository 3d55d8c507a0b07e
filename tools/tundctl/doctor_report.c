/* SPDX-License-Identifier: MIT */
/* doctor_report.c - what it comes to, the one thing to do, and how it looks. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "table.h"
#include "tundctl.h"

/* What a program can do with, that has no right to make interfaces. */
#define OR_AN_INTERFACE                                                        \
	"; or give its user an interface, as root: by a policy of "            \
	"tund.conf(5), which \"tundctl snippet policy --user USER --name "     \
	"vpn0\" prints, or a persistent one, \"tundctl tuntap add dev tun0 "   \
	"mode tun user USER\""
#define OR_OF_THE_KERNEL                                                       \
	"; or give its user an interface, as root: \"ip tuntap add dev tun0 "  \
	"mode tun user USER\""

/* Part of what is documented: never changed. */
static const char *const names[CHECK_MAX] = {
	[CHECK_DEVICE] = "device",
	[CHECK_TUND] = "tund-device",
	[CHECK_DAEMON] = "daemon",
	[CHECK_MOUNT] = "mount",
	[CHECK_CAPABILITY] = "capability",
	[CHECK_USERNS] = "user-namespace",
	[CHECK_CGROUP] = "device-cgroup",
	[CHECK_SECCOMP] = "seccomp",
	[CHECK_LSM] = "security-module",
	[CHECK_MODULE] = "module",
	[CHECK_FUSE] = "fuse",
	[CHECK_VETH] = "veth",
	[CHECK_PACKET] = "packet-socket",
};

static const char *const states[] = {
	[DOCTOR_UNKNOWN] = "unknown",
	[DOCTOR_OK] = "ok",
	[DOCTOR_NOT_OK] = "not ok",
};

const struct doctor_path *doctor_way(const struct doctor *d)
{
	for (int i = 0; i < 2; i++)
		if (d->paths[i].obstacle == OBSTACLE_NONE &&
		    d->findings[CHECK_DEVICE + i].state == DOCTOR_OK)
			return &d->paths[i];
	return NULL;
}

static bool any(const struct doctor *d, enum doctor_obstacle obstacle)
{
	return d->paths[0].obstacle == obstacle ||
	       d->paths[1].obstacle == obstacle;
}

static bool bad(const struct doctor *d, enum doctor_check check)
{
	return d->findings[check].state == DOCTOR_NOT_OK;
}

/* It is tund that refuses, which may be told to be more generous. */
static bool tund_refuses(const struct doctor *d)
{
	for (int i = 0; i < 2; i++)
		if (d->paths[i].obstacle == OBSTACLE_RIGHTS && d->paths[i].ours)
			return true;
	return false;
}

/* Without the capability, or without a network namespace of its own. */
static const char *advise_rights(const struct doctor *d)
{
	bool not_own =
		strstr(d->findings[CHECK_CAPABILITY].evidence, "not own");

	if (tund_refuses(d))
		return not_own ? "give the program a network namespace of its "
				 "own (unshare -Urn)" OR_AN_INTERFACE
			       : "give the program CAP_NET_ADMIN over its "
				 "network namespace (docker run --cap-add "
				 "NET_ADMIN)" OR_AN_INTERFACE;
	return not_own ? "give the program a network namespace of its own "
			 "(unshare -Urn)" OR_OF_THE_KERNEL
		       : "give the program CAP_NET_ADMIN over its network "
			 "namespace (docker run --cap-add "
			 "NET_ADMIN)" OR_OF_THE_KERNEL;
}

/* Somewhere is a device, and this is what it lacks. NULL: there is none. */
static const char *advise_user(const struct doctor *d)
{
	if (d->other && !d->entered)
		return "run this as root, or in the process's own place";
	if (any(d, OBSTACLE_NONE))
		return "nothing in the way can be seen from outside; to be "
		       "sure, run \"tundctl doctor\" in the process's place";
	if (any(d, OBSTACLE_RIGHTS) &&
	    d->findings[CHECK_CAPABILITY].state == DOCTOR_OK)
		return "let a policy allow it (tund.conf(5)), or the program's "
		       "seccomp filter; tund's log names the policy that "
		       "decided";
	if (any(d, OBSTACLE_RIGHTS))
		return advise_rights(d);
	if (any(d, OBSTACLE_STUCK))
		return "start the daemon that does not answer again: "
		       "\"systemctl restart tund\"";
	if (any(d, OBSTACLE_DEAD))
		return "start tund again (\"systemctl restart tund\"), and in "
		       "a container mount its file anew";
	if (d->paths[1].obstacle == OBSTACLE_OUT_OF_REACH)
		return "let the program's user open " DOCTOR_DAEMON
		       ": its mode and its directories decide";
	return NULL;
}

static const char *advise_daemon(const struct doctor *d)
{
	if (strstr(d->findings[CHECK_FUSE].evidence, "fs.fuse."))
		return "set the request timeouts of FUSE to 0, as root: "
		       "\"sysctl fs.fuse.default_request_timeout=0 "
		       "fs.fuse.max_request_timeout=0\"; then start tund";
	if (!bad(d, CHECK_DAEMON) && bad(d, CHECK_MOUNT))
		return "mount tund's file in the process's mount namespace: "
		       "\"docker run -v " DOCTOR_DAEMON ":" DOCTOR_USUAL
		       "\", or \"mount --bind\" from outside";
	if (bad(d, CHECK_VETH))
		return "load veth, as root: \"modprobe veth\"; then start tund";
	if (bad(d, CHECK_PACKET))
		return "load packet sockets, as root: \"modprobe af_packet\"; "
		       "then start tund";
	if (bad(d, CHECK_FUSE))
		return "start tund where /dev/fuse is (\"modprobe fuse\"; for "
		       "a container: on its host), and mount " DOCTOR_DAEMON
		       " over the program's " DOCTOR_USUAL;
	return "start tund, as root: \"systemctl enable --now tund\", or "
	       "\"tund\"; for a container on its host, and mount " DOCTOR_DAEMON
	       " over the container's " DOCTOR_USUAL;
}

void doctor_advise(const struct doctor *d, char *ret_text, size_t size)
{
	const struct doctor_path *way = doctor_way(d);
	const char *text;

	if (way == &d->paths[0]) {
		snprintf(ret_text, size,
			 "nothing: a program can have a TUN "
			 "at %s",
			 way->path);
		return;
	}
	if (way) {
		const char *looks = d->paths[0].path;
		bool absent = d->paths[0].obstacle == OBSTACLE_ABSENT;

		/* A mount needs something to be over. */
		snprintf(ret_text, size,
			 "let the program open %s, or mount that where it "
			 "looks: \"%s%s%smount --bind %s %s\"",
			 way->path, absent ? "install -D /dev/null " : "",
			 absent ? looks : "", absent ? " && " : "", way->path,
			 looks);
		return;
	}
	text = advise_user(d);
	snprintf(ret_text, size, "%s", text ? text : advise_daemon(d));
}

static void print_text(const struct doctor *d)
{
	for (int i = 0; i < CHECK_MAX; i++)
		print_line("%-8s %-16s %s", states[d->findings[i].state],
			   names[i], d->findings[i].evidence);
}

/* In ASCII. What is not UTF-8, as a path may be, has a ? for each byte of it.
 */
static void print_string(const char *text)
{
	json_t *string = json_string(text);
	char *ascii = string ? NULL : strdup(text);

	for (char *c = ascii; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	if (ascii)
		string = json_string(ascii);
	free(ascii);
	if (string)
		json_dumpf(string, stdout, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	else
		fputs("null", stdout);
	json_decref(string);
}

static void print_json(const struct doctor *d, const char *advice)
{
	const struct doctor_path *way = doctor_way(d);

	printf("{\"pid\":%d,\"tun\":%s,\"device\":", (int)d->pid,
	       way ? "true" : "false");
	if (way)
		print_string(way->path);
	else
		fputs("null", stdout);
	fputs(",\"checks\":[", stdout);
	for (int i = 0; i < CHECK_MAX; i++) {
		printf("%s{\"name\":\"%s\",\"state\":\"%s\",\"evidence\":",
		       i ? "," : "", names[i], states[d->findings[i].state]);
		print_string(d->findings[i].evidence);
		putchar('}');
	}
	fputs("],\"do\":", stdout);
	print_string(advice);
	puts("}");
}

void doctor_print(const struct doctor *d, bool json)
{
	char advice[600];

	doctor_advise(d, advice, sizeof(advice));
	if (json) {
		print_json(d, advice);
		return;
	}
	print_text(d);
	print_line("do: %s", advice);
}
