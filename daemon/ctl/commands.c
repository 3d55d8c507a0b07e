/* SPDX-License-Identifier: MIT */
/* commands.c - one function for each command that has an answer. */
#include "ctl/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/describe.h"
#include "ctl/frame.h"
#include "ctl/metrics.h"
#include "dev/configure.h"

/* Each gives 0 and the result, or a negative number and the error. */
struct call {
	const struct ctl_context *context;
	struct dev_table *table;
	const struct ctl_request *request;
	const struct ctl_who *who;
	struct ctl_capture *capture;
	json_t *result;
	struct ctl_error *error;
};

static int no_memory(struct call *call)
{
	return ctl_fail(call->error, "failed", "no memory is left");
}

/* ---- devices ---- */

/* Whether the request is about it; names are compared as they are shown. */
static bool is_meant(const struct ctl_request *request,
		     const struct dev_report *report)
{
	json_t *name, *asked;
	bool same;

	if (request->netns && request->netns != report->ns_id)
		return false;
	if (!request->name[0])
		return true;
	name = ctl_text(report->state.name);
	asked = ctl_text(request->name);
	same = name && asked && json_equal(name, asked);
	json_decref(name);
	json_decref(asked);
	return same;
}

static int not_found(struct call *call)
{
	return ctl_fail(call->error, "not-found",
			"tund has no device \"%s\"%s: \"tundctl list\" shows "
			"them",
			call->request->name,
			call->request->netns ? " in that network namespace"
					     : "");
}

/*
 * {"devices": [...]} with what `describe` says of each that is meant, and whose
 * packets the client may see, if `own`.
 */
static int describe_devices(struct call *call,
			    json_t *(*describe)(const struct dev_report *),
			    bool own)
{
	struct dev_report *report;
	json_t *list = json_array();
	uint64_t id = 0;
	int r;

	while ((r = dev_report(call->table, id, &report)) == 0) {
		id = report->id;
		if (is_meant(call->request, report) &&
		    (!own || ctl_capture_may(call->who, call->table, report)))
			json_array_append_new(list, describe(report));
		free(report);
	}
	if (r == -ENOENT && call->request->name[0] &&
	    json_array_size(list) == 0) {
		json_decref(list);
		return not_found(call);
	}
	call->result = json_pack("{s:o}", "devices", list);
	return r == -ENOENT ? 0 : no_memory(call);
}

static int list(struct call *call)
{
	const struct ctl_who *who = call->who;
	int r = describe_devices(call, ctl_describe_device, !who->looks);

	if (r < 0 || who->looks ||
	    json_array_size(json_object_get(call->result, "devices")) > 0)
		return r;
	/* Nobody tells him whether there are others. */
	ctl_refuse_peer(who->uid, call->request, call->error);
	return -1;
}

static int show(struct call *call)
{
	return describe_devices(call, ctl_describe_device_fully, false);
}

/*
 * The one device that is meant, which the caller frees; more would be a guess.
 * Those that `may` does not allow, if it is given, are not there.
 */
static int find_one(struct call *call,
		    bool (*may)(const struct ctl_who *who,
				struct dev_table *table,
				const struct dev_report *report),
		    struct dev_report **ret_report)
{
	struct dev_report *report, *found = NULL;
	unsigned int n = 0;

	for (uint64_t id = 0; dev_report(call->table, id, &report) == 0;) {
		id = report->id;
		if (is_meant(call->request, report) &&
		    (!may || may(call->who, call->table, report))) {
			free(found);
			found = report;
			n++;
		} else {
			free(report);
		}
	}
	if (n == 1) {
		*ret_report = found;
		return 0;
	}
	free(found);
	return n == 0 ? not_found(call)
		      : ctl_fail(call->error, "ambiguous",
				 "%u devices are called \"%s\": name the "
				 "network namespace of one",
				 n, call->request->name);
}

static int set_up(struct call *call, bool up)
{
	struct dev_report *report;
	int r;

	if (find_one(call, NULL, &report) < 0)
		return -1;
	r = dev_set_up(call->table, report->id, up);
	free(report);
	if (r == -ENODEV)
		return not_found(call);
	if (r < 0)
		return ctl_fail(call->error, "failed",
				"the kernel does not set \"%s\" %s: %s",
				call->request->name, up ? "up" : "down",
				strerror(-r));
	call->result = json_object();
	return 0;
}

static int up(struct call *call)
{
	return set_up(call, true);
}

static int down(struct call *call)
{
	return set_up(call, false);
}

static int stats(struct call *call)
{
	return describe_devices(call, ctl_describe_stats, false);
}

static int may_not_capture(struct call *call)
{
	return ctl_fail(call->error, "permission",
			"user %u may not see packets of \"%s\", if that is a "
			"device: it is for root, for the device's owner, and "
			"for the group CaptureGroup= of tund.conf; use sudo, "
			"or have yourself added to that group",
			call->who->uid, call->request->name);
}

