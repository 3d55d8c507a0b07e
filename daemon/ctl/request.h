/* SPDX-License-Identifier: MIT */
/*
 * request.h - what a client asks for, read from JSON and checked word by word.
 * Nothing is done about it here.
 */
#ifndef TUND_CTL_REQUEST_H
#define TUND_CTL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/peer.h"
#include "ctl/policy.h"

/* Of the protocol, in every message. */
#define CTL_VERSION 1

enum ctl_command {
	CTL_STATUS,
	CTL_LIST,
	CTL_SHOW,
	CTL_STATS,
	CTL_CLIENTS,
	CTL_METRICS,
	CTL_MONITOR,
	CTL_CAPTURE_PACKETS,
	CTL_POLICY_CHECK,
	CTL_UP,
	CTL_DOWN,
	CTL_RELOAD,
};

struct ctl_request {
	enum ctl_command command;
	char name[64];		/* as it is shown; "" where none is given */
	uint64_t netns;		/* 0: none is given */
	struct ctl_check check; /* of CTL_POLICY_CHECK */
};

/* Why there is no result. */
struct ctl_error {
	const char *code; /* one of tund-control(7)'s */
	char message[512];
};

__attribute__((format(printf, 3, 4))) int
ctl_fail(struct ctl_error *error, const char *code, const char *format, ...);

/* Returns 0, or a negative number and the error. */
int ctl_request_parse(const char *text, size_t len,
		      struct ctl_request *ret_request, struct ctl_error *error);

enum ctl_right ctl_right_of(enum ctl_command command);

/* The messages; `result` and the like are taken. NULL: no memory. */
json_t *ctl_answer(json_t *result);
json_t *ctl_refusal(const struct ctl_error *error);
json_t *ctl_event(json_t *event);

/*
 * Bytes that somebody else has chosen as a JSON string: what is no UTF-8 in
 * them, or would work a terminal, is written as \xHH.
 */
json_t *ctl_text(const char *bytes);

#endif
