/* SPDX-License-Identifier: MIT */
/* Cases about the names that TUNSETIFF takes and gives, and whom they belong
 * to already; not about its flags. */
#include "tun-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

/* A line with the result and, if it worked, the name; the descriptor stays. */
static int attach_and_say(const char *step, const char *name, int flags)
{
	char got[IFNAMSIZ];
	int fd = tun_open(O_RDWR);
	int ret = tun_attach(fd, name, flags, got);

	if (ret < 0)
		say_rc(step, ret);
	else
		say(step, "%s %s", got,
		    if_nametoindex(got) ? "exists" : "does not exist");
	return fd;
}

static void given(void)
{
	attach_and_say("tun", "given0", RAW);
	attach_and_say("tap", "given1", IFF_TAP | IFF_NO_PI);
	attach_and_say("tun-pi", "given2", IFF_TUN);
	attach_and_say("tap-pi", "given3", IFF_TAP);
	attach_and_say("odd", "a.b-c_d@e", RAW);
	attach_and_say("one-letter", "x", RAW);
}

static void empty(void)
{
	attach_and_say("tun", "", RAW);
	attach_and_say("tun-second", "", RAW);
	attach_and_say("tap", "", IFF_TAP | IFF_NO_PI);
	attach_and_say("tap-second", "", IFF_TAP | IFF_NO_PI);
}

static void gap(void)
{
	int first = attach_and_say("tun0", "", RAW);
	int second = attach_and_say("tun1", "", RAW);

	attach_and_say("tun2", "", RAW);
	close(second);
	wait_gone("tun1");
	attach_and_say("hole", "", RAW);
	close(first);
	wait_gone("tun0");
	attach_and_say("hole-zero", "", RAW);
	attach_and_say("after-last", "", RAW);
}

static void pattern(void)
{
	attach_and_say("first", "foo%d", RAW);
	attach_and_say("second", "foo%d", RAW);
	attach_and_say("tap", "foo%d", IFF_TAP | IFF_NO_PI);
	attach_and_say("middle", "fo%do", RAW);
	attach_and_say("alone", "%d", RAW);
	attach_and_say("other-type", "tap%d", RAW);
	attach_and_say("two", "x%d%d", RAW);
	attach_and_say("two-apart", "x%dy%d", RAW);
	attach_and_say("string", "x%s", RAW);
	attach_and_say("percent", "x%", RAW);
	attach_and_say("percents", "x%%", RAW);
	attach_and_say("percents-d", "x%%d", RAW);
	attach_and_say("hex", "x%x", RAW);
	attach_and_say("width", "x%2d", RAW);
	attach_and_say("excl", "foo%d", RAW | IFF_TUN_EXCL);
}

/* The number counts over all interfaces, not only over tuns. */
static void pattern_taken(void)
{
	say_rc("rename-lo", if_rename("lo", "foo0"));
	attach_and_say("skips", "foo%d", RAW);
	attach_and_say("literal", "foo0", RAW);
}

static void too_long(void)
{
	attach_and_say("15", "abcdefghijklmno", RAW);
	attach_and_say("16", "bbcdefghijklmnop", RAW);
	attach_and_say("16-again", "bbcdefghijklmnop", RAW);
	attach_and_say("16-cut", "bbcdefghijklmnoz", RAW);
	attach_and_say("pattern-15", "abcdefghijklm%d", RAW);
	attach_and_say("pattern-15-second", "abcdefghijklm%d", RAW);
	attach_and_say("pattern-16", "abcdefghijklmn%d", RAW);
	attach_and_say("pattern-cut", "abcdefghijklmno%d", RAW);
}

