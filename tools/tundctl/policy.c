/* SPDX-License-Identifier: MIT */
/*
 * policy.c - tundctl policy check: which rule of the daemon's decides about a
 * user and an interface, and what. The rules are not read here.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "netns.h"
#include "table.h"

/* As many as the daemon takes. */
enum { MAX_GROUPS = 256 };

struct question {
	struct control_options options;
	const char *user;
	gid_t groups[MAX_GROUPS];
	int n_groups;
	const char *kind, *plane;
};

/* ---- the question ---- */

static bool read_number(const char *word, uint32_t *ret_id)
{
	unsigned long long number;
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	number = strtoull(word, &end, 10);
	if (*end || errno || number >= UINT32_MAX)
		return false;
	*ret_id = (uint32_t)number;
	return true;
}

static int add_group(struct question *q, const char *word)
{
	const struct group *entry;
	gid_t gid;

	if (q->n_groups == MAX_GROUPS)
		return usage_error(&command_policy, "more than %d groups",
				   MAX_GROUPS);
	if (!read_number(word, &gid)) {
		entry = getgrnam(word);
		if (!entry) {
			complain("there is no group \"%s\": give a name that "
				 "\"getent group\" lists, or a number",
				 word);
			return 1;
		}
		gid = entry->gr_gid;
	}
	q->groups[q->n_groups++] = gid;
	return 0;
}

/* With the groups that the system gives him, unless some are named. */
static int find_user(struct question *q, uid_t *ret_uid)
{
	const struct passwd *entry = getpwnam(q->user);

	if (!entry && !read_number(q->user, ret_uid)) {
		complain("there is no user \"%s\": give a name that \"getent "
			 "passwd\" lists, or a number",
			 q->user);
		return 1;
	}
	if (!entry)
		entry = getpwuid(*ret_uid);
	if (!entry)
		return 0;
	*ret_uid = entry->pw_uid;
	if (q->n_groups > 0)
		return 0;
	q->n_groups = MAX_GROUPS;
	if (getgrouplist(entry->pw_name, entry->pw_gid, q->groups,
			 &q->n_groups) < 0) {
		complain("%s is in more than %d groups: name those that "
			 "matter with --gid",
			 entry->pw_name, MAX_GROUPS);
		return 1;
	}
	return 0;
}

static int check_word(const char *option, const char *word, const char *one,
		      const char *other)
{
	if (strcmp(word, one) == 0 || strcmp(word, other) == 0)
		return 0;
	return usage_error(&command_policy, "--%s %s: it takes %s or %s",
			   option, word, one, other);
}

static int set_option(struct question *q, int option)
{
	switch (option) {
	case 'c':
		q->options.path = optarg;
		return 0;
	case 'j':
		q->options.json = true;
		return 0;
	case 'n':
		if (strcmp(optarg, "host") == 0)
			return 0;
		return netns_find(optarg, &q->options.netns) < 0;
	case 'u':
		q->user = optarg;
		return 0;
	case 'g':
		return add_group(q, optarg);
	case 'k':
		q->kind = optarg;
		return check_word("kind", optarg, "tun", "tap");
	default:
		q->plane = optarg;
		return check_word("plane", optarg, "file", "direct");
	}
}

static int check_words(char **words, struct question *q)
{
	if (!*words || strcmp(*words++, "check") != 0)
		return usage_error(&command_policy,
				   "what to do is missing: \"policy check\"");
	q->options.name = *words ? *words++ : NULL;
	if (*words)
		return usage_error(&command_policy,
				   "\"%s\" is one word too many", *words);
	if (!q->options.name)
		return usage_error(&command_policy,
				   "it needs an interface's name");
	if (!q->user)
		return usage_error(&command_policy,
				   "it needs to know who asks: --uid USER");
	return 0;
}

static int read_arguments(int argc, char **argv, struct question *ret_question)
{
	static const struct option names[] = {
		{"control", required_argument, NULL, 'c'},
		{"gid", required_argument, NULL, 'g'},
		{"json", no_argument, NULL, 'j'},
		{"kind", required_argument, NULL, 'k'},
		{"netns", required_argument, NULL, 'n'},
		{"plane", required_argument, NULL, 'p'},
		{"uid", required_argument, NULL, 'u'},
		{NULL, 0, NULL, 0},
	};
	int c, status = 0;

	*ret_question = (struct question){.options.path = CONTROL_PATH};
	while (status == 0 &&
	       (c = next_option(&command_policy, argc, argv, ":j", names)) >= 0)
		status = c == '?' ? EXIT_USAGE : set_option(ret_question, c);
	return status ? status : check_words(argv + optind, ret_question);
}

