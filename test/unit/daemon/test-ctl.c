/* SPDX-License-Identifier: MIT */
/*
 * test-ctl.c - the control socket's framing, its requests, who may ask, and the
 * words that are made of other people's bytes. The server is the system tests'.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/frame.h"
#include "ctl/peer.h"
#include "ctl/process.h"
#include "ctl/request.h"
#include "unit.h"

/* ---- framing ---- */

static void put(struct ctl_input *input, uint32_t len, const char *text)
{
	uint32_t head = htonl(len);

	memcpy(input->bytes + input->n, &head, CTL_HEAD);
	memcpy(input->bytes + input->n + CTL_HEAD, text, strlen(text));
	input->n += CTL_HEAD + strlen(text);
}

static void requests_come_in_parts(void **state)
{
	struct ctl_input *input = must_alloc(sizeof(*input));
	const char *text;
	size_t len, whole;

	input->n = 0;
	put(input, 3, "one");
	put(input, 5, "three");
	whole = input->n;
	for (input->n = 0; input->n < CTL_HEAD + 3; input->n++)
		assert_int_equal(ctl_input_get(input, &text, &len),
				 CTL_INPUT_PART);
	assert_int_equal(ctl_input_get(input, &text, &len), CTL_INPUT_WHOLE);
	input->n = whole;
	assert_int_equal(ctl_input_get(input, &text, &len), CTL_INPUT_WHOLE);
	assert_memory_equal(text, "one", len);
	ctl_input_drop(input);
	assert_int_equal(ctl_input_get(input, &text, &len), CTL_INPUT_WHOLE);
	assert_int_equal(len, 5);
	assert_memory_equal(text, "three", 5);
	ctl_input_drop(input);
	assert_int_equal(input->n, 0);
	free(input);
}

static void lengths(void **state)
{
	static const struct {
		uint32_t len;
		int r;
	} cases[] = {
		{0, -EMSGSIZE},
		{1, CTL_INPUT_PART},
		{CTL_MAX_REQUEST, CTL_INPUT_PART},
		{CTL_MAX_REQUEST + 1, -EMSGSIZE},
		{UINT32_MAX, -EMSGSIZE},
		{0x7b227665, -EMSGSIZE}, /* text without a length */
	};
	struct ctl_input *input = must_alloc(sizeof(*input));
	const char *text;
	size_t len;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		input->n = 0;
		put(input, cases[i].len, "");
		if (ctl_input_get(input, &text, &len) != cases[i].r)
			fail_msg("case %zu", i);
	}
	free(input);
}

static void answers_are_framed(void **state)
{
	struct ctl_message *message = ctl_message_new("{}", 2);

	assert_int_equal(message->len, 6);
	assert_memory_equal(message->bytes, "\0\0\0\2{}", 6);
	free(message);
}

/* ---- requests ---- */

#define NAMED "{\"version\":1,\"command\":\"policy-check\",\"uid\":7,\"name\":"
#define CHECK "{\"version\":1,\"command\":\"policy-check\",\"name\":\"a\","