static void invalid(void)
{
	attach_and_say("dot", ".", RAW);
	attach_and_say("dotdot", "..", RAW);
	attach_and_say("dotdotdot", "...", RAW);
	attach_and_say("slash", "a/b", RAW);
	attach_and_say("slash-only", "/", RAW);
	attach_and_say("colon", "a:b", RAW);
	attach_and_say("space", "a b", RAW);
	attach_and_say("space-first", " a", RAW);
	attach_and_say("tab", "a\tb", RAW);
	attach_and_say("newline", "a\nb", RAW);
	attach_and_say("vertical-tab", "a\vb", RAW);
	attach_and_say("nbsp",
		       "a\xa0"
		       "b",
		       RAW);
	attach_and_say("utf8", "\xc3\xa9", RAW);
	attach_and_say("control",
		       "a\x01"
		       "b",
		       RAW);
	attach_and_say("slash-pattern", "a/%d", RAW);
	attach_and_say("dot-excl", ".", RAW | IFF_TUN_EXCL);
}

static void foreign(void)
{
	attach_and_say("tun", "lo", RAW);
	attach_and_say("tap", "lo", IFF_TAP | IFF_NO_PI);
	attach_and_say("excl", "lo", RAW | IFF_TUN_EXCL);
	attach_and_say("no-type", "lo", IFF_NO_PI);
	attach_and_say("no-type-excl", "lo", IFF_NO_PI | IFF_TUN_EXCL);
	say("lo", "%s", if_nametoindex("lo") ? "exists" : "gone");
}

static void taken(void)
{
	int tun = attach_and_say("tun", "own0", RAW);

	attach_and_say("tap", "own1", IFF_TAP | IFF_NO_PI);
	attach_and_say("tun-by-tun", "own0", RAW);
	attach_and_say("tun-by-tun-pi", "own0", IFF_TUN);
	attach_and_say("tun-by-tap", "own0", IFF_TAP | IFF_NO_PI);
	attach_and_say("tap-by-tun", "own1", RAW);
	attach_and_say("tap-by-tap", "own1", IFF_TAP | IFF_NO_PI);
	attach_and_say("excl", "own0", RAW | IFF_TUN_EXCL);
	attach_and_say("both-types", "own0", RAW | IFF_TAP);
	attach_and_say("no-type", "own0", IFF_NO_PI);
	attach_and_say("multi-queue", "own0", RAW | IFF_MULTI_QUEUE);
	say("still", "%#x", (unsigned int)tun_flags(tun));
}

static void exclusive(void)
{
	int fd = attach_and_say("free", "ex0", RAW | IFF_TUN_EXCL);

	say("flags", "%#x", (unsigned int)tun_flags(fd));
	attach_and_say("again", "ex0", RAW | IFF_TUN_EXCL);
	close(fd);
	wait_gone("ex0");
	attach_and_say("after-close", "ex0", RAW | IFF_TUN_EXCL);
}

/* A failed attempt leaves the descriptor as it was. */
static void retry(void)
{
	char got[IFNAMSIZ];
	int fd = tun_open(O_RDWR);

	say_rc("bad", tun_attach(fd, "a/b", RAW, NULL));
	say_rc("lo", tun_attach(fd, "lo", RAW, NULL));
	say_rc("no-type", tun_attach(fd, "re0", 0, NULL));
	say("unattached", "%#x", revents_now(fd));
	say_rc("good", tun_attach(fd, "re0", RAW, got));
	say("name", "%s", got);
}

/* Two names that differ in case are two interfaces. */
static void letter_case(void)
{
	attach_and_say("lower", "case0", RAW);
	attach_and_say("upper", "CASE0", RAW);
}

const struct trace_case name_cases[] = {
	{"name-given", given},
	{"name-empty", empty},
	{"name-gap", gap},
	{"name-pattern", pattern},
	{"name-pattern-taken", pattern_taken},
	{"name-long", too_long},
	{"name-invalid", invalid},
	{"name-foreign", foreign},
	{"name-taken", taken},
	{"name-exclusive", exclusive},
	{"name-retry", retry},
	{"name-case", letter_case},
	{NULL, NULL},
};