/* The members of the request that no other command has. */
static json_t *members(const struct question *q, uid_t uid)
{
	json_t *groups = json_array();

	for (int i = 0; i < q->n_groups; i++)
		json_array_append_new(groups, json_integer(q->groups[i]));
	return json_pack("{s:I, s:o, s:s*, s:s*}", "uid", (json_int_t)uid,
			 "groups", groups, "kind", q->kind, "plane", q->plane);
}

/* ---- the answer ---- */

static void print_rule(const char *key, const json_t *result, const char *word,
		       const char *behind)
{
	const json_t *rule = json_object_get(result, word);

	if (json_is_object(rule))
		print_pair(key, "[Policy %s] at %s:%s%s", word_of(rule, "name"),
			   word_of(rule, "file"), word_of(rule, "line"),
			   behind);
}

static void print_planes(const json_t *planes)
{
	const json_t *plane;
	char text[64] = "";
	size_t i;

	json_array_foreach(planes, i, plane)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s", i ? " " : "", json_string_value(plane));
	print_pair("Planes", "%s", *text ? text : "-");
}

static void print_answer(const json_t *r, const struct question *q)
{
	bool allowed = json_is_true(json_object_get(r, "allowed"));

	print_pair("Request", "%s %s (%s) in %s", word_of(r, "request"),
		   word_of(r, "name"), word_of(r, "kind"),
		   netns_name((uint64_t)number_of(r, "netns")));
	print_pair("User", "%s", q->user);
	printf("%15s: %s%s%s\n", "Answer", colour(allowed ? GREEN : RED),
	       allowed ? "allowed" : "refused", colour(PLAIN));
	print_pair("Reason", "%s", word_of(r, "reason"));
	print_rule("Near", r, "near",
		   " is about this user, but another name or kind");
	print_rule("Unless", r, "unless",
		   " asks for the program's control group or executable");
	if (!allowed)
		return;
	print_planes(json_object_get(r, "planes"));
	print_pair("Configure", "%s",
		   json_is_true(json_object_get(r, "configure")) ? "yes"
								 : "no");
	print_pair("Packets/s", "%s", word_of(r, "max_packets_per_second"));
}

static int run(int argc, char **argv)
{
	struct question q;
	uid_t uid;
	int status = read_arguments(argc, argv, &q);
	json_t *result;

	if (status == 0)
		status = find_user(&q, &uid);
	if (status != 0)
		return status;
	q.options.more = members(&q, uid);
	result = control_result(&q.options, "policy-check");
	json_decref(q.options.more);
	if (!result)
		return 1;
	if (!json_is_true(json_object_get(result, "allowed")))
		status = 1;
	if (q.options.json && control_print_json(result) != 0)
		status = 1;
	else if (!q.options.json)
		print_answer(result, &q);
	json_decref(result);
	return status;
}

const struct command command_policy = {
	.name = "policy",
	.sentence = "say which policy decides about a user and a device",
	.help = "Usage: tundctl policy check --uid USER [--gid GROUP]...\n"
		"       [--netns host|NS] [--kind tun|tap] [--plane "
		"file|direct]\n"
		"       [--control PATH] [-j] NAME\n"
		"Says whether a program of that user may have the interface\n"
		"NAME, which policy decides that, and why. Tries nothing.\n"
		"\n" CONTROL_HELP
		"  --uid USER       whose the program is: a name or a number\n"
		"  --gid GROUP      in that group; may be given several "
		"times;\n"
		"                   default: the groups of the user\n"
		"  --netns NS       in which network namespace; default: "
		"host,\n"
		"                   which is the daemon's\n"
		"  --kind KIND      tun (the default) or tap\n"
		"  --plane PLANE    for packets on that plane: file or direct\n"
		"\nExit status: 0 allowed, 1 refused or failure, 2 usage.\n",
	.run = run,
};
