/* SPDX-License-Identifier: MIT */
/*
 * tuntap.c - tundctl tuntap: persistent devices, with the words and the syntax
 * of ip-tuntap(8), whose own ioctls FUSE keeps from the daemon.
 */
#include "tuntap.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <tund/abi.h>

#include "tundctl.h"

static const char help[] =
	"Usage: tundctl tuntap [--device PATH] [-s] { add | del | show | list "
	"}\n"
	"           [ dev NAME ] [ mode { tun | tap } ] [ user USER ]\n"
	"           [ group GROUP ] [ one_queue ] [ pi ] [ vnet_hdr ]\n"
	"           [ multi_queue ]\n"
	"Makes, removes and lists persistent devices of tund, in the words of\n"
	"ip-tuntap(8). Without a command it lists them.\n"
	"\n"
	"  --device PATH   tund's device file; default /dev/net/tun if that\n"
	"                  is tund's, else /run/tund/dev/net/tun\n"
	"  -s, --statistics  show the plane, the queues and the counters, too\n"
	"\n"
	"Exit status: 0, 1 failure, 2 usage.\n";

/* RELEASE comes late: how long a device may be there after its end. */
#define GONE_MS 1000

/* ---- the words ---- */

/* Like ip: any beginning of a word is that word. */
static bool is(const char *word, const char *whole)
{
	return *word && strncmp(word, whole, strlen(word)) == 0;
}

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *p = name; *p; p++)
		if (*p == '/' || isspace((unsigned char)*p))
			return false;
	return length > 0 && length < IFNAMSIZ;
}

static int read_mode(const char *word, struct tuntap *t)
{
	unsigned int type = is(word, "tun")   ? IFF_TUN
			    : is(word, "tap") ? IFF_TAP
					      : 0;

	if (!type)
		return usage_error(&command_tuntap,
				   "unknown mode \"%s\": tun or tap", word);
	if (t->flags & (IFF_TUN | IFF_TAP) & ~type)
		return usage_error(&command_tuntap, "more than one mode");
	t->flags |= type;
	return 0;
}

/* A number is a number, even where somebody is called so. */
static bool read_number(const char *word, uint32_t *ret_id)
{
	unsigned long id;
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	id = strtoul(word, &end, 10);
	*ret_id = (uint32_t)id;
	return *end == '\0' && errno == 0 && id < UINT32_MAX;
}

static int read_user(const char *word, uid_t *ret_user)
{
	struct passwd *entry;

	if (read_number(word, ret_user))
		return 0;
	entry = getpwnam(word);
	if (!entry)
		return usage_error(&command_tuntap,
				   "invalid user \"%s\": neither a name nor a "
				   "number",
				   word);
	*ret_user = entry->pw_uid;
	return 0;
}

static int read_group(const char *word, gid_t *ret_group)
{
	struct group *entry;

	if (read_number(word, ret_group))
		return 0;
	entry = getgrnam(word);
	if (!entry)
		return usage_error(&command_tuntap,
				   "invalid group \"%s\": neither a name nor "
				   "a number",
				   word);
	*ret_group = entry->gr_gid;
	return 0;
}

static int read_name(const char *word, struct tuntap *t)
{
	if (t->name[0])
		return usage_error(&command_tuntap,
				   "either \"name\" is duplicate, or \"%s\" "
				   "is garbage",
				   word);
	if (!is_name(word))
		return usage_error(&command_tuntap,
				   "\"%s\" is no name of an interface: 1 to "
				   "%d characters, no slash, no space",
				   word, IFNAMSIZ - 1);
	strcpy(t->name, word);
	return 0;
}

/* A word that stands alone: its flag, IFF_NO_PI for "pi", or 0. */
static unsigned int flag_of(const char *word)
{
	return is(word, "pi")		 ? IFF_NO_PI
	       : is(word, "one_queue")	 ? IFF_ONE_QUEUE
	       : is(word, "vnet_hdr")	 ? IFF_VNET_HDR
	       : is(word, "multi_queue") ? IFF_MULTI_QUEUE
					 : 0;
}

/* One word and its value. Returns the number of words used, or 0. */
static int read_word(char **words, struct tuntap *t, int *ret_status)
{
	const char *word = words[0], *value = words[1];
	bool has_value = is(word, "mode") || is(word, "user") ||
			 is(word, "group") || is(word, "dev") ||
			 is(word, "name");
	unsigned int flag = flag_of(word);

	if (has_value && !value) {
		*ret_status = usage_error(&command_tuntap,
					  "\"%s\" needs a value", word);
		return 0;
	}
	*ret_status = 0;
	if (is(word, "mode"))
		*ret_status = read_mode(value, t);
	else if (is(word, "user"))
		*ret_status = read_user(value, &t->user);
	else if (is(word, "group"))
		*ret_status = read_group(value, &t->group);
	else if (flag == IFF_NO_PI)
		t->flags &= ~(unsigned int)IFF_NO_PI;
	else if (flag)
		t->flags |= flag;
	else
		*ret_status = read_name(has_value ? value : word, t);
	return *ret_status ? 0 : 1 + has_value;
}

/* Returns 0, or the exit status after a complaint. */
static int read_words(char **words, struct tuntap *ret_tuntap)
{
	int status = 0;

	*ret_tuntap = (struct tuntap){
		.flags = IFF_NO_PI,
		.user = (uid_t)-1,
		.group = (gid_t)-1,
	};
	while (*words) {
		int n = read_word(words, ret_tuntap, &status);

		if (n == 0)
			return status;
		words += n;
	}
	return 0;
}