static void requests(void **state)
{
	static const struct {
		const char *text;
		const char *code; /* NULL: it is good */
		enum ctl_command command;
	} cases[] = {
		{"{\"version\":1,\"command\":\"list\"}", NULL, CTL_LIST},
		{"{\"command\":\"show\",\"name\":\"a\",\"version\":1}", NULL,
		 CTL_SHOW},
		{"{\"version\":1,\"command\":\"up\",\"name\":\"a\","
		 "\"netns\":4026531840}",
		 NULL, CTL_UP},
		{"{\"version\":1,\"command\":\"stats\"}", NULL, CTL_STATS},
		{"{\"version\":2,\"command\":\"list\"}", "version", 0},
		{"{\"version\":\"1\",\"command\":\"list\"}", "invalid", 0},
		{"{\"command\":\"list\"}", "invalid", 0},
		{"{\"version\":1}", "invalid", 0},
		{"{\"version\":1,\"command\":7}", "invalid", 0},
		{"{\"version\":1,\"command\":\"lists\"}", "unknown-command", 0},
		{"{\"version\":1,\"command\":\"list\",\"name\":\"a\"}",
		 "invalid", 0},
		{"{\"version\":1,\"command\":\"show\"}", "invalid", 0},
		{"{\"version\":1,\"command\":\"show\",\"name\":\"\"}",
		 "invalid", 0},
		{"{\"version\":1,\"command\":\"show\",\"name\":[]}", "invalid",
		 0},
		{"{\"version\":1,\"command\":\"show\",\"name\":\"a\","
		 "\"netns\":-1}",
		 "invalid", 0},
		{"{\"version\":1,\"command\":\"show\",\"name\":\"a\","
		 "\"name\":\"b\"}",
		 "invalid", 0},
		{"{\"version\":1,\"command\":\"list\"} x", "invalid", 0},
		{CHECK "\"uid\":7}", NULL, CTL_POLICY_CHECK},
		{CHECK "\"uid\":7,\"groups\":[0,8],\"kind\":\"tap\","
		       "\"plane\":\"direct\",\"netns\":5}",
		 NULL, CTL_POLICY_CHECK},
		{CHECK "\"kind\":\"tun\"}", "invalid", 0},
		{CHECK "\"uid\":-1}", "invalid", 0},
		{CHECK "\"uid\":4294967295}", "invalid", 0},
		{CHECK "\"uid\":\"root\"}", "invalid", 0},
		{CHECK "\"uid\":7,\"groups\":8}", "invalid", 0},
		{CHECK "\"uid\":7,\"groups\":[\"a\"]}", "invalid", 0},
		{CHECK "\"uid\":7,\"kind\":\"veth\"}", "invalid", 0},
		{CHECK "\"uid\":7,\"plane\":1}", "invalid", 0},
		{CHECK "\"uid\":7,\"file\":1}", "invalid", 0},
		{"{\"version\":1,\"command\":\"policy-check\",\"uid\":7}",
		 "invalid", 0},
		{"{\"version\":1,\"command\":\"policy-check\",\"uid\":7,"
		 "\"name\":\"tun%d\"}",
		 "invalid", 0},
		{"{\"version\":1,\"command\":\"policy-check\",\"uid\":7,"
		 "\"name\":\"sixteen-letters1\"}",
		 "invalid", 0},
		{NAMED "\".\"}", "invalid", 0},
		{NAMED "\"..\"}", "invalid", 0},
		{NAMED "\"a\\u000b\"}", "invalid", 0},
		{NAMED "\"...\"}", NULL, CTL_POLICY_CHECK},
		{"{\"version\":1,\"command\":\"show\",\"name\":\"a\","
		 "\"uid\":7}",
		 "invalid", 0},
		{"[]", "invalid", 0},
		{"7", "invalid", 0},
		{"{", "invalid", 0},
		{"\xff\xfe", "invalid", 0},
	};
	struct ctl_request request;
	struct ctl_error error;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		int r = ctl_request_parse(cases[i].text, strlen(cases[i].text),
					  &request, &error);

		if ((r < 0) != (cases[i].code != NULL))
			fail_msg("%s", cases[i].text);
		if (r < 0)
			assert_string_equal(error.code, cases[i].code);
		else
			assert_int_equal(request.command, cases[i].command);
	}
}

/* jansson has its own bound; the stack must hold it. */
static void deep_request(void **state)
{
	char *text = must_alloc(CTL_MAX_REQUEST);
	struct ctl_request request;
	struct ctl_error error;

	memset(text, '[', CTL_MAX_REQUEST);
	assert_true(ctl_request_parse(text, CTL_MAX_REQUEST, &request, &error) <
		    0);
	assert_string_equal(error.code, "invalid");
	free(text);
}

static void who_may(void **state)
{
	static const struct {
		struct ctl_peer peer;
		uid_t owner;
		bool read, write;
	} cases[] = {
		{{.uid = 0}, 0, true, true},
		{{.uid = 0, .in_group = true}, 0, true, true},
		{{.uid = 1000, .in_group = true}, 0, true, false},
		{{.uid = 1000}, 0, false, false},
		{{.uid = 1000}, 1000, true, true},
		{{.uid = (uid_t)-1}, 0, false, false},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(
			ctl_peer_may(&cases[i].peer, cases[i].owner, CTL_READ),
			cases[i].read);
		assert_int_equal(
			ctl_peer_may(&cases[i].peer, cases[i].owner, CTL_WRITE),
			cases[i].write);
	}
	for (int c = CTL_STATUS; c <= CTL_RELOAD; c++)
		assert_int_equal(ctl_right_of((enum ctl_command)c),
				 c == CTL_CAPTURE_PACKETS || c == CTL_LIST
					 ? CTL_CAPTURE
				 : c >= CTL_UP ? CTL_WRITE
					       : CTL_READ);
}

