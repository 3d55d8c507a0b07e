/* SPDX-License-Identifier: MIT */
/* request.c - jansson is asked for one flat object, and no more is taken. */
#include "ctl/request.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

enum takes {
	NOTHING,
	MAY_NAME, /* a name, or none */
	MUST_NAME,
	CHECK, /* a name, and who asks for it */
};

static const struct {
	const char *word;
	enum ctl_right right;
	enum takes takes;
} commands[] = {
	[CTL_STATUS] = {"status", CTL_READ, NOTHING},
	[CTL_LIST] = {"list", CTL_CAPTURE, NOTHING},
	[CTL_SHOW] = {"show", CTL_READ, MUST_NAME},
	[CTL_STATS] = {"stats", CTL_READ, MAY_NAME},
	[CTL_CLIENTS] = {"clients", CTL_READ, NOTHING},
	[CTL_METRICS] = {"metrics", CTL_READ, NOTHING},
	[CTL_MONITOR] = {"monitor", CTL_READ, NOTHING},
	[CTL_CAPTURE_PACKETS] = {"capture", CTL_CAPTURE, MUST_NAME},
	[CTL_POLICY_CHECK] = {"policy-check", CTL_READ, CHECK},
	[CTL_UP] = {"up", CTL_WRITE, MUST_NAME},
	[CTL_DOWN] = {"down", CTL_WRITE, MUST_NAME},
	[CTL_RELOAD] = {"reload", CTL_WRITE, NOTHING},
};

int ctl_fail(struct ctl_error *error, const char *code, const char *format, ...)
{
	va_list args;

	error->code = code;
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return -1;
}

enum ctl_right ctl_right_of(enum ctl_command command)
{
	return commands[command].right;
}

static int check_version(const json_t *object, struct ctl_error *error)
{
	const json_t *version = json_object_get(object, "version");

	if (!json_is_integer(version))
		return ctl_fail(error, "invalid",
				"the request has no \"version\"; this is %d",
				CTL_VERSION);
	if (json_integer_value(version) != CTL_VERSION)
		return ctl_fail(error, "version",
				"this daemon speaks version %d of the "
				"protocol; use a tundctl of its version",
				CTL_VERSION);
	return 0;
}

static int find_command(const json_t *object, struct ctl_request *request,
			struct ctl_error *error)
{
	const char *word =
		json_string_value(json_object_get(object, "command"));

	if (!word)
		return ctl_fail(error, "invalid",
				"the request has no \"command\"");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].word, word) == 0) {
			request->command = (enum ctl_command)i;
			return 0;
		}
	}
	return ctl_fail(error, "unknown-command",
			"there is no command \"%.64s\" in this daemon", word);
}

static int read_name(const json_t *value, struct ctl_request *request,
		     struct ctl_error *error)
{
	const char *name = json_string_value(value);

	if (!name || !*name || strlen(name) >= sizeof(request->name))
		return ctl_fail(error, "invalid",
				"\"name\" must be an interface's name");
	strcpy(request->name, name);
	return 0;
}

static int read_netns(const json_t *value, struct ctl_request *request,
		      struct ctl_error *error)
{
	if (!json_is_integer(value) || json_integer_value(value) <= 0)
		return ctl_fail(error, "invalid",
				"\"netns\" must be the inode number of a "
				"network namespace");
	request->netns = (uint64_t)json_integer_value(value);
	return 0;
}

/* Whoever misspells a word is told, and not obeyed in part. */
static int read_member(const char *key, const json_t *value,
		       struct ctl_request *request, struct ctl_error *error)
{
	enum takes takes = commands[request->command].takes;
	int r = 0;

	if (strcmp(key, "version") == 0 || strcmp(key, "command") == 0)
		return 0;
	if (strcmp(key, "name") == 0 && takes != NOTHING)
		return read_name(value, request, error);
	if (strcmp(key, "netns") == 0 && takes != NOTHING)
		return read_netns(value, request, error);
	if (takes == CHECK)
		r = ctl_check_read(key, value, &request->check, error);
	if (r != 0)
		return r;
	return ctl_fail(error, "invalid", "\"%s\" takes no \"%.64s\"",
			commands[request->command].word, key);
}

static int check_complete(const struct ctl_request *request,
			  struct ctl_error *error)
{
	enum takes takes = commands[request->command].takes;
	const char *word = commands[request->command].word;

	if ((takes == MUST_NAME || takes == CHECK) && !request->name[0])
		return ctl_fail(error, "invalid", "\"%s\" needs a \"name\"",
				word);
	if (takes == CHECK && !request->check.has_uid)
		return ctl_fail(error, "invalid", "\"%s\" needs a \"uid\"",
				word);
	/* It need not be there, and so must be one that could be. */
	if (takes == CHECK && (strlen(request->name) >= IFNAMSIZ ||
			       strpbrk(request->name, "/%: \t\n\v\f\r") ||
			       strcmp(request->name, ".") == 0 ||
			       strcmp(request->name, "..") == 0))
		return ctl_fail(error, "invalid",
				"\"name\" must be an interface's name, of 15 "
				"characters at most, without blanks and /:, "
				"neither . nor .., and no pattern");
	return 0;
}

static int read_object(json_t *object, struct ctl_request *request,
		       struct ctl_error *error)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return ctl_fail(error, "invalid",
				"the request is no JSON object");
	if (check_version(object, error) < 0 ||
	    find_command(object, request, error) < 0)
		return -1;
	json_object_foreach(object, key, value)
	{
		if (read_member(key, value, request, error) < 0)
			return -1;
	}
	return check_complete(request, error);
}

int ctl_request_parse(const char *text, size_t len,
		      struct ctl_request *ret_request, struct ctl_error *error)
{
	json_error_t why;
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int r;

	*ret_request = (struct ctl_request){0};
	if (!object)
		return ctl_fail(error, "invalid",
				"the request is no JSON: %.160s", why.text);
	r = read_object(object, ret_request, error);
	json_decref(object);
	return r;
}

/* ---- what is sent ---- */

json_t *ctl_answer(json_t *result)
{
	return json_pack("{s:i, s:o}", "version", CTL_VERSION, "result",
			 result);
}

json_t *ctl_refusal(const struct ctl_error *error)
{
	return json_pack("{s:i, s:{s:s, s:o}}", "version", CTL_VERSION, "error",
			 "code", error->code, "message",
			 ctl_text(error->message));
}

json_t *ctl_event(json_t *event)
{
	return json_pack("{s:i, s:o}", "version", CTL_VERSION, "event", event);
}

json_t *ctl_text(const char *bytes)
{
	size_t size = 4 * strlen(bytes) + 1;
	char *shown = malloc(size);
	json_t *text;

	if (!shown)
		return NULL;
	text_show(bytes, shown, size);
	text = json_string(shown);
	free(shown);
	return text;
}