/* ---- what is done ---- */

static const char *remedy(int error, bool add)
{
	switch (error) {
	case EBUSY:
		return add ? "there is an interface of that name; choose "
			     "another"
			   : "a program uses it; end that first";
	case EPERM:
		return "it needs CAP_NET_ADMIN in this network namespace, or "
		       "a policy of tund.conf(5) that allows it, and none that "
		       "refuses it: run it as root, or see tund's log";
	case ENOSPC:
	case EMFILE:
		return "the user has as many as tund.conf(5) allows; remove "
		       "one first";
	case EINVAL:
		return add ? "no such name or mix of flags can be; choose "
			     "another"
			   : "that is no device of tund, or of the other "
			     "mode; see \"tundctl tuntap show\"";
	default:
		return "see tund(4)";
	}
}

static int attach(int device, struct tuntap *t, bool add)
{
	struct tund_mode mode = {.flags = TUND_MODE_ALL_IOCTLS};
	struct ifreq ifr = {0};

	/* An older daemon does not know it, and has no IFF_VNET_HDR. */
	ioctl(device, TUND_IOC_MODE, &mode);
	strcpy(ifr.ifr_name, t->name);
	ifr.ifr_flags = (short)(t->flags | (add ? IFF_TUN_EXCL : 0));
	if (ioctl(device, TUNSETIFF, &ifr) < 0) {
		complain("ioctl(TUNSETIFF): %s: %s", strerror(errno),
			 remedy(errno, add));
		return -1;
	}
	strcpy(t->name, ifr.ifr_name);
	return 0;
}

static const char *set_remedy(int error)
{
	switch (error) {
	case EINVAL:
		return "no such user or group in this user namespace";
	case EPERM:
		return "the device is declared in tund.conf(5): take it out "
		       "there, and reload, first";
	default:
		return "see tund(4)";
	}
}

static int set(int device, const char *word, unsigned int cmd, uint32_t value)
{
	struct tund_value v = {.cmd = cmd, .value = value};

	if (ioctl(device, TUND_IOC_VALUE, &v) == 0)
		return 0;
	complain("ioctl(%s): %s: %s", word, strerror(errno), set_remedy(errno));
	return -1;
}

static int add(int device, struct tuntap *t)
{
	if (attach(device, t, true) < 0)
		return 1;
	if (t->user != (uid_t)-1 &&
	    set(device, "TUNSETOWNER", TUNSETOWNER, t->user) < 0)
		return 1;
	if (t->group != (gid_t)-1 &&
	    set(device, "TUNSETGROUP", TUNSETGROUP, t->group) < 0)
		return 1;
	return set(device, "TUNSETPERSIST", TUNSETPERSIST, 1) < 0;
}

/* With the kernel's TUN it is gone when close(2) returns. */
static void wait_until_gone(const char *name)
{
	struct timespec pause = {.tv_nsec = 2000000};

	for (int ms = 0; ms < GONE_MS && if_nametoindex(name); ms += 2)
		nanosleep(&pause, NULL);
}

static int del(int device, struct tuntap *t)
{
	if (attach(device, t, false) < 0 ||
	    set(device, "TUNSETPERSIST", TUNSETPERSIST, 0) < 0)
		return 1;
	close(device);
	/* Others may hold the other queues. */
	if (!(t->flags & IFF_MULTI_QUEUE))
		wait_until_gone(t->name);
	return 0;
}

static int show(int device, struct tuntap *t)
{
	return tuntap_show(device, t);
}

/* ---- */

static const struct verb {
	const char *word;
	int (*function)(int device, struct tuntap *t);
	bool needs_mode;
	bool takes_owner;
} verbs[] = {
	{"add", add, true, true},     {"delete", del, true, false},
	{"show", show, false, false}, {"lst", show, false, false},
	{"list", show, false, false},
};

static int carry_out(const struct verb *verb, char **words, const char *path,
		     bool statistics)
{
	struct tuntap t;
	int status = read_words(words, &t);
	int device;

	if (status != 0)
		return status;
	t.statistics = statistics;
	if (verb->needs_mode && !(t.flags & (IFF_TUN | IFF_TAP)))
		return usage_error(&command_tuntap,
				   "no mode is given: mode tun or mode tap");
	if (!verb->takes_owner && (t.user != (uid_t)-1 || t.group != (gid_t)-1))
		return usage_error(&command_tuntap,
				   "user and group are for \"add\"");
	device = device_open(path);
	return device < 0 ? 1 : verb->function(device, &t);
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{"device", required_argument, NULL, 'd'},
		{"statistics", no_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL, *word;
	bool statistics = false;
	int c;

	while ((c = next_option(&command_tuntap, argc, argv, "+:s", names)) >=
	       0) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 's')
			statistics = true;
		else
			path = optarg;
	}
	word = argv[optind] ? argv[optind++] : "show";
	if (is(word, "help")) {
		fputs(help, stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (is(word, verbs[i].word))
			return carry_out(&verbs[i], argv + optind, path,
					 statistics);
	return usage_error(&command_tuntap,
			   "there is no \"%s\": add, del, show or list", word);
}

const struct command command_tuntap = {
	.name = "tuntap",
	.sentence = "make, remove and list persistent devices",
	.help = help,
	.run = run,
};