/* ---- words ---- */

static void bytes_become_text(void **state)
{
	static const char *const cases[][2] = {
		{"tun0", "tun0"},
		{"", ""},
		{"\xc3\xa9", "\xc3\xa9"},
		{"a\xff", "a\\xff"},
		{"\xc3", "\\xc3"},
		{"\xc3\xa9\x80z", "\xc3\xa9\\x80z"},
		{"\x1b[m", "\\x1b[m"},
		{"\n\x7f", "\\x0a\\x7f"},
		{"\xc2\x9b", "\\xc2\\x9b"},
		{"\xc2\xa0", "\xc2\xa0"},
		{"\xe2\x80\xae!", "\\xe2\\x80\\xae!"},
		{"\xe2\x81\xa6!", "\\xe2\\x81\\xa6!"},
		{"\xe2\x80\x8f!", "\\xe2\\x80\\x8f!"},
		{"\xe2\x80\xa6", "\xe2\x80\xa6"},
		/* Too long, a surrogate, too great, and cut. */
		{"\xc0\x80", "\\xc0\\x80"},
		{"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		json_t *text = ctl_text(cases[i][0]);

		assert_string_equal(json_string_value(text), cases[i][1]);
		json_decref(text);
	}
}

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16

static void containers(void **state)
{
	static const char *const cases[][2] = {
		{"/", ""},
		{"/user.slice/user-1000.slice/session-2.scope", ""},
		{"/system.slice/docker-" HEX64 ".scope", "0123456789ab"},
		{"/docker/" HEX64, "0123456789ab"},
		{"/machine.slice/libpod-" HEX64 ".scope/container",
		 "0123456789ab"},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" HEX64
		 ".scope",
		 "0123456789ab"},
		{"/lxc.payload.web/init.scope", "web"},
		{"/docker/0123", ""},
	};
	char name[128];

	for (size_t i = 0; i < LENGTH(cases); i++) {
		ctl_container_of(cases[i][0], name, sizeof(name));
		assert_string_equal(name, cases[i][1]);
	}
}

/* ---- who does not read ---- */

/* NULL at the end. */
static json_t *read_message(int fd)
{
	uint32_t head;
	json_t *message;
	size_t len, n = 0;
	char *text;

	if (recv(fd, &head, sizeof(head), MSG_WAITALL) != sizeof(head))
		return NULL;
	len = ntohl(head);
	text = must_alloc(len);
	while (n < len) {
		ssize_t r = recv(fd, text + n, len - n, 0);

		assert_true(r > 0);
		n += (size_t)r;
	}
	message = json_loadb(text, len, 0, NULL);
	free(text);
	assert_non_null(message);
	return message;
}

/* What it is told is whole messages up to the reason, and is bounded. */
static void slow_monitor(void **state)
{
	const struct ctl_peer peer = {.pid = 1};
	struct ctl_client *client;
	unsigned int sent = 0, got = 0;
	json_t *message;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	client = ctl_client_new(fds[0], &peer);
	client->monitor = true;
	while (!client->closing && sent < 1000000) {
		ctl_client_send(client, ctl_event(json_integer(sent)));
		sent++;
	}
	assert_true(client->closing);
	assert_false(client->broken);
	assert_true(client->output_bytes < 4096);
	assert_true(client->deadline_ms > 0);
	/* It reads on after all. */
	for (;;) {
		json_t *error;

		ctl_client_flush(client);
		message = read_message(fds[1]);
		error = json_object_get(message, "error");
		if (error) {
			assert_string_equal(json_string_value(json_object_get(
						    error, "code")),
					    "too-slow");
			break;
		}
		assert_int_equal(
			json_integer_value(json_object_get(message, "event")),
			got++);
		json_decref(message);
	}
	json_decref(message);
	assert_true(got > 0 && got < sent);
	assert_true(list_empty(&client->output));
	ctl_client_free(client);
	assert_null(read_message(fds[1]));
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_come_in_parts),
		cmocka_unit_test(lengths),
		cmocka_unit_test(answers_are_framed),
		cmocka_unit_test(requests),
		cmocka_unit_test(deep_request),
		cmocka_unit_test(who_may),
		cmocka_unit_test(bytes_become_text),
		cmocka_unit_test(containers),
		cmocka_unit_test(slow_monitor),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