static int capture(struct call *call)
{
	struct dev_report *report;
	int r = find_one(call, ctl_capture_may, &report);

	if (r < 0 && strcmp(call->error->code, "not-found") == 0 &&
	    !call->who->trusted)
		return may_not_capture(call);
	if (r < 0)
		return r;
	r = ctl_capture_begin(call->table, report, call->who, &call->capture,
			      call->error);
	if (r == 0)
		call->result = ctl_describe_device(report);
	free(report);
	return r;
}

/* ---- the daemon ---- */

static void count(struct dev_table *table, unsigned int *ret_devices,
		  unsigned int *ret_files)
{
	struct dev_file_report file;
	struct dev_report *device;

	*ret_devices = *ret_files = 0;
	for (uint64_t id = 0; dev_report(table, id, &device) == 0;) {
		id = device->id;
		++*ret_devices;
		free(device);
	}
	for (uint64_t id = 0; dev_file_report(table, id, &file) == 0;) {
		id = file.id;
		++*ret_files;
	}
}

static int status(struct call *call)
{
	const struct ctl_context *context = call->context;
	unsigned int devices, files;

	count(call->table, &devices, &files);
	call->result =
		json_pack("{s:s, s:i, s:I, s:o, s:b, s:i, s:i, s:i}", "daemon",
			  TUND_VERSION, "pid", (int)getpid(), "started",
			  (json_int_t)context->started, "mount",
			  ctl_text(context->options.mount), "direct",
			  context->options.can_direct, "devices", (int)devices,
			  "files", (int)files, "connections",
			  (int)atomic_load(&context->n_connections));
	return 0;
}

static int clients(struct call *call)
{
	struct dev_file_report report;
	json_t *list = json_array();

	for (uint64_t id = 0; dev_file_report(call->table, id, &report) == 0;) {
		id = report.id;
		json_array_append_new(list, ctl_describe_file(&report));
	}
	call->result = json_pack("{s:o}", "clients", list);
	return 0;
}

static int policy_check(struct call *call)
{
	call->result = ctl_check_policy(call->table, call->request);
	return 0;
}

/* An array of its lines. */
static json_t *lines_of(char *text)
{
	json_t *lines = json_array();
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(lines, ctl_text(line));
	return lines;
}

static int reload(struct call *call)
{
	const struct ctl_options *options = &call->context->options;
	char *told = NULL;
	int r = options->reload(options->arg, &told);

	if (r < 0)
		ctl_fail(call->error, "failed", "%.*s",
			 told ? (int)strcspn(told, "\n") : 0, told);
	else
		call->result = json_pack("{s:o}", "warnings", lines_of(told));
	free(told);
	return r < 0 ? -1 : 0;
}

static int metrics(struct call *call)
{
	char *text = ctl_metrics(call->table);

	if (!text)
		return no_memory(call);
	call->result = json_pack("{s:s}", "text", text);
	free(text);
	return 0;
}

/* ---- */

static char *finish(struct call *call, int r)
{
	json_t *answer =
		r == 0 && call->result ? ctl_answer(call->result) : NULL;
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (r < 0)
		json_decref(call->result);
	else if (!text)
		no_memory(call);
	json_decref(answer);
	if (text && strlen(text) > CTL_MAX_ANSWER) {
		ctl_fail(call->error, "too-large",
			 "the answer is too large: ask \"show\" or \"stats\" "
			 "for one device");
		free(text);
		text = NULL;
	}
	if (text)
		return text;
	answer = ctl_refusal(call->error);
	text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	return text;
}

char *ctl_run(const struct ctl_context *context,
	      const struct ctl_request *request, const struct ctl_who *who,
	      struct ctl_capture **ret_capture)
{
	static int (*const functions[])(struct call * call) = {
		[CTL_STATUS] = status,
		[CTL_LIST] = list,
		[CTL_SHOW] = show,
		[CTL_STATS] = stats,
		[CTL_CLIENTS] = clients,
		[CTL_METRICS] = metrics,
		[CTL_CAPTURE_PACKETS] = capture,
		[CTL_POLICY_CHECK] = policy_check,
		[CTL_UP] = up,
		[CTL_DOWN] = down,
		[CTL_RELOAD] = reload,
	};
	struct ctl_error error = {.code = "failed"};
	struct call call = {
		.context = context,
		.table = context->options.table,
		.request = request,
		.who = who,
		.error = &error,
	};
	int r = functions[request->command](&call);

	*ret_capture = call.capture;
	return finish(&call, r);
}

void ctl_refuse_peer(uid_t uid, const struct ctl_request *request,
		     struct ctl_error *ret_error)
{
	if (ctl_right_of(request->command) != CTL_WRITE)
		ctl_fail(ret_error, "permission",
			 "user %u may not look: that is for root and the group "
			 "\"" CTL_GROUP "\"; add the user to that group",
			 uid);
	else
		ctl_fail(ret_error, "permission",
			 "user %u may change nothing: that is for root; use "
			 "sudo",
			 uid);
}
